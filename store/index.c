#include "store/index.h"

#include <errno.h>
#include <string.h>

enum {
	HEAD_ACTIVE = 1,
	HEAD_TOKEN = 2,
	TOKEN_BYTES = 16
};

static void
add_be(struct buf *out, uint64_t value, size_t len)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
	buf_add(out, bytes, len);
}

static uint64_t
get_be(const uint8_t *from, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | from[i];
	return value;
}

/* True when nobody before the Ith person has the same uid. */
static bool
is_first_of_uid(const struct record_persons *persons, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (persons->v[k].uid == persons->v[i].uid)
			return false;
	return true;
}

static int
add_owners(const struct record_persons *persons, struct buf *out)
{
	size_t n = 0;

	if (persons->n > HEAD_MAX_OWNERS)
		return -EMSGSIZE;
	for (size_t i = 0; i < persons->n; i++)
		n += is_first_of_uid(persons, i);
	add_be(out, n, 2);
	for (size_t i = 0; i < persons->n; i++)
		if (is_first_of_uid(persons, i))
			add_be(out, persons->v[i].uid, 8);
	return buf_error(out);
}

int
head_encode(const struct record *record, struct buf *out)
{
	static const uint8_t bin16[] = { 0xc4, TOKEN_BYTES };
	const struct blob *token = &record->token;
	uint8_t flags = task_state_is_end(record->state) ? 0 : HEAD_ACTIVE;

	if (token->data &&
	    (token->len != RECORD_TOKEN_BYTES || memcmp(token->data, bin16, sizeof bin16) != 0))
		return -EINVAL;
	if (token->data && record->persons.n > 0)
		flags |= HEAD_TOKEN;
	buf_add(out, &flags, 1);
	add_be(out, record->expires_ms, 8);
	if (flags & HEAD_TOKEN)
		buf_add(out, token->data + sizeof bin16, TOKEN_BYTES);
	return add_owners(&record->persons, out);
}

int
head_open(const uint8_t *payload, size_t len, struct head *ret_head)
{
	struct head head = { .bytes = payload, .len = 1 + 8 };
	uint8_t flags = len > 0 ? payload[0] : 0;

	if (flags & HEAD_TOKEN) {
		head.token = payload + head.len;
		head.len += TOKEN_BYTES;
	}
	if (flags > (HEAD_ACTIVE | HEAD_TOKEN) || len < head.len + 2)
		return -EUCLEAN;
	head.is_active = flags & HEAD_ACTIVE;
	head.expires_ms = get_be(payload + 1, 8);
	head.nowners = (size_t)get_be(payload + head.len, 2);
	head.len += 2 + 8 * head.nowners;
	if (head.nowners > HEAD_MAX_OWNERS || len < head.len || (head.token && head.nowners == 0))
		return -EUCLEAN;
	*ret_head = head;
	return 0;
}

uint64_t
head_owner(const struct head *head, size_t i)
{
	return get_be(head->bytes + head->len - 8 * (head->nowners - i), 8);
}

bool
index_entry(const struct store_tables *tables, uint64_t id, const struct head *head, size_t i,
    struct index_entry *ret_entry)
{
	if (head->is_active && i-- == 0) {
		*ret_entry = (struct index_entry){ tables->active, store_key1(id) };
		return true;
	}
	if (head->expires_ms > 0 && i-- == 0) {
		*ret_entry = (struct index_entry){ tables->due, store_key2(head->expires_ms, id) };
		return true;
	}
	if (i >= head->nowners)
		return false;
	*ret_entry = (struct index_entry){ tables->owner, store_key2(head_owner(head, i), id) };
	return true;
}

static bool
has_entry(const struct store_tables *tables, uint64_t id, const struct head *head,
    const struct index_entry *wanted)
{
	struct index_entry entry;

	for (size_t i = 0; head && index_entry(tables, id, head, i, &entry); i++)
		if (entry.table == wanted->table && entry.key.len == wanted->key.len &&
		    memcmp(entry.key.bytes, wanted->key.bytes, entry.key.len) == 0)
			return true;
	return false;
}

static int
remove_entry(MDB_txn *txn, MDB_dbi table, const struct store_key *key)
{
	MDB_val at = store_val(key);
	int r = store_errno(mdb_del(txn, table, &at, NULL));

	return r == -ENOENT ? -EUCLEAN : r; /* it was there, or the index is damaged */
}

/* A token stays with the first task of that uid that was given it. */
static int
change_token(
    MDB_txn *txn, MDB_dbi table, uint64_t id, const struct head *from, const struct head *to)
{
	struct store_key old, new, number = store_key1(id);
	const uint8_t *payload;
	size_t len;
	int r;

	if (from && from->token) {
		old = store_key_token(head_owner(from, 0), from->token);
		r = seal_get(txn, table, store_val(&old), &payload, &len);
		if (r == 0 && len == number.len && memcmp(payload, number.bytes, len) == 0)
			r = remove_entry(txn, table, &old);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	if (!to || !to->token)
		return 0;
	new = store_key_token(head_owner(to, 0), to->token);
	r = seal_get(txn, table, store_val(&new), &payload, &len);
	return r == -ENOENT ? seal_put(txn, table, store_val(&new), number.bytes, number.len) : r;
}

static bool
same_token(const struct head *from, const struct head *to)
{
	if (!from || !to || !from->token || !to->token)
		return !(from && from->token) && !(to && to->token);
	return memcmp(from->token, to->token, TOKEN_BYTES) == 0 &&
	       head_owner(from, 0) == head_owner(to, 0);
}

int
index_change(MDB_txn *txn, const struct store_tables *tables, uint64_t id, const struct head *from,
    const struct head *to)
{
	struct index_entry entry;
	int r = 0;

	if (from && to && from->len == to->len && memcmp(from->bytes, to->bytes, to->len) == 0)
		return 0;
	for (size_t i = 0; r == 0 && from && index_entry(tables, id, from, i, &entry); i++)
		if (!has_entry(tables, id, to, &entry))
			r = remove_entry(txn, entry.table, &entry.key);
	for (size_t i = 0; r == 0 && to && index_entry(tables, id, to, i, &entry); i++)
		if (!has_entry(tables, id, from, &entry))
			r = seal_put(txn, entry.table, store_val(&entry.key), NULL, 0);
	if (r == 0 && !same_token(from, to))
		r = change_token(txn, tables->token, id, from, to);
	return r;
}
