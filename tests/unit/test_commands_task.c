#include "tests/unit/commands_kit.h"

START_TEST(a_task_is_shown_with_all_its_keys)
{
	static const char *const keys[] = { "id", "type", "title", "scope", "owner", "labels",
		"status", "pending", "outcome", "progress", "steps", "attempt", "created_at",
		"started_at", "ended_at", "bytes", "outputs", "checkpoint", "result", "warnings",
		"question", "error", "blocked_on", "can", "receipt", "joined", "interruptions" };

	put_ended(7, getuid(), TASK_FAILED);
	ask("show", "{\"id\": 7}");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		char key[32];

		snprintf(key, sizeof key, "\"%s\":", keys[i]);
		says(key);
	}
	says("\"status\":\"failed\"");
	says("\"retry\":true");
}
END_TEST

START_TEST(what_holds_a_live_task_is_shown_with_it)
{
	submit_command(1);
	ask("show", "{\"id\": 101}");
	says("\"status\":\"queued\"");
	says("\"blocked_on\":{\"kind\":\"slot\"");
}
END_TEST

/* ---- events ------------------------------------------------------------------------ */

static void
put_events(uint64_t id, int n)
{
	struct store_batch *batch = world_batch();

	for (int i = 0; i < n; i++)
		world_add_event(batch, id, "w");
	world_apply(batch);
}

START_TEST(events_come_in_pages)
{
	put_ended(7, getuid(), TASK_FAILED);
	put_ended(8, getuid(), TASK_FAILED);
	put_events(7, 3);
	put_events(8, 2);
	put_events(7, 2);
	ask("events", "{\"id\": 7}");
	says("[[1,{");
	says("[7,{");
	says_not("[4,{"); /* that is the other's */
	says("\"more\":false");
	ask("events", "{\"id\": 7, \"limit\": 2}");
	says("[2,{");
	says_not("[3,{");
	says("\"more\":true");
	ask("events", "{\"id\": 7, \"after\": 2, \"limit\": 2}");
	says("[[3,{");
	says("[6,{");
	says_not("[7,{");
	ask("events", "{\"id\": 7, \"after\": 7}");
	says("\"events\":[],\"more\":false");
	ask("events", "{\"id\": 7, \"after\": 1000000000}");
	says("\"events\":[]");
}
END_TEST

START_TEST(no_page_of_events_is_too_large)
{
	ask("events", "{\"id\": 7, \"limit\": 1000}");
	is_refused("not_found", "id");
	ask("events", "{\"id\": 7, \"limit\": 1001}");
	is_refused("invalid", "limit");
	ask("events", "{\"id\": 7, \"after\": -1}");
	is_refused("invalid", "after");
}
END_TEST

/* ---- cancel ------------------------------------------------------------------------ */

START_TEST(what_waits_is_cancelled_at_once)
{
	submit_command(1);
	ask("cancel", "{\"id\": 101}");
	says("\"accepted\":true");
	says("\"left\":false");
	says("\"status\":\"cancelled\"");
	ask("cancel", "{\"id\": 101}");
	is_refused("refused", NULL);
	submit_command(2); /* answered behind the cancel's commit */
	ask("show", "{\"id\": 101}");
	says("\"status\":\"cancelled\"");
	says("\"pending\":null");
}
END_TEST

START_TEST(what_has_ended_cannot_be_cancelled)
{
	put_ended(7, getuid(), TASK_COMPLETED);
	ask("cancel", "{\"id\": 7}");
	is_refused("refused", NULL);
	ck_assert_ptr_nonnull(strstr(said, "task 7: it has ended"));
}
END_TEST

START_TEST(force_and_abandon_are_for_administrators)
{
	submit_command(1);
	come_back(false);
	ask("cancel", "{\"id\": 101, \"force\": true}");
	is_refused("refused", NULL);
	ask("cancel", "{\"id\": 101, \"abandon\": true}");
	is_refused("refused", NULL);
	ask("show", "{\"id\": 101}");
	says("\"status\":\"queued\"");
	come_back(true);
	ask("cancel", "{\"id\": 101, \"abandon\": true}");
	is_refused("refused", NULL); /* it is not stuck */
	ask("cancel", "{\"id\": 101, \"force\": true}");
	says("\"accepted\":true");
}
END_TEST

/* ---- retry and keep ------------------------------------------------------------------- */

START_TEST(what_failed_is_retried_under_its_id)
{
	static const enum task_state states[] = { TASK_FAILED, TASK_CANCELLED, TASK_INTERRUPTED };

	for (uint64_t i = 0; i < 3; i++) {
		char params[32];

		put_ended(7 + i, getuid(), states[i]);
		snprintf(params, sizeof params, "{\"id\": %d}", 7 + (int)i);
		ask("retry", params);
		says("{\"status\":\"queued\",\"attempt\":2}");
		ask("show", params);
		says("\"status\":\"queued\"");
		ask("retry", params); /* it is active now */
		is_refused("refused", NULL);
	}
}
END_TEST

START_TEST(what_completed_is_not_retried_and_stays_where_it_is)
{
	put_ended(7, getuid(), TASK_COMPLETED);
	put_ended(8, getuid(), TASK_WARNED);
	ask("retry", "{\"id\": 7}");
	is_refused("refused", NULL);
	ask("retry", "{\"id\": 8}");
	is_refused("refused", NULL);
	ask("version", "{}"); /* the loop has turned */
	ck_assert_uint_eq(supervisor.roster.ntasks, 0);
}
END_TEST

START_TEST(a_retry_beside_the_same_work_is_a_conflict_that_names_it)
{
	static const char command[] = "{\"command\": [\"true\"], \"key\": \"k\"}";
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	submit(1, command, fd);
	ask("cancel", "{\"id\": 101}");
	submit(2, command, fd);
	says("\"id\":102,");
	says("\"joined\":false");
	ask("retry", "{\"id\": 101}");
	is_refused("conflict", NULL);
	ck_assert_ptr_nonnull(strstr(said, "task 102"));
	ask("cancel", "{\"id\": 102}");
	ask("retry", "{\"id\": 101}");
	says("\"status\":\"queued\"");
	fd_close(&fd);
}
END_TEST

START_TEST(a_kept_task_stays_until_it_is_let_go)
{
	put_ended(7, getuid(), TASK_COMPLETED);
	ask("keep", "{\"id\": 7, \"keep\": true}");
	says("{\"keep\":true}");
	ask("show", "{\"id\": 7}");
	says("\"keep\":true");
	says("\"expires_at\":null");
	ask("keep", "{\"id\": 7, \"keep\": false}");
	says("{\"keep\":false}");
	ask("show", "{\"id\": 7}");
	says("\"expires_at\":\"");
	ask("version", "{}");
	ck_assert_uint_eq(supervisor.roster.ntasks, 0);
	submit_command(1);
	ask("keep", "{\"id\": 101, \"keep\": true}"); /* from its end on */
	says("{\"keep\":true}");
}
END_TEST

int
main(void)
{
	TCase *tests = tests_of("task");

	tcase_add_test(tests, a_task_is_shown_with_all_its_keys);
	tcase_add_test(tests, what_holds_a_live_task_is_shown_with_it);
	tcase_add_test(tests, events_come_in_pages);
	tcase_add_test(tests, no_page_of_events_is_too_large);
	tcase_add_test(tests, what_waits_is_cancelled_at_once);
	tcase_add_test(tests, what_has_ended_cannot_be_cancelled);
	tcase_add_test(tests, force_and_abandon_are_for_administrators);
	tcase_add_test(tests, what_failed_is_retried_under_its_id);
	tcase_add_test(tests, what_completed_is_not_retried_and_stays_where_it_is);
	tcase_add_test(tests, a_retry_beside_the_same_work_is_a_conflict_that_names_it);
	tcase_add_test(tests, a_kept_task_stays_until_it_is_let_go);
	return world_run(suite_create("commands task"), &tests, 1);
}
