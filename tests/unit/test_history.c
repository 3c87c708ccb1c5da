#include "store/history.h"

#include "store/learn.h"
#include "tests/unit/store_world.h"

static struct history_step *
add_step(struct history *history, const char *name)
{
	struct history_step *step = list_add((struct list *)&history->steps, &history_step_codec);

	ck_assert_ptr_nonnull(step);
	ck_assert_int_eq(str_set(&step->name, name), 0);
	return step;
}

static void
add_run(struct history_step *step, uint64_t took_ms)
{
	struct past_run *run = list_add((struct list *)&step->runs, &past_run_codec);

	ck_assert_ptr_nonnull(run);
	*run = (struct past_run){ .took_ms = took_ms, .lines = took_ms / 10 };
}

/* A task of TYPE whose step NAME took TOOK_MS is completed. 0: it was done already. */
static void
complete(const char *type, uint64_t ended_ms, const char *name, uint64_t took_ms)
{
	struct store_batch *batch = world_batch();
	struct history run;

	codec_init(&history_codec, &run);
	ck_assert_int_eq(str_set(&run.type, type), 0);
	run.ended_ms = ended_ms;
	if (took_ms > 0)
		add_run(add_step(&run, name), took_ms);
	else
		add_step(&run, name);
	ck_assert_int_eq(store_batch_add_run(batch, &run), 0);
	codec_free(&history_codec, &run);
	world_apply(batch);
}

static struct history
recall(const char *type)
{
	struct history history;

	ck_assert_int_eq(store_get_history(store, type, &history), 0);
	return history;
}

START_TEST(nothing_is_known_of_a_type_at_first)
{
	struct history history;

	ck_assert_int_eq(store_get_history(store, "backup", &history), -ENOENT);
}
END_TEST

START_TEST(the_latest_runs_are_kept_the_latest_last)
{
	struct history history;
	const struct past_runs *runs;

	for (uint64_t i = 1; i <= 8; i++)
		complete("backup", i, "copy", 1000 * i);
	history = recall("backup");
	ck_assert_uint_eq(history.ended_ms, 8);
	ck_assert_ptr_null(history_runs(&history, "other"));
	runs = history_runs(&history, "copy");
	ck_assert_uint_eq(runs->n, LIMIT_RUNS);
	for (size_t i = 0; i < LIMIT_RUNS; i++) {
		ck_assert_uint_eq(runs->v[i].took_ms, 4000 + 1000 * i);
		ck_assert_uint_eq(runs->v[i].lines, runs->v[i].took_ms / 10);
	}
	codec_free(&history_codec, &history);
}
END_TEST

START_TEST(a_step_that_was_done_already_keeps_what_is_known_of_it)
{
	struct history history;

	complete("backup", 1, "copy", 1000);
	complete("backup", 2, "copy", 0);
	history = recall("backup");
	ck_assert_uint_eq(history_runs(&history, "copy")->n, 1);
	codec_free(&history_codec, &history);
}
END_TEST

START_TEST(a_step_that_is_gone_from_the_recipe_is_forgotten)
{
	struct history history;

	complete("backup", 1, "copy", 1000);
	complete("backup", 2, "sync", 500);
	history = recall("backup");
	ck_assert_uint_eq(history.steps.n, 1);
	ck_assert_uint_eq(history_runs(&history, "sync")->n, 1);
	codec_free(&history_codec, &history);
}
END_TEST

START_TEST(two_tasks_that_end_in_one_transaction_are_both_remembered)
{
	struct store_batch *batches[] = { world_batch(), world_batch() };
	struct history history;

	for (size_t i = 0; i < 2; i++) {
		struct history run;

		codec_init(&history_codec, &run);
		ck_assert_int_eq(str_set(&run.type, "backup"), 0);
		add_run(add_step(&run, "copy"), 1000 + i);
		ck_assert_int_eq(store_batch_add_run(batches[i], &run), 0);
		codec_free(&history_codec, &run);
	}
	ck_assert_int_eq(store_apply(store, batches, 2), 0);
	store_batch_free(batches[0]);
	store_batch_free(batches[1]);
	history = recall("backup");
	ck_assert_uint_eq(history_runs(&history, "copy")->n, 2);
	codec_free(&history_codec, &history);
}
END_TEST

START_TEST(of_too_many_types_the_one_not_run_for_the_longest_is_forgotten)
{
	struct history history;
	char type[32];

	for (uint64_t i = 0; i <= HISTORY_MAX_TYPES; i++) {
		snprintf(type, sizeof type, "pull:%u", (unsigned)i);
		complete(type, i == 0 ? 5000 : 2000 + i, "pull", 1000);
	}
	ck_assert_int_eq(store_get_history(store, "pull:1", &history), -ENOENT);
	for (int i = 0; i <= 2; i += 2) {
		snprintf(type, sizeof type, "pull:%d", i);
		history = recall(type);
		codec_free(&history_codec, &history);
	}
	world_check_is_good();
}
END_TEST

/* What stands under the key of TYPE becomes BYTES, sealed. */
static void
plant(const char *type, const void *bytes, size_t len)
{
	struct store_key key = history_key(type);
	MDB_txn *txn;

	ck_assert_int_eq(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	ck_assert_int_eq(seal_put(txn, store->tables.history, store_val(&key), bytes, len), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
}

START_TEST(what_makes_no_sense_is_begun_afresh)
{
	struct history history;

	plant("backup", "12345678\xc1", 9);
	ck_assert_int_lt(store_get_history(store, "backup", &history), 0);
	complete("backup", 1, "copy", 1000);
	history = recall("backup");
	codec_free(&history_codec, &history);
}
END_TEST

/* {1: "sync"} where another type is looked for. */
START_TEST(a_type_of_the_same_hash_is_not_taken_for_this_one)
{
	struct history history;

	plant("backup", "12345678\x81\x01\xa4sync", 15);
	ck_assert_int_eq(store_get_history(store, "backup", &history), -ENOENT);
	complete("backup", 1, "copy", 1000);
	history = recall("backup");
	ck_assert_uint_eq(history.steps.n, 1);
	codec_free(&history_codec, &history);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("history");

	tcase_add_checked_fixture(tests, world_begin, world_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, nothing_is_known_of_a_type_at_first);
	tcase_add_test(tests, the_latest_runs_are_kept_the_latest_last);
	tcase_add_test(tests, a_step_that_was_done_already_keeps_what_is_known_of_it);
	tcase_add_test(tests, a_step_that_is_gone_from_the_recipe_is_forgotten);
	tcase_add_test(tests, two_tasks_that_end_in_one_transaction_are_both_remembered);
	tcase_add_test(tests, of_too_many_types_the_one_not_run_for_the_longest_is_forgotten);
	tcase_add_test(tests, what_makes_no_sense_is_begun_afresh);
	tcase_add_test(tests, a_type_of_the_same_hash_is_not_taken_for_this_one);
	return world_run(suite_create("history"), &tests, 1);
}
