/* The one line that is kept of how a task ended. */
#include "supervisor/verdict.h"

#include "tests/unit/rows.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <string.h>

static struct record row;

static void
set_up(void)
{
	row_make(&row, 3);
}

static void
tear_down(void)
{
	row_free(&row);
}

static void
all_steps(enum step_state state)
{
	for (size_t i = 0; i < row.steps.n; i++)
		row.steps.v[i].state = state;
}

static const char *
line(enum task_state state)
{
	static char text[LIMIT_TITLE];

	row.state = state;
	verdict_outcome(&row, text, sizeof text);
	return text;
}

START_TEST(the_outcome_says_what_happened_in_one_line)
{
	struct record_warning *warning;

	ck_assert_str_eq(line(TASK_COMPLETED), "completed");
	ck_assert_str_eq(line(TASK_RUNNING), "");
	ck_assert_str_eq(line(TASK_FAILED), "no reason was given");
	str_set(&row.error.code, "exit");
	str_set(&row.error.message, "exited with status 3");
	row.error.step = 2;
	ck_assert_str_eq(line(TASK_FAILED), "step s2: exited with status 3");
	row.error.step = 99;
	ck_assert_str_eq(line(TASK_INTERRUPTED), "exited with status 3");
	warning = list_add((struct list *)&row.warnings, &record_warning_codec);
	str_set(&warning->text, "old mirror");
	ck_assert_str_eq(line(TASK_WARNED), "completed with warnings: old mirror");
}
END_TEST

START_TEST(the_outcome_names_who_cancelled_and_where)
{
	row.want = WANT_CANCEL;
	ck_assert_str_eq(line(TASK_COMPLETED), "completed; the cancel came too late");
	str_set(&row.cancelled_by, "unix:bob");
	ck_assert_str_eq(line(TASK_CANCELLED), "cancelled by unix:bob before it started");
	row.step = 3;
	ck_assert_str_eq(line(TASK_CANCELLED), "cancelled by unix:bob during step s3");
	ck_assert_ptr_nonnull(list_add((struct list *)&row.receipt.survivors, &receipt_proc_codec));
	ck_assert_str_eq(
	    line(TASK_CANCELLED), "cancelled by unix:bob; 1 process could not be killed");
}
END_TEST

START_TEST(the_outcome_names_what_was_not_undone)
{
	all_steps(STEP_DONE);
	row.steps.v[0].has_undo = row.steps.v[0].was_run = true;
	row.steps.v[1].state = STEP_FAILED;
	row.step = 2;
	row.steps.v[1].has_undo = row.steps.v[1].was_run = true;
	str_set(&row.error.message, "exited with status 3");
	row.error.step = 2;
	ck_assert_str_eq(line(TASK_FAILED), "step s2: exited with status 3; not undone: s2, s1");
	row.steps.v[1].state = STEP_UNDONE;
	ck_assert_str_eq(
	    line(TASK_CANCELLED), "cancelled by somebody during step s2; not undone: s1");
	row.steps.v[0].state = STEP_UNDONE;
	ck_assert_str_eq(line(TASK_INTERRUPTED), "step s2: exited with status 3");
	all_steps(STEP_DONE);
	ck_assert_str_eq(line(TASK_COMPLETED), "completed");
}
END_TEST

START_TEST(a_long_outcome_is_cut_to_its_room)
{
	char message[2 * LIMIT_TITLE], text[64];

	memset(message, 'm', sizeof message - 1);
	message[sizeof message - 1] = '\0';
	str_set(&row.error.message, message);
	row.state = TASK_FAILED;
	verdict_outcome(&row, text, sizeof text);
	ck_assert_uint_eq(strlen(text), sizeof text - 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verdict_outcome");
	TCase *tests = tcase_create("outcome");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_outcome_says_what_happened_in_one_line);
	tcase_add_test(tests, the_outcome_names_who_cancelled_and_where);
	tcase_add_test(tests, the_outcome_names_what_was_not_undone);
	tcase_add_test(tests, a_long_outcome_is_cut_to_its_room);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
