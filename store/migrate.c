#include "store/migrate.h"

#include "ipc/frame.h"
#include "store/batch.h"

#include <errno.h>
#include <string.h>

/* From version i + 1 to i + 2. There is one version yet, so there is no step. */
typedef int (*migrate_fn)(struct store *store, MDB_txn *txn);
static const migrate_fn steps[STORE_SCHEMA_VERSION] = { NULL };

static int
read_version(struct store *store, MDB_txn *txn, uint64_t *ret_version)
{
	MDB_val key = { .mv_size = 7, .mv_data = (char[]){ "version" } }, value;
	const uint8_t *payload;
	size_t len;
	int r = mdb_get(txn, store->tables.meta, &key, &value);

	*ret_version = 0;
	if (r == MDB_NOTFOUND)
		return 0;
	if (r != 0)
		return store_errno(r);
	if (seal_open(value.mv_data, value.mv_size, &payload, &len) < 0 || len != 1)
		return -EUCLEAN;
	*ret_version = payload[0];
	return 0;
}

static int
write_version(struct store *store, MDB_txn *txn, uint8_t version)
{
	uint8_t sealed[5] = { 0, 0, 0, 0, version };
	uint32_t crc = crc32c(0, sealed + 4, 1);
	MDB_val key = { .mv_size = 7, .mv_data = (char[]){ "version" } };
	MDB_val value = { .mv_size = sizeof sealed, .mv_data = sealed };

	for (int i = 0; i < 4; i++)
		sealed[i] = (uint8_t)(crc >> (8 * i));
	return store_errno(mdb_put(txn, store->tables.meta, &key, &value, 0));
}

int
migrate(struct store *store, MDB_txn *txn)
{
	uint64_t version;
	int r = read_version(store, txn, &version);

	if (r < 0)
		return r;
	if (version > STORE_SCHEMA_VERSION)
		return -EPROTO;
	if (version == STORE_SCHEMA_VERSION || store->read_only)
		return 0;
	for (; r == 0 && version > 0 && version < STORE_SCHEMA_VERSION; version++)
		r = steps[version - 1](store, txn);
	return r < 0 ? r : write_version(store, txn, STORE_SCHEMA_VERSION);
}
