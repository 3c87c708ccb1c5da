/* Keys, sealed values, LMDB's errors as ours. */
#include "store/env.h"

#include "ipc/frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int
store_errno(int mdb_error)
{
	switch (mdb_error) {
	case MDB_SUCCESS:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return -ENOSPC;
	case MDB_READERS_FULL:
		return -EAGAIN;
	case MDB_TXN_FULL:
	case MDB_BAD_VALSIZE:
		return -EMSGSIZE;
	case MDB_VERSION_MISMATCH:
		return -EPROTO;
	case MDB_PANIC:
		return -EIO;
	default:
		/* What is left of MDB_* are contradictions in what the pages say. */
		return mdb_error > 0 ? -mdb_error : -EUCLEAN;
	}
}

static void
put_be(uint8_t *to, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(value >> (56 - 8 * i));
}

uint64_t
store_number(const uint8_t from[static 8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | from[i];
	return value;
}

struct store_key
store_key1(uint64_t a)
{
	struct store_key key = { .len = 8 };

	put_be(key.bytes, a);
	return key;
}

struct store_key
store_key2(uint64_t a, uint64_t b)
{
	struct store_key key = { .len = 16 };

	put_be(key.bytes, a);
	put_be(key.bytes + 8, b);
	return key;
}

struct store_key
store_key_token(uint64_t uid, const uint8_t token[static 16])
{
	struct store_key key = { .len = 24 };

	put_be(key.bytes, uid);
	memcpy(key.bytes + 8, token, 16);
	return key;
}

uint64_t
store_key_number(const MDB_val *key, size_t index)
{
	if (key->mv_size < 8 * (index + 1))
		return 0;
	return store_number((const uint8_t *)key->mv_data + 8 * index);
}

/* LMDB's MDB_val has no const, and writes to no key. */
static MDB_val
borrow(const void *data, size_t len)
{
	union {
		const void *given;
		void *taken;
	} bytes = { .given = data };

	return (MDB_val){ .mv_size = len, .mv_data = bytes.taken };
}

MDB_val
store_val(const struct store_key *key)
{
	return borrow(key->bytes, key->len);
}

MDB_val
meta_key(const char *name)
{
	return borrow(name, strlen(name));
}

/* ---- seals ------------------------------------------------------------------------ */

void
seal_close(uint8_t seal[static SEAL_BYTES], uint32_t payload_crc, const MDB_val *key)
{
	uint32_t crc = crc32c(payload_crc, key->mv_data, key->mv_size);

	for (int i = 0; i < SEAL_BYTES; i++)
		seal[i] = (uint8_t)(crc >> (8 * i));
}

int
seal_open(const MDB_val *key, const MDB_val *value, const uint8_t **ret_payload, size_t *ret_len)
{
	const uint8_t *bytes = value->mv_data;
	uint8_t seal[SEAL_BYTES];
	size_t len;

	if (value->mv_size < SEAL_BYTES)
		return -EUCLEAN;
	len = value->mv_size - SEAL_BYTES;
	seal_close(seal, crc32c(0, bytes + SEAL_BYTES, len), key);
	if (memcmp(seal, bytes, SEAL_BYTES) != 0)
		return -EUCLEAN;
	*ret_payload = bytes + SEAL_BYTES;
	*ret_len = len;
	return 0;
}

int
seal_put(MDB_txn *txn, MDB_dbi table, MDB_val key, const void *payload, size_t len)
{
	uint8_t sealed[SEAL_BYTES + SEAL_SMALL];
	MDB_val value = { .mv_size = SEAL_BYTES + len, .mv_data = sealed };

	assert(len <= SEAL_SMALL);
	if (len > 0)
		memcpy(sealed + SEAL_BYTES, payload, len);
	seal_close(sealed, crc32c(0, sealed + SEAL_BYTES, len), &key);
	return store_errno(mdb_put(txn, table, &key, &value, 0));
}

int
seal_get(MDB_txn *txn, MDB_dbi table, MDB_val key, const uint8_t **ret_payload, size_t *ret_len)
{
	MDB_val value;
	int r = store_errno(mdb_get(txn, table, &key, &value));

	return r < 0 ? r : seal_open(&key, &value, ret_payload, ret_len);
}

int
meta_get_number(MDB_txn *txn, MDB_dbi meta, const char *name, uint64_t *ret_value)
{
	const uint8_t *payload;
	size_t len;
	int r = seal_get(txn, meta, meta_key(name), &payload, &len);

	if (r < 0)
		return r;
	if (len != 8)
		return -EUCLEAN;
	*ret_value = store_number(payload);
	return 0;
}

int
meta_put_number(MDB_txn *txn, MDB_dbi meta, const char *name, uint64_t value)
{
	uint8_t bytes[8];

	put_be(bytes, value);
	return seal_put(txn, meta, meta_key(name), bytes, sizeof bytes);
}
