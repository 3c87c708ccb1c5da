/* History: pure but for history_put, which store_apply calls. */
#include "store/history.h"

#include "ipc/frame.h"
#include "store/env.h"
#include "store/learn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct walk_limits history_limits = { WALK_MAX_DEPTH, 4096, HISTORY_MAX_BYTES };

/* Numbers are on disk: never change, never reuse. */
/* clang-format off */
static const struct codec_field step_fields[] = {
	CODEC_FIELD(1,  STR,  struct history_step, name, LIMIT_NAME),
	CODEC_NESTED(2, LIST, struct history_step, runs, LIMIT_RUNS, &past_run_codec),
};
const struct codec history_step_codec = { .name = "history_step",
	.size = sizeof(struct history_step), .fields = step_fields,
	.nfields = sizeof step_fields / sizeof step_fields[0], .limits = &history_limits };

static const struct codec_field history_fields[] = {
	CODEC_FIELD(1,  STR,  struct history, type,     LIMIT_TITLE),
	CODEC_FIELD(2,  UINT, struct history, ended_ms, 0),
	CODEC_NESTED(3, LIST, struct history, steps,    LIMIT_STEPS, &history_step_codec),
};
const struct codec history_codec = { .name = "history", .size = sizeof(struct history),
	.fields = history_fields, .nfields = sizeof history_fields / sizeof history_fields[0],
	.limits = &history_limits };
/* clang-format on */

const struct past_runs *
history_runs(const struct history *history, const char *name)
{
	for (size_t i = 0; i < history->steps.n; i++)
		if (history->steps.v[i].name && strcmp(history->steps.v[i].name, name) == 0)
			return &history->steps.v[i].runs;
	return NULL;
}

/* BEFORE's latest runs that there is room for, then NOW's. */
static int
prepend(struct past_runs *now, const struct past_runs *before)
{
	size_t taken = before->n + now->n > LIMIT_RUNS ? LIMIT_RUNS - now->n : before->n;
	struct past_run *runs = calloc(taken + now->n + 1, sizeof *runs);

	if (!runs)
		return -ENOMEM;
	for (size_t i = 0; i < taken; i++)
		runs[i] = before->v[before->n - taken + i];
	for (size_t i = 0; i < now->n; i++)
		runs[taken + i] = now->v[i];
	free(now->v);
	*now = (struct past_runs){ .v = runs, .n = taken + now->n };
	return 0;
}

int
history_follow(struct history *run, const struct history *before)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->steps.n; i++) {
		struct history_step *step = &run->steps.v[i];
		const struct past_runs *runs = step->name ? history_runs(before, step->name) : NULL;

		if (runs)
			r = prepend(&step->runs, runs);
	}
	return r;
}

/* ---- the table --------------------------------------------------------------------- */

struct store_key
history_key(const char *type)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *type; type++)
		hash = (hash ^ (uint8_t)*type) * UINT64_C(0x100000001b3);
	return store_key1(hash);
}

int
history_open(const uint8_t *payload, size_t len, const char *type, struct history *ret_history)
{
	int r = len < HISTORY_HEAD ? -EUCLEAN
				   : codec_decode(&history_codec, payload + HISTORY_HEAD,
					 len - HISTORY_HEAD, ret_history, NULL);

	if (r < 0)
		return r;
	if (ret_history->type && strcmp(ret_history->type, type) == 0)
		return 0;
	codec_free(&history_codec, ret_history); /* another of the same hash */
	return -ENOENT;
}

/* What stands there is taken along; what makes no sense is as good as none. */
static int
follow(MDB_txn *txn, MDB_dbi table, const struct store_key *key, struct history *run)
{
	const uint8_t *payload;
	struct history before;
	size_t len;
	int r = seal_get(txn, table, store_val(key), &payload, &len);

	if (r == 0)
		r = history_open(payload, len, run->type, &before);
	if (r != 0)
		return r == -ENOMEM ? r : 0;
	r = history_follow(run, &before);
	codec_free(&history_codec, &before);
	return r;
}

static int
put(MDB_txn *txn, MDB_dbi table, const struct store_key *key, const struct history *run)
{
	static const uint8_t seal[SEAL_BYTES];
	struct store_key head = store_key1(run->ended_ms);
	MDB_val at = store_val(key), value;
	struct buf bytes;
	int r;

	buf_init(&bytes, SEAL_BYTES + HISTORY_HEAD + HISTORY_MAX_BYTES);
	buf_add(&bytes, seal, sizeof seal);
	buf_add(&bytes, head.bytes, HISTORY_HEAD);
	r = codec_encode(&history_codec, run, &bytes);
	if (r == 0) {
		seal_close(
		    bytes.data, crc32c(0, bytes.data + SEAL_BYTES, bytes.len - SEAL_BYTES), &at);
		value = (MDB_val){ .mv_size = bytes.len, .mv_data = bytes.data };
		r = store_errno(mdb_put(txn, table, &at, &value, 0));
	}
	buf_fini(&bytes);
	return r;
}

/* The type that was not run for the longest goes: by the heads of the values, which are few. */
static int
forget_oldest(MDB_txn *txn, MDB_dbi table)
{
	uint64_t oldest_ms = UINT64_MAX, oldest = 0;
	struct store_key key;
	MDB_cursor *cursor;
	MDB_val at, value;
	int r = store_errno(mdb_cursor_open(txn, table, &cursor));

	if (r < 0)
		return r;
	while ((r = mdb_cursor_get(cursor, &at, &value, MDB_NEXT)) == 0) {
		const uint8_t *head = (const uint8_t *)value.mv_data + SEAL_BYTES;
		uint64_t ended_ms =
		    value.mv_size < SEAL_BYTES + HISTORY_HEAD ? 0 : store_number(head);

		if (ended_ms < oldest_ms) {
			oldest_ms = ended_ms;
			oldest = store_key_number(&at, 0);
		}
	}
	mdb_cursor_close(cursor);
	if (r != MDB_NOTFOUND)
		return store_errno(r);
	key = store_key1(oldest);
	at = store_val(&key);
	return store_errno(mdb_del(txn, table, &at, NULL));
}

int
history_put(MDB_txn *txn, MDB_dbi table, const uint8_t *bytes, size_t len)
{
	struct store_key key;
	struct history run;
	MDB_stat stat;
	int r = codec_decode(&history_codec, bytes, len, &run, NULL);

	if (r < 0)
		return r;
	if (!run.type) {
		codec_free(&history_codec, &run);
		return -EINVAL;
	}
	key = history_key(run.type);
	r = follow(txn, table, &key, &run);
	if (r == 0)
		r = put(txn, table, &key, &run);
	codec_free(&history_codec, &run);
	if (r == 0)
		r = store_errno(mdb_stat(txn, table, &stat));
	return r == 0 && stat.ms_entries > HISTORY_MAX_TYPES ? forget_oldest(txn, table) : r;
}
