/* A step with `verify` is done when that says so; undo and its time limit. */
#include "tests/unit/suite.h"
#include "tests/unit/worker_world.h"

static struct world w;

static void
setup(void)
{
	world_init(&w);
}

static void
teardown(void)
{
	world_fini(&w);
}

static struct spec_step *
step_with(const char *sh, const char *verify)
{
	struct spec_step *step = world_sh(&w, "one", sh);

	str_set(&step->verify.sh, verify);
	return step;
}

START_TEST(a_step_is_done_once_its_verify_says_so)
{
	struct spec_step *step = step_with("echo url=u >>$REEVE_OUTPUT; touch made",
	    "test -e made; echo \"verified $OUT_ONE_URL\"");
	char *log;

	strs_add(&step->outputs, "url");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_DONE);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	log = world_log(&w);
	ck_assert_str_eq(log, "verified u\n");
	free(log);
}
END_TEST

START_TEST(a_verify_that_fails_fails_the_step_and_undoes_it)
{
	struct spec_step *step = step_with("touch made", "echo why >&2; exit 7");

	str_set(&step->undo.sh, "rm made");
	world_sh(&w, "two", "touch ran");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_STEP_END, 1)->code, "verify_failed");
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->message, "its verify exited with status 7");
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->exit.code, 7);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->tail, "why");
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_FAILED);
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 1)->state, STEP_UNDONE);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/made", F_OK, 0), -1);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/ran", F_OK, 0), -1);
}
END_TEST

START_TEST(a_step_whose_verify_fails_is_tried_again)
{
	struct spec_step *step = step_with("echo x >>tries", "test $(wc -l <tries) -ge 3");

	step->retry_attempts = 5;
	step->retry_delay_ms = 1;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_RETRY), 2);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(a_step_that_failed_is_not_verified)
{
	step_with("exit 3", "touch verified");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "step_failed");
	ck_assert_int_eq(faccessat(w.dir_fd, "work/verified", F_OK, 0), -1);
}
END_TEST

START_TEST(what_its_check_found_done_must_work_too)
{
	struct spec_step *step = step_with("touch works; echo made it", "test -e works");

	str_set(&step->check.sh, "true");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_DONE);
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_BEGIN, 1)->count, 0);
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_BEGIN, 2)->count, 1);
}
END_TEST

START_TEST(what_its_check_found_done_and_works_is_not_run)
{
	struct spec_step *step = step_with("touch ran", "touch verified");

	str_set(&step->check.sh, "true");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_ALREADY_DONE);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/verified", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/ran", F_OK, 0), -1);
}
END_TEST

START_TEST(a_verify_has_a_time_limit_of_its_own)
{
	struct spec_step *step = step_with("true", "exec sleep 1000");

	step->verify.timeout_ms = 50;
	w.brief.grace_ms = 50;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "verify_failed");
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->message,
	    "its verify did not end within 0.0 s and was stopped");
}
END_TEST

START_TEST(a_cancel_ends_a_verify)
{
	struct spec_step *step = step_with("true", "touch verifying; exec sleep 1000");

	str_set(&step->undo.sh, "touch undone");
	world_start(&w);
	world_await_label(&w, "verifying");
	world_order(&w, 1, WANT_CANCEL, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_CANCELLED);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone", F_OK, 0), 0);
}
END_TEST

/* What it was to leave running is nothing that a failed step leaves. */
/* It may be somebody else's work that the check was looking at. */
START_TEST(a_cancel_during_a_check_undoes_nothing)
{
	struct spec_step *step = step_with("touch ran", "true");

	str_set(&step->check.sh, "exec sleep 1000");
	str_set(&step->undo.sh, "touch undone");
	world_start(&w);
	world_await(&w, FACT_STEP_BEGIN, 1);
	world_order(&w, 1, WANT_CANCEL, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
	ck_assert_uint_eq(world_count(&w, FACT_UNDONE), 0);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone", F_OK, 0), -1);
}
END_TEST

/* It was interrupted before it could say that it was done. */
START_TEST(what_an_earlier_attempt_did_is_undone_though_its_check_finds_it_done)
{
	struct brief_step *steps = calloc(1, sizeof *steps);

	str_set(&step_with("touch ran", "true")->check.sh, "true");
	str_set(&w.brief.spec.steps.v[0].undo.sh, "touch undone");
	world_sh(&w, "two", "false");
	steps->state = STEP_PENDING;
	steps->was_run = true;
	w.brief.steps.v = steps;
	w.brief.steps.n = 1;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_ALREADY_DONE);
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 1)->state, STEP_UNDONE);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/ran", F_OK, 0), -1);
}
END_TEST

START_TEST(a_server_that_does_not_work_is_not_left_running)
{
	struct spec_step *step = step_with("sleep 1000 >/dev/null 2>&1 & echo $! >>pids", "false");
	char *text;
	size_t len;

	step->leave_running = true;
	step->retry_attempts = 1;
	step->retry_delay_ms = 1;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(fd_read_file(w.dir_fd, "work/pids", 64, &text, &len), 0);
	for (char *at = text; *at; at = strchr(at, '\n') + 1)
		ck_assert_int_eq(kill((pid_t)strtol(at, NULL, 10), 0), -1);
	free(text);
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_END, 1)->killed, 1);
}
END_TEST

START_TEST(a_server_that_works_is_left_running)
{
	struct spec_step *step =
	    step_with("sleep 1000 >/dev/null 2>&1 & echo $! >pid", "kill -0 $(cat pid)");
	char *text;
	size_t len;

	step->leave_running = true;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	ck_assert_int_eq(fd_read_file(w.dir_fd, "work/pid", 64, &text, &len), 0);
	ck_assert_int_eq(kill((pid_t)strtol(text, NULL, 10), SIGKILL), 0);
	free(text);
}
END_TEST

START_TEST(each_undo_has_a_time_limit_of_its_own_and_the_others_have_their_turn)
{
	struct spec_step *slow;

	str_set(&world_sh(&w, "one", "true")->undo.sh, "touch undone");
	slow = world_sh(&w, "two", "false");
	str_set(&slow->undo.sh, "exec sleep 1000");
	slow->undo.timeout_ms = 50;
	slow->timeout_ms = 1000 * 1000;
	w.brief.grace_ms = 50;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 1)->state, STEP_FAILED);
	ck_assert_str_eq(world_fact(&w, FACT_UNDONE, 1)->message, "its undo took too long");
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 2)->state, STEP_UNDONE);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone", F_OK, 0), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verify");
	TCase *tests = tcase_create("verify");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_step_is_done_once_its_verify_says_so);
	tcase_add_test(tests, a_verify_that_fails_fails_the_step_and_undoes_it);
	tcase_add_test(tests, a_step_whose_verify_fails_is_tried_again);
	tcase_add_test(tests, a_step_that_failed_is_not_verified);
	tcase_add_test(tests, what_its_check_found_done_must_work_too);
	tcase_add_test(tests, what_its_check_found_done_and_works_is_not_run);
	tcase_add_test(tests, a_verify_has_a_time_limit_of_its_own);
	tcase_add_test(tests, a_cancel_ends_a_verify);
	tcase_add_test(tests, a_cancel_during_a_check_undoes_nothing);
	tcase_add_test(tests, what_an_earlier_attempt_did_is_undone_though_its_check_finds_it_done);
	tcase_add_test(tests, a_server_that_does_not_work_is_not_left_running);
	tcase_add_test(tests, a_server_that_works_is_left_running);
	tcase_add_test(tests, each_undo_has_a_time_limit_of_its_own_and_the_others_have_their_turn);
	suite_add_tcase(suite, tests);
	return world_main(suite);
}
