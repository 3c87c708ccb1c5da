/* Reading: short transactions of their own, copies out. */
#include "store/batch.h"
#include "store/index.h"
#include "store/learn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PAGE_MAX_ROWS = 1000
};

struct reading {
	const struct store_tables *tables;
	MDB_txn *txn;
	MDB_cursor *cursor; /* NULL: none was opened */
};

static int
begin(struct store *store, struct reading *reading)
{
	assert(store->owner == getpid());
	*reading = (struct reading){ .tables = &store->tables };
	return store_errno(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &reading->txn));
}

static int
begin_at(struct store *store, MDB_dbi table, struct reading *reading)
{
	int r = begin(store, reading);

	if (r < 0)
		return r;
	r = store_errno(mdb_cursor_open(reading->txn, table, &reading->cursor));
	if (r < 0)
		mdb_txn_abort(reading->txn);
	return r;
}

static void
end(struct reading *reading)
{
	if (reading->cursor)
		mdb_cursor_close(reading->cursor);
	mdb_txn_abort(reading->txn);
}

/* ---- one value -------------------------------------------------------------------- */

void
store_bytes_free(struct store_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct store_bytes){ 0 };
}

static int
copy(const uint8_t *data, size_t len, struct store_bytes *ret_bytes)
{
	uint8_t *taken = malloc(len ? len : 1);

	if (!taken)
		return -ENOMEM;
	memcpy(taken, data, len);
	*ret_bytes = (struct store_bytes){ .data = taken, .len = len };
	return 0;
}

static int
get(struct store *store, MDB_dbi table, MDB_val key, struct store_bytes *ret_value)
{
	const uint8_t *payload;
	struct reading reading;
	size_t len;
	int r = begin(store, &reading);

	if (r < 0)
		return r;
	r = seal_get(reading.txn, table, key, &payload, &len);
	if (r == 0)
		r = copy(payload, len, ret_value);
	end(&reading);
	return r;
}

/* The row of task ID, without its head; valid while the transaction is. */
static int
find_row(const struct reading *reading, uint64_t id, const uint8_t **ret_row, size_t *ret_len)
{
	struct store_key key = store_key1(id);
	const uint8_t *payload;
	struct head head = { .len = 0 };
	size_t len;
	int r = seal_get(reading->txn, reading->tables->task, store_val(&key), &payload, &len);

	if (r == 0)
		r = head_open(payload, len, &head);
	if (r < 0)
		return r;
	*ret_row = payload + head.len;
	*ret_len = len - head.len;
	return 0;
}

int
store_get_task(struct store *store, uint64_t id, struct store_bytes *ret_row)
{
	struct reading reading;
	const uint8_t *row;
	size_t len;
	int r = begin(store, &reading);

	if (r < 0)
		return r;
	r = find_row(&reading, id, &row, &len);
	if (r == 0)
		r = copy(row, len, ret_row);
	end(&reading);
	return r;
}

int
store_get_spec(struct store *store, uint64_t id, struct store_bytes *ret_spec)
{
	struct store_key key = store_key1(id);

	return get(store, store->tables.spec, store_val(&key), ret_spec);
}

int
store_get_meta(struct store *store, const char *key, struct store_bytes *ret_value)
{
	char name[128];

	if (strlen(key) > sizeof name - 2)
		return -ENOENT;
	snprintf(name, sizeof name, "%c%s", META_OTHERS, key);
	return get(store, store->tables.meta, meta_key(name), ret_value);
}

int
store_get_history(struct store *store, const char *type, struct history *ret_history)
{
	struct store_key key = history_key(type);
	const uint8_t *payload;
	struct reading reading;
	size_t len;
	int r = begin(store, &reading);

	if (r < 0)
		return r;
	r = seal_get(reading.txn, reading.tables->history, store_val(&key), &payload, &len);
	if (r == 0)
		r = history_open(payload, len, type, ret_history);
	end(&reading);
	return r;
}

int
store_find_token(
    struct store *store, uint64_t uid, const uint8_t token[static 16], uint64_t *ret_id)
{
	struct store_key key = store_key_token(uid, token);
	const uint8_t *payload;
	struct reading reading;
	size_t len;
	int r = begin(store, &reading);

	if (r < 0)
		return r;
	r = seal_get(reading.txn, store->tables.token, store_val(&key), &payload, &len);
	if (r == 0 && len != 8)
		r = -EUCLEAN;
	if (r == 0)
		*ret_id = store_number(payload);
	end(&reading);
	return r;
}

uint64_t
store_last_id(struct store *store)
{
	return store->last_id;
}

uint64_t
store_last_seq(struct store *store)
{
	return store->last_seq;
}

uint64_t
store_first_seq(struct store *store)
{
	return store->first_seq;
}

/* ---- many rows -------------------------------------------------------------------- */

/* An index that names a row which is not there is damaged. */
static int
call_with_row(const struct reading *reading, uint64_t id, store_row_fn fn, void *arg)
{
	const uint8_t *row;
	size_t len;
	int r = find_row(reading, id, &row, &len);

	if (r < 0)
		return r == -ENOENT ? -EUCLEAN : r;
	return fn(id, row, len, arg);
}

/* At the end of a walk: the cursor's own result, unless somebody had a reason to stop. */
static int
walked(int r, int cursor_result)
{
	return r != 0 || cursor_result == MDB_NOTFOUND ? r : store_errno(cursor_result);
}

int
store_each_active(struct store *store, store_row_fn fn, void *arg)
{
	struct reading reading;
	MDB_val key, value;
	int m, r = begin_at(store, store->tables.active, &reading);

	if (r < 0)
		return r;
	while ((m = mdb_cursor_get(reading.cursor, &key, &value, MDB_NEXT)) == 0) {
		r = call_with_row(&reading, store_key_number(&key, 0), fn, arg);
		if (r != 0)
			break;
	}
	r = walked(r, m);
	end(&reading);
	return r;
}

/* Puts the cursor on the last key below FIRST; MDB_NOTFOUND when there is none. */
static int
seek_before(MDB_cursor *cursor, const struct store_key *first, MDB_val *ret_key)
{
	MDB_val value;
	int m;

	*ret_key = store_val(first);
	m = mdb_cursor_get(cursor, ret_key, &value, MDB_SET_RANGE);
	if (m == MDB_NOTFOUND)
		return mdb_cursor_get(cursor, ret_key, &value, MDB_LAST);
	return m != 0 ? m : mdb_cursor_get(cursor, ret_key, &value, MDB_PREV);
}

static bool
is_everybodys(const struct store_page *page)
{
	return page->owner_uid == UINT64_MAX;
}

/* The id at KEY of the task table or, when the page is somebody's, of the owner index; 0: not his.
 */
static uint64_t
id_on_page(const struct store_page *page, const MDB_val *key)
{
	if (is_everybodys(page))
		return store_key_number(key, 0);
	return store_key_number(key, 0) == page->owner_uid ? store_key_number(key, 1) : 0;
}

static int
walk_page(const struct reading *reading, const struct store_page *page, store_row_fn fn, void *arg,
    uint64_t *ret_next)
{
	uint64_t before = page->before_id ? page->before_id : UINT64_MAX, id = 0;
	struct store_key first =
	    is_everybodys(page) ? store_key1(before) : store_key2(page->owner_uid, before);
	size_t max = page->max_rows < PAGE_MAX_ROWS ? page->max_rows : PAGE_MAX_ROWS;
	MDB_val key, value;
	int m = seek_before(reading->cursor, &first, &key);
	int r = 0;

	for (size_t n = 0; m == 0 && (id = id_on_page(page, &key)) > 0; n++) {
		if (n == max) {
			*ret_next = id + 1;
			return 0;
		}
		r = call_with_row(reading, id, fn, arg);
		if (r != 0)
			return r;
		m = mdb_cursor_get(reading->cursor, &key, &value, MDB_PREV);
	}
	return m == 0 ? 0 : walked(0, m);
}

int
store_each_task(struct store *store, const struct store_page *page, store_row_fn fn, void *arg,
    uint64_t *ret_next)
{
	const struct store_tables *tables = &store->tables;
	struct reading reading;
	uint64_t next = 0;
	int r = begin_at(store, is_everybodys(page) ? tables->task : tables->owner, &reading);

	if (r < 0)
		return r;
	r = walk_page(&reading, page, fn, arg, &next);
	end(&reading);
	*ret_next = next;
	return r;
}

int
store_due(struct store *store, uint64_t now_ms, uint64_t *ret_ids, size_t max, size_t *ret_n)
{
	struct reading reading;
	MDB_val key, value;
	size_t n = 0;
	int m = 0, r = begin_at(store, store->tables.due, &reading);

	if (r < 0)
		return r;
	while (n < max && (m = mdb_cursor_get(reading.cursor, &key, &value, MDB_NEXT)) == 0) {
		if (store_key_number(&key, 0) > now_ms)
			break;
		ret_ids[n++] = store_key_number(&key, 1);
	}
	r = m == 0 ? 0 : walked(0, m);
	end(&reading);
	*ret_n = n;
	return r;
}

uint64_t
store_due_count(struct store *store)
{
	struct reading reading;
	MDB_stat stat = { .ms_entries = 0 };

	if (begin_at(store, store->tables.due, &reading) < 0)
		return 0;
	(void)mdb_stat(reading.txn, store->tables.due, &stat);
	end(&reading);
	return stat.ms_entries;
}

/* ---- events ----------------------------------------------------------------------- */

static int
call_with_event(const MDB_val *key, const MDB_val *value, store_event_fn fn, void *arg)
{
	const uint8_t *payload;
	size_t len;
	int r = seal_open(key, value, &payload, &len);

	if (r < 0 || len < EVENT_HEAD)
		return -EUCLEAN;
	return fn(store_key_number(key, 0), payload + EVENT_HEAD, len - EVENT_HEAD, arg);
}

/* The event that an entry of a task's index names. */
static int
call_with_indexed(const struct reading *reading, const MDB_val *entry, store_event_fn fn, void *arg)
{
	struct store_key seq = store_key1(store_key_number(entry, 1));
	MDB_val key = store_val(&seq), value;
	int r = store_errno(mdb_get(reading->txn, reading->tables->event, &key, &value));

	if (r < 0)
		return r == -ENOENT ? -EUCLEAN : r;
	return call_with_event(&key, &value, fn, arg);
}

int
store_each_event(
    struct store *store, uint64_t task, uint64_t after, size_t max, store_event_fn fn, void *arg)
{
	const struct store_tables *tables = &store->tables;
	struct store_key first = task ? store_key2(task, after + 1) : store_key1(after + 1);
	struct reading reading;
	MDB_val key = store_val(&first), value;
	int m, r;

	if (after == UINT64_MAX || max == 0)
		return 0;
	r = begin_at(store, task ? tables->task_event : tables->event, &reading);
	if (r < 0)
		return r;
	m = mdb_cursor_get(reading.cursor, &key, &value, MDB_SET_RANGE);
	for (size_t n = 0; m == 0 && n < max; n++) {
		if (task && store_key_number(&key, 0) != task)
			break;
		r = task ? call_with_indexed(&reading, &key, fn, arg)
			 : call_with_event(&key, &value, fn, arg);
		if (r != 0)
			break;
		m = mdb_cursor_get(reading.cursor, &key, &value, MDB_NEXT);
	}
	r = m == 0 ? r : walked(r, m);
	end(&reading);
	return r;
}
