#include "tests/unit/apply_kit.h"

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
	tcase_add_test(tests, random_facts_leave_a_row_that_can_be_stored);
	return tests;
}

int
main(void)
{
	Suite *suite = suite_create("apply");

	suite_add_tcase(suite, values());
	return run_suite(suite);
}
