/* What is told of a task in full, and of its end. */
#include "supervisor/cli/story.h"

#include "tests/unit/suite.h"
#include "tests/unit/views_kit.h"

static struct term file = { .fd = -1, .has_utf8 = true };

/* ---- the story --------------------------------------------------------------------- */

START_TEST(a_failure_tells_its_cause_and_what_to_do)
{
	story_end(&out, &file, task(FAILED), true);
	text();
	has("task 42 failed: step fetch: exit status 22  3.0 s\n");
	has_not("step_failed"); /* it says no more */
	has("\xe2\x94\x82 one\n");
	has("\xe2\x94\x82 three\n");
	has("reeve logs 42");
	has("reeve retry 42");
	has_not("\033");
}
END_TEST

START_TEST(what_else_to_do_is_told_by_the_kind_of_failure)
{
	story_end(&out, &file,
	    task("{\"id\":42,\"status\":\"failed\",\"error\":{\"code\":\"timed_out\","
		 "\"signal\":15,\"exit_code\":null,\"step\":1,\"tail\":null}}"),
	    false);
	text();
	has("timed_out: killed by signal 15 (Terminated)\n");
	has("`timeout` in its recipe");
}
END_TEST

/* What a person reads who comes in the morning. */
START_TEST(the_whole_story_is_a_timeline)
{
	setenv("TZ", "UTC", 1);
	story_all(&out, &file, task(RUNNING), NOW_MS, true);
	text();
	has("  14:13:10  \xe2\x9c\x93 find    1.5 s\n");
	has("            \xe2\x97\x8b unpack\n");
	buf_clear(&out);
	story_all(&out, &file, task(FAILED), NOW_MS, true);
	text();
	has("Copy  task 42  failed\n");
	has("            \xe2\x9c\x97 fetch  no route  exit status 22\n");
	has("started   2026-09-21 14:13:10");
	has("reeve retry 42");
}
END_TEST

START_TEST(a_state_that_the_outcome_begins_with_is_told_once)
{
	story_end(&out, &file,
	    task("{\"id\":42,\"status\":\"cancelled\","
		 "\"outcome\":\"cancelled by unix:ann during step a\"}"),
	    false);
	text();
	has("task 42 cancelled by unix:ann during step a\n");
}
END_TEST

START_TEST(where_nothing_was_written_no_log_is_offered)
{
	story_end(&out, &file, task(FAILED), false);
	text();
	has("reeve retry 42");
	has_not("reeve logs");
}
END_TEST

START_TEST(a_warning_names_its_step_where_there_are_several)
{
	story_end(&out, &file,
	    task("{\"id\":7,\"status\":\"completed_with_warnings\",\"steps\":[{\"name\":\"a\"},"
		 "{\"name\":\"b\"}],\"warnings\":[{\"text\":\"odd\",\"step\":2},"
		 "{\"text\":\"strange\",\"step\":null},{\"text\":\"wild\",\"step\":9}]}"),
	    true);
	text();
	has("  warning: step b: odd\n");
	has("  warning: strange\n");
	has("  warning: wild\n");
	buf_clear(&out);
	story_end(&out, &file,
	    task("{\"id\":7,\"status\":\"completed_with_warnings\",\"steps\":[{\"name\":\"a\"}],"
		 "\"warnings\":[{\"text\":\"odd\",\"step\":1}]}"),
	    true);
	text();
	has("  warning: odd\n");
}
END_TEST

START_TEST(a_task_that_goes_on_has_no_end)
{
	story_end(&out, &file, task(RUNNING), true);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(the_whole_story_says_what_can_be_done_now)
{
	story_all(&out, &file, task(RUNNING), NOW_MS, true);
	text();
	has("  scope     srv-7\n");
	has("  label     page = 3\n");
	has("unix:ada");
	has("11 s ago");
	has("reeve watch 41");
	has("reeve cancel 41");
}
END_TEST

START_TEST(a_receipt_names_what_had_escaped)
{
	story_receipt(&out, &file,
	    task("{\"signalled\":1,\"killed\":2,\"escaped\":[{\"pid\":77,\"name\":\"sneak\","
		 "\"how\":\"own session\"}],\"survivors\":[],\"method\":\"walk\","
		 "\"duration_ms\":120}"));
	text();
	has("signalled 1, killed 2, nothing survived (");
	has("escaped and caught: sneak (77, own session)\n");
}
END_TEST

START_TEST(survivors_are_not_hidden)
{
	story_receipt(&out, &file,
	    task("{\"signalled\":1,\"killed\":0,\"escaped\":[],\"survivors\":[{\"pid\":5,"
		 "\"name\":\"x\",\"how\":null}],\"method\":\"walk\",\"duration_ms\":1}"));
	text();
	has("1 survived");
	has("still alive: x (5)\n");
}
END_TEST

START_TEST(a_tail_is_its_last_lines)
{
	story_tail(&out, &file, span_of("1\n2\n3\n4\n\n"), 2);
	ck_assert_str_eq(text(), "  \xe2\x94\x82 3\n  \xe2\x94\x82 4\n");
	buf_clear(&out);
	story_tail(&out, &file, span_of("1"), 3);
	ck_assert_str_eq(text(), "  \xe2\x94\x82 1\n");
	buf_clear(&out);
	story_tail(&out, &file, span_of("\n\n"), 3);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_story");
	TCase *tcase = tcase_create("story");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_failure_tells_its_cause_and_what_to_do);
	tcase_add_test(tcase, what_else_to_do_is_told_by_the_kind_of_failure);
	tcase_add_test(tcase, the_whole_story_is_a_timeline);
	tcase_add_test(tcase, a_state_that_the_outcome_begins_with_is_told_once);
	tcase_add_test(tcase, where_nothing_was_written_no_log_is_offered);
	tcase_add_test(tcase, a_warning_names_its_step_where_there_are_several);
	tcase_add_test(tcase, a_task_that_goes_on_has_no_end);
	tcase_add_test(tcase, the_whole_story_says_what_can_be_done_now);
	tcase_add_test(tcase, a_receipt_names_what_had_escaped);
	tcase_add_test(tcase, survivors_are_not_hidden);
	tcase_add_test(tcase, a_tail_is_its_last_lines);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
