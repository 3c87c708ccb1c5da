/*
 * store/learn.h - the table `history`. For this room only.
 *
 * A value is when the type's latest task ended, eight bytes, big-endian, so that the oldest is
 * found without decoding, and a struct history (store/history.h).
 */
#ifndef STORE_LEARN_H
#define STORE_LEARN_H

#include "store/env.h"
#include "store/history.h"

enum {
	HISTORY_HEAD = 8
};

struct store_key history_key(const char *type);

/* TYPE's history from a value; -ENOENT when it is another type's, -EUCLEAN, -ENOMEM. */
int history_open(const uint8_t *payload, size_t len, const char *type, struct history *ret_history);

/* Adds one task's history, encoded, to that of its type. 0 or -errno. */
int history_put(MDB_txn *txn, MDB_dbi table, const uint8_t *bytes, size_t len);

#endif
