/* Reading: short transactions, copies out. */
#include "store/batch.h"
#include "store/env.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
store_bytes_free(struct store_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct store_bytes){ 0 };
}

static int
begin(struct store *store, MDB_txn **ret_txn)
{
	assert(store->owner == getpid());
	return store_errno(mdb_txn_begin(store->env, NULL, MDB_RDONLY, ret_txn));
}

static int
copy(const uint8_t *data, size_t len, struct store_bytes *ret_bytes)
{
	ret_bytes->data = malloc(len ? len : 1);
	if (!ret_bytes->data)
		return -ENOMEM;
	memcpy(ret_bytes->data, data, len);
	ret_bytes->len = len;
	return 0;
}

static int
get_payload(struct store *store, MDB_txn *txn, MDB_dbi table, MDB_val key,
    const uint8_t **ret_payload, size_t *ret_len)
{
	MDB_val value;
	int r = store_errno(mdb_get(txn, table, &key, &value));

	(void)store;
	return r < 0 ? r : seal_open(value.mv_data, value.mv_size, ret_payload, ret_len);
}

int
store_get(struct store *store, MDB_dbi table, MDB_val key, struct store_bytes *ret_value)
{
	const uint8_t *payload;
	size_t len;
	MDB_txn *txn;
	int r = begin(store, &txn);

	if (r < 0)
		return r;
	r = get_payload(store, txn, table, key, &payload, &len);
	if (r == 0)
		r = copy(payload, len, ret_value);
	mdb_txn_abort(txn);
	return r;
}

int
store_get_task(struct store *store, uint64_t id, struct store_bytes *ret_row)
{
	struct store_key key = store_key1(id);
	const uint8_t *payload, *row;
	struct row_head head;
	size_t len, row_len;
	MDB_txn *txn;
	int r = begin(store, &txn);

	if (r < 0)
		return r;
	r = get_payload(store, txn, store->tables.task, store_val(&key), &payload, &len);
	if (r == 0)
		r = row_head_open(payload, len, &head, &row, &row_len);
	if (r == 0)
		r = copy(row, row_len, ret_row);
	mdb_txn_abort(txn);
	return r;
}

int
store_get_spec(struct store *store, uint64_t id, struct store_bytes *ret_spec)
{
	struct store_key key = store_key1(id);

	return store_get(store, store->tables.spec, store_val(&key), ret_spec);
}

int
store_get_meta(struct store *store, const char *name, struct store_bytes *ret_value)
{
	char copy_of_name[32];
	MDB_val key = { .mv_size = strlen(name), .mv_data = copy_of_name };

	if (key.mv_size >= sizeof copy_of_name)
		return -EINVAL;
	strcpy(copy_of_name, name);
	return store_get(store, store->tables.meta, key, ret_value);
}

int
store_find_token(struct store *store, uint64_t uid, const uint8_t token[static 16],
    uint64_t *ret_id)
{
	struct store_key key = store_key_token(uid, token);
	MDB_val at = store_val(&key), value;
	MDB_txn *txn;
	int r = begin(store, &txn);

	if (r < 0)
		return r;
	r = store_errno(mdb_get(txn, store->tables.token, &at, &value));
	if (r == 0)
		*ret_id = store_key_number(&value, 0);
	mdb_txn_abort(txn);
	return r;
}

/* The number in the first or last key of TABLE; 0 when it is empty. */
static uint64_t
edge(struct store *store, MDB_dbi table, MDB_cursor_op end)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t number = 0;
	MDB_txn *txn;

	if (begin(store, &txn) < 0)
		return 0;
	if (mdb_cursor_open(txn, table, &cursor) == 0) {
		if (mdb_cursor_get(cursor, &key, &value, end) == 0)
			number = store_key_number(&key, 0);
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return number;
}

uint64_t
store_last_seq(struct store *store)
{
	return edge(store, store->tables.event, MDB_LAST);
}

uint64_t
store_first_seq(struct store *store)
{
	return edge(store, store->tables.event, MDB_FIRST);
}

uint64_t
store_last_id(struct store *store)
{
	struct store_bytes value;
	uint64_t last = edge(store, store->tables.task, MDB_LAST), given = 0;

	/* tasks go, their numbers do not come back */
	if (store_get_meta(store, "last_id", &value) == 0) {
		for (size_t i = 0; i < value.len && i < 8; i++)
			given |= (uint64_t)value.data[i] << (8 * i);
		store_bytes_free(&value);
	}
	return given > last ? given : last;
}

/* ---- walking ----------------------------------------------------------------------- */

/* Hands the row at KEY to FN; a damaged one ends the walk. */
static int
call_with_row(struct store *store, MDB_txn *txn, uint64_t id, store_row_fn fn, void *arg)
{
	struct store_key key = store_key1(id);
	const uint8_t *payload, *row;
	struct row_head head;
	size_t len, row_len;
	int r = get_payload(store, txn, store->tables.task, store_val(&key), &payload, &len);

	if (r == 0)
		r = row_head_open(payload, len, &head, &row, &row_len);
	return r < 0 ? r : fn(id, row, row_len, arg);
}

int
store_each_active(struct store *store, store_row_fn fn, void *arg)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	MDB_txn *txn;
	int r = begin(store, &txn), m;

	if (r < 0)
		return r;
	r = store_errno(mdb_cursor_open(txn, store->tables.active, &cursor));
	if (r == 0) {
		for (m = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); r == 0 && m == 0;
		     m = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
			r = call_with_row(store, txn, store_key_number(&key, 0), fn, arg);
		if (r == 0 && m != MDB_NOTFOUND)
			r = store_errno(m);
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return r;
}

/* Positions CURSOR on the last key below FIRST; MDB_NOTFOUND when there is none. */
static int
seek_before(MDB_cursor *cursor, struct store_key *first, MDB_val *key)
{
	MDB_val value;
	int m;

	*key = store_val(first);
	m = mdb_cursor_get(cursor, key, &value, MDB_SET_RANGE);
	if (m == MDB_NOTFOUND)
		return mdb_cursor_get(cursor, key, &value, MDB_LAST);
	return m != 0 ? m : mdb_cursor_get(cursor, key, &value, MDB_PREV);
}

struct paging {
	struct store *store;
	MDB_txn *txn;
	MDB_cursor *cursor;
	bool by_owner;
	uint64_t uid;
};

static int
walk_page(struct paging *paging, const struct store_page *page, store_row_fn fn, void *arg,
    uint64_t *ret_next)
{
	uint64_t before = page->before_id ? page->before_id : UINT64_MAX;
	struct store_key first = paging->by_owner ? store_key2(paging->uid, before)
						  : store_key1(before);
	size_t at = paging->by_owner ? 1 : 0, n = 0;
	MDB_val key, value;
	int r = 0, m;

	for (m = seek_before(paging->cursor, &first, &key); r == 0 && m == 0;
	     m = mdb_cursor_get(paging->cursor, &key, &value, MDB_PREV)) {
		if (paging->by_owner && store_key_number(&key, 0) != paging->uid)
			return 0;
		if (n++ == page->max_rows) {
			*ret_next = store_key_number(&key, at) + 1;
			return 0;
		}
		r = call_with_row(paging->store, paging->txn, store_key_number(&key, at), fn, arg);
	}
	return r;
}

int
store_each_task(struct store *store, const struct store_page *page, store_row_fn fn, void *arg,
    uint64_t *ret_next)
{
	struct paging paging = { .store = store, .by_owner = page->owner_uid != UINT64_MAX,
		.uid = page->owner_uid };
	int r = begin(store, &paging.txn);

	*ret_next = 0;
	if (r < 0)
		return r;
	r = store_errno(mdb_cursor_open(paging.txn,
	    paging.by_owner ? store->tables.owner : store->tables.task, &paging.cursor));
	if (r == 0) {
		r = walk_page(&paging, page, fn, arg, ret_next);
		mdb_cursor_close(paging.cursor);
	}
	mdb_txn_abort(paging.txn);
	return r;
}

int
store_due(struct store *store, uint64_t now_ms, uint64_t *ret_ids, size_t max, size_t *ret_n)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	MDB_txn *txn;
	int r = begin(store, &txn), m;

	*ret_n = 0;
	if (r < 0)
		return r;
	r = store_errno(mdb_cursor_open(txn, store->tables.due, &cursor));
	if (r == 0) {
		for (m = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
		     m == 0 && *ret_n < max && store_key_number(&key, 0) <= now_ms;
		     m = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
			ret_ids[(*ret_n)++] = store_key_number(&key, 1);
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return r;
}

/* The event at the cursor's KEY: its own value, or the one that the task's index points to. */
static int
call_with_event(struct store *store, MDB_txn *txn, uint64_t seq, const MDB_val *value,
    store_event_fn fn, void *arg)
{
	struct store_key key = store_key1(seq);
	const uint8_t *payload;
	size_t len;
	int r;

	if (value)
		r = seal_open(value->mv_data, value->mv_size, &payload, &len);
	else
		r = get_payload(store, txn, store->tables.event, store_val(&key), &payload, &len);
	if (r == -ENOENT)
		return 0; /* trimmed from the front */
	return r < 0 ? r : fn(seq, payload, len, arg);
}

int
store_each_event(struct store *store, uint64_t task, uint64_t after, size_t max, store_event_fn fn,
    void *arg)
{
	struct store_key first = task ? store_key2(task, after + 1) : store_key1(after + 1);
	MDB_val key = store_val(&first), value;
	MDB_cursor *cursor;
	MDB_txn *txn;
	size_t n = 0;
	int r = begin(store, &txn), m;

	if (r < 0)
		return r;
	r = store_errno(
	    mdb_cursor_open(txn, task ? store->tables.task_event : store->tables.event, &cursor));
	if (r == 0) {
		for (m = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
		     r == 0 && m == 0 && n < max &&
		     (task == 0 || store_key_number(&key, 0) == task);
		     m = mdb_cursor_get(cursor, &key, &value, MDB_NEXT), n++)
			r = call_with_event(store, txn, store_key_number(&key, task ? 1 : 0),
			    task ? NULL : &value, fn, arg);
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return r;
}
