#include "tests/unit/commands_kit.h"

static const char *const with_id[] = { "show", "events", "log", "cancel", "retry", "keep" };
enum {
	WITH_ID = sizeof with_id / sizeof with_id[0]
};

START_TEST(a_method_that_is_not_there_is_told_so)
{
	ask("frobnicate", "{}");
	is_refused("unknown_method", NULL);
	ask("versio", "{}");
	is_refused("unknown_method", NULL);
	ask("version", "{}");
	says("\"version\":");
}
END_TEST

START_TEST(no_method_takes_a_field_it_does_not_know)
{
	for (const struct method *method = methods; method->name; method++) {
		ask(method->name, "{\"tiemout\": 1}");
		is_refused("invalid", "tiemout");
	}
}
END_TEST

START_TEST(what_an_administrator_may_only_he_may)
{
	come_back(false);
	for (const struct method *method = methods; method->name; method++) {
		ask(method->name, "{\"tiemout\": 1}");
		is_refused(method->admin_only ? "refused" : "invalid",
		    method->admin_only ? NULL : "tiemout");
	}
	ask("shutdown", "{}");
	is_refused("refused", NULL);
	ck_assert(!supervisor.roster.is_draining);
	ck_assert(!supervisor.stop_service);
}
END_TEST

START_TEST(what_one_may_not_see_does_not_exist)
{
	put_ended(7, getuid() + STRANGER, TASK_FAILED);
	come_back(false);
	for (size_t i = 0; i < WITH_ID; i++) {
		char *hidden, *digit;

		ask(with_id[i], "{\"id\": 7}");
		is_refused("not_found", "id");
		hidden = strdup(said);
		ask(with_id[i], "{\"id\": 8}");
		digit = strchr(said, '8');
		ck_assert_ptr_nonnull(digit);
		*digit = '7';
		ck_assert_str_eq(said, hidden);
		free(hidden);
	}
}
END_TEST

START_TEST(an_administrator_sees_everybody_s)
{
	put_ended(7, getuid() + STRANGER, TASK_FAILED);
	ask("show", "{\"id\": 7}");
	says("\"id\":7,");
}
END_TEST

START_TEST(who_has_joined_sees_the_task)
{
	struct record record;

	world_record(&record, 7, getuid() + STRANGER);
	world_add_person(&record, getuid());
	world_put(&record);
	codec_free(&record_codec, &record);
	come_back(false);
	ask("show", "{\"id\": 7}");
	says("\"joined\":2");
}
END_TEST

START_TEST(an_id_is_a_number)
{
	static const char *const wrong[] = { "{\"id\": \"1\"}", "{\"id\": -1}", "{\"id\": 1.5}",
		"{\"id\": [1]}" };

	for (size_t i = 0; i < WITH_ID; i++) {
		for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
			ask(with_id[i], wrong[k]);
			is_refused("invalid", "id");
		}
		ask(with_id[i], "{}");
		is_refused("not_found", "id"); /* there is no task 0 */
	}
}
END_TEST

START_TEST(a_row_that_cannot_be_read_is_told_as_that)
{
	struct record record;
	struct task *task;

	world_record(&record, 7, getuid());
	task = roster_add(&supervisor.roster, &record);
	ck_assert_ptr_nonnull(task);
	task->seen = malloc(1);
	ck_assert_ptr_nonnull(task->seen);
	task->seen[0] = 0xc1;
	task->seen_len = 1;
	ask("show", "{\"id\": 7}");
	is_refused("internal", NULL);
}
END_TEST

int
main(void)
{
	TCase *tests = tests_of("commands");

	tcase_add_test(tests, a_method_that_is_not_there_is_told_so);
	tcase_add_test(tests, no_method_takes_a_field_it_does_not_know);
	tcase_add_test(tests, what_an_administrator_may_only_he_may);
	tcase_add_test(tests, what_one_may_not_see_does_not_exist);
	tcase_add_test(tests, an_administrator_sees_everybody_s);
	tcase_add_test(tests, who_has_joined_sees_the_task);
	tcase_add_test(tests, an_id_is_a_number);
	tcase_add_test(tests, a_row_that_cannot_be_read_is_told_as_that);
	return world_run(suite_create("commands"), &tests, 1);
}
