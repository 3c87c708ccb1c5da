#include "supervisor/verdict.h"

#include "tests/unit/rows.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <signal.h>
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

static struct verdict
lost(enum loss loss)
{
	const struct over over = { .loss = loss };

	return verdict_of(&row, &over);
}

static void
all_steps(enum step_state state)
{
	for (size_t i = 0; i < row.steps.n; i++)
		row.steps.v[i].state = state;
}

/* Step 1 is done and can be undone; step 2 was under way. */
static void
half_done(void)
{
	row.steps.v[0].state = STEP_DONE;
	row.steps.v[0].has_undo = row.steps.v[0].was_run = true;
	row.steps.v[1].state = STEP_FAILED;
	row.step = 2;
}

/* ---- the worker said how it ended ---------------------------------------------- */

START_TEST(a_workers_own_end_is_believed)
{
	static const struct {
		enum task_state outcome;
		enum task_event event;
	} cases[] = { { TASK_COMPLETED, EV_COMPLETED }, { TASK_WARNED, EV_WARNED },
		{ TASK_FAILED, EV_FAILED }, { TASK_CANCELLED, EV_CANCELLED },
		{ TASK_INTERRUPTED, EV_INTERRUPTED } };

	all_steps(STEP_DONE);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct verdict verdict;

		row.decided_outcome = cases[i].outcome;
		verdict = lost(LOSS_NONE);
		ck_assert_int_eq(verdict.event, cases[i].event);
		ck_assert_ptr_null(verdict.code);
		ck_assert(!verdict.is_interruption);
	}
}
END_TEST

START_TEST(completion_with_steps_left_is_not_believed)
{
	struct verdict verdict;

	all_steps(STEP_DONE);
	row.steps.v[1].state = STEP_SKIPPED;
	row.decided_outcome = TASK_COMPLETED;
	verdict = lost(LOSS_NONE);
	ck_assert_int_eq(verdict.event, EV_FAILED);
	ck_assert_str_eq(verdict.code, "protocol");
	ck_assert(verdict.message[0]);
	row.decided_outcome = TASK_WARNED;
	ck_assert_int_eq(lost(LOSS_NONE).event, EV_FAILED);
	row.steps.v[1].state = STEP_ALREADY_DONE;
	ck_assert_int_eq(lost(LOSS_NONE).event, EV_WARNED);
}
END_TEST

START_TEST(an_end_that_is_none_is_a_failure)
{
	static const enum task_state nonsense[] = { 0, TASK_QUEUED, TASK_RUNNING, TASK_UNDOING };

	all_steps(STEP_DONE);
	for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
		struct verdict verdict;

		row.decided_outcome = nonsense[i];
		verdict = lost(LOSS_NONE);
		ck_assert_int_eq(verdict.event, EV_FAILED);
		ck_assert_str_eq(verdict.code, "protocol");
	}
}
END_TEST

START_TEST(a_completed_task_with_warnings_is_completed_with_warnings)
{
	all_steps(STEP_DONE);
	row.decided_outcome = TASK_COMPLETED;
	row.warnings_dropped = 1;
	ck_assert_int_eq(lost(LOSS_NONE).event, EV_WARNED);
}
END_TEST

START_TEST(an_end_before_the_obeyed_cancel_keeps_its_own_outcome)
{
	all_steps(STEP_DONE);
	row.state = TASK_CANCELLING;
	row.want = WANT_CANCEL;
	row.decided_outcome = TASK_COMPLETED;
	ck_assert_int_eq(lost(LOSS_NONE).event, EV_COMPLETED);
}
END_TEST

/* ---- it did not ------------------------------------------------------------------ */

START_TEST(what_was_suspended_goes_on_or_ends_interrupted)
{
	struct verdict verdict;

	half_done();
	row.decided_outcome = TASK_INTERRUPTED;
	row.want = WANT_SUSPEND;
	row.on_interrupt = INTERRUPT_RESUME;
	verdict = lost(LOSS_NONE);
	ck_assert_int_eq(verdict.event, EV_RESUME);
	ck_assert(verdict.is_interruption);
	row.on_interrupt = INTERRUPT_STOP;
	ck_assert_int_eq(lost(LOSS_NONE).event, EV_INTERRUPTED);
	/* Its worker had to be killed. */
	row.decided_outcome = 0;
	row.steps.v[0].has_undo = false;
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_INTERRUPTED);
	ck_assert_int_eq(lost(LOSS_TAMPERED).event, EV_FAILED);
	row.on_interrupt = INTERRUPT_RESUME;
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_RESUME);
}
END_TEST

START_TEST(a_cancel_that_came_after_a_suspension_counts)
{
	half_done();
	row.decided_outcome = TASK_INTERRUPTED;
	row.on_interrupt = INTERRUPT_RESUME;
	row.want = WANT_CANCEL;
	ck_assert_int_eq(lost(LOSS_NONE).event, EV_UNDO);
	ck_assert_int_eq(lost(LOSS_NONE).outcome, TASK_CANCELLED);
	row.steps.v[0].has_undo = false;
	ck_assert_int_eq(lost(LOSS_NONE).event, EV_CANCELLED);
}
END_TEST

START_TEST(a_killed_worker_fails_with_its_signal)
{
	struct over over = { .loss = LOSS_DIED, .exit = { .known = true, .signal = SIGKILL } };
	struct verdict verdict = verdict_of(&row, &over);

	ck_assert_int_eq(verdict.event, EV_FAILED);
	ck_assert_str_eq(verdict.code, "worker_died");
	ck_assert_ptr_nonnull(strstr(verdict.message, "signal 9"));
	ck_assert(verdict.is_interruption);
	over.exit = (struct exit_info){ .known = true, .code = 3 };
	verdict = verdict_of(&row, &over);
	ck_assert_ptr_nonnull(strstr(verdict.message, "status 3"));
}
END_TEST

START_TEST(an_end_nobody_saw_is_interrupted_and_never_a_status)
{
	struct over over = { .loss = LOSS_UNKNOWN };
	struct verdict verdict = verdict_of(&row, &over);

	ck_assert_int_eq(verdict.event, EV_INTERRUPTED);
	ck_assert_str_eq(verdict.code, "interrupted");
	ck_assert_ptr_nonnull(strstr(verdict.message, "not known"));
	ck_assert_ptr_null(strstr(verdict.message, "status"));
	over.new_boot = true;
	verdict = verdict_of(&row, &over);
	ck_assert_ptr_nonnull(strstr(verdict.message, "machine was restarted"));
}
END_TEST

START_TEST(every_loss_has_its_own_code)
{
	static const struct {
		enum loss loss;
		const char *code;
	} cases[] = { { LOSS_NO_HELLO, "spawn_lost" }, { LOSS_TAMPERED, "tampered" },
		{ LOSS_UNSTARTABLE, "spawn_failed" } };

	row.on_interrupt = INTERRUPT_RESUME;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct verdict verdict = lost(cases[i].loss);

		ck_assert_int_eq(verdict.event, EV_FAILED);
		ck_assert_str_eq(verdict.code, cases[i].code);
		ck_assert(verdict.message[0]);
		ck_assert(!verdict.is_interruption);
	}
}
END_TEST

START_TEST(a_worker_that_never_ran_is_started_again)
{
	row.state = TASK_STARTING;
	ck_assert_int_eq(lost(LOSS_NEVER_RAN).event, EV_NEVER_RAN);
}
END_TEST

START_TEST(a_worker_that_never_ran_of_a_cancelled_task_is_not)
{
	row.state = TASK_CANCELLING;
	row.want = WANT_CANCEL;
	ck_assert_int_eq(lost(LOSS_NEVER_RAN).event, EV_CANCELLED);
	ck_assert(!lost(LOSS_NEVER_RAN).is_interruption);
}
END_TEST

START_TEST(an_undo_that_never_ran_is_tried_again)
{
	half_done();
	row.state = TASK_UNDOING;
	row.attempt.mode = ATTEMPT_UNDO;
	row.decided_outcome = TASK_FAILED;
	ck_assert_int_eq(lost(LOSS_NEVER_RAN).event, EV_UNDO);
	ck_assert_int_eq(lost(LOSS_NEVER_RAN).outcome, TASK_FAILED);
}
END_TEST

/* ---- resuming -------------------------------------------------------------------- */

START_TEST(an_interrupted_task_resumes_when_it_may)
{
	row.on_interrupt = INTERRUPT_RESUME;
	half_done();
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_RESUME);
	ck_assert_int_eq(lost(LOSS_UNKNOWN).event, EV_RESUME);
	ck_assert_int_eq(lost(LOSS_TAMPERED).event, EV_UNDO);
}
END_TEST

START_TEST(a_task_that_gets_nowhere_resumes_no_more)
{
	row.on_interrupt = INTERRUPT_RESUME;
	row.resumes = MAX_RESUMES - 1;
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_RESUME);
	row.resumes = MAX_RESUMES;
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_FAILED);
	ck_assert_int_eq(lost(LOSS_UNKNOWN).event, EV_INTERRUPTED);
}
END_TEST

/* It was about to undo. */
START_TEST(a_failed_task_does_not_resume)
{
	half_done();
	row.on_interrupt = INTERRUPT_RESUME;
	row.decided_outcome = TASK_FAILED;
	str_set(&row.error.code, "step_failed");
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_UNDO);
	ck_assert_int_eq(lost(LOSS_UNKNOWN).outcome, TASK_FAILED);
	ck_assert_ptr_null(lost(LOSS_UNKNOWN).code);
}
END_TEST

START_TEST(a_cancelled_task_does_not_resume)
{
	row.on_interrupt = INTERRUPT_RESUME;
	row.state = TASK_CANCELLING;
	row.want = WANT_CANCEL;
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_CANCELLED);
	ck_assert_ptr_null(lost(LOSS_DIED).code);
	row.want = WANT_CANCEL_AFTER;
	ck_assert_int_eq(lost(LOSS_UNKNOWN).event, EV_CANCELLED);
}
END_TEST

/* ---- undoing --------------------------------------------------------------------- */

START_TEST(what_was_begun_is_undone_before_the_end)
{
	struct verdict verdict;

	half_done();
	verdict = lost(LOSS_DIED);
	ck_assert_int_eq(verdict.event, EV_UNDO);
	ck_assert_int_eq(verdict.outcome, TASK_FAILED);
	ck_assert_str_eq(verdict.code, "worker_died");
	verdict = lost(LOSS_UNKNOWN);
	ck_assert_int_eq(verdict.event, EV_UNDO);
	ck_assert_int_eq(verdict.outcome, TASK_INTERRUPTED);
	row.want = WANT_CANCEL;
	verdict = lost(LOSS_DIED);
	ck_assert_int_eq(verdict.event, EV_UNDO);
	ck_assert_int_eq(verdict.outcome, TASK_CANCELLED);
}
END_TEST

START_TEST(steps_already_undone_are_not_undone_again)
{
	half_done();
	row.steps.v[0].state = STEP_UNDONE;
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_FAILED);
	row.steps.v[0].state = STEP_ALREADY_DONE;
	row.steps.v[0].was_run = false; /* somebody else had done it */
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_FAILED);
}
END_TEST

START_TEST(a_force_stops_the_undoing)
{
	half_done();
	row.want = WANT_CANCEL;
	row.force = true;
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_CANCELLED);
}
END_TEST

START_TEST(an_undo_that_keeps_dying_is_given_up)
{
	half_done();
	row.state = TASK_UNDOING;
	row.attempt.mode = ATTEMPT_UNDO;
	row.decided_outcome = TASK_INTERRUPTED;
	for (row.resumes = 0; row.resumes < MAX_UNDO_ATTEMPTS; row.resumes++) {
		struct verdict verdict = lost(LOSS_DIED);

		ck_assert_int_eq(verdict.event, EV_UNDO);
		ck_assert_int_eq(verdict.outcome, TASK_INTERRUPTED);
		ck_assert_ptr_null(verdict.code);
	}
	ck_assert_int_eq(lost(LOSS_DIED).event, EV_INTERRUPTED);
}
END_TEST

/* ---- all of them ------------------------------------------------------------------ */

static void
try_all_losses(void)
{
	for (int loss = LOSS_NONE; loss <= LOSS_UNSTARTABLE; loss++) {
		struct verdict verdict = lost((enum loss)loss);
		struct task_step step = lifecycle_step(row.state, verdict.event);

		ck_assert_msg(step.verdict == VERDICT_GO, "loss %d in %s: %s is no move", loss,
		    task_state_name(row.state), task_event_name(verdict.event));
		ck_assert(verdict.event != EV_UNDO || task_state_is_end(verdict.outcome));
	}
}

START_TEST(every_verdict_is_a_move_the_life_cycle_allows)
{
	static const enum task_state states[] = { TASK_STARTING, TASK_RUNNING, TASK_WAITING,
		TASK_PAUSED, TASK_CANCELLING, TASK_UNDOING };

	/* Bits: what somebody wants, mode, undo, resume, force, outcome known. */
	for (unsigned bits = 0; bits < 256; bits++) {
		row.want = (enum want)(1 + bits % 4);
		row.attempt.mode = bits & 4 ? ATTEMPT_UNDO : ATTEMPT_RUN;
		row.steps.v[0].has_undo = row.steps.v[0].was_run = bits & 8;
		row.steps.v[0].state = bits & 8 ? STEP_DONE : STEP_PENDING;
		row.on_interrupt = bits & 16 ? INTERRUPT_RESUME : INTERRUPT_STOP;
		row.force = bits & 32;
		row.decided_outcome = bits & 64 ? TASK_FAILED : 0;
		row.resumes = bits & 128 ? MAX_RESUMES : 0;
		for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
			row.state = states[i];
			try_all_losses();
		}
	}
}
END_TEST

static TCase *
ends(void)
{
	TCase *tests = tcase_create("ends");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_workers_own_end_is_believed);
	tcase_add_test(tests, completion_with_steps_left_is_not_believed);
	tcase_add_test(tests, an_end_that_is_none_is_a_failure);
	tcase_add_test(tests, a_completed_task_with_warnings_is_completed_with_warnings);
	tcase_add_test(tests, an_end_before_the_obeyed_cancel_keeps_its_own_outcome);
	tcase_add_test(tests, what_was_suspended_goes_on_or_ends_interrupted);
	tcase_add_test(tests, a_cancel_that_came_after_a_suspension_counts);
	tcase_add_test(tests, every_verdict_is_a_move_the_life_cycle_allows);
	return tests;
}

static TCase *
losses(void)
{
	TCase *tests = tcase_create("losses");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_killed_worker_fails_with_its_signal);
	tcase_add_test(tests, an_end_nobody_saw_is_interrupted_and_never_a_status);
	tcase_add_test(tests, every_loss_has_its_own_code);
	tcase_add_test(tests, a_worker_that_never_ran_is_started_again);
	tcase_add_test(tests, a_worker_that_never_ran_of_a_cancelled_task_is_not);
	tcase_add_test(tests, an_undo_that_never_ran_is_tried_again);
	tcase_add_test(tests, an_interrupted_task_resumes_when_it_may);
	tcase_add_test(tests, a_task_that_gets_nowhere_resumes_no_more);
	tcase_add_test(tests, a_failed_task_does_not_resume);
	tcase_add_test(tests, a_cancelled_task_does_not_resume);
	tcase_add_test(tests, what_was_begun_is_undone_before_the_end);
	tcase_add_test(tests, steps_already_undone_are_not_undone_again);
	tcase_add_test(tests, a_force_stops_the_undoing);
	tcase_add_test(tests, an_undo_that_keeps_dying_is_given_up);
	return tests;
}

int
main(void)
{
	Suite *suite = suite_create("verdict");

	suite_add_tcase(suite, ends());
	suite_add_tcase(suite, losses());
	return run_suite(suite);
}
