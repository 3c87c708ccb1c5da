#include "store/migrate.h"

#include <errno.h>

/* Table `history` came with version 2; it was made empty when the tables were opened. */
static int
add_history(MDB_txn *txn, const struct store_tables *tables)
{
	(void)txn;
	(void)tables;
	return 0;
}

/* Version 1 is the first, so that nothing leads to it. */
static const migrate_fn steps[STORE_SCHEMA_VERSION] = { NULL, add_history };

const struct migrations store_migrations = { .steps = steps, .newest = STORE_SCHEMA_VERSION };

/* The version that stands there; 0 in a new store. */
static int
read_version(MDB_txn *txn, const struct store_tables *tables, uint64_t *ret_version)
{
	int r = meta_get_number(txn, tables->meta, META_VERSION, ret_version);
	MDB_stat task, event;

	if (r == 0)
		return *ret_version == 0 ? -EUCLEAN : 0;
	if (r != -ENOENT)
		return r;
	r = mdb_stat(txn, tables->task, &task);
	if (r == 0)
		r = mdb_stat(txn, tables->event, &event);
	if (r != 0)
		return store_errno(r);
	*ret_version = 0;
	return task.ms_entries == 0 && event.ms_entries == 0 ? 0 : -EUCLEAN;
}

int
migrate(const struct migrations *migrations, MDB_txn *txn, const struct store_tables *tables)
{
	uint64_t version;
	int r = read_version(txn, tables, &version);

	if (r < 0)
		return r;
	if (version > migrations->newest)
		return -EPROTO;
	if (version == migrations->newest)
		return 0;
	while (r == 0 && version > 0 && version < migrations->newest) {
		migrate_fn step = migrations->steps[version++];

		r = step ? step(txn, tables) : -EUCLEAN;
	}
	return r < 0 ? r : meta_put_number(txn, tables->meta, META_VERSION, migrations->newest);
}

int
migrate_check(const struct migrations *migrations, MDB_txn *txn, const struct store_tables *tables)
{
	uint64_t version;
	int r = read_version(txn, tables, &version);

	if (r < 0)
		return r;
	if (version > migrations->newest)
		return -EPROTO;
	return version == migrations->newest ? 0 : -EROFS;
}
