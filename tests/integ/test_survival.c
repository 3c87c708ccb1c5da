#include "tests/integ/patient.h"

#include "ipc/fd.h"
#include "ipc/frame.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

START_TEST(a_running_task_does_not_notice_that_its_supervisor_was_killed)
{
	struct world world;
	pid_t worker;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_patient(&world);
	worker = world_worker(&world, id);
	ck_assert_int_gt(worker, 0);
	for (int i = 0; i < 5; i++) {
		world_kill_supervisor(&world);
		world_wait_served(&world);
	}
	ck_assert_int_eq(world_worker(&world, id), worker);
	ck_doc(world_show(&world, id), "status", "running");
	let_it_go(&world, id);
	world_close(&world);
}
END_TEST

START_TEST(work_that_ends_while_nobody_watches_is_accounted_for)
{
	struct world world;
	uint64_t good, bad;

	world_open(&world, __func__);
	world_start(&world);
	good = SUBMIT(&world, "--", "sh", "-c", patient);
	bad = SUBMIT(&world, "--", "sh", "-c", "while [ ! -e go ]; do sleep .02; done; exit 7");
	world_until(&world, good, "status", "running");
	world_until(&world, bad, "status", "running");
	/* The supervisor is held before it serves, while the work goes on and ends. */
	world_point(&world, "serve.before", "sleep:300");
	world_kill_supervisor(&world);
	world_file(&world, "go", "");
	world_wait_served(&world);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, good))->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, bad))->status, 1);
	ck_doc(world_show(&world, bad), "error.exit_code", "7");
	world_close(&world);
}
END_TEST

/* What the next one has not got is no word about the worker: it neither ran never nor has it died.
 */
START_TEST(a_supervisor_that_is_short_of_files_gives_no_worker_up)
{
	static const char *const places[] = { "adopt.journal", "adopt.pidfd" };
	struct world world;
	pid_t worker;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_patient(&world);
	worker = world_worker(&world, id);
	world_point(&world, places[_i], "errno:EMFILE");
	world_kill_supervisor(&world);
	world_wait_served(&world);
	ck_doc(world_show(&world, id), "status", "running");
	world_point(&world, places[_i], NULL);
	ck_assert_int_eq(world_worker(&world, id), worker);
	let_it_go(&world, id);
	ck_says(world_read(&world, "log"), "cannot look for its worker yet");
	world_close(&world);
}
END_TEST

START_TEST(a_service_told_to_stop_leaves_its_workers_and_the_next_adopts_them)
{
	struct world world;
	pid_t worker;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_patient(&world);
	worker = world_worker(&world, id);
	world_stop(&world);
	ck_assert_int_eq(kill(worker, 0), 0);
	world_start(&world);
	ck_assert_int_eq(world_worker(&world, id), worker);
	ck_doc(world_show(&world, id), "status", "running");
	let_it_go(&world, id);
	world_close(&world);
}
END_TEST

START_TEST(a_killed_keeper_costs_nothing_but_exit_codes)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_patient(&world);
	world_kill_keeper(&world);
	world_start(&world);
	ck_doc(world_show(&world, id), "status", "running");
	let_it_go(&world, id);
	world_close(&world);
}
END_TEST

START_TEST(a_killed_worker_fails_its_task_with_the_signal)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_patient(&world);
	ck_assert_int_eq(kill(world_worker(&world, id), SIGKILL), 0);
	task = world_until(&world, id, "status", "failed");
	ck_doc(task, "error.code", "worker_died");
	ck_doc(task, "error.signal", "9");
	ck_doc(task, "error.exit_code", "null");
	world_close(&world); /* and nothing of it is left */
}
END_TEST

/* Looked at in their order, and slowly: strays of the first are not hunted until the last is known.
 */
START_TEST(a_worker_that_is_not_looked_at_yet_is_no_stray_of_one_that_died)
{
	struct world world;
	pid_t supervisor, worker;
	uint64_t first, second;

	world_open(&world, __func__);
	world_start(&world);
	first = SUBMIT(&world, "--", "sleep", "1000");
	world_until(&world, first, "status", "running");
	second = start_patient(&world);
	supervisor = world_supervisor(&world);
	worker = world_worker(&world, first);
	ck_assert_int_eq(kill(supervisor, SIGSTOP), 0);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	world_wait_gone(worker);
	world_point(&world, "adopt.before", "sleep:500");
	world_kill_supervisor(&world);
	world_wait_served(&world);
	world_point(&world, "adopt.before", NULL);
	world_until(&world, first, "status", "failed");
	ck_doc(world_show(&world, first), "error.code", "worker_died");
	let_it_go(&world, second);
	world_close(&world);
}
END_TEST

START_TEST(a_worker_that_dies_while_nobody_is_there_ended_in_an_unknown_way)
{
	struct world world;
	json_t *task;
	pid_t worker;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_patient(&world);
	worker = world_worker(&world, id);
	world_kill_keeper(&world);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	world_wait_gone(worker);
	world_start(&world);
	task = world_until(&world, id, "status", "interrupted");
	ck_doc(task, "interruptions.0.exit", "null");
	ck_assert_str_ne(doc_text(task, "error.exit_code"), "0");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 4);
	world_close(&world);
}
END_TEST

/* After a reboot or a container's restart alike: everything gone; _i: another boot id. */
START_TEST(after_a_power_cut_the_task_ends_interrupted_and_can_be_retried)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_env(&world, "REEVE_BOOT_ID_FILE",
	    world_file(&world, "boot_id", "11111111-2222-3333-4444-555555555555\n"));
	world_start(&world);
	id = start_patient(&world);
	world_kill_all(&world);
	if (_i == 1)
		world_file(&world, "boot_id", "99999999-2222-3333-4444-555555555555\n");
	world_start(&world);
	world_until(&world, id, "status", "interrupted");
	ck_assert_str_eq(world_read(&world, "ran"), "ran\n");
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "retry", world_word(&world, id))->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "ran"), "ran\nran\n");
	world_close(&world);
}
END_TEST

START_TEST(queued_work_survives_everything_and_runs_once)
{
	struct world world;
	uint64_t first, second;

	world_open(&world, __func__);
	world.slots = "1";
	world_start(&world);
	first = start_patient(&world);
	second = SUBMIT(&world, "--", "sh", "-c", "echo ran >>second");
	world_kill_supervisor(&world);
	world_wait_served(&world);
	world_kill_keeper(&world);
	world_start(&world);
	ck_doc(world_show(&world, second), "status", "queued");
	let_it_go(&world, first);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, second))->status, 0);
	ck_assert_str_eq(world_read(&world, "second"), "ran\n");
	world_close(&world);
}
END_TEST

/* How often EVENT is in the history of task ID. */
static int
count_events(struct world *world, uint64_t id, const char *name)
{
	json_t *event;
	size_t i;
	int n = 0;

	json_array_foreach(doc_at(world_events(world, id), "events"), i, event)
	{
		n += strcmp(doc_text(event, "1.event"), name) == 0;
	}
	return n;
}

/* Its step says goodbye only when the test allows it: the supervisor dies in the grace. */
START_TEST(a_cancel_goes_on_over_kills_of_the_supervisor)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--", "sh", "-c",
	    "trap 'echo term >>termed; while [ ! -e go ]; do sleep .02; done; exit 0' TERM; "
	    "echo ran >>ran; while :; do sleep .02; done");
	world_until_file(&world, "ran");
	ck_assert_int_eq(REEVE(&world, "cancel", "--no-wait", world_word(&world, id))->status, 0);
	world_until_file(&world, "termed");
	for (int i = 0; i < 2; i++) {
		world_kill_supervisor(&world);
		world_wait_served(&world);
		world_until(&world, id, "status", "cancelling");
	}
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 3);
	task = world_show(&world, id);
	ck_doc(task, "receipt.survivors", "[]");
	ck_doc(task, "attempt", "1");
	ck_assert_str_eq(world_read(&world, "termed"), "term\n");
	ck_assert_str_eq(world_read(&world, "ran"), "ran\n");
	ck_assert_int_eq(count_events(&world, id, "cancelling"), 1);
	ck_assert_int_eq(count_events(&world, id, "ended"), 1);
	world_close(&world);
}
END_TEST

/* "Accepted" was answered and the order sent; the commit hangs when the supervisor dies. */
START_TEST(a_cancel_whose_commit_was_lost_is_learnt_from_the_worker)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--", "sh", "-c",
	    "trap 'echo term >>termed; while [ ! -e go ]; do sleep .02; done; exit 0' TERM; "
	    "echo ran >>ran; while :; do sleep .02; done");
	world_until_file(&world, "ran");
	world_until_event(&world, id, "step_begin", 1);
	world_point(&world, "commit.before", "sleep:60000*1");
	ck_assert_int_eq(REEVE(&world, "cancel", "--no-wait", world_word(&world, id))->status, 0);
	world_until_file(&world, "termed");
	world_kill_supervisor(&world);
	world_wait_served(&world);
	world_until(&world, id, "status", "cancelling");
	ck_assert_int_eq(count_events(&world, id, "cancelling"), 1);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 3);
	task = world_show(&world, id);
	ck_doc(task, "status", "cancelled");
	ck_doc(task, "receipt.survivors", "[]");
	ck_assert_str_eq(world_read(&world, "termed"), "term\n");
	world_close(&world);
}
END_TEST

/* Where the supervisor dies, by its own hand, once. */
static const char *const places[] = { "commit.before", "commit.after", "store.commit.before",
	"store.commit.after", "publish.before", "spawn.before", "spawn.after", "close.before",
	"ingest.after_pread" };
enum {
	PLACES = sizeof places / sizeof places[0]
};

START_TEST(a_supervisor_killed_at_any_boundary_loses_and_doubles_nothing)
{
	struct world world;
	const struct said *said;
	json_t *events, *event;
	size_t i, submitted = 0, started = 0, ended = 0;

	world_open(&world, __func__);
	world_start(&world);
	world_point(&world, places[_i], "kill*1");
	said = REEVE(&world, "run", "--json", "--", "sh", "-c", "echo ran >>ran");
	ck_assert_msg(said->status == 0, "%s: exit %d: %s", places[_i], said->status, said->err);
	ck_says(world_read(&world, "log"), "signal 9");
	ck_assert_str_eq(world_read(&world, "ran"), "ran\n");
	events = doc_at(world_events(&world, 1), "events");
	json_array_foreach(events, i, event)
	{
		submitted += strcmp(doc_text(event, "1.event"), "submitted") == 0;
		started += strcmp(doc_text(event, "1.event"), "started") == 0;
		ended += strcmp(doc_text(event, "1.event"), "ended") == 0;
		ck_assert_int_eq((int)json_integer_value(doc_at(event, "0")), (int)i + 1);
	}
	ck_assert_int_eq((int)submitted, 1);
	ck_assert_int_eq((int)ended, 1);
	ck_assert_int_ge((int)started, 1);
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--json", "--all")), 1);
	world_close(&world);
}
END_TEST

/* Sockets and FIFOs only: a tmpfs may lose them at any time. */
START_TEST(a_run_directory_that_vanishes_is_made_again)
{
	struct world world;
	pid_t worker;
	uint64_t id, victim;

	world_open(&world, __func__);
	world_start(&world);
	victim = SUBMIT(&world, "--", "sleep", "1000");
	id = start_patient(&world);
	worker = world_worker(&world, id);
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, world.rundir), 0);
	world_until_file(&world, "run");
	world_wait_served(&world);
	ck_assert_int_eq(REEVE(&world, "run", "--", "true")->status, 0);
	/* Orders reach a worker whose pipes are other ones now. */
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, victim))->status, 0);
	ck_assert_int_eq(world_worker(&world, id), worker);
	ck_doc(world_show(&world, id), "status", "running");
	let_it_go(&world, id);
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("survival");
	TCase *tcase = world_tcase(suite, "survival");

	tcase_add_test(tcase, a_running_task_does_not_notice_that_its_supervisor_was_killed);
	tcase_add_loop_test(tcase, a_supervisor_that_is_short_of_files_gives_no_worker_up, 0, 2);
	tcase_add_test(tcase, work_that_ends_while_nobody_watches_is_accounted_for);
	tcase_add_test(tcase, a_service_told_to_stop_leaves_its_workers_and_the_next_adopts_them);
	tcase_add_test(tcase, a_killed_keeper_costs_nothing_but_exit_codes);
	tcase_add_test(tcase, a_killed_worker_fails_its_task_with_the_signal);
	tcase_add_test(tcase, a_worker_that_is_not_looked_at_yet_is_no_stray_of_one_that_died);
	tcase_add_test(tcase, a_worker_that_dies_while_nobody_is_there_ended_in_an_unknown_way);
	tcase_add_loop_test(
	    tcase, after_a_power_cut_the_task_ends_interrupted_and_can_be_retried, 0, 2);
	tcase_add_test(tcase, queued_work_survives_everything_and_runs_once);
	tcase_add_test(tcase, a_cancel_goes_on_over_kills_of_the_supervisor);
	tcase_add_test(tcase, a_cancel_whose_commit_was_lost_is_learnt_from_the_worker);
	tcase_add_loop_test(
	    tcase, a_supervisor_killed_at_any_boundary_loses_and_doubles_nothing, 0, PLACES);
	tcase_add_test(tcase, a_run_directory_that_vanishes_is_made_again);
	return world_main(suite);
}
