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

static void
assert_kinds(const enum fact_kind *kinds, size_t n)
{
	ck_assert_uint_eq(w.nfacts, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_str_eq(fact_kind_name(w.facts[i].kind), fact_kind_name(kinds[i]));
}

START_TEST(a_step_is_begun_and_ended_and_so_is_the_task)
{
	static const enum fact_kind kinds[] = { FACT_HELLO, FACT_STEP_BEGIN, FACT_STEP_END,
		FACT_END };

	strs_add(&world_step(&w, "only")->cmd.argv, "true");
	ck_assert_int_eq(world_run(&w), 0);
	assert_kinds(kinds, 4);
	ck_assert_str_eq(w.facts[0].keeper_instance, w.brief.keeper_instance);
	ck_assert_uint_eq(w.facts[0].pid, (uint64_t)w.pid);
	ck_assert_uint_gt(w.facts[0].start_ticks, 0);
	ck_assert_int_eq(w.facts[2].state, STEP_DONE);
	ck_assert(w.facts[2].exit.known && w.facts[2].exit.code == 0);
	ck_assert_int_eq(w.facts[3].outcome, TASK_COMPLETED);
	ck_assert_int_eq(faccessat(w.attempts_fd, "41.1", F_OK, 0), -1); /* it said nothing */
}
END_TEST

START_TEST(an_attempt_is_not_run_twice)
{
	world_sh(&w, "only", "touch ran");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(unlinkat(w.dir_fd, "work/ran", 0), 0);
	ck_assert_int_eq(world_run(&w), 70);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/ran", F_OK, 0), -1);
	ck_assert_uint_eq(world_count(&w, FACT_HELLO), 1);
}
END_TEST

START_TEST(a_failure_keeps_status_and_last_lines_and_ends_the_task)
{
	const struct fact *end;

	world_sh(&w, "bad", "echo one; echo two >&2; exit 3");
	world_sh(&w, "never", "true");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_BEGIN), 1);
	end = world_fact(&w, FACT_END, 1);
	ck_assert_int_eq(end->outcome, TASK_FAILED);
	ck_assert_str_eq(end->code, "step_failed");
	ck_assert_int_eq(end->exit.code, 3);
	ck_assert_uint_eq(end->step, 1);
	ck_assert_ptr_nonnull(strstr(end->tail, "one"));
	ck_assert_ptr_nonnull(strstr(end->tail, "two"));
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_FAILED);
}
END_TEST

START_TEST(a_signal_is_told_as_a_signal)
{
	world_sh(&w, "bad", "kill -SEGV $$");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->exit.signal, SIGSEGV);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->exit.code, 0);
}
END_TEST

START_TEST(an_output_beyond_its_limit_is_named)
{
	struct spec_step *step = world_sh(&w, "big", "printf 'url=%020000d\\n' 1 >>$REEVE_OUTPUT");

	strs_add(&step->outputs, "url");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "bad_output");
	ck_assert_str_eq(
	    world_fact(&w, FACT_END, 1)->message, "output \"url\" is longer than 16384 bytes");
}
END_TEST

START_TEST(a_step_that_is_already_done_is_not_run)
{
	struct spec_step *step = world_sh(&w, "install", "touch ran");

	str_set(&step->check.sh, "true");
	world_sh(&w, "after", "test ! -e ran");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_ALREADY_DONE);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(a_check_that_fails_lets_the_step_run)
{
	struct spec_step *step = world_sh(&w, "install", "touch ran");

	str_set(&step->check.sh, "test -e ran");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_DONE);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/ran", F_OK, 0), 0);
}
END_TEST

START_TEST(a_step_is_tried_again_as_often_as_it_says)
{
	struct spec_step *step =
	    world_sh(&w, "flaky", "echo x >>tries; test $(wc -l <tries) -ge 3");

	step->retry_attempts = 5;
	step->retry_delay_ms = 1;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_RETRY), 2);
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_RETRY, 2)->delay_ms, 2); /* doubled */
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_BEGIN, 3)->count, 3);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(tries_come_to_an_end)
{
	struct spec_step *step = world_sh(&w, "bad", "exit 9");

	step->retry_attempts = 2;
	step->retry_delay_ms = 1;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_RETRY), 2);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_END), 1);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->exit.code, 9);
}
END_TEST

START_TEST(a_step_that_takes_too_long_is_stopped)
{
	struct spec_step *step = world_sh(&w, "slow", "trap '' TERM; sleep 1000 & sleep 1000");

	step->timeout_ms = 50;
	w.brief.grace_ms = 50;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "timed_out");
	ck_assert_uint_ge(world_fact(&w, FACT_STEP_END, 1)->killed, 1);
}
END_TEST

START_TEST(outputs_reach_the_words_of_later_steps)
{
	struct spec_step *use;
	char *log;

	strs_add(&world_sh(&w, "find-it", "echo url=http://a/b >>$REEVE_OUTPUT")->outputs, "url");
	use = world_step(&w, "use");
	strs_add(&use->cmd.argv, "echo");
	strs_add(&use->cmd.argv, "word=${steps.find-it.url}");
	pairs_set(&use->env, "NOTE", "<${steps.find-it.url}>");
	ck_assert_int_eq(world_run(&w), 0);
	log = world_log(&w);
	ck_assert_ptr_nonnull(strstr(log, "word=http://a/b\n"));
	ck_assert_str_eq(world_fact(&w, FACT_OUTPUT, 1)->name, "url");
	ck_assert_str_eq(world_fact(&w, FACT_OUTPUT, 1)->text, "http://a/b");
	free(log);
}
END_TEST

START_TEST(sh_finds_parameters_and_outputs_in_its_environment)
{
	struct spec_step *find = world_sh(&w, "find-it", "echo url=http://a/b >>$REEVE_OUTPUT");
	char *log;

	strs_add(&find->outputs, "url");
	world_sh(&w, "text", "echo \"$OUT_FIND_IT_URL $PARAM_SERVER_ID\"");
	pairs_set(&w.brief.spec.params, "server-id", "7; rm -rf /");
	ck_assert_int_eq(world_run(&w), 0);
	log = world_log(&w);
	ck_assert_str_eq(log, "http://a/b 7; rm -rf /\n");
	free(log);
}
END_TEST

START_TEST(an_output_nobody_declared_fails_the_step)
{
	struct spec_step *step = world_sh(&w, "bad", "echo other=1 >>$REEVE_OUTPUT");

	strs_add(&step->outputs, "url");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "undeclared_output");
	ck_assert_ptr_nonnull(strstr(world_fact(&w, FACT_END, 1)->message, "other"));
}
END_TEST

START_TEST(an_output_file_that_was_swapped_is_not_read)
{
	struct spec_step *step =
	    world_sh(&w, "bad", "rm $REEVE_OUTPUT; ln -s /etc/hostname $REEVE_OUTPUT");

	strs_add(&step->outputs, "url");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "bad_output");
}
END_TEST

START_TEST(a_reference_without_a_value_fails_before_anything_runs)
{
	strs_add(&world_step(&w, "bad")->cmd.argv, "${steps.other.url}");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "expand_failed");
	ck_assert_ptr_nonnull(strstr(world_fact(&w, FACT_END, 1)->message, "steps.other.url"));
}
END_TEST

START_TEST(steps_that_are_done_are_not_run_again_but_their_outputs_are_used)
{
	struct brief_step *done;
	char *log;

	strs_add(&world_sh(&w, "first", "touch ran")->outputs, "url");
	world_sh(&w, "second", "test ! -e ran; echo $OUT_FIRST_URL");
	w.brief.steps.v = done = calloc(1, sizeof *done);
	w.brief.steps.n = 1;
	done->state = STEP_DONE;
	pairs_set(&done->outputs, "url", "kept");
	w.brief.attempt = 2;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_BEGIN), 1);
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_BEGIN, 1)->step, 2);
	log = world_log(&w);
	ck_assert_str_eq(log, "kept\n");
	free(log);
}
END_TEST

START_TEST(what_a_step_leaves_running_is_killed_and_counted)
{
	world_sh(&w, "leaves", "sleep 1000 & setsid sleep 1000 &");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_END, 1)->killed, 2);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(what_may_be_left_running_lives_on_through_later_steps)
{
	struct spec_step *step = world_sh(&w, "serve", "sleep 1000 >/dev/null 2>&1 & echo $! >pid");
	char *text;
	size_t len;
	pid_t pid;

	step->leave_running = true;
	world_sh(&w, "leaves", "sleep 1000 &");
	world_sh(&w, "looks", "kill -0 $(cat pid)");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(fd_read_file(w.dir_fd, "work/pid", 64, &text, &len), 0);
	pid = (pid_t)strtol(text, NULL, 10);
	free(text);
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_END, 2)->killed, 1);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}
END_TEST

START_TEST(a_daemon_that_holds_stdout_cannot_hang_the_step)
{
	struct spec_step *step = world_sh(&w, "serve", "sleep 1000 & echo $! >pid");
	char *text;
	size_t len;

	step->leave_running = true;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	ck_assert_int_eq(fd_read_file(w.dir_fd, "work/pid", 64, &text, &len), 0);
	kill((pid_t)strtol(text, NULL, 10), SIGKILL);
	free(text);
}
END_TEST

START_TEST(a_failure_undoes_what_was_done_in_reverse)
{
	char *log;

	str_set(&world_sh(&w, "one", "true")->undo.sh, "echo undo one");
	world_sh(&w, "plain", "true");
	str_set(&world_sh(&w, "two", "false")->undo.sh, "echo undo two");
	ck_assert_int_eq(world_run(&w), 0);
	log = world_log(&w);
	ck_assert_str_eq(log, "undo two\nundo one\n");
	free(log);
	ck_assert_uint_eq(world_fact(&w, FACT_UNDO_BEGIN, 1)->step, 0);
	ck_assert_uint_eq(world_fact(&w, FACT_UNDONE, 1)->step, 3);
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 2)->state, STEP_UNDONE);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_FAILED);
}
END_TEST

START_TEST(an_undo_that_fails_does_not_stop_the_others)
{
	str_set(&world_sh(&w, "one", "true")->undo.sh, "touch undone");
	str_set(&world_sh(&w, "two", "false")->undo.sh, "exit 4");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 1)->state, STEP_FAILED);
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 1)->exit.code, 4);
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 2)->state, STEP_UNDONE);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone", F_OK, 0), 0);
}
END_TEST

START_TEST(an_undo_attempt_runs_no_step)
{
	struct brief_step *steps = calloc(2, sizeof *steps);

	str_set(&world_sh(&w, "one", "touch ran")->undo.sh, "touch undone-one");
	str_set(&world_sh(&w, "two", "touch ran")->undo.sh, "touch undone-two");
	steps[0].state = STEP_DONE;
	steps[0].was_run = true;
	steps[1].state = STEP_PENDING;
	w.brief.steps.v = steps;
	w.brief.steps.n = 2;
	w.brief.mode = ATTEMPT_UNDO;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_BEGIN), 0);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone-one", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone-two", F_OK, 0), -1);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/ran", F_OK, 0), -1);
}
END_TEST

START_TEST(a_step_finds_its_surroundings)
{
	char *log;

	pairs_set(&world_sh(&w, "look",
		      "echo $REEVE_TASK $REEVE_ATTEMPT $REEVE_STEP $REEVE_FD $REEVE_START_FD "
		      "$REEVE_ANSWER_FD $MORE;"
		      "pwd; umask; cat; ls /proc/self/fd | tr '\\n' ' '; echo $HOME$SECRET")
		       ->env,
	    "MORE", "more");
	setenv("SECRET", "of the service", 1);
	w.brief.umask = 077;
	ck_assert_int_eq(world_run(&w), 0);
	log = world_log(&w);
	ck_assert_ptr_nonnull(strstr(log, "41 1 look 3 4 5 more\n"));
	ck_assert_ptr_nonnull(strstr(log, w.work));
	ck_assert_ptr_nonnull(strstr(log, "0077\n"));
	ck_assert_ptr_nonnull(strstr(log, "0 1 2 3 4 5 6 \n")); /* 6 is the directory ls reads */
	free(log);
}
END_TEST

START_TEST(facts_wait_for_room_on_the_disk_and_none_is_lost_or_doubled)
{
	world_sh(&w, "one", "true");
	world_sh(&w, "two", "true");
	w.file_limit = 200; /* the journal's, for a worker whose signals are ignored */
	world_start(&w);
	world_await_blocked(&w, BLOCK_DISK);
	ck_assert_int_eq(
	    prlimit(w.pid, RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }, NULL),
	    0);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_END), 2);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("runner");
	TCase *tests = tcase_create("steps");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, a_step_is_begun_and_ended_and_so_is_the_task);
	tcase_add_test(tests, an_attempt_is_not_run_twice);
	tcase_add_test(tests, a_failure_keeps_status_and_last_lines_and_ends_the_task);
	tcase_add_test(tests, a_signal_is_told_as_a_signal);
	tcase_add_test(tests, a_step_that_is_already_done_is_not_run);
	tcase_add_test(tests, an_output_beyond_its_limit_is_named);
	tcase_add_test(tests, a_check_that_fails_lets_the_step_run);
	tcase_add_test(tests, a_step_is_tried_again_as_often_as_it_says);
	tcase_add_test(tests, tries_come_to_an_end);
	tcase_add_test(tests, a_step_that_takes_too_long_is_stopped);
	tcase_add_test(tests, outputs_reach_the_words_of_later_steps);
	tcase_add_test(tests, sh_finds_parameters_and_outputs_in_its_environment);
	tcase_add_test(tests, an_output_nobody_declared_fails_the_step);
	tcase_add_test(tests, an_output_file_that_was_swapped_is_not_read);
	tcase_add_test(tests, a_reference_without_a_value_fails_before_anything_runs);
	tcase_add_test(tests, steps_that_are_done_are_not_run_again_but_their_outputs_are_used);
	tcase_add_test(tests, what_a_step_leaves_running_is_killed_and_counted);
	tcase_add_test(tests, what_may_be_left_running_lives_on_through_later_steps);
	tcase_add_test(tests, a_daemon_that_holds_stdout_cannot_hang_the_step);
	tcase_add_test(tests, a_failure_undoes_what_was_done_in_reverse);
	tcase_add_test(tests, an_undo_that_fails_does_not_stop_the_others);
	tcase_add_test(tests, an_undo_attempt_runs_no_step);
	tcase_add_test(tests, a_step_finds_its_surroundings);
	tcase_add_test(tests, facts_wait_for_room_on_the_disk_and_none_is_lost_or_doubled);
	suite_add_tcase(suite, tests);
	return world_main(suite);
}
