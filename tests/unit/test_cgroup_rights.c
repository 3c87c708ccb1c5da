/* Who may have cgroups, and what v1 counts for all attempts together. */
#include "supervisor/cgroup.h"

#include "ipc/fd.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char tag[32];
static struct cgroups *cgroups;

/* Unchecked: they run in the test program itself, whatever became of the test. */
static void
open_all(void)
{
	snprintf(tag, sizeof tag, "rights%d", (int)getpid());
	ck_assert_int_eq(cgroups_open(tag, &cgroups), 0);
}

static void
close_all(void)
{
	cgroups_close(cgroups);
}

/* True when this process is in the v1 group of all attempts. */
static bool
is_counted(void)
{
	char *text, tail[80];
	size_t len;
	bool is;

	snprintf(tail, sizeof tail, "/reeve.%s\n", tag);
	ck_assert_int_eq(fd_read_file(AT_FDCWD, "/proc/self/cgroup", 64 * 1024, &text, &len), 0);
	is = strstr(text, tail) != NULL;
	free(text);
	return is;
}

/* The thread alone enters; what it starts is counted from the first moment. */
static void *
count_children(void *arg)
{
	pid_t child;
	int status;

	(void)arg;
	ck_assert_int_eq(cgroups_count_thread(cgroups), 0);
	child = fork();
	if (child == 0)
		_exit(is_counted());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(
	    WEXITSTATUS(status), access("/sys/fs/cgroup/pids/tasks", W_OK) == 0 ? 1 : 0);
	ck_assert(!is_counted());
	return NULL;
}

START_TEST(what_a_counted_thread_starts_is_limited_in_number)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, count_children, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(who_may_not_make_one_has_none)
{
	struct cgroups *mine;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0 || cgroups_open("mine", &mine) < 0)
			_exit(1);
		_exit(cgroups_exist(mine)                                   ? 2
		      : strstr(cgroups_describe(mine), "Permission denied") ? 0
									    : 3);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cgroup_rights");
	TCase *tests = tcase_create("rights");

	tcase_add_unchecked_fixture(tests, open_all, close_all);
	if (geteuid() == 0) {
		tcase_add_test(tests, what_a_counted_thread_starts_is_limited_in_number);
		tcase_add_test(tests, who_may_not_make_one_has_none);
	}
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
