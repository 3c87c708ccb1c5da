#include "supervisor/can.h"

#include "tests/unit/rows.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

static struct record row;

static void
set_up(void)
{
	row_make(&row, 2);
}

static void
tear_down(void)
{
	row_free(&row);
}

START_TEST(a_reason_is_given_exactly_where_cancelling_is_not_free)
{
	for (int state = 1; state < TASK_STATE_MAX; state++) {
		struct can can;

		row.state = (enum task_state)state;
		can = can_do(&row);
		ck_assert((can.reason == NULL) == (can.cancel == CANCEL_NOW));
		ck_assert_int_ge(can.cancel, CANCEL_NOW);
		ck_assert_int_le(can.cancel, CANCEL_NEVER);
	}
}
END_TEST

START_TEST(what_has_ended_unwell_and_nothing_else_may_be_retried)
{
	for (int state = 1; state < TASK_STATE_MAX; state++) {
		bool unwell =
		    state == TASK_FAILED || state == TASK_CANCELLED || state == TASK_INTERRUPTED;

		row.state = (enum task_state)state;
		ck_assert(can_do(&row).retry == unwell);
		if (task_state_is_end(row.state))
			ck_assert_int_eq(can_do(&row).cancel, CANCEL_NEVER);
	}
}
END_TEST

START_TEST(the_step_that_runs_says_whether_it_may_be_cancelled)
{
	row.steps.v[0].cancel = CANCEL_NEVER;
	row.steps.v[1].cancel = CANCEL_AFTER;
	ck_assert_int_eq(can_do(&row).cancel, CANCEL_NOW);
	row.step = 1;
	ck_assert_int_eq(can_do(&row).cancel, CANCEL_NOW); /* it does not run */
	row.steps.v[0].state = STEP_RUNNING;
	ck_assert_int_eq(can_do(&row).cancel, CANCEL_NEVER);
	row.steps.v[0].state = STEP_DONE;
	row.steps.v[1].state = STEP_RUNNING;
	row.step = 2;
	ck_assert_int_eq(can_do(&row).cancel, CANCEL_AFTER);
	ck_assert_int_eq(can_step_mode(&row), CANCEL_AFTER);
	row.steps.v[1].cancel = 0; /* a row of before there were modes */
	ck_assert_int_eq(can_step_mode(&row), CANCEL_NOW);
	row.step = 3;
	ck_assert_int_eq(can_step_mode(&row), CANCEL_NOW);
	row.step = UINT64_MAX;
	ck_assert_int_eq(can_step_mode(&row), CANCEL_NOW);
}
END_TEST

START_TEST(what_was_run_and_has_an_undo_can_be_undone)
{
	ck_assert(!can_undo_something(&row));
	for (int state = 1; state < STEP_STATE_MAX; state++) {
		row.steps.v[1].was_run = false;
		row.steps.v[1].has_undo = true;
		row.steps.v[1].state = (enum step_state)state;
		ck_assert(!can_undo_something(&row)); /* not even its check found it so */
		row.steps.v[1].was_run = true;
		ck_assert(can_undo_something(&row) == (state != STEP_UNDONE));
		row.steps.v[1].has_undo = false;
		ck_assert(!can_undo_something(&row));
	}
}
END_TEST

START_TEST(of_rows_of_older_builds_what_was_begun_can_be_undone)
{
	row.steps.v[1].tries = 1;
	for (int state = 1; state < STEP_STATE_MAX; state++) {
		bool begun = state == STEP_DONE || state == STEP_RUNNING || state == STEP_FAILED ||
			     state == STEP_CANCELLED;

		row.steps.v[1].state = (enum step_state)state;
		row.steps.v[1].has_undo = false;
		ck_assert(!can_undo_something(&row));
		row.steps.v[1].has_undo = true;
		ck_assert(can_undo_something(&row) == begun);
	}
}
END_TEST

START_TEST(the_step_being_undone_is_the_last_that_had_no_turn_yet)
{
	ck_assert_ptr_null(can_undoing(&row));
	for (size_t i = 0; i < 2; i++) {
		row.steps.v[i].has_undo = true;
		row.steps.v[i].was_run = true;
		row.steps.v[i].state = STEP_DONE;
	}
	ck_assert_ptr_eq(can_undoing(&row), &row.steps.v[1]);
	row.steps.v[1].state = STEP_UNDONE;
	ck_assert_ptr_eq(can_undoing(&row), &row.steps.v[0]);
	/* Its undo failed, and that of the one before it did not. */
	row.steps.v[1].state = STEP_FAILED;
	row.steps.v[0].state = STEP_UNDONE;
	ck_assert_ptr_null(can_undoing(&row));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("can");
	TCase *tests = tcase_create("can");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_reason_is_given_exactly_where_cancelling_is_not_free);
	tcase_add_test(tests, what_has_ended_unwell_and_nothing_else_may_be_retried);
	tcase_add_test(tests, the_step_that_runs_says_whether_it_may_be_cancelled);
	tcase_add_test(tests, what_was_run_and_has_an_undo_can_be_undone);
	tcase_add_test(tests, of_rows_of_older_builds_what_was_begun_can_be_undone);
	tcase_add_test(tests, the_step_being_undone_is_the_last_that_had_no_turn_yet);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
