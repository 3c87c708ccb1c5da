/* store/migrate.h - the schema's version, and the steps that lead to it. For this room only. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/env.h"

/* Rewrites the tables of one version as those of the next, inside TXN. */
typedef int (*migrate_fn)(MDB_txn *txn, const struct store_tables *tables);

struct migrations {
	const migrate_fn
	    *steps;      /* steps[i] leads from version i to i + 1; NULL: none was released */
	uint64_t newest; /* as many as there are steps */
};

/* This build's own. */
extern const struct migrations store_migrations;

/*
 * Brings the tables to the newest version inside TXN; empty tables are given it as they are.
 * All or nothing, as TXN is. 0; -EPROTO: written by a newer build; -EUCLEAN: rows without a
 * version, or with one that never was; what a step returned.
 */
int migrate(const struct migrations *migrations, MDB_txn *txn, const struct store_tables *tables);

/* 0 when the tables are of the newest version; -EPROTO, -EUCLEAN as above; -EROFS: an older one. */
int migrate_check(
    const struct migrations *migrations, MDB_txn *txn, const struct store_tables *tables);

#endif
