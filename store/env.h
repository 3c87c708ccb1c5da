/* store/env.h - the environment and its tables. For this room only. */
#ifndef STORE_ENV_H
#define STORE_ENV_H

#include "store/store.h"

#include <lmdb.h>

/* clang-format off */
/* X(member, name, help): key -> value. Numbers in keys are big-endian, so that they sort. */
#define STORE_TABLES(X)                                                       \
	X(meta,       "meta",       "name -> value")                          \
	X(task,       "task",       "id -> index head and row")               \
	X(spec,       "spec",       "id -> frozen brief")                     \
	X(event,      "event",      "sequence -> fact")                       \
	X(task_event, "task_event", "id, sequence -> nothing")                \
	X(active,     "active",     "id -> nothing; tasks that have not ended") \
	X(owner,      "owner",      "uid, id -> nothing")                     \
	X(due,        "due",        "milliseconds, id -> nothing; when ended tasks go") \
	X(token,      "token",      "uid, token -> id")
/* clang-format on */

enum { STORE_SCHEMA_VERSION = 1 };

struct store_tables {
#define X(member, name, help) MDB_dbi member;
	STORE_TABLES(X)
#undef X
};

struct store {
	MDB_env *env;
	struct store_tables tables;
	char epoch[17];
	int dir_fd;
	size_t ballast_bytes;
	bool read_only;
	pid_t owner; /* no fork may use it */
};

/* MDB_* and errno alike to -errno. */
int store_errno(int mdb_error);

/* A key of one or two numbers. */
struct store_key {
	uint8_t bytes[24];
	size_t len;
};
struct store_key store_key1(uint64_t a);
struct store_key store_key2(uint64_t a, uint64_t b);
struct store_key store_key_token(uint64_t uid, const uint8_t token[static 16]);
uint64_t store_key_number(const MDB_val *key, size_t index); /* 0 when it is too short */
MDB_val store_val(const struct store_key *key);

/* Reads one value into an owned copy without its seal. */
int store_get(struct store *store, MDB_dbi table, MDB_val key, struct store_bytes *ret_value);

#endif
