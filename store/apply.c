/* store_apply: batches become true, in order, in one transaction. */
#include "ipc/failpoint.h"
#include "ipc/frame.h"
#include "store/batch.h"
#include "store/env.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static MDB_val nothing;

struct applying {
	struct store *store;
	MDB_txn *txn;
	uint64_t next_seq;
};

static int
put(struct applying *applying, MDB_dbi table, const struct store_key *key, MDB_val value,
    unsigned flags)
{
	MDB_val at = store_val(key);

	return store_errno(mdb_put(applying->txn, table, &at, &value, flags));
}

static int
del(struct applying *applying, MDB_dbi table, const struct store_key *key)
{
	MDB_val at = store_val(key);
	int r = mdb_del(applying->txn, table, &at, NULL);

	return r == MDB_NOTFOUND ? 0 : store_errno(r);
}

static MDB_val
value_of(const struct store_batch *batch, const struct op *op)
{
	return (MDB_val){ .mv_size = op->len, .mv_data = batch->bytes.data + op->at };
}

/* The head that stands there now. False: there is no such row. */
static int
old_head(struct applying *applying, const struct store_key *key, struct row_head *ret_head,
    bool *ret_exists)
{
	MDB_val at = store_val(key), value;
	const uint8_t *payload, *row;
	size_t len, row_len;
	int r = mdb_get(applying->txn, applying->store->tables.task, &at, &value);

	*ret_exists = r == 0;
	*ret_head = (struct row_head){ 0 };
	if (r != 0)
		return r == MDB_NOTFOUND ? 0 : store_errno(r);
	if (seal_open(value.mv_data, value.mv_size, &payload, &len) < 0)
		return -EUCLEAN;
	return row_head_open(payload, len, ret_head, &row, &row_len);
}

static bool
has_owner(const struct row_head *head, uint64_t uid)
{
	for (size_t i = 0; i < head->nowners; i++)
		if (head->owners[i] == uid)
			return true;
	return false;
}

static int
change_owners(struct applying *applying, uint64_t id, const struct row_head *from,
    const struct row_head *to)
{
	MDB_dbi table = applying->store->tables.owner;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->nowners; i++) {
		struct store_key key = store_key2(from->owners[i], id);

		if (!has_owner(to, from->owners[i]))
			r = del(applying, table, &key);
	}
	for (size_t i = 0; r == 0 && i < to->nowners; i++) {
		struct store_key key = store_key2(to->owners[i], id);

		if (!has_owner(from, to->owners[i]))
			r = put(applying, table, &key, nothing, 0);
	}
	return r;
}

/* Only what differs is touched. */
static int
change_indexes(struct applying *applying, uint64_t id, const struct row_head *from,
    const struct row_head *to)
{
	const struct store_tables *tables = &applying->store->tables;
	struct store_key active = store_key1(id);
	struct store_key old_due = store_key2(from->expires_ms, id);
	struct store_key new_due = store_key2(to->expires_ms, id);
	int r = change_owners(applying, id, from, to);

	if (r == 0 && from->is_active && !to->is_active)
		r = del(applying, tables->active, &active);
	if (r == 0 && !from->is_active && to->is_active)
		r = put(applying, tables->active, &active, nothing, 0);
	if (r == 0 && from->expires_ms > 0 && from->expires_ms != to->expires_ms)
		r = del(applying, tables->due, &old_due);
	if (r == 0 && to->expires_ms > 0 && from->expires_ms != to->expires_ms)
		r = put(applying, tables->due, &new_due, nothing, 0);
	return r;
}

static int
put_task(struct applying *applying, const struct store_batch *batch, const struct op *op)
{
	const struct store_tables *tables = &applying->store->tables;
	struct store_key key = store_key1(op->id);
	struct row_head from;
	bool existed;
	int r = old_head(applying, &key, &from, &existed);

	if (r == 0)
		r = put(applying, tables->task, &key, value_of(batch, op), 0);
	if (r == 0 && !existed && op->has_token && op->head.nowners > 0) {
		struct store_key token = store_key_token(op->head.owners[0], op->token);

		r = put(applying, tables->token, &token, store_val(&key), 0);
	}
	return r < 0 ? r : change_indexes(applying, op->id, &from, &op->head);
}

static int
add_event(struct applying *applying, const struct store_batch *batch, const struct op *op)
{
	const struct store_tables *tables = &applying->store->tables;
	uint64_t seq = applying->next_seq++;
	struct store_key key = store_key1(seq), index = store_key2(op->id, seq);
	int r = put(applying, tables->event, &key, value_of(batch, op), MDB_APPEND);

	return r < 0 ? r : put(applying, tables->task_event, &index, nothing, 0);
}

/* Every key of TABLE that begins with ID. */
static int
delete_range(struct applying *applying, MDB_dbi table, uint64_t id)
{
	struct store_key first = store_key2(id, 0);
	MDB_val key = store_val(&first), value;
	MDB_cursor *cursor;
	int r = mdb_cursor_open(applying->txn, table, &cursor);

	if (r != 0)
		return store_errno(r);
	for (r = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	     r == 0 && store_key_number(&key, 0) == id;
	     r = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
		r = mdb_cursor_del(cursor, 0);
		if (r != 0)
			break;
	}
	mdb_cursor_close(cursor);
	return r == MDB_NOTFOUND ? 0 : store_errno(r);
}

/* The token is found by its task, once in the life of each. */
static int
delete_token(struct applying *applying, const struct store_key *id, const struct row_head *head)
{
	MDB_val at = store_val(id), value;
	const uint8_t *payload, *row;
	struct row_head unused;
	struct record record;
	size_t len, row_len;
	int r = store_errno(mdb_get(applying->txn, applying->store->tables.task, &at, &value));

	if (r < 0 || seal_open(value.mv_data, value.mv_size, &payload, &len) < 0 ||
	    row_head_open(payload, len, &unused, &row, &row_len) < 0 ||
	    codec_decode(&record_codec, row, row_len, &record, NULL) < 0)
		return 0;
	for (size_t i = 0; r == 0 && record.token.len == 18 && i < head->nowners; i++) {
		struct store_key token = store_key_token(head->owners[i], record.token.data + 2);

		r = del(applying, applying->store->tables.token, &token);
	}
	codec_free(&record_codec, &record);
	return r;
}

/* Numbers of tasks do not come back: the largest that goes is remembered. */
static int
remember_last_id(struct applying *applying, uint64_t id)
{
	MDB_dbi meta = applying->store->tables.meta;
	MDB_val key = { .mv_size = 7, .mv_data = (char[]){ "last_id" } }, value;
	uint8_t sealed[SEAL_BYTES + 8];
	const uint8_t *payload;
	uint64_t given = 0;
	uint32_t crc;
	size_t len;

	if (mdb_get(applying->txn, meta, &key, &value) == 0 &&
	    seal_open(value.mv_data, value.mv_size, &payload, &len) == 0 && len == 8)
		for (int i = 0; i < 8; i++)
			given |= (uint64_t)payload[i] << (8 * i);
	if (id <= given)
		return 0;
	for (int i = 0; i < 8; i++)
		sealed[SEAL_BYTES + i] = (uint8_t)(id >> (8 * i));
	crc = crc32c(0, sealed + SEAL_BYTES, 8);
	for (int i = 0; i < SEAL_BYTES; i++)
		sealed[i] = (uint8_t)(crc >> (8 * i));
	value = (MDB_val){ .mv_size = sizeof sealed, .mv_data = sealed };
	return store_errno(mdb_put(applying->txn, meta, &key, &value, 0));
}

static int
delete_task(struct applying *applying, uint64_t id)
{
	static const struct row_head none;
	const struct store_tables *tables = &applying->store->tables;
	struct store_key key = store_key1(id);
	struct row_head from;
	bool existed;
	int r = old_head(applying, &key, &from, &existed);

	if (r < 0 || !existed)
		return r;
	r = delete_token(applying, &key, &from);
	if (r == 0)
		r = remember_last_id(applying, id);
	if (r == 0)
		r = change_indexes(applying, id, &from, &none);
	if (r == 0)
		r = del(applying, tables->task, &key);
	if (r == 0)
		r = del(applying, tables->spec, &key);
	return r < 0 ? r : delete_range(applying, tables->task_event, id);
}

static int
trim(struct applying *applying, uint64_t seq)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int r = mdb_cursor_open(applying->txn, applying->store->tables.event, &cursor);

	if (r != 0)
		return store_errno(r);
	for (int n = 0; n < 1000; n++) {
		r = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		/* the newest stays: its number is what the next one follows */
		if (r != 0 || store_key_number(&key, 0) > seq ||
		    store_key_number(&key, 0) + 1 >= applying->next_seq)
			break;
		r = mdb_cursor_del(cursor, 0);
		if (r != 0)
			break;
	}
	mdb_cursor_close(cursor);
	return r == MDB_NOTFOUND ? 0 : store_errno(r);
}

static int
put_meta(struct applying *applying, const struct store_batch *batch, const struct op *op)
{
	char name[sizeof op->key];
	MDB_val key = { .mv_size = strlen(op->key), .mv_data = name }, value = value_of(batch, op);

	memcpy(name, op->key, sizeof name);
	return store_errno(mdb_put(applying->txn, applying->store->tables.meta, &key, &value, 0));
}

static int
apply_op(struct applying *applying, const struct store_batch *batch, const struct op *op)
{
	int r = FAILPOINT("store.put");
	struct store_key key = store_key1(op->id);

	if (r < 0)
		return r;
	switch (op->kind) {
	case OP_PUT_TASK:
		return put_task(applying, batch, op);
	case OP_PUT_SPEC:
		return put(applying, applying->store->tables.spec, &key, value_of(batch, op), 0);
	case OP_ADD_EVENT:
		return add_event(applying, batch, op);
	case OP_DELETE_TASK:
		return delete_task(applying, op->id);
	case OP_TRIM:
		return trim(applying, op->id);
	case OP_PUT_META:
		return put_meta(applying, batch, op);
	}
	return -EINVAL;
}

static int
apply_batch(struct applying *applying, struct store_batch *batch)
{
	int r = 0;

	batch->first_seq = applying->next_seq;
	for (size_t i = 0; r == 0 && i < batch->nops; i++)
		r = apply_op(applying, batch, &batch->ops[i]);
	return r;
}

static int
read_next_seq(struct applying *applying)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int r = mdb_cursor_open(applying->txn, applying->store->tables.event, &cursor);

	if (r != 0)
		return store_errno(r);
	r = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	mdb_cursor_close(cursor);
	applying->next_seq = r == 0 ? store_key_number(&key, 0) + 1 : 1;
	return r == MDB_NOTFOUND ? 0 : store_errno(r);
}

/* A full disk while pages are written shows as ENOSPC, or as EIO after a short write. */
static int
commit(struct applying *applying)
{
	MDB_envinfo before, after;
	int r = FAILPOINT("store.commit.before");

	if (r < 0) {
		mdb_txn_abort(applying->txn);
		return r;
	}
	mdb_env_info(applying->store->env, &before);
	r = mdb_txn_commit(applying->txn);
	(void)FAILPOINT("store.commit.after");
	if (r == 0)
		return 0;
	mdb_env_info(applying->store->env, &after);
	if (r == EIO && after.me_last_txnid == before.me_last_txnid) {
		MDB_txn *probe;

		/* the environment says itself whether it is dead */
		r = mdb_txn_begin(applying->store->env, NULL, 0, &probe);
		if (r == 0) {
			mdb_txn_abort(probe);
			return -ENOSPC;
		}
	}
	return store_errno(r);
}

int
store_apply(struct store *store, struct store_batch *const *batches, size_t n)
{
	struct applying applying = { .store = store };
	int r;

	assert(store->owner == getpid());
	r = store_errno(mdb_txn_begin(store->env, NULL, 0, &applying.txn));
	if (r < 0)
		return r;
	r = read_next_seq(&applying);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = apply_batch(&applying, batches[i]);
	if (r < 0) {
		mdb_txn_abort(applying.txn);
		return r;
	}
	return commit(&applying);
}
