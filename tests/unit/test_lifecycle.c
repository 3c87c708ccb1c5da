#include "supervisor/lifecycle.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum task_state all_states[] = {
#define X(sym, num, name, is_end, worker, slot) sym,
	TASK_STATES(X)
#undef X
};
#define STATE_COUNT ((int)(sizeof all_states / sizeof all_states[0]))

START_TEST(every_cell_is_decided)
{
	enum task_state state = all_states[_i];

	for (int event = 0; event < EV_COUNT; event++) {
		struct task_step step = lifecycle_step(state, (enum task_event)event);

		ck_assert_msg(step.verdict != VERDICT_UNDECIDED, "%s: %s is undecided",
		    task_state_name(state), task_event_name((enum task_event)event));
		if (step.verdict == VERDICT_GO)
			ck_assert_str_ne(task_state_name(step.to), "invalid");
	}
}
END_TEST

START_TEST(only_a_retry_leaves_an_end)
{
	enum task_state state = all_states[_i];

	for (int event = 0; event < EV_COUNT && task_state_is_end(state); event++)
		if (event != EV_RETRY)
			ck_assert_int_ne(
			    lifecycle_step(state, (enum task_event)event).verdict, VERDICT_GO);
}
END_TEST

START_TEST(a_task_can_be_cancelled_in_every_active_state)
{
	enum task_state state = all_states[_i];

	if (!task_state_is_end(state))
		ck_assert_int_eq(lifecycle_step(state, EV_CANCEL).verdict, VERDICT_GO);
}
END_TEST

START_TEST(a_worker_is_let_go_only_when_its_attempt_is_over)
{
	enum task_state state = all_states[_i];

	for (int event = 0; event < EV_COUNT && task_state_has_worker(state); event++) {
		struct task_step step = lifecycle_step(state, (enum task_event)event);
		bool over = event == EV_NEVER_RAN || event == EV_ABANDON ||
			    (event >= EV_COMPLETED && event <= EV_UNDO);

		if (step.verdict == VERDICT_GO && !task_state_has_worker(step.to))
			ck_assert_msg(over, "%s: %s drops a live worker", task_state_name(state),
			    task_event_name((enum task_event)event));
	}
}
END_TEST

START_TEST(an_end_is_always_acted_on)
{
	enum task_state state = all_states[_i];

	for (int event = 0; event < EV_COUNT; event++) {
		struct task_step step = lifecycle_step(state, (enum task_event)event);

		if (step.verdict == VERDICT_GO && task_state_is_end(step.to))
			ck_assert_int_eq(step.action, ACT_END);
	}
}
END_TEST

START_TEST(every_active_state_has_a_way_to_an_end)
{
	bool reached[TASK_STATE_MAX] = { false };
	bool grew = true;

	while (grew) {
		grew = false;
		for (int i = 0; i < STATE_COUNT; i++)
			for (int event = 0; event < EV_COUNT; event++) {
				struct task_step step =
				    lifecycle_step(all_states[i], (enum task_event)event);

				if (step.verdict != VERDICT_GO || reached[all_states[i]] ||
				    !(task_state_is_end(step.to) || reached[step.to]))
					continue;
				reached[all_states[i]] = grew = true;
			}
	}
	for (int i = 0; i < STATE_COUNT; i++)
		if (!task_state_is_end(all_states[i]))
			ck_assert(reached[all_states[i]]);
}
END_TEST

START_TEST(numbers_out_of_range_are_bugs_not_crashes)
{
	ck_assert_int_eq(lifecycle_step(0, EV_CANCEL).verdict, VERDICT_BUG);
	ck_assert_int_eq(lifecycle_step((enum task_state)99, EV_CANCEL).verdict, VERDICT_BUG);
	ck_assert_int_eq(lifecycle_step(TASK_QUEUED, EV_COUNT).verdict, VERDICT_BUG);
}
END_TEST

/* One row of the document's table, as it must stand there. */
static void
format_row(enum task_state state, char *row, size_t room)
{
	size_t at = (size_t)snprintf(row, room, "| `%s` |", task_state_name(state));

	for (int event = 0; event < EV_COUNT; event++) {
		struct task_step step = lifecycle_step(state, (enum task_event)event);
		char action[24] = "";

		if (step.verdict == VERDICT_GO && step.action != ACT_NONE)
			snprintf(action, sizeof action, ", %s", task_action_name(step.action));
		at += (size_t)snprintf(row + at, room - at, " %s%s |",
		    step.verdict == VERDICT_GO       ? task_state_name(step.to)
		    : step.verdict == VERDICT_IGNORE ? "ignored"
						     : "—",
		    action);
	}
}

static char *
read_document(void)
{
	FILE *file = fopen("supervisor/LIFECYCLE.md", "r");
	char *text = calloc(1, 128 * 1024);

	ck_assert_msg(file, "run me from the top of the project");
	ck_assert(fread(text, 1, 128 * 1024 - 1, file) > 0);
	fclose(file);
	return text;
}

START_TEST(the_document_has_the_same_table)
{
	char *text = read_document(), row[2048];

	format_row(all_states[_i], row, sizeof row);
	ck_assert_msg(strstr(text, row), "LIFECYCLE.md lacks the row:\n%s", row);
	free(text);
}
END_TEST

START_TEST(the_document_explains_every_event)
{
	char *text = read_document(), row[256];

	for (int event = 0; event < EV_COUNT; event++) {
		snprintf(row, sizeof row, "| `%s` | %s |", task_event_name((enum task_event)event),
		    task_event_when((enum task_event)event));
		ck_assert_msg(strstr(text, row), "LIFECYCLE.md lacks the row:\n%s", row);
	}
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lifecycle");
	TCase *table = tcase_create("table");

	tcase_add_loop_test(table, every_cell_is_decided, 0, STATE_COUNT);
	tcase_add_loop_test(table, only_a_retry_leaves_an_end, 0, STATE_COUNT);
	tcase_add_loop_test(table, a_task_can_be_cancelled_in_every_active_state, 0, STATE_COUNT);
	tcase_add_loop_test(
	    table, a_worker_is_let_go_only_when_its_attempt_is_over, 0, STATE_COUNT);
	tcase_add_loop_test(table, an_end_is_always_acted_on, 0, STATE_COUNT);
	tcase_add_test(table, every_active_state_has_a_way_to_an_end);
	tcase_add_test(table, numbers_out_of_range_are_bugs_not_crashes);
	tcase_add_loop_test(table, the_document_has_the_same_table, 0, STATE_COUNT);
	tcase_add_test(table, the_document_explains_every_event);
	suite_add_tcase(suite, table);
	return run_suite(suite);
}
