#include "tests/unit/apply_kit.h"

/* ---- steps -------------------------------------------------------------------------- */

START_TEST(a_step_begins_and_ends)
{
	struct record_step *step = &row.steps.v[1];
	struct fact end = fact_of(FACT_STEP_END, 2);

	ck_assert_int_eq(apply(FACT_STEP_BEGIN, 2), 0);
	ck_assert_int_eq(step->state, STEP_RUNNING);
	ck_assert_uint_eq(row.step, 2);
	ck_assert_uint_eq(step->started_ms, end.ts_ms);
	end.state = STEP_DONE;
	end.exit = (struct exit_info){ .known = true };
	end.ts_ms += 1500;
	row.resumes = 3;
	ck_assert_int_eq(apply_fact(&row, &end), 0);
	ck_assert_int_eq(step->state, STEP_DONE);
	ck_assert_uint_eq(step->ended_ms - step->started_ms, 1500);
	ck_assert(step->exit.known);
	ck_assert_double_eq(step->progress, 1);
	ck_assert_uint_eq(row.resumes, 0);
}
END_TEST

START_TEST(a_failed_step_is_no_step_forward)
{
	row.resumes = 3;
	ck_assert_int_eq(apply(FACT_STEP_BEGIN, 1), 0);
	ck_assert_int_eq(end_step(1, STEP_FAILED), 0);
	ck_assert_int_eq(row.steps.v[0].state, STEP_FAILED);
	ck_assert_uint_eq(row.resumes, 3);
}
END_TEST

START_TEST(facts_of_steps_that_are_not_there_are_refused)
{
	static const enum fact_kind kinds[] = { FACT_STEP_BEGIN, FACT_STEP_END, FACT_SUB_BEGIN,
		FACT_SUB_END, FACT_CHECKPOINT, FACT_OUTPUT, FACT_UNDONE };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		ck_assert_int_eq(apply(kinds[i], 0), -EPROTO);
		ck_assert_int_eq(apply(kinds[i], 4), -EPROTO);
		ck_assert_int_eq(apply(kinds[i], UINT64_MAX), -EPROTO);
	}
	ck_assert_uint_eq(row.step, 0);
}
END_TEST

START_TEST(an_order_far_beyond_those_given_is_no_order)
{
	struct fact fact = fact_of(FACT_OBEYED, 0);

	row.order_rev = 3;
	fact.want = WANT_CANCEL;
	fact.rev = 4; /* its commit may have been lost */
	ck_assert_int_eq(apply_fact(&row, &fact), 0);
	fact.rev = UINT64_MAX;
	ck_assert_int_eq(apply_fact(&row, &fact), -EPROTO);
}
END_TEST

START_TEST(a_step_that_failed_for_good_has_decided_unless_there_is_a_cancel)
{
	struct fact end = fact_of(FACT_STEP_END, 1);

	end.state = STEP_FAILED;
	end.code = strdup("step_failed");
	row.want = WANT_CANCEL;
	ck_assert_int_eq(apply_fact(&row, &end), 0);
	ck_assert_int_eq(row.decided_outcome, 0);
	ck_assert_ptr_null(row.error.code);
	row.want = WANT_RUN;
	ck_assert_int_eq(apply_fact(&row, &end), 0);
	ck_assert_int_eq(row.decided_outcome, TASK_FAILED);
	ck_assert_str_eq(row.error.code, "step_failed");
	ck_assert_uint_eq(row.error.step, 1);
	free(end.code);
}
END_TEST

START_TEST(a_check_is_not_yet_the_work_of_its_step)
{
	struct fact begin = fact_of(FACT_STEP_BEGIN, 1);
	const struct record_step *step = &row.steps.v[0];

	begin.ts_ms = 1000;
	ck_assert_int_eq(apply_fact(&row, &begin), 0);
	ck_assert_int_eq(step->state, STEP_RUNNING);
	ck_assert(!step->was_run);
	begin.count = 1;
	begin.ts_ms = 2000;
	ck_assert_int_eq(apply_fact(&row, &begin), 0);
	ck_assert(step->was_run);
	ck_assert_uint_eq(step->started_ms, 1000); /* with its check */
	begin.count = 2;
	begin.ts_ms = 3000;
	ck_assert_int_eq(apply_fact(&row, &begin), 0);
	ck_assert_uint_eq(step->started_ms, 3000);
	apply_attempt_begins(&row);
	ck_assert_int_eq(step->state, STEP_PENDING);
	ck_assert(step->was_run); /* in an earlier attempt */
}
END_TEST

START_TEST(a_step_that_is_done_does_not_begin_again)
{
	row.steps.v[0].state = STEP_ALREADY_DONE;
	ck_assert_int_eq(apply(FACT_STEP_BEGIN, 1), -EPROTO);
	ck_assert_int_eq(row.steps.v[0].state, STEP_ALREADY_DONE);
}
END_TEST

START_TEST(a_step_ends_as_something_an_end_can_be)
{
	static const enum step_state ends[] = { STEP_DONE, STEP_ALREADY_DONE, STEP_SKIPPED,
		STEP_FAILED, STEP_CANCELLED };
	static const enum step_state others[] = { 0, STEP_PENDING, STEP_RUNNING, STEP_UNDONE };

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		ck_assert_int_eq(end_step(1, others[i]), -EPROTO);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		ck_assert_int_eq(end_step(1, ends[i]), 0);
		ck_assert_int_eq(row.steps.v[0].state, ends[i]);
	}
}
END_TEST

START_TEST(what_only_the_supervisor_says_is_refused_of_a_worker)
{
	for (int kind = FACT_SUBMITTED; kind <= FACT_KIND_MAX; kind++)
		ck_assert_int_eq(apply((enum fact_kind)kind, 1), -EPROTO);
	ck_assert_int_eq(apply(0, 1), -EPROTO);
}
END_TEST

/* ---- sub-steps ------------------------------------------------------------------------ */

START_TEST(sub_steps_hang_below_their_parents)
{
	struct record_subs *subs = &row.steps.v[0].subs;
	struct fact end = fact_of(FACT_SUB_END, 1);

	ck_assert_int_eq(begin_sub(1, 0), 0);
	ck_assert_int_eq(begin_sub(2, 1), 0);
	ck_assert_uint_eq(subs->n, 2);
	ck_assert_str_eq(subs->v[1].name, "part");
	ck_assert_uint_eq(subs->v[1].parent, 1);
	end.sub = 2;
	end.state = STEP_FAILED;
	end.detail = (char[]){ "no" };
	ck_assert_int_eq(apply_fact(&row, &end), 0);
	ck_assert_int_eq(subs->v[1].state, STEP_FAILED);
	ck_assert_str_eq(subs->v[1].detail, "no");
	ck_assert_int_eq(subs->v[0].state, STEP_RUNNING);
}
END_TEST

START_TEST(sub_steps_out_of_order_are_refused)
{
	struct fact end = fact_of(FACT_SUB_END, 1);

	ck_assert_int_eq(begin_sub(0, 0), -EPROTO);
	ck_assert_int_eq(begin_sub(1, 1), -EPROTO);
	ck_assert_int_eq(begin_sub(1, 7), -EPROTO);
	ck_assert_int_eq(begin_sub(3, 0), 0);
	ck_assert_int_eq(begin_sub(3, 0), -EPROTO);
	ck_assert_int_eq(begin_sub(2, 0), -EPROTO);
	ck_assert_int_eq(begin_sub(4, 2), -EPROTO);
	end.sub = 9;
	ck_assert_int_eq(apply_fact(&row, &end), -EPROTO);
	ck_assert_uint_eq(row.steps.v[0].subs.n, 1);
}
END_TEST

START_TEST(too_many_sub_steps_are_counted_only)
{
	struct record_step *step = &row.steps.v[0];
	struct fact end = fact_of(FACT_SUB_END, 1);

	for (uint64_t sub = 1; sub <= LIMIT_SUBS + 10; sub++)
		ck_assert_int_eq(begin_sub(sub, sub > LIMIT_SUBS + 1 ? sub - 1 : 0), 0);
	ck_assert_uint_eq(step->subs.n, LIMIT_SUBS);
	ck_assert_uint_eq(step->subs_dropped, 10);
	end.sub = LIMIT_SUBS + 3;
	ck_assert_int_eq(apply_fact(&row, &end), 0);
}
END_TEST

START_TEST(the_sub_steps_of_all_steps_together_are_bounded)
{
	size_t n = 0;

	for (uint64_t step = 1; step <= 3; step++) {
		for (uint64_t sub = 1; sub <= LIMIT_SUBS; sub++) {
			struct fact fact = fact_of(FACT_SUB_BEGIN, step);

			fact.sub = sub;
			ck_assert_int_eq(apply_fact(&row, &fact), 0);
		}
		n += row.steps.v[step - 1].subs.n;
	}
	ck_assert_uint_eq(n, 1024);
	ck_assert_uint_eq(row.steps.v[2].subs_dropped, LIMIT_SUBS);
}
END_TEST

START_TEST(another_try_of_a_step_forgets_its_sub_steps)
{
	ck_assert_int_eq(apply(FACT_STEP_BEGIN, 1), 0);
	ck_assert_int_eq(begin_sub(1, 0), 0);
	ck_assert_int_eq(apply(FACT_STEP_BEGIN, 1), 0);
	ck_assert_uint_eq(row.steps.v[0].subs.n, 0);
	ck_assert_int_eq(begin_sub(2, 0), 0);
}
END_TEST

static TCase *
steps(void)
{
	TCase *tests = tcase_create("steps");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_step_begins_and_ends);
	tcase_add_test(tests, a_failed_step_is_no_step_forward);
	tcase_add_test(tests, facts_of_steps_that_are_not_there_are_refused);
	tcase_add_test(tests, an_order_far_beyond_those_given_is_no_order);
	tcase_add_test(tests, a_step_that_failed_for_good_has_decided_unless_there_is_a_cancel);
	tcase_add_test(tests, a_check_is_not_yet_the_work_of_its_step);
	tcase_add_test(tests, a_step_that_is_done_does_not_begin_again);
	tcase_add_test(tests, a_step_ends_as_something_an_end_can_be);
	tcase_add_test(tests, what_only_the_supervisor_says_is_refused_of_a_worker);
	tcase_add_test(tests, sub_steps_hang_below_their_parents);
	tcase_add_test(tests, sub_steps_out_of_order_are_refused);
	tcase_add_test(tests, too_many_sub_steps_are_counted_only);
	tcase_add_test(tests, the_sub_steps_of_all_steps_together_are_bounded);
	tcase_add_test(tests, another_try_of_a_step_forgets_its_sub_steps);
	return tests;
}

int
main(void)
{
	Suite *suite = suite_create("apply_steps");

	suite_add_tcase(suite, steps());
	return run_suite(suite);
}
