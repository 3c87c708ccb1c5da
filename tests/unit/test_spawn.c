#include "ipc/spawn.h"

#include "tests/unit/probe.h"
#include "tests/unit/scratch.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	NOBODY = 65534
};

static const char *const methods[] = { "clone3", "clone", "fork" };
static int self_fd; /* this program, which spawned plays the probe */

/* ---- spawning it --------------------------------------------------------------------------- */

static char *const probe_argv[] = { (char[]){ "reeve-probe" }, (char[]){ "one" }, NULL };
static char *const probe_envp[] = { (char[]){ "A=b" }, NULL };

static struct spawn_spec
plain_spec(void)
{
	return (struct spawn_spec){
		.exec_fd = self_fd,
		.argv = probe_argv,
		.envp = probe_envp,
		.cgroup_fd = -1,
		.umask = -1,
		.oom_score_adj = INT_MIN,
	};
}

/* Takes the I-th method, before anything asks for one. */
static void
choose(int i)
{
	ck_assert_int_eq(setenv("REEVE_SPAWN", methods[i], 1), 0);
	ck_assert_str_eq(spawn_method_name(spawn_method()), methods[i]);
}

static void
expect_end(struct spawned *spawned, int status)
{
	siginfo_t info = { 0 };

	ck_assert_int_eq(waitid(P_PIDFD, (id_t)spawned->pidfd, &info, WEXITED | __WALL), 0);
	ck_assert_int_eq(info.si_pid, spawned->pid);
	ck_assert_int_eq(info.si_code, CLD_EXITED);
	ck_assert_int_eq(info.si_status, status);
	fd_close(&spawned->pidfd);
}

/* Runs the probe with SPEC and returns what it said. */
static const char *
run(struct spawn_spec *spec)
{
	static char text[4096];
	int out[2];
	struct spawn_fd fds[16];
	struct spawned spawned;
	ssize_t n;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	fds[0] = (struct spawn_fd){ .from = out[1], .to = 1 };
	for (size_t i = 0; i < spec->nfds; i++)
		fds[i + 1] = spec->fds[i];
	spec->fds = fds;
	spec->nfds++;
	ck_assert_int_eq(spawn(spec, &spawned), 0);
	ck_assert_int_eq(spawned.stage, SPAWN_STAGE_NONE);
	fd_close(&out[1]);
	n = fd_read_all(out[0], text, sizeof text - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	fd_close(&out[0]);
	expect_end(&spawned, PROBE_STATUS);
	return text;
}

static void
expect_said(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what) != NULL, "no \"%s\" in:\n%s", what, text);
}

static void
expect_failure(const struct spawn_spec *spec, enum spawn_stage stage, int error)
{
	struct spawned spawned;
	int r = spawn(spec, &spawned);

	ck_assert_msg(r == -error && spawned.stage == stage, "%s at %s instead of %s at %s",
	    strerror(-r), spawn_stage_name(spawned.stage), strerror(error),
	    spawn_stage_name(stage));
	ck_assert_int_eq(spawned.pidfd, -1);
	ck_assert_int_eq(waitpid(-1, NULL, __WALL), -1);
	ck_assert_int_eq(errno, ECHILD);
}

/* ---- what a program gets --------------------------------------------------------------------- */

START_TEST(a_program_gets_its_arguments_and_nothing_else)
{
	struct spawn_spec spec = plain_spec();
	const char *text;

	choose(_i);
	ck_assert_int_ge(open("/dev/null", O_RDONLY), 0); /* would be inherited */
	text = run(&spec);
	expect_said(text, "arg one env A=b\n");
	expect_said(text, "fds 1.\n");
	expect_said(text, "session 0\ngroup 0\n");
	expect_said(text, "death 0\n");
}
END_TEST

START_TEST(fds_may_change_places)
{
	struct spawn_spec spec = plain_spec();
	int files[3];
	struct spawn_fd fds[4];

	choose(_i);
	for (int i = 0; i < 3; i++)
		files[i] = fcntl(scratch_fd, F_DUPFD_CLOEXEC, 20 + i);
	/* Each one's number is where another one goes; the last one's is the program's own. */
	fds[0] = (struct spawn_fd){ .from = files[0], .to = files[1] };
	fds[1] = (struct spawn_fd){ .from = files[1], .to = files[2] };
	fds[2] = (struct spawn_fd){ .from = files[2], .to = files[0] };
	fds[3] = (struct spawn_fd){ .from = files[0], .to = self_fd };
	spec.fds = fds;
	spec.nfds = 4;
	expect_said(run(&spec), "fds 1 5 20 21 22.\n");
	for (int i = 0; i < 3; i++) {
		ck_assert(fcntl(files[i], F_GETFD) & FD_CLOEXEC);
		fd_close(&files[i]);
	}
	ck_assert(fcntl(self_fd, F_GETFD) & FD_CLOEXEC);
}
END_TEST

START_TEST(an_fd_may_keep_its_number)
{
	struct spawn_spec spec = plain_spec();
	const struct spawn_fd same = { .from = scratch_fd, .to = scratch_fd };
	char want[32];

	choose(_i);
	spec.fds = &same;
	spec.nfds = 1;
	snprintf(want, sizeof want, "fds 1 %d.\n", scratch_fd);
	expect_said(run(&spec), want);
}
END_TEST

START_TEST(signals_are_as_at_birth_and_the_callers_stay)
{
	struct spawn_spec spec = plain_spec();
	sigset_t mask, now;
	const char *text;

	choose(_i);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	text = run(&spec);
	ck_assert_ptr_null(strstr(text, "blocked"));
	ck_assert_ptr_null(strstr(text, "ignored"));
	sigprocmask(SIG_SETMASK, NULL, &now);
	ck_assert_int_eq(sigismember(&now, SIGUSR1), 1);
	ck_assert_int_eq(sigismember(&now, SIGTERM), 0);
}
END_TEST

START_TEST(a_program_gets_its_session_group_umask_and_score)
{
	struct spawn_spec spec = plain_spec();
	const char *text;

	choose(_i);
	spec.new_session = true;
	spec.umask = 027;
	spec.oom_score_adj = 305;
	spec.death_signal = SIGTERM;
	text = run(&spec);
	expect_said(text, "umask 27\nsession 1\ngroup 1\n");
	expect_said(text, "oom 305\n");
	expect_said(text, "death 15\n");
	spec = plain_spec();
	spec.new_group = true;
	expect_said(run(&spec), "session 0\ngroup 1\n");
}
END_TEST

START_TEST(a_program_starts_in_the_directory_it_was_promised)
{
	struct spawn_spec spec = plain_spec();
	struct stat st;
	char want[100];

	choose(_i);
	ck_assert_int_eq(fstat(scratch_fd, &st), 0);
	spec.cwd = scratch_path;
	spec.cwd_dev = st.st_dev;
	spec.cwd_ino = st.st_ino;
	snprintf(want, sizeof want, "cwd %s\n", scratch_path);
	expect_said(run(&spec), want);
	spec.nfds = 0;
	spec.cwd_ino++;
	expect_failure(&spec, SPAWN_STAGE_CWD, ESTALE);
	spec.cwd = scratch_file("gone");
	expect_failure(&spec, SPAWN_STAGE_CWD, ENOENT);
}
END_TEST

START_TEST(a_program_becomes_its_user_and_we_do_not)
{
	struct spawn_spec spec = plain_spec();
	const gid_t groups[] = { 12, 13 };
	const struct spawn_cred cred = { NOBODY, NOBODY - 1, groups, 2 };
	uid_t uid = getuid();

	choose(_i);
	spec.cred = &cred;
	spec.death_signal = SIGKILL;
	if (geteuid() != 0) {
		expect_failure(&spec, SPAWN_STAGE_CREDENTIALS, EPERM);
	} else {
		const char *text = run(&spec);

		expect_said(text, "uid 65534 65534 gid 65533 65533 groups 12 13.\n");
		expect_said(text, "death 9\n");
	}
	ck_assert_uint_eq(getuid(), uid);
}
END_TEST

/* A plain file stands for the cgroup's: what a kernel without CLONE_INTO_CGROUP is told. */
START_TEST(a_program_enters_its_cgroup)
{
	struct spawn_spec spec = plain_spec();
	int procs = openat(scratch_fd, "cgroup.procs", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char byte[2];

	choose(_i);
	spec.cgroup_fd = scratch_fd;
	run(&spec);
	ck_assert_int_eq(pread(procs, byte, 2, 0), 1);
	ck_assert_int_eq(byte[0], '0');
	fd_close(&procs);
	ck_assert_int_eq(unlinkat(scratch_fd, "cgroup.procs", 0), 0);
	spec = plain_spec();
	spec.cgroup_fd = scratch_fd;
	expect_failure(&spec, SPAWN_STAGE_CGROUP, ENOENT);
}
END_TEST

/* ---- failures ----------------------------------------------------------------------------------
 */

START_TEST(an_exec_error_comes_back)
{
	struct spawn_spec spec = plain_spec();
	const char *paths[4] = { "/nonexistent/a", NULL };

	choose(_i);
	spec.exec_fd = -1;
	expect_failure(&spec, SPAWN_STAGE_EXEC, ENOENT);
	spec.paths = paths;
	expect_failure(&spec, SPAWN_STAGE_EXEC, ENOENT);
	ck_assert_int_eq(fd_write_file(scratch_fd, "plain", "x", 1, 0644, false), 0);
	ck_assert_int_eq(fd_write_file(scratch_fd, "nonsense", "x", 1, 0755, false), 0);
	paths[1] = scratch_file("plain");
	paths[2] = "/dev/null/b";
	expect_failure(&spec, SPAWN_STAGE_EXEC, EACCES);
	paths[1] = scratch_file("nonsense");
	expect_failure(&spec, SPAWN_STAGE_EXEC, ENOEXEC);
	spec.exec_fd = openat(scratch_fd, "plain", O_PATH | O_CLOEXEC);
	expect_failure(&spec, SPAWN_STAGE_EXEC, EACCES);
	fd_close(&spec.exec_fd);
}
END_TEST

START_TEST(the_first_candidate_that_is_there_is_run)
{
	struct spawn_spec spec = plain_spec();
	const char *const paths[] = { "/nonexistent/true", "/dev/null/true", "/bin/true",
		"/bin/false", NULL };
	struct spawned spawned;

	choose(_i);
	spec.exec_fd = -1;
	spec.paths = paths;
	ck_assert_int_eq(spawn(&spec, &spawned), 0);
	expect_end(&spawned, 0);
}
END_TEST

START_TEST(fds_that_cannot_be_passed_are_an_error)
{
	struct spawn_spec spec = plain_spec();
	struct spawn_fd fds[17] = { { .from = 999, .to = 5 } };

	choose(_i);
	spec.fds = fds;
	spec.nfds = 1;
	expect_failure(&spec, SPAWN_STAGE_FDS, EBADF);
	spec.nfds = 17;
	expect_failure(&spec, SPAWN_STAGE_FDS, EINVAL);
}
END_TEST

START_TEST(neither_success_nor_failure_leaves_anything_open)
{
	struct spawn_spec good = plain_spec(), bad = plain_spec();
	size_t fds;

	choose(_i);
	bad.cwd = "/nonexistent";
	run(&good);
	fds = scratch_count_fds();
	for (int i = 0; i < 20; i++) {
		good.nfds = 0;
		run(&good);
		expect_failure(&bad, SPAWN_STAGE_CWD, ENOENT);
	}
	ck_assert_uint_eq(scratch_count_fds(), fds);
}
END_TEST

/* ---- families
 * ------------------------------------------------------------------------------------ */

/* A child of ours spawns SPEC's program, tells its pid and is gone. */
static pid_t
spawn_in_between(const struct spawn_spec *spec)
{
	int out[2];
	pid_t middle, pid;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	middle = fork();
	if (middle == 0) {
		struct spawned spawned;

		if (spawn(spec, &spawned) < 0)
			_exit(1);
		(void)!write(out[1], &spawned.pid, sizeof spawned.pid);
		_exit(0);
	}
	ck_assert_int_eq(fd_read_all(out[0], &pid, sizeof pid), sizeof pid);
	ck_assert_int_eq(waitpid(middle, NULL, 0), middle);
	fd_close(&out[0]);
	fd_close(&out[1]);
	return pid;
}

START_TEST(a_sibling_is_its_callers_parents_child)
{
	struct spawn_spec spec = plain_spec();
	siginfo_t info = { 0 };
	pid_t pid;

	choose(_i);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	spec.sibling = true;
	pid = spawn_in_between(&spec);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL), 0);
	ck_assert_int_eq(info.si_status, PROBE_STATUS);
}
END_TEST

START_TEST(a_program_dies_with_its_parent)
{
	char *const argv[] = { (char[]){ "sleep" }, (char[]){ "1000" }, NULL };
	const char *const paths[] = { "/bin/sleep", NULL };
	struct spawn_spec spec = plain_spec();
	siginfo_t info = { 0 };
	pid_t pid;

	choose(_i);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	spec.exec_fd = -1;
	spec.paths = paths;
	spec.argv = argv;
	spec.death_signal = SIGKILL;
	pid = spawn_in_between(&spec);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	ck_assert_int_eq(info.si_code, CLD_KILLED);
	ck_assert_int_eq(info.si_status, SIGKILL);
}
END_TEST

static void *
spawn_some(void *arg)
{
	struct spawn_spec spec = plain_spec();

	(void)arg;
	for (int i = 0; i < 10; i++) {
		struct spawned spawned;

		spec.cwd = i % 2 ? "/" : "/nonexistent";
		ck_assert_int_eq(spawn(&spec, &spawned), i % 2 ? 0 : -ENOENT);
		if (i % 2)
			expect_end(&spawned, PROBE_STATUS);
	}
	return NULL;
}

START_TEST(threads_spawn_at_the_same_time)
{
	pthread_t threads[4];

	choose(_i);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, spawn_some, NULL), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

START_TEST(an_unknown_method_is_not_taken)
{
	ck_assert_int_eq(setenv("REEVE_SPAWN", "magic", 1), 0);
	ck_assert_int_ge(spawn_method(), SPAWN_CLONE3);
	ck_assert_str_ne(spawn_method_name(spawn_method()), "invalid");
	ck_assert_str_eq(spawn_method_name((enum spawn_method)9), "invalid");
	ck_assert_str_eq(spawn_stage_name((enum spawn_stage)99), "invalid");
}
END_TEST

static TCase *
each_method(void)
{
	const TTest *const tests_of_method[] = { a_program_gets_its_arguments_and_nothing_else,
		fds_may_change_places, an_fd_may_keep_its_number,
		signals_are_as_at_birth_and_the_callers_stay,
		a_program_gets_its_session_group_umask_and_score,
		a_program_starts_in_the_directory_it_was_promised,
		a_program_becomes_its_user_and_we_do_not, a_program_enters_its_cgroup,
		an_exec_error_comes_back, the_first_candidate_that_is_there_is_run,
		fds_that_cannot_be_passed_are_an_error,
		neither_success_nor_failure_leaves_anything_open,
		a_sibling_is_its_callers_parents_child, a_program_dies_with_its_parent,
		threads_spawn_at_the_same_time };
	TCase *tests = tcase_create("each method");

	tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
	tcase_set_timeout(tests, 30);
	for (size_t i = 0; i < sizeof tests_of_method / sizeof tests_of_method[0]; i++)
		tcase_add_loop_test(tests, tests_of_method[i], 0, 3);
	return tests;
}

int
main(int argc, char **argv, char **envp)
{
	Suite *suite = suite_create("spawn");
	TCase *names = tcase_create("names");
	SRunner *runner;
	int failed;

	if (argc > 1 && strcmp(argv[0], "reeve-probe") == 0)
		return probe(argv, envp);
	self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	dup3(self_fd, 5, O_CLOEXEC);
	self_fd = 5;
	tcase_add_test(names, an_unknown_method_is_not_taken);
	suite_add_tcase(suite, names);
	suite_add_tcase(suite, each_method());
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_FORK); /* the method is chosen once per process */
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
