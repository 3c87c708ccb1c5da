/*
 * store/store.h - what survives: one LMDB environment, one writer. The only public
 * header of this room beside what is in it (store/record.h, store/history.h).
 *
 * The environment is opened by the supervisor alone, once per process, and never before
 * a fork without exec. Writes are batches: built anywhere, applied many at a time in one
 * transaction by the one thread that commits (store_apply). Reads are short transactions
 * of their own and may run on another thread at any time; nothing returned points into
 * the map. Every value carries a crc32c; a damaged one is -EUCLEAN.
 *
 * Tables: store/SCHEMA.md. Errors: 0 or -errno; LMDB's own codes are translated here:
 * MDB_MAP_FULL, ENOSPC, EDQUOT, EFBIG and a short write on a full disk -> -ENOSPC,
 * MDB_NOTFOUND -> -ENOENT, a dead environment (failed sync or meta page) -> -EIO, damage ->
 * -EUCLEAN, MDB_VERSION_MISMATCH -> -EPROTO. A limit on file sizes counts as a full disk only
 * while SIGXFSZ is ignored.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "ipc/buf.h"
#include "store/history.h"
#include "store/record.h"

struct store;

struct store_options {
	const char *dir;      /* STATE/store, exists, 0700 */
	size_t map_bytes;     /* 0: the default, 16 GiB or what the address space allows */
	size_t ballast_bytes; /* 0: the default (8 MiB): a file freed when the disk is full */
	bool read_only;
};

/* What went wrong at opening, in words, with the file named. */
struct store_error {
	char text[256];
};

/*
 * Opens or creates, migrates older schemas, compacts what is mostly free, clears dead readers.
 * Takes all rights on DIR from others. -EUCLEAN when damaged, -EPROTO when written by a newer
 * build, -ENOTSUP on a network file system, -EPERM in another user's directory, -EBUSY when this
 * process has a store open, -EROFS when read_only and a migration is due. Blocks (fsync).
 */
int store_open(
    const struct store_options *options, struct store **ret_store, struct store_error *ret_error);
void store_close(struct store *store); /* NULL is legal */

/* Walks every table in a child process that may crash on damage: checksums, rows of active tasks,
 * indexes against rows. 0, or -EUCLEAN with *ret_error; 0 too when there is none or it cannot be
 * opened, which store_open says better. Call before store_open and before any thread. Blocks;
 * takes about a second per GB. */
int store_check(const char *dir, struct store_error *ret_error);

/* 16 random hex digits; new with each new store and each one put back from a copy. Borrowed. */
const char *store_epoch(const struct store *store);

/* ---- writing ---------------------------------------------------------------- */

/* Changes that become true together. Heap; built on one thread, then handed over. */
struct store_batch;

struct store_batch *store_batch_new(void); /* NULL: no memory */
void store_batch_free(struct store_batch *batch);

/* Whatever fails below leaves the batch as it was. */

/* The row, and with it every index that follows from it (active, owner, due, token). The batch
 * keeps the encoded bytes. 0, -EMSGSIZE, -ENOMEM; -EINVAL for a token that is none. A token stays
 * with the first task that brings it. */
int store_batch_put_task(struct store_batch *batch, const struct record *record);
int store_batch_put_spec(struct store_batch *batch, uint64_t id, const void *spec, size_t len);
/* Appends to the history; its sequence number is given when applied. */
int store_batch_add_event(struct store_batch *batch, const struct fact *event);
/* Removes the row, its spec, indexes and its events' index. The events themselves are trimmed from
 * the front. */
int store_batch_delete_task(struct store_batch *batch, uint64_t id);
/* Removes events up to and including SEQ; at most 1,000 per batch, oldest first. The newest one
 * always stays. */
int store_batch_trim_events(struct store_batch *batch, uint64_t seq);
/* KEY is the caller's own, at most 98 bytes; -EINVAL beyond. */
int store_batch_put_meta(struct store_batch *batch, const char *key, const void *value, size_t len);

/* A task of RUN's type is completed: adds how its steps went to what is known of the type. */
int store_batch_add_run(struct store_batch *batch, const struct history *run);

size_t store_batch_bytes(const struct store_batch *batch); /* about what it will write */
bool store_batch_is_empty(const struct store_batch *batch);

/* The encoded row last put in BATCH (borrowed), or NULL. What clients may see once it is applied.
 */
const uint8_t *store_batch_task_bytes(const struct store_batch *batch, size_t *ret_len);

/* After store_apply: the number of the batch's first event; they are consecutive. 0: it had none.
 */
uint64_t store_batch_first_seq(const struct store_batch *batch);
size_t store_batch_event_count(const struct store_batch *batch);

/*
 * Applies N batches in order in ONE transaction and commits it durably. All or nothing.
 * -ENOSPC, -ENOMEM: nothing was changed, the environment is fine. Anything else: it is dead.
 * Blocks for the disk. One thread only.
 */
int store_apply(struct store *store, struct store_batch *const *batches, size_t n);

/* Frees the ballast so that what is accepted can be finished; later made again. */
int store_ballast_release(struct store *store);
int store_ballast_restore(struct store *store);       /* 0 when it stands (again), -ENOSPC */
bool store_is_nearly_full(const struct store *store); /* 80 % of the map in use: take no new work */

/* ---- reading ---------------------------------------------------------------- */

struct store_bytes { /* owned copy */
	uint8_t *data;
	size_t len;
};
void store_bytes_free(struct store_bytes *bytes);

uint64_t store_last_id(struct store *store);   /* largest task id ever given, 0: none */
uint64_t store_last_seq(struct store *store);  /* of the newest event, 0: none */
uint64_t store_first_seq(struct store *store); /* of the oldest event kept, 0: none */

int store_get_task(struct store *store, uint64_t id, struct store_bytes *ret_row);
int store_get_spec(struct store *store, uint64_t id, struct store_bytes *ret_spec);
/* The task submitted with TOKEN (16 bytes) by UID: 0 or -ENOENT. */
int store_find_token(
    struct store *store, uint64_t uid, const uint8_t token[static 16], uint64_t *ret_id);
int store_get_meta(struct store *store, const char *key, struct store_bytes *ret_value);

/* How earlier tasks of TYPE went: 0, -ENOENT. RET_HISTORY is the caller's to free. */
int store_get_history(struct store *store, const char *type, struct history *ret_history);

/* Calls back with each row; a return other than 0 stops and is returned. The callback must not
 * write, and must be quick: a read transaction is open. Bytes are valid during the call only. */
typedef int (*store_row_fn)(uint64_t id, const uint8_t *row, size_t len, void *arg);
int store_each_active(struct store *store, store_row_fn fn, void *arg); /* ascending id */

struct store_page {
	uint64_t before_id; /* start below this id; 0: newest */
	uint64_t owner_uid; /* of any of its persons; UINT64_MAX: everybody's */
	size_t max_rows;    /* calls of fn in one page, <= 1,000 */
};
/* Newest first. *ret_next: pass as before_id for the next page, 0 at the end. */
int store_each_task(struct store *store, const struct store_page *page, store_row_fn fn, void *arg,
    uint64_t *ret_next);

/* Ended tasks whose time has come, oldest first, at most MAX. */
int store_due(struct store *store, uint64_t now_ms, uint64_t *ret_ids, size_t max, size_t *ret_n);

/* How many there are, due or not yet. */
uint64_t store_due_count(struct store *store);

typedef int (*store_event_fn)(uint64_t seq, const uint8_t *event, size_t len, void *arg);
/* Events with a number above AFTER, ascending; of one TASK, or of all when 0. At most MAX. */
int store_each_event(
    struct store *store, uint64_t task, uint64_t after, size_t max, store_event_fn fn, void *arg);

/* Bytes in use and of the map, for doctor. */
void store_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_map);

#endif
