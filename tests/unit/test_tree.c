#include "ipc/tree.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/proc.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	LIFE_S = 60, /* whom a failed test leaves behind ends by himself */
	CROWD = 100,
	NOBODY = 65534
};

static int there[2]; /* each process writes its pid once it is where it wants to be */

static void
set_up(void)
{
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(there, O_CLOEXEC), 0);
}

static void
reap(void *arg)
{
	(void)arg;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void
kill_leftovers(void)
{
	const struct tree_kill spec = {
		.root = getpid(), .on_round = reap, .deadline_ms = clock_boot_ms() + 5000
	};
	struct tree_result result;

	(void)tree_kill(&spec, &result);
	tree_result_free(&result);
	reap(NULL);
	fd_close(&there[0]);
	fd_close(&there[1]);
}

/* ---- those who are hunted ------------------------------------------------------------------ */

static _Noreturn void
stay(void)
{
	pid_t pid = getpid();

	(void)!write(there[1], &pid, sizeof pid);
	for (;;)
		pause();
}

/* Forks; the child goes on as its own kind demands. */
static pid_t
fork_one(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		alarm(LIFE_S);
	return pid;
}

static pid_t
arrived(void)
{
	pid_t pid = 0;

	ck_assert_int_eq(fd_read_all(there[0], &pid, sizeof pid), sizeof pid);
	return pid;
}

static void
plain_child(void)
{
	if (fork_one() == 0)
		stay();
}

static void
child_with_child(void)
{
	if (fork_one() > 0)
		return;
	plain_child();
	stay();
}

static void
deaf_child(void)
{
	sigset_t all;

	if (fork_one() > 0)
		return;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	stay();
}

static void
child_in_its_session(void)
{
	if (fork_one() > 0)
		return;
	setsid();
	stay();
}

static void
child_in_its_group(void)
{
	if (fork_one() > 0)
		return;
	setpgid(0, 0);
	stay();
}

static void
daemon_child(void)
{
	if (fork_one() > 0)
		return;
	setsid();
	if (fork_one() > 0)
		_exit(0);
	stay();
}

static void
stopped_child(void)
{
	siginfo_t info;
	pid_t pid = fork_one();

	if (pid == 0) {
		raise(SIGSTOP);
		stay();
	}
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
}

/* Is somebody else every fifth of a millisecond, in a session of his own. */
static void
restless_child(void)
{
	const struct timespec moment = { .tv_nsec = 200 * 1000 };
	uint64_t end_ms = clock_boot_ms() + LIFE_S * 1000;

	if (fork_one() > 0)
		return;
	while (clock_boot_ms() < end_ms) {
		setsid();
		nanosleep(&moment, NULL);
		if (fork() != 0)
			_exit(0);
	}
	_exit(0);
}

/* ---- the hunt ----------------------------------------------------------------------------------
 */

static struct tree_result result;

static int
hunt(tree_spare_fn spare, void *arg)
{
	const struct tree_kill spec = { .root = getpid(),
		.spare = spare,
		.on_round = reap,
		.arg = arg,
		.deadline_ms = clock_boot_ms() + 20000 };

	return tree_kill(&spec, &result);
}

static void
expect_nobody_left(void)
{
	reap(NULL);
	ck_assert_int_eq(tree_count(getpid(), NULL, NULL), 0);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
	ck_assert_int_eq(errno, ECHILD);
	ck_assert_uint_eq(result.survived, 0);
}

START_TEST(a_tree_dies_and_its_root_does_not)
{
	child_with_child();
	child_with_child();
	for (int i = 0; i < 4; i++)
		(void)arrived();
	ck_assert_int_eq(tree_count(getpid(), NULL, NULL), 4);
	ck_assert_int_eq(hunt(NULL, NULL), 0);
	ck_assert_uint_eq(result.killed, 4);
	ck_assert_uint_eq(result.nvictims, 4);
	for (size_t i = 0; i < result.nvictims; i++) {
		ck_assert_int_gt(result.victims[i].pid, 0);
		ck_assert_uint_gt(result.victims[i].start_ticks, 0);
		ck_assert_str_ne(result.victims[i].name, "");
		ck_assert(!result.victims[i].survived);
	}
	expect_nobody_left();
	tree_result_free(&result);
	ck_assert_ptr_null(result.victims);
}
END_TEST

static const struct tree_victim *
victim(pid_t pid)
{
	for (size_t i = 0; i < result.nvictims; i++)
		if (result.victims[i].pid == pid)
			return &result.victims[i];
	ck_abort_msg("%d is no victim", (int)pid);
	return NULL;
}

START_TEST(how_somebody_escaped_is_told)
{
	pid_t plain, group, session, daemon;

	plain_child();
	plain = arrived();
	child_in_its_group();
	group = arrived();
	child_in_its_session();
	session = arrived();
	daemon_child();
	daemon = arrived();
	ck_assert_int_eq(hunt(NULL, NULL), 0);
	ck_assert(!victim(plain)->own_session && !victim(plain)->own_group);
	ck_assert(!victim(group)->own_session && victim(group)->own_group);
	ck_assert(victim(session)->own_session);
	ck_assert(victim(daemon)->own_session);
	ck_assert(!victim(daemon)->survived);
	expect_nobody_left();
	tree_result_free(&result);
}
END_TEST

START_TEST(the_deaf_and_the_stopped_die)
{
	deaf_child();
	(void)arrived();
	stopped_child();
	ck_assert_int_eq(hunt(NULL, NULL), 0);
	ck_assert_uint_eq(result.killed, 2);
	expect_nobody_left();
	tree_result_free(&result);
}
END_TEST

START_TEST(whoever_keeps_forking_dies)
{
	for (int i = 0; i < 3; i++)
		restless_child();
	ck_assert_int_eq(hunt(NULL, NULL), 0);
	expect_nobody_left();
	tree_result_free(&result);
}
END_TEST

START_TEST(a_crowd_dies_and_a_part_of_it_is_described)
{
	for (int i = 0; i < CROWD; i++)
		plain_child();
	for (int i = 0; i < CROWD; i++)
		(void)arrived();
	ck_assert_int_eq(hunt(NULL, NULL), 0);
	ck_assert_uint_eq(result.killed, CROWD);
	ck_assert_uint_eq(result.nvictims, 64);
	expect_nobody_left();
	tree_result_free(&result);
}
END_TEST

static bool
is_spared(pid_t pid, uint64_t start_ticks, void *arg)
{
	const struct proc_stat *spared = arg;

	return spared->pid == pid && spared->start_ticks == start_ticks;
}

static void
reap_nobody(void *arg)
{
	(void)arg;
}

START_TEST(the_spared_live_with_all_below_them)
{
	struct tree_kill spec = { .root = getpid(), .spare = is_spared, .on_round = reap_nobody };
	struct proc_stat spared, child;
	pid_t one, other;

	child_with_child();
	one = arrived();
	other = arrived();
	ck_assert_int_eq(proc_stat(one, &spared), 0);
	ck_assert_int_eq(proc_stat(other, &child), 0);
	if (spared.ppid == other)
		spared = child;
	plain_child();
	(void)arrived();
	ck_assert_int_eq(tree_count(getpid(), is_spared, &spared), 1);
	spec.arg = &spared;
	spec.deadline_ms = clock_boot_ms() + 20000;
	ck_assert_int_eq(tree_kill(&spec, &result), 0);
	ck_assert_uint_eq(result.killed, 1);
	tree_result_free(&result);
	ck_assert_int_eq(tree_count(getpid(), NULL, NULL), 2);
	/* Another process by the same number is not spared. */
	spared.start_ticks++;
	ck_assert_int_eq(tree_count(getpid(), is_spared, &spared), 2);
}
END_TEST

START_TEST(the_dead_are_nobodys_victims)
{
	siginfo_t info;
	pid_t pid = fork_one();

	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(tree_count(getpid(), NULL, NULL), 0);
	ck_assert_int_eq(hunt(NULL, NULL), 0);
	ck_assert_uint_eq(result.killed, 0);
	ck_assert_ptr_null(result.victims);
}
END_TEST

START_TEST(a_root_that_is_gone_has_no_descendants)
{
	struct tree_kill spec = { .deadline_ms = clock_boot_ms() + 20000 };
	pid_t pid = fork_one();

	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	spec.root = pid;
	ck_assert_int_eq(tree_kill(&spec, &result), 0);
	ck_assert_uint_eq(result.killed, 0);
}
END_TEST

START_TEST(at_the_deadline_everybody_is_killed_all_the_same)
{
	const struct tree_kill spec = { .root = getpid(), .deadline_ms = 0 };
	int r;

	child_with_child();
	(void)arrived();
	(void)arrived();
	r = tree_kill(&spec, &result);
	ck_assert(r == 0 || r == -EBUSY);
	ck_assert_uint_eq(result.killed + result.survived, 2);
	tree_result_free(&result);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
	expect_nobody_left();
}
END_TEST

/* The root gives up being root before it hunts a child that did not. */
static int
hunt_without_the_right(void)
{
	struct tree_kill spec = { .root = getpid(), .on_round = reap };
	int r;

	plain_child();
	child_in_its_session();
	(void)arrived();
	(void)arrived();
	if (setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 1;
	spec.deadline_ms = clock_boot_ms() + 100;
	r = tree_kill(&spec, &result);
	if (r != -EBUSY || result.survived != 2 || result.killed != 0 || result.nvictims != 2)
		return 2;
	return result.victims[0].survived && result.victims[1].survived ? 0 : 3;
}

START_TEST(who_may_not_be_killed_is_named_as_a_survivor)
{
	int status;
	pid_t pid = fork_one();

	if (pid == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		_exit(hunt_without_the_right());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree");
	TCase *tests = tcase_create("tree");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, kill_leftovers);
	tcase_set_timeout(tests, 40);
	tcase_add_test(tests, a_tree_dies_and_its_root_does_not);
	tcase_add_test(tests, how_somebody_escaped_is_told);
	tcase_add_test(tests, the_deaf_and_the_stopped_die);
	tcase_add_test(tests, whoever_keeps_forking_dies);
	tcase_add_test(tests, a_crowd_dies_and_a_part_of_it_is_described);
	tcase_add_test(tests, the_spared_live_with_all_below_them);
	tcase_add_test(tests, the_dead_are_nobodys_victims);
	tcase_add_test(tests, a_root_that_is_gone_has_no_descendants);
	tcase_add_test(tests, at_the_deadline_everybody_is_killed_all_the_same);
	if (geteuid() == 0) /* the right to be refused is root's to give up */
		tcase_add_test(tests, who_may_not_be_killed_is_named_as_a_survivor);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_FORK); /* each test is the root of its own tree */
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
