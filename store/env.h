/* store/env.h - the environment, its tables, keys and sealed values. For this room only. */
#ifndef STORE_ENV_H
#define STORE_ENV_H

#include "store/store.h"

#include <lmdb.h>
#include <stdatomic.h>
#include <sys/types.h>

/* clang-format off */
/* X(member, name, bytes of a key (0: any), help): key -> value. Numbers in keys are big-endian, so
 * that they sort. SCHEMA.md says what is in the values. */
#define STORE_TABLES(X)                                                                    \
	X(meta,       "meta",        0, "name -> value")                                   \
	X(task,       "task",        8, "id -> index head and row")                        \
	X(spec,       "spec",        8, "id -> frozen brief")                              \
	X(event,      "event",       8, "sequence -> task and fact")                       \
	X(task_event, "task_event", 16, "id, sequence -> nothing")                         \
	X(active,     "active",      8, "id -> nothing; tasks that have not ended")        \
	X(owner,      "owner",      16, "uid, id -> nothing; each of a task's persons")    \
	X(due,        "due",        16, "milliseconds, id -> nothing; when ended tasks go") \
	X(token,      "token",      24, "uid, token -> id")                                 \
	X(history,    "history",     8, "hash of a type -> how its steps went")
/* clang-format on */

enum {
	STORE_SCHEMA_VERSION = 2
};

struct store_tables {
#define X(member, name, key_bytes, help) MDB_dbi member;
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
	/* As the last commit left them: written by the thread that commits, read by any. */
	_Atomic uint64_t last_id, last_seq, first_seq;
	_Atomic bool is_nearly_full;
	time_t readers_checked; /* of the thread that commits */
};

/* MDB_* and errno alike to -errno. */
int store_errno(int mdb_error);

/* Opens DIR's environment: map size, flags and what LMDB leaves to be done. Positive MDB_* or 0.
 * *ret_env is to be closed on success only. */
int env_open(const char *dir, size_t map_bytes, bool read_only, MDB_env **ret_env);

/* Opens every table. 0; -ENOENT when one is missing and CREATE is not set: the others are open
 * then; -errno. */
int env_open_tables(MDB_txn *txn, bool create, struct store_tables *ret_tables);

/* Bytes of pages in use, those that are free not counted, and of all. A read transaction. */
int env_count_bytes(MDB_env *env, uint64_t *ret_used, uint64_t *ret_file);

/* After a commit: looks how much of the map is left. */
void env_note_room(struct store *store);

/* ---- keys ------------------------------------------------------------------------- */

struct store_key {
	uint8_t bytes[24];
	size_t len;
};
struct store_key store_key1(uint64_t a);
struct store_key store_key2(uint64_t a, uint64_t b);
struct store_key store_key_token(uint64_t uid, const uint8_t token[static 16]);

/* Eight bytes as keys and our own values have them. */
uint64_t store_number(const uint8_t from[static 8]);

/* The INDEXth number in KEY; 0 when it is too short. */
uint64_t store_key_number(const MDB_val *key, size_t index);

/* KEY's bytes as LMDB wants them: borrowed, not written to. */
MDB_val store_val(const struct store_key *key);

/* ---- values ----------------------------------------------------------------------- */

/*
 * A value is a crc32c, little-endian, and its payload. The crc covers the payload and then the
 * key, so that a value which turns up under another key is noticed as well; and so that most of
 * it can be computed before the key is known.
 */
enum {
	SEAL_BYTES = 4
};

/* Writes the seal in front of a payload whose own crc is PAYLOAD_CRC. */
void seal_close(uint8_t seal[static SEAL_BYTES], uint32_t payload_crc, const MDB_val *key);

/* The payload of a sealed value, or -EUCLEAN. Borrowed from VALUE. */
int seal_open(
    const MDB_val *key, const MDB_val *value, const uint8_t **ret_payload, size_t *ret_len);

/* Seals LEN bytes (at most SEAL_SMALL) and puts them. */
enum {
	SEAL_SMALL = 64
};
int seal_put(MDB_txn *txn, MDB_dbi table, MDB_val key, const void *payload, size_t len);

/* One value of TXN, opened; valid until TXN changes or ends. 0, -ENOENT, -EUCLEAN, -errno. */
int seal_get(
    MDB_txn *txn, MDB_dbi table, MDB_val key, const uint8_t **ret_payload, size_t *ret_len);

/* Numbers and texts of our own in `meta`, by NAME. The caller's own names begin with META_OTHERS.
 */
#define META_VERSION "version"
#define META_EPOCH   "epoch"
#define META_FILE    "file"
#define META_LAST_ID "last_id"
#define META_OTHERS  '+'
int meta_get_number(MDB_txn *txn, MDB_dbi meta, const char *name, uint64_t *ret_value);
int meta_put_number(MDB_txn *txn, MDB_dbi meta, const char *name, uint64_t value);
MDB_val meta_key(const char *name);

#endif
