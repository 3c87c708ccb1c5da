#include "supervisor/apply.h"

#include "tests/unit/rows.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
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

static int
apply(enum fact_kind kind, uint64_t step)
{
	struct fact fact = fact_of(kind, step);

	return apply_fact(&row, &fact);
}

static int
end_step(uint64_t step, enum step_state state)
{
	struct fact fact = fact_of(FACT_STEP_END, step);

	fact.state = state;
	return apply_fact(&row, &fact);
}

static int
begin_sub(uint64_t sub, uint64_t parent)
{
	struct fact fact = fact_of(FACT_SUB_BEGIN, 1);

	fact.sub = sub;
	fact.parent = parent;
	fact.name = (char[]){ "part" };
	return apply_fact(&row, &fact);
}

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

/* ---- values ----------------------------------------------------------------------------- */

START_TEST(the_latest_output_and_checkpoint_stand)
{
	struct fact output = fact_of(FACT_OUTPUT, 1), checkpoint = fact_of(FACT_CHECKPOINT, 1);
	struct record_step *step = &row.steps.v[0];

	ck_assert_int_eq(apply_fact(&row, &output), -EPROTO);
	output.name = (char[]){ "url" };
	ck_assert_int_eq(apply_fact(&row, &output), 0);
	ck_assert_str_eq(pairs_get(&step->outputs, "url"), "");
	output.text = (char[]){ "b" };
	ck_assert_int_eq(apply_fact(&row, &output), 0);
	ck_assert_uint_eq(step->outputs.n, 1);
	ck_assert_str_eq(pairs_get(&step->outputs, "url"), "b");
	checkpoint.value = (struct blob){ .data = (uint8_t[]){ 0x07 }, .len = 1 };
	row.resumes = 2;
	ck_assert_int_eq(apply_fact(&row, &checkpoint), 0);
	ck_assert_uint_eq(step->checkpoint.len, 1);
	ck_assert_uint_eq(row.resumes, 0);
}
END_TEST

/* The worker refuses them first; a row that took them all could not be stored. */
START_TEST(outputs_are_bounded_in_number_and_in_all)
{
	struct fact output = fact_of(FACT_OUTPUT, 1);
	char name[16], text[LIMIT_TEXT + 1];
	int n = 0, r;

	output.name = name;
	for (int i = 0; i <= LIMIT_PAIRS; i++) {
		snprintf(name, sizeof name, "%d", i);
		ck_assert_int_eq(apply_fact(&row, &output), i < LIMIT_PAIRS ? 0 : -EPROTO);
	}
	memset(text, 't', LIMIT_TEXT);
	text[LIMIT_TEXT] = '\0';
	output.text = text;
	do {
		snprintf(name, sizeof name, "%d", n++);
		r = apply_fact(&row, &output);
	} while (r == 0 && n < LIMIT_PAIRS);
	ck_assert_int_eq(r, -EPROTO);
	ck_assert_uint_le(pairs_bytes(&row.steps.v[0].outputs), LIMIT_OUTPUTS);
	ck_assert_uint_gt(pairs_bytes(&row.steps.v[0].outputs), LIMIT_OUTPUTS - 2 * LIMIT_TEXT);
	snprintf(name, sizeof name, "%d", 0);
	ck_assert_int_eq(apply_fact(&row, &output), 0); /* in the place of its like */
}
END_TEST

START_TEST(an_undone_step_keeps_nothing_to_build_on)
{
	struct fact undone = fact_of(FACT_UNDONE, 1);
	struct record_step *step = &row.steps.v[0];

	step->state = STEP_DONE;
	ck_assert_int_eq(pairs_set(&step->outputs, "a", "b"), 0);
	ck_assert_int_eq(blob_set(&step->checkpoint, "\x01", 1), 0);
	undone.state = STEP_UNDONE;
	ck_assert_int_eq(apply_fact(&row, &undone), 0);
	ck_assert_int_eq(step->state, STEP_UNDONE);
	ck_assert_uint_eq(step->outputs.n, 0);
	ck_assert_ptr_null(step->checkpoint.data);
}
END_TEST

START_TEST(a_failed_undo_is_a_warning_and_the_step_is_neither_done_nor_undone)
{
	struct fact undone = fact_of(FACT_UNDONE, 1);

	row.steps.v[0].state = STEP_DONE;
	undone.state = STEP_FAILED;
	ck_assert_int_eq(apply_fact(&row, &undone), 0);
	ck_assert_int_eq(row.steps.v[0].state, STEP_FAILED);
	ck_assert_str_eq(row.steps.v[0].detail, "its undo failed");
	ck_assert_uint_eq(row.warnings.n, 1);
	ck_assert_str_eq(row.warnings.v[0].text, "its undo failed");
	ck_assert_uint_eq(row.warnings.v[0].step, 1);
}
END_TEST

START_TEST(warnings_beyond_the_limit_are_counted)
{
	struct fact warning = fact_of(FACT_WARNING, 0);

	warning.text = (char[]){ "look out" };
	for (int i = 0; i < LIMIT_WARNINGS + 5; i++)
		ck_assert_int_eq(apply_fact(&row, &warning), 0);
	ck_assert_uint_eq(row.warnings.n, LIMIT_WARNINGS);
	ck_assert_uint_eq(row.warnings_dropped, 5);
}
END_TEST

START_TEST(a_receipt_replaces_the_one_before)
{
	struct fact killed = fact_of(FACT_KILLED, 1);
	struct receipt_proc proc = {
		.pid = 7, .name = (char[]){ "sh" }, .how = (char[]){ "daemon" }
	};

	killed.receipt.killed = 2;
	killed.receipt.method = (char[]){ "walk" };
	killed.receipt.escaped = (struct receipt_procs){ .v = &proc, .n = 1 };
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(apply_fact(&row, &killed), 0);
	ck_assert_uint_eq(row.receipt.killed, 2);
	ck_assert_uint_eq(row.receipt.escaped.n, 1);
	ck_assert_str_eq(row.receipt.escaped.v[0].how, "daemon");
}
END_TEST

/* ---- the end ------------------------------------------------------------------------------ */

START_TEST(an_end_brings_outcome_and_error)
{
	struct fact end = fact_of(FACT_END, 2);

	end.outcome = TASK_FAILED;
	end.code = (char[]){ "exit" };
	end.message = (char[]){ "exited with status 3" };
	end.tail = (char[]){ "boom" };
	end.exit = (struct exit_info){ .known = true, .code = 3 };
	ck_assert_int_eq(apply_fact(&row, &end), 0);
	ck_assert(row.attempt.ended);
	ck_assert_int_eq(row.decided_outcome, TASK_FAILED);
	ck_assert_str_eq(row.error.code, "exit");
	ck_assert_str_eq(row.error.tail, "boom");
	ck_assert_uint_eq(row.error.step, 2);
	ck_assert_int_eq(row.error.exit.code, 3);
}
END_TEST

START_TEST(an_undo_attempt_changes_neither_outcome_nor_error)
{
	struct fact end = fact_of(FACT_END, 0);

	row.decided_outcome = TASK_CANCELLED;
	ck_assert_int_eq(apply_error(&row, "first", "it", 1, NULL, NULL), 0);
	end.outcome = TASK_FAILED;
	end.code = (char[]){ "second" };
	ck_assert_int_eq(apply_fact(&row, &end), 0);
	ck_assert_int_eq(row.decided_outcome, TASK_CANCELLED);
	ck_assert_str_eq(row.error.code, "first");
}
END_TEST

START_TEST(a_new_attempt_runs_again_what_is_not_done)
{
	row.steps.v[0].state = STEP_DONE;
	row.steps.v[0].progress = 1;
	row.steps.v[1].state = STEP_RUNNING;
	row.step = 2;
	apply_attempt_over(&row, STEP_FAILED, 1234);
	ck_assert_int_eq(row.steps.v[0].state, STEP_DONE);
	ck_assert_int_eq(row.steps.v[1].state, STEP_FAILED);
	ck_assert_uint_eq(row.steps.v[1].ended_ms, 1234);
	ck_assert_int_eq(row.steps.v[2].state, STEP_PENDING);
	row.steps.v[2].state = STEP_UNDONE;
	apply_attempt_begins(&row);
	ck_assert_int_eq(row.steps.v[0].state, STEP_DONE);
	ck_assert_int_eq(row.steps.v[1].state, STEP_PENDING);
	ck_assert_int_eq(row.steps.v[2].state, STEP_PENDING);
	ck_assert_uint_eq(row.step, 0);
	ck_assert(isnan(row.progress));
}
END_TEST

START_TEST(interruptions_are_kept_up_to_a_limit)
{
	const struct exit_info killed = { .known = true, .signal = 9 };

	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(apply_interruption(&row, 5, "worker_died", "x", &killed), 0);
	ck_assert_uint_eq(row.interruptions.n, 32);
	ck_assert_uint_eq(row.interruptions.v[0].attempt, 1);
	ck_assert_int_eq(row.interruptions.v[0].exit.signal, 9);
}
END_TEST

START_TEST(progress_is_the_weight_of_what_is_done)
{
	ck_assert(isnan(apply_progress(&row)));
	row.steps.v[0].state = STEP_DONE;
	ck_assert_double_eq_tol(apply_progress(&row), 1. / 3, 1e-9);
	row.steps.v[0].weight = 8;
	ck_assert_double_eq_tol(apply_progress(&row), .8, 1e-9);
	row.steps.v[1].state = row.steps.v[2].state = STEP_ALREADY_DONE;
	ck_assert_double_eq_tol(apply_progress(&row), 1, 1e-9);
	for (int i = 0; i < 3; i++)
		row.steps.v[i].weight = 0;
	ck_assert(isnan(apply_progress(&row)));
}
END_TEST

static void
store_and_read_back(void)
{
	struct record back;
	struct buf out;

	buf_init(&out, RECORD_MAX_BYTES);
	ck_assert_int_eq(codec_encode(&record_codec, &row, &out), 0);
	ck_assert_int_eq(codec_decode(&record_codec, out.data, out.len, &back, NULL), 0);
	codec_free(&record_codec, &back);
	buf_fini(&out);
}

/* Whatever a worker claims, the row can be written and read again. */
START_TEST(random_facts_leave_a_row_that_can_be_stored)
{
	uint64_t state = 88172645463325252u;

	for (int i = 0; i < 20000; i++) {
		struct fact fact;

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		fact = fact_of((enum fact_kind)(state % 20), state >> 8 & 3);
		fact.sub = state >> 12 & 7;
		fact.parent = state >> 16 & 7;
		fact.state = (enum step_state)((state >> 20 & 15) % STEP_STATE_MAX);
		fact.outcome = (enum task_state)((state >> 24 & 15) % TASK_STATE_MAX);
		fact.name = state & 1 ? (char[]){ "n" } : NULL;
		fact.text = state & 2 ? (char[]){ "t" } : NULL;
		(void)apply_fact(&row, &fact);
		if ((state >> 32 & 63) == 0)
			apply_attempt_begins(&row);
		ck_assert_uint_le(row.step, row.steps.n);
	}
	store_and_read_back();
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

static TCase *
values(void)
{
	TCase *tests = tcase_create("values");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_latest_output_and_checkpoint_stand);
	tcase_add_test(tests, outputs_are_bounded_in_number_and_in_all);
	tcase_add_test(tests, an_undone_step_keeps_nothing_to_build_on);
	tcase_add_test(tests, a_failed_undo_is_a_warning_and_the_step_is_neither_done_nor_undone);
	tcase_add_test(tests, warnings_beyond_the_limit_are_counted);
	tcase_add_test(tests, a_receipt_replaces_the_one_before);
	tcase_add_test(tests, an_end_brings_outcome_and_error);
	tcase_add_test(tests, an_undo_attempt_changes_neither_outcome_nor_error);
	tcase_add_test(tests, a_new_attempt_runs_again_what_is_not_done);
	tcase_add_test(tests, interruptions_are_kept_up_to_a_limit);
	tcase_add_test(tests, progress_is_the_weight_of_what_is_done);
	tcase_add_test(tests, random_facts_leave_a_row_that_can_be_stored);
	return tests;
}

int
main(void)
{
	Suite *suite = suite_create("apply");

	suite_add_tcase(suite, steps());
	suite_add_tcase(suite, values());
	return run_suite(suite);
}
