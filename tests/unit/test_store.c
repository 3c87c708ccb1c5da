#include "store/store.h"

#include "store/dump.h"
#include "store/env.h"
#include "tests/unit/store_world.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>

/* ---- opening ---------------------------------------------------------------------- */

START_TEST(a_new_store_has_an_epoch_and_nothing_else)
{
	struct seen seen = { .n = 0 };

	ck_assert_uint_eq(strlen(store_epoch(store)), 16);
	ck_assert_uint_eq(strspn(store_epoch(store), "0123456789abcdef"), 16);
	ck_assert_uint_eq(store_last_id(store), 0);
	ck_assert_uint_eq(store_first_seq(store), 0);
	ck_assert_uint_eq(store_last_seq(store), 0);
	ck_assert_int_eq(store_each_active(store, world_see, &seen), 0);
	ck_assert_int_eq(store_each_event(store, 0, 0, 10, world_see, &seen), 0);
	ck_assert_uint_eq(seen.n, 0);
}
END_TEST

START_TEST(everything_is_there_after_opening_again)
{
	struct store_bytes bytes;
	struct record record;
	char epoch[17];

	strcpy(epoch, store_epoch(store));
	world_submit(1, 3, 1000);
	world_close();
	world_open();
	ck_assert_str_eq(store_epoch(store), epoch);
	ck_assert_uint_eq(store_last_id(store), 3);
	ck_assert_uint_eq(store_first_seq(store), 1);
	ck_assert_uint_eq(store_last_seq(store), 3);
	ck_assert_int_eq(store_get_task(store, 2, &bytes), 0);
	ck_assert_int_eq(codec_decode(&record_codec, bytes.data, bytes.len, &record, NULL), 0);
	ck_assert_uint_eq(record.id, 2);
	ck_assert_str_eq(record.title, "true");
	codec_free(&record_codec, &record);
	store_bytes_free(&bytes);
	ck_assert_int_eq(store_get_spec(store, 2, &bytes), 0);
	ck_assert_uint_eq(bytes.len, 4);
	ck_assert_int_eq(memcmp(bytes.data, "spec", 4), 0);
	store_bytes_free(&bytes);
	ck_assert_int_eq(store_get_task(store, 4, &bytes), -ENOENT);
	ck_assert_int_eq(store_get_spec(store, 4, &bytes), -ENOENT);
}
END_TEST

/* Whatever copies it back leaves another file. */
START_TEST(a_store_put_back_from_a_copy_has_another_epoch)
{
	char epoch[17], command[256];

	strcpy(epoch, store_epoch(store));
	world_close();
	snprintf(
	    command, sizeof command, "cd %s && cp data.mdb copy && mv copy data.mdb", world_dir);
	ck_assert_int_eq(system(command), 0);
	world_open();
	ck_assert_str_ne(store_epoch(store), epoch);
	strcpy(epoch, store_epoch(store));
	world_close();
	world_open();
	ck_assert_str_eq(store_epoch(store), epoch);
}
END_TEST

START_TEST(nobody_else_may_look_into_the_directory)
{
	struct stat info;

	world_close();
	ck_assert_int_eq(chmod(world_dir, 0755), 0);
	ck_assert_int_eq(chmod(world_path("data.mdb"), 0644), 0);
	world_open();
	ck_assert_int_eq(stat(world_dir, &info), 0);
	ck_assert_uint_eq(info.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(world_path("data.mdb"), &info), 0);
	ck_assert_uint_eq(info.st_mode & 07777, 0600);
}
END_TEST

START_TEST(no_fd_of_the_store_survives_an_exec)
{
	char command[] = "for fd in /proc/self/fd/*; do readlink $fd; done | grep -q mdb";

	ck_assert_int_ne(system(command), 0);
}
END_TEST

START_TEST(no_fd_of_the_store_is_one_of_the_first_three)
{
	int fd, input = dup(0), flags;

	world_close();
	close(0);
	world_open();
	ck_assert_int_eq(mdb_env_get_fd(store->env, &fd), 0);
	ck_assert_int_gt(fd, 2);
	flags = fcntl(0, F_GETFD);
	ck_assert_int_ge(flags, 0);
	dup2(input, 0);
	close(input);
}
END_TEST

START_TEST(a_second_store_in_one_process_is_refused)
{
	struct store_error error;
	struct store *other;

	ck_assert_int_eq(store_open(&world_options, &other, &error), -EBUSY);
	ck_assert_ptr_nonnull(strstr(error.text, world_dir));
}
END_TEST

START_TEST(another_users_directory_is_refused)
{
	struct store_error error;

	world_close();
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(world_dir, 12345, 12345), 0);
	ck_assert_int_eq(store_open(&world_options, &store, &error), -EPERM);
	ck_assert_ptr_nonnull(strstr(error.text, "another user"));
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_named)
{
	struct store_options options = { .dir = world_path("nowhere") };
	struct store_error error;

	world_close();
	ck_assert_int_eq(store_open(&options, &store, &error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error.text, "nowhere"));
}
END_TEST

START_TEST(a_small_address_space_gets_a_small_map)
{
	struct rlimit old, small = { (rlim_t)2 << 30, (rlim_t)2 << 30 };
	struct store_options options = { .dir = world_dir };
	struct store_error error;
	uint64_t used, map;

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	small.rlim_cur = small.rlim_max = (rlim_t)1 << 50;
#endif
	world_close();
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &old), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &small), 0);
	ck_assert_int_eq(store_open(&options, &store, &error), 0);
	store_usage(store, &used, &map);
	ck_assert_uint_le(map, small.rlim_cur / 2);
	ck_assert_uint_gt(used, 0);
	ck_assert_uint_lt(used, 1 << 20);
}
END_TEST

START_TEST(a_read_only_store_reads_and_does_not_write)
{
	struct store_options options = world_options;
	struct store_batch *batch = world_batch();
	struct store_error error;
	struct store_bytes bytes;
	char epoch[17];

	strcpy(epoch, store_epoch(store));
	world_submit(1, 1, 1000);
	world_close();
	options.read_only = true;
	ck_assert_int_eq(store_open(&options, &store, &error), 0);
	ck_assert_str_eq(store_epoch(store), epoch);
	ck_assert_int_eq(store_get_task(store, 1, &bytes), 0);
	store_bytes_free(&bytes);
	ck_assert_int_eq(store_batch_put_meta(batch, "a", "b", 1), 0);
	ck_assert_int_lt(store_apply(store, &batch, 1), 0);
	store_batch_free(batch);
}
END_TEST

/* ---- reading ---------------------------------------------------------------------- */

START_TEST(active_tasks_come_in_the_order_of_their_ids)
{
	struct seen seen = { .n = 0 };
	struct record record;

	world_submit(1, 5, 1000);
	world_record(&record, 3, 1000);
	record.state = TASK_FAILED;
	world_put(&record);
	codec_free(&record_codec, &record);
	ck_assert_int_eq(store_each_active(store, world_see, &seen), 0);
	ASSERT_SEEN(&seen, 1, 2, 4, 5);
}
END_TEST

START_TEST(a_callback_can_stop_the_walk)
{
	struct store_page page = { .owner_uid = UINT64_MAX, .max_rows = 10 };
	struct seen seen = { .stop_after = 2 };
	uint64_t next;

	world_submit(1, 5, 1000);
	ck_assert_int_eq(store_each_active(store, world_see, &seen), 77);
	ck_assert_uint_eq(seen.n, 2);
	seen.n = 0;
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &next), 77);
	ck_assert_uint_eq(seen.n, 2);
	seen.n = 0;
	ck_assert_int_eq(store_each_event(store, 0, 0, 10, world_see, &seen), 77);
	ck_assert_uint_eq(seen.n, 2);
}
END_TEST

START_TEST(pages_go_from_the_newest_to_the_oldest)
{
	struct store_page page = { .owner_uid = UINT64_MAX, .max_rows = 2 };
	struct seen seen = { .n = 0 };

	world_submit(1, 5, 1000);
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	ASSERT_SEEN(&seen, 5, 4);
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	ASSERT_SEEN(&seen, 5, 4, 3, 2, 1);
	ck_assert_uint_eq(page.before_id, 0);
}
END_TEST

START_TEST(a_page_holds_one_persons_tasks_only)
{
	struct store_page page = { .owner_uid = 1001, .max_rows = 2 };
	struct seen seen = { .n = 0 };
	struct record record;

	world_submit(1, 2, 1000);
	world_submit(3, 3, 1001);
	world_submit(4, 4, 1002);
	world_submit(5, 6, 1001);
	world_record(&record, 2, 1000);
	world_add_person(&record, 1001);
	world_put(&record);
	codec_free(&record_codec, &record);
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	ASSERT_SEEN(&seen, 6, 5);
	ck_assert_uint_ne(page.before_id, 0);
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	ASSERT_SEEN(&seen, 6, 5, 3, 2);
	ck_assert_uint_eq(page.before_id, 0);
	page.owner_uid = 7;
	seen.n = 0;
	ck_assert_int_eq(store_each_task(store, &page, world_see, &seen, &page.before_id), 0);
	ck_assert_uint_eq(seen.n, 0);
}
END_TEST

START_TEST(events_are_found_by_number_and_by_task)
{
	struct seen seen = { .n = 0 };

	world_submit(1, 3, 1000);
	world_submit(1, 3, 1000);
	ck_assert_int_eq(store_each_event(store, 0, 2, 3, world_see, &seen), 0);
	ASSERT_SEEN(&seen, 3, 4, 5);
	seen.n = 0;
	ck_assert_int_eq(store_each_event(store, 2, 0, 10, world_see, &seen), 0);
	ASSERT_SEEN(&seen, 2, 5);
	seen.n = 0;
	ck_assert_int_eq(store_each_event(store, 2, 2, 10, world_see, &seen), 0);
	ASSERT_SEEN(&seen, 5);
	seen.n = 0;
	ck_assert_int_eq(store_each_event(store, 2, UINT64_MAX, 10, world_see, &seen), 0);
	ck_assert_int_eq(store_each_event(store, 0, 6, 10, world_see, &seen), 0);
	ck_assert_int_eq(store_each_event(store, 9, 0, 10, world_see, &seen), 0);
	ck_assert_uint_eq(seen.n, 0);
}
END_TEST

START_TEST(ended_tasks_are_due_when_their_time_has_come)
{
	static const uint64_t expires[] = { 500, 300, 0, 400 };
	uint64_t ids[8];
	size_t n;

	for (uint64_t id = 1; id <= 4; id++) {
		struct record record;

		world_record(&record, id, 1000);
		record.state = TASK_COMPLETED;
		record.expires_ms = expires[id - 1];
		world_put(&record);
		codec_free(&record_codec, &record);
	}
	ck_assert_int_eq(store_due(store, 299, ids, 8, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(store_due(store, 400, ids, 8, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(ids[0], 2);
	ck_assert_uint_eq(ids[1], 4);
	ck_assert_int_eq(store_due(store, 10000, ids, 1, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(store_due_count(store), sizeof expires / sizeof expires[0] - 1);
}
END_TEST

START_TEST(a_token_finds_its_task_for_its_owner_only)
{
	uint8_t token[16];
	uint64_t id = 0;

	world_submit(1, 3, 1000);
	world_token(token, 2);
	ck_assert_int_eq(store_find_token(store, 1000, token, &id), 0);
	ck_assert_uint_eq(id, 2);
	ck_assert_int_eq(store_find_token(store, 1001, token, &id), -ENOENT);
	world_token(token, 9);
	ck_assert_int_eq(store_find_token(store, 1000, token, &id), -ENOENT);
}
END_TEST

START_TEST(a_value_that_changed_on_disk_is_not_handed_out)
{
	struct store_key key = store_key1(2);
	struct seen seen = { .n = 0 };
	MDB_val at = store_val(&key), value;
	struct store_bytes bytes;
	uint8_t copy[512];
	MDB_txn *txn;

	world_submit(1, 3, 1000);
	ck_assert_int_eq(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_get(txn, store->tables.task, &at, &value), 0);
	ck_assert_uint_le(value.mv_size, sizeof copy);
	memcpy(copy, value.mv_data, value.mv_size);
	copy[value.mv_size - 1] ^= 1;
	value.mv_data = copy;
	ck_assert_int_eq(mdb_put(txn, store->tables.task, &at, &value, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	ck_assert_int_eq(store_get_task(store, 2, &bytes), -EUCLEAN);
	ck_assert_int_eq(store_each_active(store, world_see, &seen), -EUCLEAN);
	ASSERT_SEEN(&seen, 1);
	ck_assert_int_eq(store_get_task(store, 3, &bytes), 0);
	store_bytes_free(&bytes);
}
END_TEST

START_TEST(a_value_under_another_key_is_not_handed_out)
{
	struct store_key one = store_key1(1), two = store_key1(2);
	MDB_val key = store_val(&one), other = store_val(&two), value;
	struct store_bytes bytes;
	uint8_t copy[512];
	MDB_txn *txn;

	world_submit(1, 2, 1000);
	ck_assert_int_eq(mdb_txn_begin(store->env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_get(txn, store->tables.spec, &key, &value), 0);
	memcpy(copy, value.mv_data, value.mv_size);
	value.mv_data = copy;
	ck_assert_int_eq(mdb_put(txn, store->tables.spec, &other, &value, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	ck_assert_int_eq(store_get_spec(store, 2, &bytes), -EUCLEAN);
}
END_TEST

START_TEST(the_callers_meta_names_are_apart_from_our_own)
{
	struct store_batch *batch = world_batch();
	struct store_bytes bytes;

	ck_assert_int_eq(store_batch_put_meta(batch, "epoch", "mine", 4), 0);
	world_apply(batch);
	world_close();
	world_open();
	ck_assert_int_eq(store_get_meta(store, "epoch", &bytes), 0);
	ck_assert_uint_eq(bytes.len, 4);
	ck_assert_int_eq(memcmp(bytes.data, "mine", 4), 0);
	store_bytes_free(&bytes);
	ck_assert_uint_eq(strlen(store_epoch(store)), 16);
	ck_assert_int_eq(store_get_meta(store, "version", &bytes), -ENOENT);
}
END_TEST

START_TEST(a_dump_tells_of_tasks_and_events)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	world_submit(1, 2, 1000);
	store_dump(out, store);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "task 2: queued command \"true\""));
	ck_assert_ptr_nonnull(strstr(text, "event 1: "));
	ck_assert_ptr_nonnull(strstr(text, "warning"));
	free(text);
}
END_TEST

int
main(void)
{
	TCase *opening = tcase_create("opening"), *reading = tcase_create("reading");
	TCase *cases[] = { opening, reading };

	tcase_add_checked_fixture(opening, world_begin, world_close);
	tcase_add_checked_fixture(reading, world_begin, world_close);
	tcase_add_test(opening, a_new_store_has_an_epoch_and_nothing_else);
	tcase_add_test(opening, everything_is_there_after_opening_again);
	tcase_add_test(opening, a_store_put_back_from_a_copy_has_another_epoch);
	tcase_add_test(opening, nobody_else_may_look_into_the_directory);
	tcase_add_test(opening, no_fd_of_the_store_survives_an_exec);
	tcase_add_test(opening, no_fd_of_the_store_is_one_of_the_first_three);
	tcase_add_test(opening, a_second_store_in_one_process_is_refused);
	tcase_add_test(opening, another_users_directory_is_refused);
	tcase_add_test(opening, a_directory_that_is_not_there_is_named);
	tcase_add_test(opening, a_small_address_space_gets_a_small_map);
	tcase_add_test(opening, a_read_only_store_reads_and_does_not_write);
	tcase_add_test(reading, active_tasks_come_in_the_order_of_their_ids);
	tcase_add_test(reading, a_callback_can_stop_the_walk);
	tcase_add_test(reading, pages_go_from_the_newest_to_the_oldest);
	tcase_add_test(reading, a_page_holds_one_persons_tasks_only);
	tcase_add_test(reading, events_are_found_by_number_and_by_task);
	tcase_add_test(reading, ended_tasks_are_due_when_their_time_has_come);
	tcase_add_test(reading, a_token_finds_its_task_for_its_owner_only);
	tcase_add_test(reading, a_value_that_changed_on_disk_is_not_handed_out);
	tcase_add_test(reading, a_value_under_another_key_is_not_handed_out);
	tcase_add_test(reading, the_callers_meta_names_are_apart_from_our_own);
	tcase_add_test(reading, a_dump_tells_of_tasks_and_events);
	return world_run(suite_create("store"), cases, sizeof cases / sizeof cases[0]);
}
