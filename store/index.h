/*
 * store/index.h - which index entries follow from a row, and their change when the row does.
 *
 * Each row's value begins with its head: all that the indexes say of it. So a change is diffed
 * against the old head without decoding the old row, and most changes touch no index at all.
 * For this room only.
 *
 *   u8 flags (1: active, 2: has a token) | u64 expires_ms | [16 bytes token] | u16 n | n * u64 uid
 *
 * Big-endian; the uids are those of the row's persons, each once, the owner's first.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "store/env.h"

enum {
	HEAD_MAX_OWNERS = 256,
	HEAD_MAX_BYTES = 1 + 8 + 16 + 2 + 8 * HEAD_MAX_OWNERS
};

/* Appends the head of RECORD. 0; -EINVAL for a token that is none; buf_error(). */
int head_encode(const struct record *record, struct buf *out);

struct head {
	const uint8_t *bytes; /* what it was read from, borrowed */
	size_t len;
	bool is_active;
	uint64_t expires_ms;  /* 0: never due */
	const uint8_t *token; /* NULL: none */
	size_t nowners;
};
uint64_t head_owner(const struct head *head, size_t i);

/* Reads the head at the start of a row's payload; the row follows its ret_head->len bytes.
 * 0 or -EUCLEAN. */
int head_open(const uint8_t *payload, size_t len, struct head *ret_head);

/* One entry that follows from a head. */
struct index_entry {
	MDB_dbi table;
	struct store_key key;
};

/* The Ith entry (from 0) of task ID's HEAD in active, due and owner; false: there are no more. */
bool index_entry(const struct store_tables *tables, uint64_t id, const struct head *head, size_t i,
    struct index_entry *ret_entry);

/* Takes task ID's entries from those of FROM to those of TO; NULL: there is none. */
int index_change(MDB_txn *txn, const struct store_tables *tables, uint64_t id,
    const struct head *from, const struct head *to);

#endif
