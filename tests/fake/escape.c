/*
 * tests/fake/escape.c - a step that does not want to be stopped.
 *
 *   escape KIND [NUMBER]
 *
 * Does what KIND says, prints "ready" once the escape has worked, and stays. Whoever escaped
 * ignores every signal that can be ignored; the step's own process does not, unless KIND says so.
 *
 * Nobody outlives ESCAPE_SECONDS (60): a test that fails must not cost the machine. Never run
 * `forks` or `restart` but under a worker: they can hardly be stopped by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	NOBODY = 65534,
	DEFAULT_FORKS = 200,
	DEFAULT_SECONDS = 60,
	FORKS_PER_SECOND = 5000
};

static int ready[2];    /* who escaped closes it */
static time_t deadline; /* CLOCK_MONOTONIC; inherited by all */

static time_t
now(void)
{
	struct timespec time = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void
set_deadline(void)
{
	const char *seconds = getenv("ESCAPE_SECONDS");

	deadline = now() + (seconds ? strtol(seconds, NULL, 10) : DEFAULT_SECONDS);
}

static void
die_in_time(void)
{
	if (now() >= deadline)
		_exit(0);
}

static void
ignore_everything(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
}

/* For who blocks where it cannot look at the clock. */
static void
die_by_alarm(void)
{
	signal(SIGALRM, SIG_DFL);
	alarm((unsigned)(deadline > now() ? deadline - now() : 1));
}

static _Noreturn void
stay(void)
{
	for (;;) {
		die_in_time();
		sleep(1);
	}
}

/* Once everybody who was forked has said so, the step prints it. */
static void
say_ready(void)
{
	if (ready[1] >= 0)
		close(ready[1]);
	ready[1] = -1;
}

/* The last act of one who has escaped. */
static _Noreturn void
stay_escaped(void)
{
	ignore_everything();
	say_ready();
	stay();
}

static pid_t
split(void)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("escape: fork");
		exit(EXIT_FAILURE);
	}
	return pid;
}

static void
own_session(int number)
{
	(void)number;
	if (split() == 0) {
		setsid();
		stay_escaped();
	}
}

static void
own_group(int number)
{
	(void)number;
	if (split() == 0) {
		setpgid(0, 0);
		stay_escaped();
	}
}

static void
double_fork(int number)
{
	pid_t pid = split();

	(void)number;
	if (pid == 0) {
		setsid();
		if (split() == 0)
			stay_escaped();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void
as_daemon(int number)
{
	pid_t pid = split();

	(void)number;
	if (pid == 0) {
		if (daemon(0, 0) < 0)
			_exit(1);
		stay_escaped();
	}
	waitpid(pid, NULL, 0);
}

/* No mark of ours is left on it: it starts itself again with nothing in its environment. */
static void
without_environment(int number)
{
	char self[PATH_MAX], fd[16], program[] = "x", word[] = "bare";
	char *argv[] = { program, word, fd, NULL }, *envp[] = { NULL };
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

	(void)number;
	if (len < 0)
		return;
	self[len] = '\0';
	snprintf(fd, sizeof fd, "%d", ready[1]);
	if (split() == 0) {
		setsid();
		execve(self, argv, envp);
		_exit(127);
	}
}

/* The step itself takes no signal. */
static void
ignoring(int number)
{
	(void)number;
	ignore_everything();
}

static void
stopped(int number)
{
	pid_t pid = split();

	(void)number;
	if (pid == 0) {
		say_ready();
		raise(SIGSTOP); /* the kernel hangs it up once its group is orphaned */
		stay();
	}
	waitpid(pid, NULL, WUNTRACED);
}

/* Takes the orphans for itself, so that nobody finds them below the step. */
static void
own_subreaper(int number)
{
	(void)number;
	if (split() == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
		setsid();
		if (split() == 0) {
			if (split() == 0)
				stay_escaped();
			_exit(0);
		}
		stay_escaped();
	}
}

/* Each of two starts the other again: the younger watches the elder by a pipe, the elder the
 * younger by wait. */
static _Noreturn void
twin(void)
{
	for (;;) {
		int life[2];
		pid_t pid;

		die_in_time();
		die_by_alarm();
		if (pipe(life) < 0 || (pid = fork()) < 0)
			_exit(1);
		if (pid == 0) {
			char byte;

			close(life[1]);
			say_ready();
			die_by_alarm();
			setsid();
			while (read(life[0], &byte, 1) < 0)
				continue;
			close(life[0]);
			continue; /* the elder is dead: be the elder */
		}
		close(life[0]);
		say_ready();
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		close(life[1]);
	}
}

static void
restarting(int number)
{
	(void)number;
	if (split() == 0) {
		ignore_everything();
		signal(SIGCHLD, SIG_DFL);
		setsid();
		twin();
	}
}

/*
 * How often all of them together have forked. A machine's process numbers are used up by orphans
 * that die faster than anybody reaps them, and then nothing at all can be started: a limit that is
 * still far more than a walk over the living can keep up with.
 */
static atomic_ulong *forks;

static bool
may_fork(void)
{
	struct timespec time = { 0 };
	unsigned long allowed;

	clock_gettime(CLOCK_MONOTONIC, &time);
	allowed = (unsigned long)time.tv_sec * FORKS_PER_SECOND +
		  (unsigned long)time.tv_nsec / (1000000000UL / FORKS_PER_SECOND);
	return atomic_fetch_add(forks, 1) < allowed || (atomic_fetch_sub(forks, 1), false);
}

static void
make_counter(void)
{
	forks =
	    mmap(NULL, sizeof *forks, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (forks == MAP_FAILED)
		exit(EXIT_FAILURE);
}

/* Moves from process to process faster than one can look. */
static _Noreturn void
churn(void)
{
	ignore_everything();
	for (;;) {
		pid_t pid;

		die_in_time();
		if (!may_fork()) {
			usleep(1000);
			continue;
		}
		pid = fork();
		if (pid > 0)
			_exit(0);
		if (pid == 0)
			setsid();
		else
			usleep(1000);
	}
}

/* They set out together, or the first would leave no time to start the last; each in a session of
 * its own, to which the kernel's autogroups give as much time as to the step's. */
static void
forking(int number)
{
	int gate[2];

	make_counter();
	if (pipe(gate) < 0)
		exit(EXIT_FAILURE);
	for (int i = 0; i < (number > 0 ? number : DEFAULT_FORKS); i++) {
		pid_t pid = fork();
		char byte;

		if (pid == 0) {
			close(STDOUT_FILENO);
			close(STDERR_FILENO);
			close(gate[1]);
			setsid();
			while (read(gate[0], &byte, 1) < 0)
				continue;
			say_ready();
			churn();
		}
		if (pid < 0 && errno != EAGAIN)
			break;
	}
	atomic_store(forks, (unsigned long)now() * FORKS_PER_SECOND);
	close(gate[0]);
	close(gate[1]);
}

static void
other_user(int number)
{
	uid_t user = number > 0 ? (uid_t)number : NOBODY;

	if (split() == 0) {
		setsid();
		if (setgroups(0, NULL) < 0 || setgid(user) < 0 || setuid(user) < 0) {
			perror("escape: another user");
			_exit(1);
		}
		stay_escaped();
	}
}

static bool
enter_cgroup(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, "0", 1) == 1;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void
out_of_cgroup(int number)
{
	(void)number;
	if (split() == 0) {
		setsid();
		if (!enter_cgroup("/sys/fs/cgroup/unified/cgroup.procs") &&
		    !enter_cgroup("/sys/fs/cgroup/cgroup.procs"))
			fprintf(stderr, "escape: no cgroup to move to: %s\n", strerror(errno));
		stay_escaped();
	}
}

static const struct {
	const char *name;
	void (*escape)(int number);
} kinds[] = {
	{ "setsid", own_session },
	{ "setpgid", own_group },
	{ "double-fork", double_fork },
	{ "daemon", as_daemon },
	{ "clearenv", without_environment },
	{ "ignore", ignoring },
	{ "stopped", stopped },
	{ "subreaper", own_subreaper },
	{ "restart", restarting },
	{ "forks", forking },
	{ "user", other_user },
	{ "cgroup", out_of_cgroup },
};

static int
usage(void)
{
	fprintf(stderr, "usage: escape KIND [NUMBER]\nkinds:");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		fprintf(stderr, " %s", kinds[i].name);
	fprintf(stderr, "\n");
	return 2;
}

int
main(int argc, char **argv)
{
	int number = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
	char byte;

	set_deadline();
	if (argc > 2 && strcmp(argv[1], "bare") == 0) {
		ready[1] = number;
		stay_escaped();
	}
	for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(argv[1], kinds[i].name) != 0)
			continue;
		if (pipe(ready) < 0)
			return EXIT_FAILURE;
		kinds[i].escape(number);
		say_ready();
		while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
			continue;
		printf("ready\n");
		fflush(stdout);
		stay();
	}
	return usage();
}
