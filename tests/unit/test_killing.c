#include "supervisor/killing.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/proc.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LIFE_S = 60 /* whom a failed test leaves behind ends by himself */
};

/* This process plays keeper and supervisor; its children are workers and strays. */
static struct ev_loop *loop;
static struct jobs jobs;
static struct census census;
static struct cgroups *cgroups;
static struct killing *killing; /* done */
static int there[2];            /* each process writes its pid once it is where it wants to be */

static void
set_up(void)
{
	setenv("REEVE_CGROUPS", "off", 1);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(there, O_CLOEXEC), 0);
	loop = ev_loop_new(EVFLAG_AUTO);
	census_init(&census);
	ck_assert_int_eq(cgroups_open("unittest", &cgroups), 0);
	ck_assert_int_eq(jobs_start(&jobs, loop, "kills"), 0);
}

static void
tear_down(void)
{
	const struct tree_kill spec = { .root = getpid(), .deadline_ms = clock_boot_ms() + 5000 };
	struct tree_result result;

	(void)tree_kill(&spec, &result);
	tree_result_free(&result);
	if (killing)
		killing_free(killing);
	jobs_stop(&jobs);
	cgroups_close(cgroups);
	census_fini(&census);
	ev_loop_destroy(loop);
	fd_close(&there[0]);
	fd_close(&there[1]);
}

static _Noreturn void
stay(void)
{
	pid_t pid = getpid();

	(void)!write(there[1], &pid, sizeof pid);
	for (;;)
		pause();
}

static pid_t
fork_one(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		alarm(LIFE_S);
	return pid;
}

/* The next process that has arrived. */
static struct proc_stat
arrived(void)
{
	struct proc_stat stat;
	pid_t pid = 0;

	ck_assert_int_eq(fd_read_all(there[0], &pid, sizeof pid), sizeof pid);
	ck_assert_int_eq(proc_stat(pid, &stat), 0);
	return stat;
}

/* A worker with a step in its own session and a daemon of that step's. Three arrive, it last. */
static struct proc_stat
start_worker(void)
{
	struct proc_stat first, second, third;

	if (fork_one() == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		setsid();
		if (fork_one() == 0) {
			setsid();
			if (fork_one() == 0) {
				setsid();
				if (fork_one() > 0)
					_exit(0);
				stay();
			}
			wait(NULL);
			stay();
		}
		stay();
	}
	first = arrived();
	second = arrived();
	third = arrived();
	if (first.ppid == getpid())
		return first;
	return second.ppid == getpid() ? second : third;
}

static pid_t
start_stray(void)
{
	if (fork_one() == 0) {
		setsid();
		if (fork_one() > 0)
			_exit(0);
		stay();
	}
	return arrived().pid;
}

static void
on_done(struct job *job)
{
	killing = (struct killing *)job;
}

static struct killing *
order(pid_t keeper_pid)
{
	struct killing *ordered = calloc(1, sizeof *ordered);

	ck_assert_ptr_nonnull(ordered);
	ordered->job.done = on_done;
	ordered->cgroups = cgroups;
	ordered->census = &census;
	ordered->berth = 1;
	ordered->keeper_pid = keeper_pid;
	ordered->budget_ms = 20000;
	return ordered;
}

static void
carry_out(struct killing *ordered)
{
	killing_start(ordered, &jobs);
	while (!killing) /* the test's timeout */
		ev_run(loop, EVRUN_ONCE);
}

static bool
is_alive(pid_t pid)
{
	struct proc_stat stat;

	return proc_stat(pid, &stat) == 0 && proc_is_alive(&stat);
}

static const struct tree_victim *
victim(pid_t pid)
{
	for (size_t i = 0; i < killing->result.nvictims; i++)
		if (killing->result.victims[i].pid == pid)
			return &killing->result.victims[i];
	return NULL;
}

START_TEST(a_worker_dies_with_all_it_started)
{
	struct proc_stat worker = start_worker();
	struct killing *ordered = order(0);

	ordered->worker_pid = worker.pid;
	ordered->worker_start_ticks = worker.start_ticks;
	carry_out(ordered);
	ck_assert(killing->is_empty);
	ck_assert(!killing->used_cgroup);
	ck_assert(!killing->worker_survived);
	ck_assert_uint_eq(killing->result.killed, 2);
	ck_assert(!is_alive(worker.pid));
	ck_assert_int_eq(tree_count(getpid(), NULL, NULL), 0);
}
END_TEST

START_TEST(another_process_by_the_workers_number_is_left_alone)
{
	struct proc_stat worker = start_worker();
	struct killing *ordered = order(0);

	ordered->worker_pid = worker.pid;
	ordered->worker_start_ticks = worker.start_ticks + 1;
	carry_out(ordered);
	ck_assert(killing->is_empty);
	ck_assert_uint_eq(killing->result.killed, 0);
	ck_assert_int_eq(tree_count(getpid(), NULL, NULL), 3);
}
END_TEST

START_TEST(strays_die_and_living_workers_do_not)
{
	struct proc_stat worker = start_worker();
	pid_t stray = start_stray();

	ck_assert_int_eq(census_open(&census), 0);
	census_enter(&census, worker.pid, worker.start_ticks);
	census_close(&census);
	carry_out(order(getpid()));
	ck_assert(killing->is_empty);
	ck_assert_uint_eq(killing->result.killed, 1);
	ck_assert_ptr_nonnull(victim(stray));
	ck_assert(victim(stray)->own_session);
	ck_assert(!is_alive(stray));
	ck_assert_int_eq(tree_count(getpid(), NULL, NULL), 3);
}
END_TEST

START_TEST(without_the_keepers_leave_strays_are_not_hunted)
{
	pid_t stray = start_stray();

	carry_out(order(0));
	ck_assert(killing->is_empty);
	ck_assert(is_alive(stray));
}
END_TEST

START_TEST(both_walks_are_told_of)
{
	struct proc_stat worker = start_worker();
	struct killing *ordered = order(getpid());
	pid_t stray = start_stray();

	ordered->worker_pid = worker.pid;
	ordered->worker_start_ticks = worker.start_ticks;
	carry_out(ordered);
	ck_assert(killing->is_empty);
	ck_assert_uint_eq(killing->result.killed, 3);
	ck_assert_uint_eq(killing->result.nvictims, 3);
	ck_assert_ptr_nonnull(victim(stray));
	ck_assert_ptr_null(victim(worker.pid));
}
END_TEST

START_TEST(nothing_is_empty_at_once)
{
	carry_out(order(getpid()));
	ck_assert(killing->is_empty);
	ck_assert_uint_eq(killing->result.killed, 0);
	ck_assert_uint_eq(killing->result.nvictims, 0);
}
END_TEST

START_TEST(a_survivor_is_a_process_and_not_its_number)
{
	struct receipt_proc proc = { .pid = (uint64_t)getpid(), .start_ticks = proc_self_start() };
	struct receipt_procs survivors = { .v = &proc, .n = 1 };
	pid_t dead;

	ck_assert(killing_has_survivor(&survivors));
	proc.start_ticks++; /* who had this number before */
	ck_assert(!killing_has_survivor(&survivors));
	proc.start_ticks = 0; /* not said: better too careful */
	ck_assert(killing_has_survivor(&survivors));
	dead = fork_one();
	if (dead == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)dead, NULL, WEXITED | WNOWAIT), 0);
	proc.pid = (uint64_t)dead;
	ck_assert(!killing_has_survivor(&survivors));
	survivors.n = 0;
	ck_assert(!killing_has_survivor(&survivors));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("killing");
	TCase *tests = tcase_create("killing");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 40);
	tcase_add_test(tests, a_worker_dies_with_all_it_started);
	tcase_add_test(tests, another_process_by_the_workers_number_is_left_alone);
	tcase_add_test(tests, strays_die_and_living_workers_do_not);
	tcase_add_test(tests, without_the_keepers_leave_strays_are_not_hunted);
	tcase_add_test(tests, both_walks_are_told_of);
	tcase_add_test(tests, nothing_is_empty_at_once);
	tcase_add_test(tests, a_survivor_is_a_process_and_not_its_number);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_FORK); /* each test is the root of its own tree */
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
