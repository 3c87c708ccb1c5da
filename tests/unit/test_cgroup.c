#include "supervisor/cgroup.h"

#include "ipc/fd.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BERTH = 7,
	CROWD = 20
};

static char tag[32];
static struct cgroups *cgroups;

/* ---- a hand for the tests -------------------------------------------------------------- */

static void
kill_left_over(uint64_t berth, void *arg)
{
	(void)arg;
	cgroup_kill(cgroups, berth, CGROUP_ALL);
}

static void
remove_left_over(uint64_t berth, void *arg)
{
	(void)arg;
	cgroup_remove(cgroups, berth);
}

/* Both unchecked, so that they run in the test program itself, whatever became of the test. */
static void
open_all(void)
{
	snprintf(tag, sizeof tag, "test%d", (int)getpid());
	ck_assert_int_eq(cgroups_open(tag, &cgroups), 0);
}

static void
close_all(void)
{
	cgroup_each(cgroups, kill_left_over, NULL);
	cgroup_each(cgroups, remove_left_over, NULL);
	cgroups_close(cgroups);
}

static struct cgroup_attempt
make_attempt(void)
{
	struct cgroup_attempt attempt;

	ck_assert_int_eq(cgroup_make(cgroups, BERTH, &attempt), 0);
	return attempt;
}

static void
enter(int dir_fd, const char *group)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "%s/cgroup.procs", group);
	fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(99);
	fd_close(&fd);
}

/* A child that is in GROUP when this returns, and waits there with CHILDREN of its own. */
static pid_t
put_child(int dir_fd, const char *group, int children)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter(dir_fd, group);
		for (int i = 0; i < children; i++)
			if (fork() == 0)
				break;
		if (write(ready[1], &byte, 1) != 1)
			_exit(99);
		for (;;)
			pause();
	}
	ck_assert_int_gt(pid, 0);
	fd_close(&ready[1]);
	for (int i = 0; i <= children; i++)
		ck_assert_int_eq(fd_read_all(ready[0], &byte, 1), 1);
	fd_close(&ready[0]);
	return pid;
}

static void
assert_killed(pid_t pid)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}

/* The kernel says when a group has become empty. */
static void
wait_until_empty(int dir_fd)
{
	int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	while (cgroup_is_empty(cgroups, BERTH) == 0) {
		struct pollfd changed = { .fd = fd, .events = POLLPRI };
		char text[256];

		ck_assert_int_ge(pread(fd, text, sizeof text, 0), 0);
		if (cgroup_is_empty(cgroups, BERTH) == 0)
			ck_assert_int_gt(poll(&changed, 1, 5000), 0);
	}
	fd_close(&fd);
	ck_assert_int_eq(cgroup_is_empty(cgroups, BERTH), 1);
}

/* Checked, before each test: nothing is left of the one before, however it ended. */
static void
start_afresh(void)
{
	struct cgroup_attempt attempt = make_attempt();

	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_ALL), 0);
	wait_until_empty(attempt.dir_fd);
	cgroup_attempt_close(&attempt);
	ck_assert_int_eq(cgroup_remove(cgroups, BERTH), 0);
}

/* ---- everywhere -------------------------------------------------------------------------- */

START_TEST(where_there_are_none_every_question_has_an_answer)
{
	struct cgroup_attempt attempt;
	struct cgroups *none;

	setenv("REEVE_CGROUPS", "off", 1);
	ck_assert_int_eq(cgroups_open("none", &none), 0);
	ck_assert(!cgroups_exist(none));
	ck_assert_int_eq(strncmp(cgroups_describe(none), "none: ", 6), 0);
	ck_assert_int_eq(cgroup_make(none, BERTH, &attempt), -ENOTSUP);
	ck_assert_int_eq(attempt.dir_fd, -1);
	ck_assert_int_eq(attempt.worker_fd, -1);
	ck_assert_int_eq(cgroup_is_empty(none, BERTH), 1);
	ck_assert_int_eq(cgroup_kill(none, BERTH, CGROUP_ALL), -ENOENT);
	ck_assert_int_eq(cgroup_remove(none, BERTH), 0);
	ck_assert_int_eq(cgroup_each(none, kill_left_over, NULL), 0);
	cgroups_close(none);
}
END_TEST

/* ---- where the machine has them ------------------------------------------------------------ */

START_TEST(a_berth_has_a_group_for_its_worker_and_one_for_its_steps)
{
	struct cgroup_attempt attempt = make_attempt();

	ck_assert_int_eq(faccessat(attempt.dir_fd, "w/cgroup.procs", W_OK, 0), 0);
	ck_assert_int_eq(faccessat(attempt.dir_fd, "s/cgroup.procs", W_OK, 0), 0);
	ck_assert_int_eq(faccessat(attempt.worker_fd, "cgroup.procs", W_OK, 0), 0);
	ck_assert(fcntl(attempt.dir_fd, F_GETFD) & FD_CLOEXEC);
	ck_assert(fcntl(attempt.worker_fd, F_GETFD) & FD_CLOEXEC);
	cgroup_attempt_close(&attempt);
	ck_assert_int_eq(attempt.dir_fd, -1);
	ck_assert_int_eq(cgroup_remove(cgroups, BERTH), 0);
	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_ALL), -ENOENT);
}
END_TEST

START_TEST(the_next_attempt_finds_the_groups_of_the_one_before)
{
	struct cgroup_attempt first = make_attempt(), second = make_attempt();
	struct stat a, b;

	ck_assert_int_eq(fstat(first.dir_fd, &a), 0);
	ck_assert_int_eq(fstat(second.dir_fd, &b), 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	cgroup_attempt_close(&first);
	cgroup_attempt_close(&second);
}
END_TEST

START_TEST(groups_that_a_step_left_are_gone_for_the_next_attempt)
{
	struct cgroup_attempt first = make_attempt(), second;

	ck_assert_int_eq(mkdirat(first.dir_fd, "s/a", 0755), 0);
	ck_assert_int_eq(mkdirat(first.dir_fd, "s/a/b", 0755), 0);
	second = make_attempt();
	ck_assert_int_eq(faccessat(second.dir_fd, "s/cgroup.procs", W_OK, 0), 0);
	ck_assert_int_eq(faccessat(second.dir_fd, "s/a", F_OK, 0), -1);
	cgroup_attempt_close(&first);
	cgroup_attempt_close(&second);
}
END_TEST

START_TEST(killing_the_steps_leaves_the_worker)
{
	struct cgroup_attempt attempt = make_attempt();
	pid_t worker = put_child(attempt.dir_fd, "w", 0);
	pid_t step = put_child(attempt.dir_fd, "s", 0);

	ck_assert_int_eq(cgroup_is_empty(cgroups, BERTH), 0);
	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_STEPS), 0);
	assert_killed(step);
	ck_assert_int_eq(waitpid(worker, NULL, WNOHANG), 0);
	ck_assert_int_eq(cgroup_is_empty(cgroups, BERTH), 0);
	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_ALL), 0);
	assert_killed(worker);
	wait_until_empty(attempt.dir_fd);
	cgroup_attempt_close(&attempt);
	ck_assert_int_eq(cgroup_remove(cgroups, BERTH), 0);
}
END_TEST

START_TEST(groups_that_a_step_made_are_killed_and_removed_too)
{
	struct cgroup_attempt attempt = make_attempt();
	pid_t step;

	ck_assert_int_eq(mkdirat(attempt.dir_fd, "s/a", 0755), 0);
	ck_assert_int_eq(mkdirat(attempt.dir_fd, "s/a/b", 0755), 0);
	ck_assert_int_eq(mkdirat(attempt.dir_fd, "s/c", 0755), 0);
	step = put_child(attempt.dir_fd, "s/a/b", 0);
	ck_assert_int_eq(cgroup_is_empty(cgroups, BERTH), 0);
	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_STEPS), 0);
	assert_killed(step);
	wait_until_empty(attempt.dir_fd);
	ck_assert_int_eq(cgroup_remove(cgroups, BERTH), 0);
	ck_assert_int_eq(faccessat(attempt.dir_fd, "s", F_OK, 0), -1);
	cgroup_attempt_close(&attempt);
}
END_TEST

START_TEST(a_group_with_a_process_in_it_is_not_removed)
{
	struct cgroup_attempt attempt = make_attempt();
	pid_t step = put_child(attempt.dir_fd, "s", 0);

	ck_assert_int_eq(cgroup_remove(cgroups, BERTH), -EBUSY);
	ck_assert_int_eq(faccessat(attempt.dir_fd, "s", F_OK, 0), 0);
	ck_assert_int_eq(waitpid(step, NULL, WNOHANG), 0);
	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_ALL), 0);
	assert_killed(step);
	cgroup_attempt_close(&attempt);
}
END_TEST

START_TEST(a_frozen_step_is_killed)
{
	struct cgroup_attempt attempt = make_attempt();
	pid_t step = put_child(attempt.dir_fd, "s", 0);
	int fd = openat(attempt.dir_fd, "s/cgroup.freeze", O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(fd_write_all(fd, "1", 1), 0);
	fd_close(&fd);
	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_STEPS), 0);
	assert_killed(step);
	/* and who comes next is not frozen: this returns */
	put_child(attempt.dir_fd, "s", 0);
	cgroup_attempt_close(&attempt);
}
END_TEST

#ifdef REEVE_FAILPOINTS
START_TEST(before_linux_5_14_they_are_frozen_and_killed_one_by_one)
{
	struct cgroup_attempt attempt = make_attempt();
	pid_t step, deep, worker;
	char frozen[4] = "";
	int fd;

	setenv("REEVE_FAILPOINTS", "cgroup.kill=errno:ENOENT", 1);
	ck_assert_int_eq(mkdirat(attempt.dir_fd, "s/deep", 0755), 0);
	step = put_child(attempt.dir_fd, "s", CROWD);
	deep = put_child(attempt.dir_fd, "s/deep", CROWD);
	worker = put_child(attempt.dir_fd, "w", 0);
	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_STEPS), 0);
	assert_killed(step);
	assert_killed(deep);
	ck_assert_int_eq(waitpid(worker, NULL, WNOHANG), 0);
	fd = openat(attempt.dir_fd, "s/cgroup.freeze", O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(fd_read_all(fd, frozen, sizeof frozen - 1), 0);
	fd_close(&fd);
	ck_assert_str_eq(frozen, "0\n");
	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_ALL), 0);
	assert_killed(worker);
	wait_until_empty(attempt.dir_fd);
	cgroup_attempt_close(&attempt);
}
END_TEST
#endif

static void
count(uint64_t berth, void *arg)
{
	int *seen = arg;

	ck_assert_uint_eq(berth, BERTH);
	++*seen;
}

START_TEST(the_next_supervisor_finds_the_groups_by_their_names)
{
	struct cgroup_attempt attempt = make_attempt();
	pid_t worker = put_child(attempt.dir_fd, "w", 0);
	struct cgroups *next;
	int seen = 0;

	ck_assert_int_eq(cgroups_open(tag, &next), 0);
	ck_assert_int_eq(cgroup_each(next, count, &seen), 0);
	ck_assert_int_eq(seen, 1);
	ck_assert_int_eq(cgroup_is_empty(next, BERTH), 0);
	cgroups_close(next); /* leaves what is in use, all of it */
	ck_assert_int_eq(faccessat(attempt.dir_fd, "s", F_OK, 0), 0);
	ck_assert_int_eq(cgroup_kill(cgroups, BERTH, CGROUP_ALL), 0);
	assert_killed(worker);
	wait_until_empty(attempt.dir_fd);
	cgroup_attempt_close(&attempt);
}
END_TEST

START_TEST(the_steps_are_limited_in_number_where_they_can_be)
{
	struct cgroup_attempt attempt = make_attempt();
	char max[16] = "";
	int fd = openat(attempt.dir_fd, "s/pids.max", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) { /* else v1 has the controller, or nobody */
		ck_assert_int_gt(fd_read_all(fd, max, sizeof max - 1), 0);
		ck_assert_int_eq(strtol(max, NULL, 10), CGROUP_PIDS_MAX);
	}
	fd_close(&fd);
	cgroup_attempt_close(&attempt);
}
END_TEST

START_TEST(a_service_that_moved_into_a_leaf_keeps_its_place)
{
	struct cgroup_attempt attempt = make_attempt();
	struct cgroups *next;
	int home, leaf;
	pid_t pid;
	int status;

	/* a home of the test's own: the step group, with the leaf in it */
	home = openat(attempt.dir_fd, "s", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(home, "reeve-service", 0755), 0);
	leaf = openat(home, "reeve-service", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(leaf, 0);
	pid = fork();
	if (pid == 0) {
		enter(home, "reeve-service");
		if (cgroups_open("inner", &next) < 0 || !cgroups_exist(next))
			_exit(1);
		_exit(faccessat(home, "reeve.inner", F_OK, 0) < 0    ? 2
		      : faccessat(leaf, "reeve.inner", F_OK, 0) == 0 ? 3
								     : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	fd_close(&home);
	fd_close(&leaf);
	cgroup_attempt_close(&attempt);
}
END_TEST

START_TEST(a_failed_make_leaves_no_fd)
{
	struct cgroup_attempt attempt;

	ck_assert_int_eq(setgid(65534), 0);
	ck_assert_int_eq(setuid(65534), 0);
	ck_assert_int_eq(cgroup_make(cgroups, BERTH, &attempt), -EACCES);
	ck_assert_int_eq(attempt.dir_fd, -1);
	ck_assert_int_eq(attempt.worker_fd, -1);
}
END_TEST

static void
add_real(TCase *real)
{
	tcase_add_unchecked_fixture(real, open_all, close_all);
	tcase_add_checked_fixture(real, start_afresh, NULL);
	tcase_add_test(real, a_berth_has_a_group_for_its_worker_and_one_for_its_steps);
	tcase_add_test(real, the_next_attempt_finds_the_groups_of_the_one_before);
	tcase_add_test(real, groups_that_a_step_left_are_gone_for_the_next_attempt);
	tcase_add_test(real, killing_the_steps_leaves_the_worker);
	tcase_add_test(real, groups_that_a_step_made_are_killed_and_removed_too);
	tcase_add_test(real, a_group_with_a_process_in_it_is_not_removed);
	tcase_add_test(real, a_frozen_step_is_killed);
#ifdef REEVE_FAILPOINTS
	tcase_add_test(real, before_linux_5_14_they_are_frozen_and_killed_one_by_one);
#endif
	tcase_add_test(real, the_next_supervisor_finds_the_groups_by_their_names);
	tcase_add_test(real, the_steps_are_limited_in_number_where_they_can_be);
	tcase_add_test(real, a_service_that_moved_into_a_leaf_keeps_its_place);
	if (geteuid() == 0)
		tcase_add_test(real, a_failed_make_leaves_no_fd);
}

int
main(void)
{
	Suite *suite = suite_create("cgroup");
	TCase *none = tcase_create("none"), *real = tcase_create("real");
	struct cgroups *probe;

	tcase_add_test(none, where_there_are_none_every_question_has_an_answer);
	suite_add_tcase(suite, none);
	/* What this machine does not grant cannot be tested on it; it says so. */
	if (cgroups_open("probe", &probe) == 0) {
		if (cgroups_exist(probe))
			add_real(real);
		else
			printf("cgroups: %s\n", cgroups_describe(probe));
		cgroups_close(probe);
	}
	suite_add_tcase(suite, real);
	return run_suite(suite);
}
