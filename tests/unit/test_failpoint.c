#include "ipc/failpoint.h"

#include "tests/unit/scratch.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
set_up(void)
{
	scratch_make();
	setenv("REEVE_FAILPOINT_DIR", scratch_path, 1);
	setenv("REEVE_SEED", "1", 1);
	unsetenv("REEVE_FAILPOINTS");
}

static void
put(const char *name, const char *action)
{
	ck_assert_int_eq(fd_write_file(scratch_fd, name, action, strlen(action), 0600, false), 0);
}

START_TEST(what_is_not_armed_does_nothing)
{
	ck_assert_int_eq(FAILPOINT("a.before"), 0);
}
END_TEST

#ifdef REEVE_FAILPOINTS

START_TEST(a_list_arms_several)
{
	setenv("REEVE_FAILPOINTS", "a=errno:ENOSPC,b=errno:EIO*2,c,=,d=errno:ENONSENSE,e=x", 1);
	ck_assert_int_eq(FAILPOINT("a"), -ENOSPC);
	ck_assert_int_eq(FAILPOINT("a"), -ENOSPC);
	ck_assert_int_eq(FAILPOINT("b"), -EIO);
	ck_assert_int_eq(FAILPOINT("b"), -EIO);
	ck_assert_int_eq(FAILPOINT("b"), 0);
	ck_assert_int_eq(FAILPOINT("c"), 0);
	ck_assert_int_eq(FAILPOINT("d"), -EIO);
	ck_assert_int_eq(FAILPOINT("e"), 0);
	ck_assert_int_eq(FAILPOINT("ab"), 0);
}
END_TEST

START_TEST(a_file_arms_as_long_as_it_is_there)
{
	ck_assert_int_eq(FAILPOINT("a"), 0);
	put("a", "errno:EMFILE\n");
	ck_assert_int_eq(FAILPOINT("a"), -EMFILE);
	ck_assert_int_eq(FAILPOINT("a"), -EMFILE);
	ck_assert_int_eq(unlinkat(scratch_fd, "a", 0), 0);
	ck_assert_int_eq(FAILPOINT("a"), 0);
	put("a", "");
	ck_assert_int_eq(FAILPOINT("a"), 0);
}
END_TEST

START_TEST(once_is_once)
{
	put("a", "errno:EPERM*1");
	ck_assert_int_eq(FAILPOINT("a"), -EPERM);
	ck_assert_int_eq(FAILPOINT("a"), 0);
	ck_assert_int_eq(faccessat(scratch_fd, "a", F_OK, 0), -1);
}
END_TEST

START_TEST(a_process_can_be_killed_there)
{
	pid_t pid;
	int status;

	put("a", "kill");
	pid = fork();
	if (pid == 0) {
		FAILPOINT("a");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

START_TEST(chance_is_what_it_says)
{
	int hit = 0;

	setenv("REEVE_FAILPOINTS", "never=errno:EIO%0,always=errno:EIO%100,half=errno:EIO%50", 1);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(FAILPOINT("never"), 0);
		ck_assert_int_eq(FAILPOINT("always"), -EIO);
		hit += FAILPOINT("half") == -EIO;
	}
	ck_assert_int_gt(hit, 350);
	ck_assert_int_lt(hit, 650);
}
END_TEST

#endif

int
main(void)
{
	Suite *suite = suite_create("failpoint");
	TCase *tests = tcase_create("failpoint");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, scratch_remove);
	tcase_add_test(tests, what_is_not_armed_does_nothing);
#ifdef REEVE_FAILPOINTS
	tcase_add_test(tests, a_list_arms_several);
	tcase_add_test(tests, a_file_arms_as_long_as_it_is_there);
	tcase_add_test(tests, once_is_once);
	tcase_add_test(tests, a_process_can_be_killed_there);
	tcase_add_test(tests, chance_is_what_it_says);
#endif
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_FORK); /* the environment is read once per process */
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
