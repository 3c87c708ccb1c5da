#include "ipc/task.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const enum task_state task_states[] = {
#define X(sym, num, name, is_end, worker, slot) sym,
	TASK_STATES(X)
#undef X
};
#define TASK_COUNT ((int)(sizeof task_states / sizeof task_states[0]))

static const enum step_state step_states[] = {
#define X(sym, num, name, is_done) sym,
	STEP_STATES(X)
#undef X
};
#define STEP_COUNT ((int)(sizeof step_states / sizeof step_states[0]))

START_TEST(every_task_state_is_found_by_its_name)
{
	enum task_state state = task_states[_i];

	ck_assert_str_ne(task_state_name(state), "invalid");
	ck_assert_int_eq(task_state_parse(task_state_name(state)), state);
}
END_TEST

START_TEST(numbers_are_dense_and_below_their_maximum)
{
	for (int i = 0; i < TASK_COUNT; i++)
		ck_assert_int_eq(task_states[i], i + 1);
	ck_assert_int_eq(TASK_COUNT + 1, TASK_STATE_MAX);
	for (int i = 0; i < STEP_COUNT; i++)
		ck_assert_int_eq(step_states[i], i + 1);
	ck_assert_int_eq(STEP_COUNT + 1, STEP_STATE_MAX);
}
END_TEST

START_TEST(an_end_holds_nothing)
{
	enum task_state state = task_states[_i];

	if (task_state_is_end(state)) {
		ck_assert(!task_state_has_worker(state));
		ck_assert(!task_state_holds_slot(state));
	}
}
END_TEST

START_TEST(a_slot_is_held_only_by_who_has_a_worker)
{
	enum task_state state = task_states[_i];

	if (task_state_holds_slot(state))
		ck_assert(task_state_has_worker(state));
}
END_TEST

START_TEST(numbers_that_are_no_state_are_invalid_and_hold_nothing)
{
	const int numbers[] = { 0, -1, TASK_STATE_MAX, 1000000, -1000000 };

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		enum task_state state = (enum task_state)numbers[i];

		ck_assert_str_eq(task_state_name(state), "invalid");
		ck_assert(!task_state_is_end(state));
		ck_assert(!task_state_has_worker(state));
		ck_assert(!task_state_holds_slot(state));
		ck_assert_str_eq(step_state_name((enum step_state)numbers[i]), "invalid");
		ck_assert(!step_state_is_done((enum step_state)numbers[i]));
	}
	ck_assert_int_eq(task_state_parse("no such state"), 0);
	ck_assert_int_eq(task_state_parse(""), 0);
}
END_TEST

START_TEST(only_done_steps_are_done)
{
	ck_assert(step_state_is_done(STEP_DONE));
	ck_assert(step_state_is_done(STEP_ALREADY_DONE));
	ck_assert(!step_state_is_done(STEP_UNDONE));
	ck_assert(!step_state_is_done(STEP_SKIPPED));
	ck_assert(!step_state_is_done(STEP_FAILED));
}
END_TEST

START_TEST(cancel_modes_are_named_as_recipes_spell_them)
{
	ck_assert_str_eq(cancel_mode_name(CANCEL_NOW), "now");
	ck_assert_str_eq(cancel_mode_name(CANCEL_AFTER), "after");
	ck_assert_str_eq(cancel_mode_name(CANCEL_NEVER), "never");
	ck_assert_str_eq(cancel_mode_name((enum cancel_mode)0), "invalid");
	ck_assert_str_eq(cancel_mode_name((enum cancel_mode)(CANCEL_MODE_MAX + 1)), "invalid");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("task");
	TCase *tests = tcase_create("task");

	tcase_add_loop_test(tests, every_task_state_is_found_by_its_name, 0, TASK_COUNT);
	tcase_add_test(tests, numbers_are_dense_and_below_their_maximum);
	tcase_add_loop_test(tests, an_end_holds_nothing, 0, TASK_COUNT);
	tcase_add_loop_test(tests, a_slot_is_held_only_by_who_has_a_worker, 0, TASK_COUNT);
	tcase_add_test(tests, numbers_that_are_no_state_are_invalid_and_hold_nothing);
	tcase_add_test(tests, only_done_steps_are_done);
	tcase_add_test(tests, cancel_modes_are_named_as_recipes_spell_them);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
