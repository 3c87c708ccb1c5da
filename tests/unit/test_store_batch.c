#include "store/batch.h"

#include "tests/unit/store_world.h"

#include <signal.h>
#include <sys/wait.h>

/* ---- building --------------------------------------------------------------------- */

START_TEST(a_new_batch_is_empty)
{
	struct store_batch *batch = world_batch();
	size_t len = 1;

	ck_assert(store_batch_is_empty(batch));
	ck_assert_uint_eq(store_batch_bytes(batch), 0);
	ck_assert_ptr_null(store_batch_task_bytes(batch, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(store_batch_event_count(batch), 0);
	world_add_event(batch, 1, "one");
	ck_assert(!store_batch_is_empty(batch));
	ck_assert_uint_gt(store_batch_bytes(batch), 0);
	ck_assert_uint_eq(store_batch_event_count(batch), 1);
	store_batch_free(batch);
	store_batch_free(NULL);
}
END_TEST

START_TEST(the_row_last_put_can_be_looked_at)
{
	struct store_batch *batch = world_batch();
	struct record record, back;
	const uint8_t *row;
	size_t len;

	world_record(&record, 7, 1000);
	ck_assert_int_eq(store_batch_put_task(batch, &record), 0);
	record.state = TASK_RUNNING;
	ck_assert_int_eq(store_batch_put_task(batch, &record), 0);
	world_add_event(batch, 7, "behind it");
	row = store_batch_task_bytes(batch, &len);
	ck_assert_int_eq(codec_decode(&record_codec, row, len, &back, NULL), 0);
	ck_assert_uint_eq(back.id, 7);
	ck_assert_int_eq(back.state, TASK_RUNNING);
	codec_free(&record_codec, &back);
	codec_free(&record_codec, &record);
	store_batch_free(batch);
}
END_TEST

/* A row of more than RECORD_MAX_BYTES. */
static void
fatten(struct record *record)
{
	char text[LIMIT_TEXT + 1], name[32];

	memset(text, 'x', LIMIT_TEXT);
	text[LIMIT_TEXT] = '\0';
	for (int i = 0; i < 4; i++) {
		struct record_step *step =
		    list_add((struct list *)&record->steps, &record_step_codec);

		ck_assert_ptr_nonnull(step);
		for (int k = 0; k < 150; k++) {
			snprintf(name, sizeof name, "output-%d", k);
			ck_assert_int_eq(pairs_set(&step->outputs, name, text), 0);
		}
	}
}

START_TEST(what_does_not_fit_leaves_the_batch_as_it_was)
{
	static const uint8_t short_token[] = { 0xc4, 2, 1, 2 };
	struct store_batch *batch = world_batch();
	char name[200];
	struct record record, fat;
	size_t before, len;

	memset(name, 'n', sizeof name);
	name[sizeof name - 1] = '\0';
	world_record(&record, 1, 1000);
	world_record(&fat, 1, 1000);
	fatten(&fat);
	ck_assert_int_eq(store_batch_put_task(batch, &record), 0);
	before = store_batch_bytes(batch);
	ck_assert_int_eq(store_batch_put_task(batch, &fat), -EMSGSIZE);
	ck_assert_int_eq(store_batch_put_meta(batch, name, "", 0), -EINVAL);
	ck_assert_int_eq(blob_set(&record.token, short_token, sizeof short_token), 0);
	ck_assert_int_eq(store_batch_put_task(batch, &record), -EINVAL);
	ck_assert_uint_eq(store_batch_bytes(batch), before);
	ck_assert_ptr_nonnull(store_batch_task_bytes(batch, &len));
	ck_assert_uint_lt(len, 200);
	world_apply(batch);
	world_check_is_good();
	codec_free(&record_codec, &record);
	codec_free(&record_codec, &fat);
}
END_TEST

/* ---- applying --------------------------------------------------------------------- */

START_TEST(events_are_numbered_in_the_order_of_the_batches)
{
	struct store_batch *batches[] = { world_batch(), world_batch(), world_batch() };
	struct seen seen = { .n = 0 };

	world_add_event(batches[0], 1, "one");
	world_add_event(batches[0], 2, "two");
	ck_assert_int_eq(store_batch_put_meta(batches[1], "a", "b", 1), 0);
	world_add_event(batches[2], 1, "three");
	ck_assert_uint_eq(store_batch_first_seq(batches[1]), 0);
	ck_assert_int_eq(store_apply(store, batches, 3), 0);
	ck_assert_uint_eq(store_batch_first_seq(batches[0]), 1);
	ck_assert_uint_eq(store_batch_first_seq(batches[1]), 0);
	ck_assert_uint_eq(store_batch_first_seq(batches[2]), 3);
	ck_assert_uint_eq(store_last_seq(store), 3);
	ck_assert_int_eq(store_each_event(store, 1, 0, 10, world_see, &seen), 0);
	ASSERT_SEEN(&seen, 1, 3);
	for (size_t i = 0; i < 3; i++)
		store_batch_free(batches[i]);
}
END_TEST

START_TEST(all_of_a_group_or_nothing)
{
	struct store_batch *batches[] = { world_batch(), world_batch() };
	struct store_bytes bytes;
	struct record record;

	for (uint64_t id = 1; id <= 2; id++) {
		world_record(&record, id, 1000);
		ck_assert_int_eq(store_batch_put_task(batches[id - 1], &record), 0);
		world_add_event(batches[id - 1], id, "submitted");
		codec_free(&record_codec, &record);
	}
	world_arm("store.commit.before", "errno:ENOSPC");
	ck_assert_int_eq(store_apply(store, batches, 2), -ENOSPC);
	world_arm("store.put", "errno:ENOSPC");
	ck_assert_int_eq(store_apply(store, batches, 2), -ENOSPC);
	ck_assert_int_eq(store_get_task(store, 1, &bytes), -ENOENT);
	ck_assert_uint_eq(store_last_seq(store), 0);
	ck_assert_uint_eq(store_last_id(store), 0);
	ck_assert_int_eq(store_apply(store, batches, 2), 0);
	ck_assert_uint_eq(store_batch_first_seq(batches[0]), 1);
	ck_assert_uint_eq(store_batch_first_seq(batches[1]), 2);
	ck_assert_uint_eq(store_last_id(store), 2);
	for (size_t i = 0; i < 2; i++)
		store_batch_free(batches[i]);
	world_check_is_good();
}
END_TEST

/* Opens and submits task ID in a child that dies at failpoint NAME. */
static void
submit_and_die(uint64_t id, const char *name)
{
	pid_t pid;
	int status;

	world_close();
	world_arm(name, "kill");
	pid = fork();
	if (pid == 0) {
		world_open();
		world_submit(id, id, 1000);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	world_open();
}

START_TEST(a_kill_before_the_commit_leaves_nothing)
{
	world_submit(1, 1, 1000);
	submit_and_die(2, "store.commit.before");
	ck_assert_uint_eq(store_last_id(store), 1);
	ck_assert_uint_eq(store_last_seq(store), 1);
	world_submit(2, 2, 1000);
	world_check_is_good();
}
END_TEST

START_TEST(a_kill_after_the_commit_loses_nothing)
{
	submit_and_die(1, "store.commit.after");
	ck_assert_uint_eq(store_last_id(store), 1);
	ck_assert_uint_eq(store_last_seq(store), 1);
	world_check_is_good();
}
END_TEST

static void
assert_owned(uint64_t uid, uint64_t id, bool owned)
{
	struct store_page page = { .owner_uid = uid, .max_rows = 1000 };
	struct seen seen = { .n = 0 };
	bool found = false;

	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	for (size_t i = 0; i < seen.n; i++)
		found |= seen.v[i] == id;
	ck_assert_int_eq(found, owned);
}

START_TEST(every_person_finds_the_task_however_many_there_are)
{
	struct record record;

	world_submit(1, 2, 1000);
	world_record(&record, 1, 1000);
	for (uint64_t uid = 1001; uid < 1256; uid++)
		world_add_person(&record, uid);
	world_put(&record);
	for (uint64_t uid = 1000; uid < 1256; uid++)
		assert_owned(uid, 1, true);
	codec_free(&record_codec, &record);
	world_record(&record, 1, 1255);
	world_put(&record);
	assert_owned(1255, 1, true);
	assert_owned(1000, 1, false);
	assert_owned(1000, 2, true);
	codec_free(&record_codec, &record);
	world_check_is_good();
}
END_TEST

START_TEST(a_person_who_is_there_twice_finds_the_task_once)
{
	struct store_page page = { .owner_uid = 1000, .max_rows = 10 };
	struct seen seen = { .n = 0 };
	struct record record;

	world_record(&record, 1, 1000);
	world_add_person(&record, 1001);
	world_add_person(&record, 1000);
	world_put(&record);
	codec_free(&record_codec, &record);
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	ASSERT_SEEN(&seen, 1);
	world_check_is_good();
}
END_TEST

static void
delete_task(uint64_t id)
{
	struct store_batch *batch = world_batch();

	ck_assert_int_eq(store_batch_delete_task(batch, id), 0);
	world_apply(batch);
}

START_TEST(a_token_stays_with_the_first_task_that_brings_it)
{
	struct record record;
	uint8_t token[16];
	uint64_t id;

	world_token(token, 1);
	world_submit(1, 1, 1000);
	world_record(&record, 2, 1000);
	world_set_token(&record, 1);
	world_put(&record);
	codec_free(&record_codec, &record);
	ck_assert_int_eq(store_find_token(store, 1000, token, &id), 0);
	ck_assert_uint_eq(id, 1);
	delete_task(2);
	ck_assert_int_eq(store_find_token(store, 1000, token, &id), 0);
	ck_assert_uint_eq(id, 1);
	delete_task(1);
	ck_assert_int_eq(store_find_token(store, 1000, token, &id), -ENOENT);
	world_check_is_good();
}
END_TEST

START_TEST(a_token_goes_with_the_owner)
{
	struct record record;
	uint8_t token[16];
	uint64_t id;

	world_token(token, 1);
	world_submit(1, 1, 1000);
	world_record(&record, 1, 1001);
	world_set_token(&record, 1);
	world_put(&record);
	ck_assert_int_eq(store_find_token(store, 1000, token, &id), -ENOENT);
	ck_assert_int_eq(store_find_token(store, 1001, token, &id), 0);
	ck_assert_uint_eq(id, 1);
	codec_free(&record_codec, &record);
	world_check_is_good();
}
END_TEST

START_TEST(a_deleted_task_leaves_its_events_in_the_history_only)
{
	struct store_page page = { .owner_uid = UINT64_MAX, .max_rows = 10 };
	struct seen seen = { .n = 0 };
	struct store_bytes bytes;

	world_submit(1, 3, 1000);
	delete_task(2);
	delete_task(9);
	ck_assert_int_eq(store_get_task(store, 2, &bytes), -ENOENT);
	ck_assert_int_eq(store_get_spec(store, 2, &bytes), -ENOENT);
	ck_assert_int_eq(store_each_event(store, 2, 0, 10, world_see, &seen), 0);
	ck_assert_uint_eq(seen.n, 0);
	ck_assert_int_eq(store_each_event(store, 0, 0, 10, world_see, &seen), 0);
	ASSERT_SEEN(&seen, 1, 2, 3);
	seen.n = 0;
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	ASSERT_SEEN(&seen, 3, 1);
	world_check_is_good();
}
END_TEST

START_TEST(the_number_of_a_deleted_task_does_not_come_back)
{
	world_submit(1, 3, 1000);
	for (uint64_t id = 1; id <= 3; id++)
		delete_task(id);
	ck_assert_uint_eq(store_last_id(store), 3);
	world_close();
	world_open();
	ck_assert_uint_eq(store_last_id(store), 3);
	world_submit(4, 4, 1000);
	world_close();
	world_open();
	ck_assert_uint_eq(store_last_id(store), 4);
	world_check_is_good();
}
END_TEST

static void
trim_events(uint64_t seq)
{
	struct store_batch *batch = world_batch();

	ck_assert_int_eq(store_batch_trim_events(batch, seq), 0);
	ck_assert_int_eq(store_batch_trim_events(batch, seq), 0);
	world_apply(batch);
}

START_TEST(events_go_from_the_front_a_thousand_at_a_time)
{
	struct store_batch *batch = world_batch();
	struct seen seen = { .n = 0 };

	world_submit(1, 1, 1000);
	for (int i = 0; i < 1500; i++)
		world_add_event(batch, 1, "more");
	world_apply(batch);
	trim_events(1200);
	ck_assert_uint_eq(store_first_seq(store), 1001);
	trim_events(1200);
	ck_assert_uint_eq(store_first_seq(store), 1201);
	ck_assert_int_eq(store_each_event(store, 1, 0, 2, world_see, &seen), 0);
	ASSERT_SEEN(&seen, 1201, 1202);
	world_check_is_good();
	ck_assert_uint_eq(store_first_seq(store), 1201);
}
END_TEST

START_TEST(the_newest_event_stays_so_that_its_number_is_known)
{
	trim_events(5);
	world_submit(1, 3, 1000);
	trim_events(UINT64_MAX);
	ck_assert_uint_eq(store_first_seq(store), 3);
	ck_assert_uint_eq(store_last_seq(store), 3);
	world_close();
	world_open();
	world_submit(4, 4, 1000);
	ck_assert_uint_eq(store_last_seq(store), 4);
	world_check_is_good();
}
END_TEST

int
main(void)
{
	TCase *building = tcase_create("building"), *applying = tcase_create("applying");
	TCase *cases[] = { building, applying };

	tcase_add_checked_fixture(building, world_begin, world_close);
	tcase_add_checked_fixture(applying, world_begin, world_close);
	tcase_add_test(building, a_new_batch_is_empty);
	tcase_add_test(building, the_row_last_put_can_be_looked_at);
	tcase_add_test(building, what_does_not_fit_leaves_the_batch_as_it_was);
	tcase_add_test(applying, events_are_numbered_in_the_order_of_the_batches);
	tcase_add_test(applying, all_of_a_group_or_nothing);
	tcase_add_test(applying, a_kill_before_the_commit_leaves_nothing);
	tcase_add_test(applying, a_kill_after_the_commit_loses_nothing);
	tcase_add_test(applying, every_person_finds_the_task_however_many_there_are);
	tcase_add_test(applying, a_person_who_is_there_twice_finds_the_task_once);
	tcase_add_test(applying, a_token_stays_with_the_first_task_that_brings_it);
	tcase_add_test(applying, a_token_goes_with_the_owner);
	tcase_add_test(applying, a_deleted_task_leaves_its_events_in_the_history_only);
	tcase_add_test(applying, the_number_of_a_deleted_task_does_not_come_back);
	tcase_add_test(applying, events_go_from_the_front_a_thousand_at_a_time);
	tcase_add_test(applying, the_newest_event_stays_so_that_its_number_is_known);
	return world_run(suite_create("store_batch"), cases, sizeof cases / sizeof cases[0]);
}
