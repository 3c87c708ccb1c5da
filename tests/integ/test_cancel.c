#include "tests/integ/world.h"

#include "ipc/clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Waits for the file `up` that the command makes when it is where the test wants it. */
static uint64_t
start(struct world *world, const char *script)
{
	uint64_t id = SUBMIT(world, "--", "sh", "-c", script);

	world_until_file(world, "up");
	return id;
}

START_TEST(cancelled_means_that_nothing_of_it_is_left)
{
	struct world world;
	json_t *task;
	pid_t worker;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start(&world, "sleep 1000 & setsid sleep 1000 & (sleep 1000 &) ; >up; wait");
	worker = world_worker(&world, id);
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	world_wait_gone(worker);
	/* Keeper and supervisor are all there is. */
	ck_assert_int_eq(world_alive(&world), 2);
	task = world_show(&world, id);
	ck_doc(task, "status", "cancelled");
	ck_doc(task, "steps.0.status", "cancelled");
	ck_doc(task, "receipt.survivors", "[]");
	ck_has(task, "receipt.method");
	ck_assert_int_ge((int)json_integer_value(doc_at(task, "receipt.signalled")), 1);
	ck_assert_int_ge((int)json_array_size(doc_at(task, "receipt.escaped")), 1);
	ck_doc(task, "receipt.escaped.0.name", "sleep");
	ck_says(doc_text(task, "outcome"), "cancel");
	ck_doc(task, "can.retry", "true");
	world_close(&world);
}
END_TEST

START_TEST(who_ignores_the_signal_is_killed_after_the_grace)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_env(&world, "REEVE_GRACE", "200ms");
	world_start(&world);
	id = start(&world, "trap '' TERM INT HUP; >up; while :; do sleep 1000; done");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	task = world_show(&world, id);
	ck_doc(task, "status", "cancelled");
	ck_assert_int_ge((int)json_integer_value(doc_at(task, "receipt.killed")), 1);
	ck_assert_int_ge((int)json_integer_value(doc_at(task, "receipt.duration_ms")), 200);
	world_close(&world);
}
END_TEST

START_TEST(a_stopped_process_gets_the_signal_too)
{
	struct world world;
	uint64_t id, begin_ms;

	world_open(&world, __func__);
	world_start(&world);
	id = start(&world, "trap 'echo bye >bye; exit 0' TERM; >up; kill -STOP $$; sleep 1000");
	begin_ms = clock_boot_ms();
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "bye"), "bye\n");
	ck_assert_int_lt((int)(clock_boot_ms() - begin_ms), 9000); /* not by waiting for the KILL */
	world_close(&world);
}
END_TEST

START_TEST(a_cancel_that_need_not_be_waited_for_returns_at_once)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_env(&world, "REEVE_GRACE", "300ms");
	world_start(&world);
	id = start(&world, "trap '' TERM; >up; while :; do sleep 1000; done");
	ck_assert_int_eq(REEVE(&world, "cancel", "--no-wait", world_word(&world, id))->status, 0);
	task = world_show(&world, id);
	/* The order goes out before its commit, and the task says so. */
	ck_assert(strcmp(doc_text(task, "status"), "cancelling") == 0 ||
		  strcmp(doc_text(task, "pending"), "cancelling") == 0);
	ck_assert_int_eq(
	    REEVE(&world, "cancel", "--timeout", "10ms", world_word(&world, id))->status, 5);
	world_until(&world, id, "status", "cancelled");
	world_close(&world);
}
END_TEST

START_TEST(what_waits_is_cancelled_without_having_run)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world.slots = "0";
	world_start(&world);
	id = SUBMIT(&world, "--", "touch", "ran");
	ck_doc(world_show(&world, id), "status", "queued");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	ck_doc(world_show(&world, id), "status", "cancelled");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 1);
	world_close(&world);
}
END_TEST

/* 0: in the middle, the supervisor dies; 1: keeper and supervisor; 2: the worker. */
START_TEST(a_cancel_goes_on_whoever_is_killed)
{
	struct world world;
	json_t *task;
	uint64_t id;
	pid_t worker;

	world_open(&world, __func__);
	world_env(&world, "REEVE_GRACE", "300ms");
	world_start(&world);
	id = start(&world, "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 1000' & >up; "
			   "while :; do sleep 1000; done");
	worker = world_worker(&world, id);
	ck_assert_int_eq(REEVE(&world, "cancel", "--no-wait", world_word(&world, id))->status, 0);
	if (_i == 0) {
		world_kill_supervisor(&world);
	} else if (_i == 1) {
		world_kill_keeper(&world);
		world_start(&world);
	} else {
		ck_assert_int_eq(kill(worker, SIGKILL), 0);
	}
	world_wait_served(&world);
	task = world_until(&world, id, "status", "cancelled");
	ck_assert_int_ne(json_is_null(doc_at(task, "receipt")), 1);
	world_wait_gone(worker);
	world_close(&world); /* insists that nothing is left */
}
END_TEST

START_TEST(a_worker_that_is_stopped_does_not_stop_a_cancel)
{
	struct world world;
	uint64_t id;
	pid_t worker;

	world_open(&world, __func__);
	world_start(&world);
	id = start(&world, ">up; sleep 1000");
	worker = world_worker(&world, id);
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	world_wait_gone(worker);
	ck_doc(world_show(&world, id), "status", "cancelled");
	world_close(&world);
}
END_TEST

START_TEST(many_are_cancelled_by_scope)
{
	struct world world;
	uint64_t one, two, other;

	world_open(&world, __func__);
	world_start(&world);
	one = SUBMIT(&world, "--scope", "a", "--", "sleep", "1000");
	two = SUBMIT(&world, "--scope", "a", "--", "sleep", "1000");
	other = SUBMIT(&world, "--scope", "b", "--", "sleep", "1000");
	world_until(&world, other, "status", "running");
	ck_assert_int_eq(REEVE(&world, "cancel", "--scope", "a")->status, 0);
	ck_doc(world_show(&world, one), "status", "cancelled");
	ck_doc(world_show(&world, two), "status", "cancelled");
	ck_doc(world_show(&world, other), "status", "running");
	world_close(&world);
}
END_TEST

START_TEST(leftovers_of_a_step_that_succeeded_are_killed_too)
{
	struct world world;
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	task = REEVE_JSON(&world, 0, "run", "--json", "--", "sh", "-c",
	    "setsid sleep 1000 & sleep 1000 & exit 0");
	ck_doc(task, "status", "completed");
	ck_assert_int_eq(world_alive(&world), 2);
	/* and whoever looks for them finds out why */
	ck_says(REEVE(&world, "logs", doc_text(task, "id"))->out, "left running (2 processes)");
	world_close(&world);
}
END_TEST

START_TEST(a_daemon_that_holds_the_output_cannot_hang_its_step)
{
	struct world world;
	json_t *task;
	uint64_t begin_ms;

	world_open(&world, __func__);
	world_start(&world);
	begin_ms = clock_boot_ms();
	task = REEVE_JSON(&world, 0, "run", "--json", "--", "sh", "-c",
	    "(trap '' HUP TERM; exec setsid sleep 1000) & echo done");
	ck_doc(task, "status", "completed");
	ck_assert_int_lt((int)(clock_boot_ms() - begin_ms), 5000);
	world_close(&world);
}
END_TEST

/* A step that may be cancelled only when it has ended, one that may not, and one more. */
static const char stubborn[] = "name: stubborn\nparams:\n  dir: {type: path, required: true}\n"
			       "cancel_note: may still be billed\nsteps:\n"
			       "  - name: careful\n    cancel: %s\n"
			       "    sh: 'while [ ! -e $PARAM_DIR/go ]; do sleep .02; done'\n"
			       "  - name: next\n    run: [sleep, \"%s\"]\n";

static uint64_t
start_stubborn(struct world *world, const char *mode, const char *seconds)
{
	char text[1024], dir[2 * WORLD_PATH];
	uint64_t id;

	snprintf(text, sizeof text, stubborn, mode, seconds);
	snprintf(dir, sizeof dir, "dir=%s", world->root);
	id = SUBMIT(world, world_file(world, "stubborn.yaml", text), dir);
	world_until_event(world, id, "step_begin", 1);
	return id;
}

START_TEST(a_cancel_waits_for_a_step_that_says_after)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_stubborn(&world, "after", "1000");
	ck_doc(world_show(&world, id), "can.cancel", "after");
	ck_assert_int_eq(REEVE(&world, "cancel", "--no-wait", world_word(&world, id))->status, 0);
	world_until(&world, id, "status", "cancelling");
	world_file(&world, "go", "");
	task = world_until(&world, id, "status", "cancelled");
	ck_doc(task, "steps.0.status", "done");
	ck_doc(task, "steps.1.status", "pending");
	world_close(&world);
}
END_TEST

START_TEST(a_step_that_says_never_refuses_unless_forced)
{
	struct world world;
	const struct said *said;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_stubborn(&world, "never", "1000");
	task = world_show(&world, id);
	ck_doc(task, "can.cancel", "never");
	ck_has(task, "can.reason");
	said = REEVE(&world, "cancel", world_word(&world, id));
	ck_assert_int_eq(said->status, 1);
	ck_says(said->err, "must not be cancelled");
	ck_doc(world_show(&world, id), "status", "running");
	ck_assert_int_eq(REEVE(&world, "cancel", "--force", world_word(&world, id))->status, 0);
	ck_doc(world_show(&world, id), "status", "cancelled");
	world_close(&world);
}
END_TEST

START_TEST(a_cancel_that_finds_the_last_step_done_came_too_late)
{
	struct world world;
	char dir[2 * WORLD_PATH];
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	snprintf(dir, sizeof dir, "dir=%s", world.root);
	id = SUBMIT(&world,
	    world_file(&world, "late.yaml",
		"name: late\nparams:\n  dir: {type: path, required: true}\nsteps:\n"
		"  - name: last\n    cancel: after\n"
		"    sh: 'while [ ! -e $PARAM_DIR/go ]; do sleep .02; done'\n"),
	    dir);
	world_until_event(&world, id, "step_begin", 1);
	ck_assert_int_eq(REEVE(&world, "cancel", "--no-wait", world_word(&world, id))->status, 0);
	world_until(&world, id, "status", "cancelling");
	world_file(&world, "go", "");
	task = world_until(&world, id, "status", "completed");
	ck_says(doc_text(task, "outcome"), "too late");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 1);
	world_close(&world);
}
END_TEST

static void
without_cgroups(void)
{
	setenv("REEVE_CGROUPS", "off", 1);
}

static void
with_cgroups(void)
{
	unsetenv("REEVE_CGROUPS");
}

static void
add_tests(TCase *tcase)
{
	tcase_add_test(tcase, cancelled_means_that_nothing_of_it_is_left);
	tcase_add_test(tcase, who_ignores_the_signal_is_killed_after_the_grace);
	tcase_add_test(tcase, a_stopped_process_gets_the_signal_too);
	tcase_add_test(tcase, a_cancel_that_need_not_be_waited_for_returns_at_once);
	tcase_add_test(tcase, what_waits_is_cancelled_without_having_run);
	tcase_add_loop_test(tcase, a_cancel_goes_on_whoever_is_killed, 0, 3);
	tcase_add_test(tcase, a_worker_that_is_stopped_does_not_stop_a_cancel);
	tcase_add_test(tcase, a_cancel_waits_for_a_step_that_says_after);
	tcase_add_test(tcase, a_step_that_says_never_refuses_unless_forced);
	tcase_add_test(tcase, a_cancel_that_finds_the_last_step_done_came_too_late);
	tcase_add_test(tcase, many_are_cancelled_by_scope);
	tcase_add_test(tcase, leftovers_of_a_step_that_succeeded_are_killed_too);
	tcase_add_test(tcase, a_daemon_that_holds_the_output_cannot_hang_its_step);
}

int
main(void)
{
	Suite *suite = suite_create("cancel");
	TCase *best = world_tcase(suite, "the best there is"),
	      *bare = world_tcase(suite, "no cgroup");

	add_tests(best);
	tcase_add_unchecked_fixture(bare, without_cgroups, with_cgroups);
	add_tests(bare);
	return world_main(suite);
}
