/* store/migrate.h - the schema's version, and the steps that lead to it. For this room only. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/env.h"

/* Brings the tables to STORE_SCHEMA_VERSION inside TXN; a new store is given it. 0; -EPROTO when it is of
 * a newer build; -EUCLEAN; -errno. */
int migrate(struct store *store, MDB_txn *txn);

#endif
