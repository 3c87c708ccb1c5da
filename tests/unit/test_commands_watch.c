#include "supervisor/roster/change.h"
#include "tests/unit/commands_kit.h"

/* Everything that was sent before this is answered has been heard. */
static void
hear(void)
{
	ask("version", "{}");
}

static void
hears(const char *part)
{
	ck_assert_msg(strstr(heard, part), "no %s in %s", part, heard);
}

static void
hears_not(const char *part)
{
	ck_assert_msg(!strstr(heard, part), "%s in %s", part, heard);
}

static unsigned
count_heard(void)
{
	unsigned n = 0;

	for (const char *at = heard; (at = strchr(at, '\n')) != NULL; at++)
		n++;
	return n;
}

START_TEST(a_follower_gets_what_is_active_and_then_what_happens)
{
	submit_command(1);
	put_ended(7, getuid(), TASK_FAILED);
	ask("watch", "{}");
	says(store_epoch(store));
	says("\"seq\":1,\"reset\":false");
	says("{\"id\":101,");
	says_not("{\"id\":7,");
	submit_command(2);
	hears("{\"seq\":2,\"event\":{\"event\":\"submitted\"");
	hears("\"task\":{\"id\":102,");
	ck_assert_uint_eq(count_heard(), 1);
}
END_TEST

START_TEST(who_asks_for_ids_gets_those_alone_ended_or_not)
{
	put_ended(7, getuid(), TASK_FAILED);
	submit_command(1);
	ask("watch", "{\"ids\": [102, 7, 999]}");
	says("{\"id\":7,");
	says_not("{\"id\":101,");
	ask("cancel", "{\"id\": 101}");
	submit_command(2);
	hears("\"task\":{\"id\":102,");
	hears_not("\"task\":{\"id\":101,");
}
END_TEST

START_TEST(who_waits_for_ends_hears_of_nothing_else)
{
	ask("watch", "{\"ends\": true}");
	submit_command(1);
	submit_command(2);
	ask("cancel", "{\"id\": 102}");
	submit_command(3);
	hears("\"event\":{\"event\":\"ended\"");
	hears("\"task\":{\"id\":102,");
	ck_assert_uint_eq(count_heard(), 1);
}
END_TEST

START_TEST(ids_that_are_none_are_refused)
{
	static const char *const wrongs[] = { "{\"ids\": \"all\"}", "{\"ids\": [0]}",
		"{\"ids\": [-1]}", "{\"ids\": [\"1\"]}", "{\"ids\": {}}", "{\"ids\": [[1]]}" };
	struct buf many;

	for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
		ask("watch", wrongs[i]);
		is_refused("invalid", "ids");
	}
	buf_init(&many, 64 * 1024);
	buf_add(&many, "{\"ids\": [1", 10);
	for (int i = 0; i < 1000; i++)
		buf_add(&many, ",1", 2);
	buf_add(&many, "]}", 3);
	ask("watch", (const char *)many.data);
	is_refused("invalid", "ids");
	buf_fini(&many);
	submit_command(1); /* and nobody follows anything */
	ck_assert_uint_eq(count_heard(), 0);
}
END_TEST

static void
submit_for_stranger(uint64_t id)
{
	struct record record;
	struct change *change;
	struct task *task;

	world_record(&record, id, getuid() + STRANGER);
	record.queue_order = id;
	task = roster_add(&supervisor.roster, &record);
	ck_assert_ptr_nonnull(task);
	change = change_begin(task);
	change_event(change, FACT_SUBMITTED);
	change_commit_new(change, "spec", 4);
}

START_TEST(nobody_hears_of_what_he_may_not_see)
{
	char params[128];

	come_back(false);
	ask("watch", "{}");
	submit_for_stranger(7);
	submit_command(1);
	hears("\"task\":{\"id\":101,");
	hears_not("\"task\":{\"id\":7,");
	ask("watch", "{\"ids\": [7]}");
	says("\"tasks\":[]");
	ask("watch", "{}");
	says_not("{\"id\":7,");
	/* Nor afterwards, of what happened before. */
	snprintf(params, sizeof params, "{\"epoch\": \"%s\", \"after\": 0}", store_epoch(store));
	ask("watch", params);
	says("\"reset\":false");
	while (!strstr(heard, "{\"seq\":2,")) /* the test's timeout */
		hear();
	hears_not("\"task\":{\"id\":7,");
}
END_TEST

START_TEST(who_comes_back_is_sent_what_he_missed_once_and_in_order)
{
	char params[128];

	for (uint64_t i = 1; i <= 150; i++) /* more than one turn of the loop sends */
		submit_command(i);
	come_back(true);
	snprintf(params, sizeof params, "{\"epoch\": \"%s\", \"after\": 20}", store_epoch(store));
	ask("watch", params);
	says("\"seq\":20,\"reset\":false");
	while (!strstr(heard, "{\"seq\":150,")) /* the test's timeout */
		hear();
	submit_command(151);
	ck_assert_uint_eq(count_heard(), 131);
	for (int seq = 21; seq <= 151; seq++) {
		char wanted[32];

		snprintf(wanted, sizeof wanted, "{\"seq\":%d,", seq);
		hears(wanted);
	}
	hears_not("{\"seq\":20,");
}
END_TEST

START_TEST(another_epoch_or_a_number_of_the_future_begins_afresh)
{
	char future[128];
	const char *const wrongs[] = { "{\"epoch\": \"0\", \"after\": 1}", future };

	snprintf(future, sizeof future, "{\"epoch\": \"%s\", \"after\": 99}", store_epoch(store));
	submit_command(1);
	submit_command(2);
	for (size_t i = 0; i < 2; i++) {
		ask("watch", wrongs[i]);
		says("\"seq\":2,\"reset\":true");
		hear();
		ck_assert_uint_eq(count_heard(), 0);
	}
}
END_TEST

START_TEST(who_has_heard_enough_is_told_no_more)
{
	ask("watch", "{}");
	ask("unwatch", "{}");
	says("{}");
	submit_command(1);
	hear();
	ck_assert_uint_eq(count_heard(), 0);
	ask("unwatch", "{}"); /* he may say so twice */
	says("{}");
}
END_TEST

START_TEST(who_watches_again_watches_that_alone)
{
	ask("watch", "{}");
	ask("watch", "{\"ids\": [999]}");
	submit_command(1);
	hear();
	ck_assert_uint_eq(count_heard(), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tests_of("watch");

	tcase_add_test(tests, a_follower_gets_what_is_active_and_then_what_happens);
	tcase_add_test(tests, who_asks_for_ids_gets_those_alone_ended_or_not);
	tcase_add_test(tests, who_waits_for_ends_hears_of_nothing_else);
	tcase_add_test(tests, ids_that_are_none_are_refused);
	tcase_add_test(tests, nobody_hears_of_what_he_may_not_see);
	tcase_add_test(tests, who_comes_back_is_sent_what_he_missed_once_and_in_order);
	tcase_add_test(tests, another_epoch_or_a_number_of_the_future_begins_afresh);
	tcase_add_test(tests, who_has_heard_enough_is_told_no_more);
	tcase_add_test(tests, who_watches_again_watches_that_alone);
	return world_run(suite_create("commands watch"), &tests, 1);
}
