/* store_apply: batches become true, in order, in one transaction. */
#include "ipc/failpoint.h"
#include "store/batch.h"
#include "store/index.h"
#include "store/learn.h"
#include "store/place.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	READERS_CHECK_S = 3600
};

/* One transaction under way. The numbers become the store's when it is committed. */
struct applying {
	struct store *store;
	MDB_txn *txn;
	uint64_t last_id, last_seq, first_seq;
	bool last_was_deleted; /* the largest id's row is gone: `meta` must remember it */
	size_t trimmed;        /* of the present batch */
	size_t bytes;
};

/* Puts the value that OP describes: closed only now, since the key counts too. */
static int
put_value(const struct applying *applying, MDB_dbi table, MDB_val key,
    const struct store_batch *batch, const struct op *op, unsigned flags)
{
	MDB_val value = { .mv_size = op->len, .mv_data = batch->bytes.data + op->at };

	seal_close(value.mv_data, op->payload_crc, &key);
	return store_errno(mdb_put(applying->txn, table, &key, &value, flags));
}

/* The head that stands before the row now, copied: a write may move the page it is on. */
static int
read_head(const struct applying *applying, const struct store_key *key,
    uint8_t room[static HEAD_MAX_BYTES], struct head *ret_head)
{
	const uint8_t *payload;
	size_t len;
	int r =
	    seal_get(applying->txn, applying->store->tables.task, store_val(key), &payload, &len);

	if (r < 0)
		return r;
	r = head_open(payload, len, ret_head);
	if (r < 0)
		return r;
	memcpy(room, payload, ret_head->len);
	return head_open(room, ret_head->len, ret_head);
}

/* ---- the operations --------------------------------------------------------------- */

static int
put_task(struct applying *applying, const struct store_batch *batch, const struct op *op)
{
	const struct store_tables *tables = &applying->store->tables;
	const uint8_t *payload = batch->bytes.data + op->at + SEAL_BYTES;
	struct store_key key = store_key1(op->id);
	bool is_new = op->id > applying->last_id, had_row = false;
	uint8_t room[HEAD_MAX_BYTES];
	struct head from, to;
	int r = head_open(payload, op->len - SEAL_BYTES, &to);

	if (r == 0 && !is_new) {
		r = read_head(applying, &key, room, &from);
		had_row = r == 0;
	}
	if (r < 0 && r != -ENOENT)
		return r;
	r = index_change(applying->txn, tables, op->id, had_row ? &from : NULL, &to);
	if (r == 0)
		r = put_value(
		    applying, tables->task, store_val(&key), batch, op, is_new ? MDB_APPEND : 0);
	if (r == 0 && is_new)
		applying->last_id = op->id;
	return r;
}

static int
put_spec(struct applying *applying, const struct store_batch *batch, const struct op *op)
{
	struct store_key key = store_key1(op->id);

	return put_value(applying, applying->store->tables.spec, store_val(&key), batch, op, 0);
}

static int
add_event(struct applying *applying, const struct store_batch *batch, const struct op *op)
{
	const struct store_tables *tables = &applying->store->tables;
	uint64_t seq = applying->last_seq + 1;
	struct store_key key = store_key1(seq), index = store_key2(op->id, seq);
	int r = put_value(applying, tables->event, store_val(&key), batch, op, MDB_APPEND);

	if (r == 0)
		r = seal_put(applying->txn, tables->task_event, store_val(&index), NULL, 0);
	if (r < 0)
		return r;
	applying->last_seq = seq;
	if (applying->first_seq == 0)
		applying->first_seq = seq;
	return 0;
}

/* Its events stay until they are trimmed from the front; nobody can ask for them by task. */
static int
delete_event_index(const struct applying *applying, uint64_t id)
{
	struct store_key first = store_key2(id, 0);
	MDB_val key = store_val(&first), value;
	MDB_cursor *cursor;
	int r = mdb_cursor_open(applying->txn, applying->store->tables.task_event, &cursor);

	if (r != 0)
		return store_errno(r);
	r = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (r == 0 && store_key_number(&key, 0) == id) {
		r = mdb_cursor_del(cursor, 0);
		if (r == 0)
			r = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return r == MDB_NOTFOUND ? 0 : store_errno(r);
}

static int
delete_key(const struct applying *applying, MDB_dbi table, const struct store_key *key)
{
	MDB_val at = store_val(key);
	int r = store_errno(mdb_del(applying->txn, table, &at, NULL));

	return r == -ENOENT ? 0 : r;
}

static int
delete_task(struct applying *applying, uint64_t id)
{
	const struct store_tables *tables = &applying->store->tables;
	struct store_key key = store_key1(id);
	uint8_t room[HEAD_MAX_BYTES];
	struct head from;
	int r = read_head(applying, &key, room, &from);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = index_change(applying->txn, tables, id, &from, NULL);
	if (r == 0)
		r = delete_key(applying, tables->task, &key);
	if (r == 0)
		r = delete_key(applying, tables->spec, &key);
	if (r == 0)
		r = delete_event_index(applying, id);
	if (id == applying->last_id)
		applying->last_was_deleted = true;
	return r;
}

/* The event at CURSOR, the oldest one, goes, and what its task's index says of it. */
static int
trim_one(
    const struct applying *applying, MDB_cursor *cursor, const MDB_val *key, const MDB_val *value)
{
	const uint8_t *payload;
	struct store_key index;
	size_t len;
	int r = seal_open(key, value, &payload, &len);

	if (r == 0 && len < EVENT_HEAD)
		r = -EUCLEAN;
	if (r < 0)
		return r;
	index = store_key2(0, store_key_number(key, 0));
	memcpy(index.bytes, payload, EVENT_HEAD);
	r = delete_key(applying, applying->store->tables.task_event, &index);
	return r < 0 ? r : store_errno(mdb_cursor_del(cursor, 0));
}

/* The newest event always stays: the number after it is the next one's. */
static int
trim_events(struct applying *applying, uint64_t seq)
{
	uint64_t end = seq < applying->last_seq ? seq : applying->last_seq - 1;
	MDB_cursor *cursor;
	MDB_val key, value;
	int r;

	if (applying->last_seq == 0)
		return 0;
	r = store_errno(mdb_cursor_open(applying->txn, applying->store->tables.event, &cursor));
	if (r < 0)
		return r;
	while (r == 0 && applying->first_seq <= end && applying->trimmed < BATCH_MAX_TRIM) {
		r = store_errno(mdb_cursor_get(cursor, &key, &value, MDB_FIRST));
		if (r == 0)
			r = trim_one(applying, cursor, &key, &value);
		applying->first_seq++;
		applying->trimmed++;
	}
	mdb_cursor_close(cursor);
	return r == -ENOENT ? -EUCLEAN : r; /* numbers are dense */
}

static int
put_meta(const struct applying *applying, const struct store_batch *batch, const struct op *op)
{
	MDB_val key = { .mv_size = op->name_len,
		.mv_data = batch->bytes.data + op->at - op->name_len };

	return put_value(applying, applying->store->tables.meta, key, batch, op, 0);
}

static int
apply_op(struct applying *applying, const struct store_batch *batch, const struct op *op)
{
	switch (op->kind) {
	case OP_PUT_TASK:
		return put_task(applying, batch, op);
	case OP_PUT_SPEC:
		return put_spec(applying, batch, op);
	case OP_ADD_EVENT:
		return add_event(applying, batch, op);
	case OP_DELETE_TASK:
		return delete_task(applying, op->id);
	case OP_TRIM_EVENTS:
		return trim_events(applying, op->id);
	case OP_PUT_META:
		return put_meta(applying, batch, op);
	case OP_ADD_RUN:
		return history_put(applying->txn, applying->store->tables.history,
		    batch->bytes.data + op->at, op->len);
	}
	return -EINVAL;
}

static int
apply_batch(struct applying *applying, struct store_batch *batch)
{
	int r = 0;

	batch->first_seq = applying->last_seq + 1;
	applying->trimmed = 0;
	applying->bytes += store_batch_bytes(batch);
	for (size_t i = 0; r == 0 && i < batch->nops; i++) {
		r = FAILPOINT("store.put");
		if (r == 0)
			r = apply_op(applying, batch, &batch->ops[i]);
	}
	return r;
}

/* ---- the transaction -------------------------------------------------------------- */

/*
 * A failed commit changed nothing. When it was the meta page that could not be written the
 * environment says from then on that it is dead. A short write, which is how a full disk begins,
 * and a failed sync both show as EIO: whether the disk is full tells which.
 */
static int
commit_error(const struct applying *applying, int error)
{
	struct store *store = applying->store;
	uint64_t need = 4 * applying->bytes + ((uint64_t)1 << 20), used, file;
	MDB_txn *probe;
	int r = mdb_txn_begin(store->env, NULL, 0, &probe);

	if (r != 0)
		return store_errno(r);
	mdb_txn_abort(probe);
	if (error == EIO && env_count_bytes(store->env, &used, &file) == 0 &&
	    place_is_full(store->dir_fd, need, file + need))
		return -ENOSPC;
	return store_errno(error);
}

static int
commit(struct applying *applying)
{
	struct store *store = applying->store;
	int r = FAILPOINT("store.commit.before");

	if (r == 0 && applying->last_was_deleted)
		r = meta_put_number(
		    applying->txn, store->tables.meta, META_LAST_ID, applying->last_id);
	if (r < 0) {
		mdb_txn_abort(applying->txn);
		return r;
	}
	r = mdb_txn_commit(applying->txn);
	if (r != 0)
		return commit_error(applying, r);
	store->last_id = applying->last_id;
	store->last_seq = applying->last_seq;
	store->first_seq = applying->first_seq;
	(void)FAILPOINT("store.commit.after");
	return 0;
}

/* Somebody who looked into the store and was killed would keep old pages from being used again. */
static void
clear_dead_readers(struct store *store)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec - store->readers_checked < READERS_CHECK_S)
		return;
	store->readers_checked = now.tv_sec;
	mdb_reader_check(store->env, NULL);
}

int
store_apply(struct store *store, struct store_batch *const *batches, size_t n)
{
	struct applying applying = { .store = store,
		.last_id = store->last_id,
		.last_seq = store->last_seq,
		.first_seq = store->first_seq };
	int r;

	assert(store->owner == getpid());
	clear_dead_readers(store);
	r = store_errno(mdb_txn_begin(store->env, NULL, 0, &applying.txn));
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = apply_batch(&applying, batches[i]);
	if (r < 0) {
		mdb_txn_abort(applying.txn);
		return r;
	}
	r = commit(&applying);
	if (r == 0)
		env_note_room(store);
	return r;
}
