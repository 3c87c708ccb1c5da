#include "ipc/proc.h"

#include "ipc/fd.h"
#include "tests/unit/scratch.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t
sleeping_child(const char *name)
{
	int ready[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL); /* Check has a handler */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (name)
			prctl(PR_SET_NAME, name);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	fd_close(&ready[0]);
	fd_close(&ready[1]);
	return pid;
}

static void
end(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(we_know_ourselves)
{
	struct proc_stat stat;

	ck_assert_int_eq(proc_stat(getpid(), &stat), 0);
	ck_assert_int_eq(stat.pid, getpid());
	ck_assert_int_eq(stat.ppid, getppid());
	ck_assert_int_eq(stat.pgid, getpgrp());
	ck_assert_int_eq(stat.sid, getsid(0));
	ck_assert_int_eq(stat.state, 'R');
	ck_assert_int_eq(stat.threads, 1);
	ck_assert_uint_eq(stat.start_ticks, proc_self_start());
	ck_assert_uint_gt(stat.start_ticks, 0);
}
END_TEST

START_TEST(a_name_may_hold_anything)
{
	static const char *const names[] = { ") R 1 2 3", "a (b) c)", "", " ", "\n) Z 0", "((((" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		pid_t pid = sleeping_child(names[i]);
		struct proc_stat stat;

		ck_assert_int_eq(proc_stat(pid, &stat), 0);
		ck_assert_str_eq(stat.comm, names[i]);
		ck_assert_int_eq(stat.ppid, getpid());
		ck_assert_int_eq(stat.sid, getsid(0));
		ck_assert_uint_ge(stat.start_ticks, proc_self_start());
		end(pid);
	}
}
END_TEST

START_TEST(a_zombie_is_read_and_is_not_alive)
{
	pid_t pid = sleeping_child(NULL);
	struct proc_stat stat;
	siginfo_t info;

	ck_assert_int_eq(proc_stat(pid, &stat), 0);
	ck_assert(proc_is_alive(&stat));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(proc_stat(pid, &stat), 0);
	ck_assert_int_eq(stat.state, 'Z');
	ck_assert(!proc_is_alive(&stat));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(proc_stat(pid, &stat), -ESRCH);
	ck_assert_int_eq(proc_stat(0, &stat), -ESRCH);
	ck_assert_int_eq(proc_stat(-1, &stat), -ESRCH);
}
END_TEST

static void *
stay(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* Its main thread ends, another goes on: ps shows a zombie that can still do harm. */
static _Noreturn void
end_the_main_thread(void)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(60); /* the death signal goes with the thread */
	pthread_create(&thread, NULL, stay, NULL);
	pthread_exit(NULL);
}

START_TEST(a_zombie_with_a_thread_left_is_alive)
{
	struct proc_stat stat = { 0 };
	pid_t pid = fork();

	if (pid == 0)
		end_the_main_thread();
	while (stat.state != 'Z')
		ck_assert_int_eq(proc_stat(pid, &stat), 0);
	ck_assert_int_eq(stat.threads, 2);
	ck_assert(proc_is_alive(&stat));
	end(pid);
}
END_TEST

START_TEST(a_pidfd_is_of_one_process_only)
{
	pid_t pid = sleeping_child(NULL);
	struct proc_stat stat;
	int fd, status;

	ck_assert_int_eq(proc_stat(pid, &stat), 0);
	ck_assert_int_eq(proc_pidfd_open_exact(pid, stat.start_ticks + 1), -ESRCH);
	fd = proc_pidfd_open_exact(pid, stat.start_ticks);
	ck_assert_int_ge(fd, 0);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(proc_pidfd_signal(fd, 0), 0);
	ck_assert_int_eq(proc_pidfd_signal(fd, SIGTERM), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	ck_assert_int_eq(proc_pidfd_signal(fd, SIGTERM), -ESRCH);
	fd_close(&fd);
	ck_assert_int_eq(proc_pidfd_open_exact(pid, stat.start_ticks), -ESRCH);
	ck_assert_int_eq(proc_pidfd_open(-5), -EINVAL);
}
END_TEST

static bool
has(const pid_t *pids, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

START_TEST(all_children_are_listed)
{
	enum {
		MANY = 40
	};
	pid_t children[MANY], *pids = NULL;
	size_t n = 9;

	ck_assert_int_eq(proc_children(getpid(), &pids, &n), 0);
	ck_assert_uint_eq(n, 0);
	free(pids);
	for (int i = 0; i < MANY; i++)
		children[i] = sleeping_child(NULL);
	ck_assert_int_eq(proc_children(getpid(), &pids, &n), 0);
	ck_assert_uint_eq(n, MANY);
	for (int i = 0; i < MANY; i++)
		ck_assert(has(pids, n, children[i]));
	free(pids);
	for (int i = 0; i < MANY; i++)
		end(children[i]);
	ck_assert_int_eq(proc_children(children[0], &pids, &n), -ESRCH);
}
END_TEST

static void *
fork_from_a_thread(void *arg)
{
	pid_t *pid = arg;

	*pid = fork();
	if (*pid == 0) {
		for (;;)
			pause();
	}
	pause(); /* the child is this thread's as long as it lives */
	return NULL;
}

START_TEST(an_only_child_is_known)
{
	pid_t first = fork(), second;

	if (first == 0)
		_exit(pause());
	ck_assert_int_eq(proc_has_only_child(first), 1);
	ck_assert_int_eq(proc_has_only_child(getpid()), 0);
	second = fork();
	if (second == 0)
		_exit(pause());
	ck_assert_int_eq(proc_has_only_child(first), 0);
	kill(first, SIGKILL);
	kill(second, SIGKILL);
	ck_assert_int_eq(waitpid(first, NULL, 0), first);
	ck_assert_int_eq(proc_has_only_child(second), 1);
	ck_assert_int_eq(waitpid(second, NULL, 0), second);
	ck_assert_int_eq(proc_has_only_child(second), 0);
}
END_TEST

START_TEST(children_of_every_thread_are_listed)
{
	pthread_t thread;
	pid_t child = 0, *pids = NULL;
	size_t n = 0;

	ck_assert_int_eq(pthread_create(&thread, NULL, fork_from_a_thread, &child), 0);
	do {
		free(pids);
		pids = NULL;
		ck_assert_int_eq(proc_children(getpid(), &pids, &n), 0);
	} while (n == 0);
	ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
	ck_assert_int_eq(waitpid(pids[0], NULL, 0), pids[0]);
	free(pids);
}
END_TEST

START_TEST(the_boot_id_may_be_another_files)
{
	char text[BOOT_ID_TEXT], again[BOOT_ID_TEXT];

	unsetenv("REEVE_BOOT_ID_FILE");
	ck_assert_int_eq(proc_boot_id(text), 0);
	ck_assert_uint_eq(strlen(text), 36);
	ck_assert_int_eq(fd_write_file(scratch_fd, "id", "other\n", 6, 0600, false), 0);
	ck_assert_int_eq(setenv("REEVE_BOOT_ID_FILE", scratch_file("id"), 1), 0);
	ck_assert_int_eq(proc_boot_id(again), 0);
	ck_assert_str_eq(again, "other");
	ck_assert_int_eq(fd_write_file(scratch_fd, "id", "\n", 1, 0600, false), 0);
	ck_assert_int_eq(proc_boot_id(again), -EBADMSG);
	ck_assert_int_eq(setenv("REEVE_BOOT_ID_FILE", scratch_file("none"), 1), 0);
	ck_assert_int_lt(proc_boot_id(again), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("proc");
	TCase *tests = tcase_create("proc");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, an_only_child_is_known);
	tcase_add_test(tests, we_know_ourselves);
	tcase_add_test(tests, a_name_may_hold_anything);
	tcase_add_test(tests, a_zombie_is_read_and_is_not_alive);
	tcase_add_test(tests, a_zombie_with_a_thread_left_is_alive);
	tcase_add_test(tests, a_pidfd_is_of_one_process_only);
	tcase_add_test(tests, all_children_are_listed);
	tcase_add_test(tests, children_of_every_thread_are_listed);
	tcase_add_test(tests, the_boot_id_may_be_another_files);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
