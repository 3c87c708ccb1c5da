/*
 * tests/unit/store_world.h - a directory with a store in it for each test, rows and events to put
 * there. One temporary root for a program, removed when all is over, failed tests included.
 */
#ifndef TESTS_UNIT_STORE_WORLD_H
#define TESTS_UNIT_STORE_WORLD_H

#include "store/store.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char world_root[] = "/tmp/reeve-store-XXXXXX";
static char world_dir[sizeof world_root + sizeof "/XXXXXX"];
static struct store *store;

static int
world_remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	(void)info;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
world_remove_root(void)
{
	nftw(world_root, world_remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static const struct store_options world_options = {
	.dir = world_dir, .map_bytes = (size_t)256 << 20, .ballast_bytes = 64 * 1024
};

static void
world_open(void)
{
	struct store_error error;
	int r = store_open(&world_options, &store, &error);

	ck_assert_msg(r == 0, "%d: %s", r, error.text);
}

static void
world_close(void)
{
	store_close(store);
	store = NULL;
}

static void
world_make_dir(void)
{
	snprintf(world_dir, sizeof world_dir, "%s/XXXXXX", world_root);
	ck_assert_ptr_nonnull(mkdtemp(world_dir));
}

static void
world_begin(void)
{
	world_make_dir();
	world_open();
}

/* PATH becomes NAME in the store's directory. */
static inline const char *
world_path(const char *name)
{
	static char path[sizeof world_dir + 32];

	snprintf(path, sizeof path, "%s/%s", world_dir, name);
	return path;
}

/* ---- rows and events -------------------------------------------------------------- */

static inline void
world_add_person(struct record *record, uint64_t uid)
{
	struct record_person *person =
	    list_add((struct list *)&record->persons, &record_person_codec);

	ck_assert_ptr_nonnull(person);
	ck_assert_int_eq(str_set(&person->name, "unix:somebody"), 0);
	person->uid = uid;
}

/* A row of task ID as it is after its submission by UID. */
static inline void
world_record(struct record *ret_record, uint64_t id, uint64_t uid)
{
	codec_init(&record_codec, ret_record);
	ret_record->id = id;
	ret_record->state = TASK_QUEUED;
	ret_record->owner_uid = uid;
	ret_record->created_ms = 1700000000000;
	ck_assert_int_eq(str_set(&ret_record->type, "command"), 0);
	ck_assert_int_eq(str_set(&ret_record->title, "true"), 0);
	world_add_person(ret_record, uid);
}

/* Sixteen bytes that begin with SEED. */
static inline void
world_token(uint8_t ret_token[static 16], uint64_t seed)
{
	memset(ret_token, 0x5a, 16);
	memcpy(ret_token, &seed, sizeof seed);
}

static inline void
world_set_token(struct record *record, uint64_t seed)
{
	uint8_t token[18] = { 0xc4, 16 };

	world_token(token + 2, seed);
	ck_assert_int_eq(blob_set(&record->token, token, sizeof token), 0);
}

static inline struct store_batch *
world_batch(void)
{
	struct store_batch *batch = store_batch_new();

	ck_assert_ptr_nonnull(batch);
	return batch;
}

static inline void
world_add_event(struct store_batch *batch, uint64_t task, const char *text)
{
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.kind = FACT_WARNING;
	fact.task = task;
	ck_assert_int_eq(str_set(&fact.text, text), 0);
	ck_assert_int_eq(store_batch_add_event(batch, &fact), 0);
	codec_free(&fact_codec, &fact);
}

/* Applies BATCH and frees it. */
static inline void
world_apply(struct store_batch *batch)
{
	ck_assert_int_eq(store_apply(store, &batch, 1), 0);
	store_batch_free(batch);
}

static inline void
world_put(const struct record *record)
{
	struct store_batch *batch = world_batch();

	ck_assert_int_eq(store_batch_put_task(batch, record), 0);
	world_apply(batch);
}

/* Submits tasks FIRST to LAST of UID, with one event and a spec each. */
static inline void
world_submit(uint64_t first, uint64_t last, uint64_t uid)
{
	for (uint64_t id = first; id <= last; id++) {
		struct store_batch *batch = world_batch();
		struct record record;

		world_record(&record, id, uid);
		world_set_token(&record, id);
		ck_assert_int_eq(store_batch_put_task(batch, &record), 0);
		ck_assert_int_eq(store_batch_put_spec(batch, id, "spec", 4), 0);
		world_add_event(batch, id, "submitted");
		world_apply(batch);
		codec_free(&record_codec, &record);
	}
}

static inline void
world_check_is_good(void)
{
	struct store_error error;
	int r;

	world_close();
	r = store_check(world_dir, &error);
	ck_assert_msg(r == 0, "%d: %s", r, error.text);
	world_open();
}

/* The next time failpoint NAME is passed, ACTION happens. */
static inline void
world_arm(const char *name, const char *action)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", world_root, name);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fprintf(out, "%s*1", action);
	fclose(out);
}

/* ---- what comes back -------------------------------------------------------------- */

struct seen {
	uint64_t v[1024];
	size_t n;
	size_t stop_after; /* 0: never */
};

static inline int
world_see(uint64_t number, const uint8_t *bytes, size_t len, void *arg)
{
	struct seen *seen = arg;

	ck_assert_uint_gt(len, 0);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_lt(seen->n, sizeof seen->v / sizeof seen->v[0]);
	seen->v[seen->n++] = number;
	return seen->stop_after && seen->n == seen->stop_after ? 77 : 0;
}

#define ASSERT_SEEN(seen, ...)                                      \
 do {                                                               \
  const uint64_t wanted_[] = { __VA_ARGS__ };                       \
  ck_assert_uint_eq((seen)->n, sizeof wanted_ / sizeof wanted_[0]); \
  for (size_t i_ = 0; i_ < (seen)->n; i_++)                         \
   ck_assert_uint_eq((seen)->v[i_], wanted_[i_]);                   \
 } while (0)

/* Runs CASES and says how main ends. */
static inline int
world_run(Suite *suite, TCase *const *cases, size_t ncases)
{
	SRunner *runner;
	int failed;

	for (size_t i = 0; i < ncases; i++)
		suite_add_tcase(suite, cases[i]);
	if (!mkdtemp(world_root))
		return EXIT_FAILURE;
	setenv("REEVE_FAILPOINT_DIR", world_root, 1);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	world_remove_root();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
