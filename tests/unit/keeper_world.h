/*
 * tests/unit/keeper_world.h - a real keeper, and the test program itself as its supervisor.
 *
 * A directory holds a copy of reeved and a link to the test program as reeve-supervisor, which
 * connects to the test's socket, says what it got, and does what it is told.
 */
#ifndef TESTS_UNIT_KEEPER_WORLD_H
#define TESTS_UNIT_KEEPER_WORLD_H

#include "ipc/fd.h"
#include "ipc/inherit.h"
#include "ipc/proc.h"
#include "ipc/spawn.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MESSAGE = 512,
	PATIENCE_MS = 20 * 1000
};

struct actor {
	int test, signals, link, stdin_of_child;
	const struct reap_ring *ring;
	uint64_t seen;
};

__attribute__((format(printf, 2, 3))) static inline void
actor_say(const struct actor *actor, const char *format, ...)
{
	char text[MESSAGE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (send(actor->test, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(98);
}

/* Which numbers are open, but for the one that reads them. */
static inline void
actor_list_fds(char text[static MESSAGE])
{
	DIR *dir = opendir("/proc/self/fd"); /* always there */
	bool open_fds[64] = { false };
	const struct dirent *entry;
	size_t len = 0;

	while ((entry = readdir(dir))) {
		long fd = strtol(entry->d_name, NULL, 10);

		if (entry->d_name[0] != '.' && fd < 64 && fd != dirfd(dir))
			open_fds[fd] = true;
	}
	closedir(dir);
	text[0] = '\0';
	for (int fd = 0; fd < 64; fd++)
		if (open_fds[fd])
			len += (size_t)snprintf(text + len, MESSAGE - len, "%d,", fd);
}

/* A sibling that ends with 7 when its standard input does. */
static inline void
actor_spawn(struct actor *actor)
{
	static const char *const paths[] = { "/bin/sh", NULL };
	char name[] = "sh", flag[] = "-c", script[] = "read x; exit 7";
	char *argv[] = { name, flag, script, NULL };
	struct spawned child;
	struct proc_stat stat;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		_exit(97);
	struct spawn_fd fds[] = { { ends[0], STDIN_FILENO }, { STDERR_FILENO, STDERR_FILENO } };
	struct spawn_spec spec = { .exec_fd = -1,
		.paths = paths,
		.argv = argv,
		.envp = environ,
		.fds = fds,
		.nfds = 2,
		.sibling = true,
		.new_session = true,
		.cgroup_fd = -1,
		.umask = -1,
		.oom_score_adj = INT_MIN };
	r = spawn(&spec, &child);
	if (r < 0 || proc_stat(child.pid, &stat) < 0)
		_exit(96);
	actor->stdin_of_child = ends[1];
	actor_say(actor, "child %d %d %llu", (int)child.pid, (int)stat.ppid,
	    (unsigned long long)stat.start_ticks);
}

/* A child whose own child is left behind and ends at once. */
static inline void
actor_orphan(void)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		pid = fork();
		_exit(pid == 0 ? 5 : pid < 0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		_exit(86); /* a machine without room: not the keeper's fault */
}

static inline void
actor_tell_keeper(uint32_t kind, size_t len)
{
	char bytes[64] = { 0 };

	memcpy(bytes, &kind, sizeof kind);
	if (send(KEEPER_FD_LINK, bytes, len, MSG_NOSIGNAL) < 0)
		_exit(95);
}

static inline void
actor_protect(const struct actor *actor)
{
	void *map = mmap(
	    NULL, sizeof(struct reap_ring), PROT_READ | PROT_WRITE, MAP_SHARED, KEEPER_FD_REAPS, 0);
	bool is_open = map != MAP_FAILED || ftruncate(KEEPER_FD_REAPS, 0) == 0 ||
		       pwrite(KEEPER_FD_REAPS, "x", 1, 0) > 0;

	actor_say(actor, is_open ? "open" : "protected");
}

static inline void
actor_read_ring(struct actor *actor)
{
	while (actor->seen < __atomic_load_n(&actor->ring->count, __ATOMIC_ACQUIRE)) {
		const struct reap_record *record =
		    &actor->ring->records[actor->seen++ % REAP_RING_SIZE];

		actor_say(actor, "reaped %d %d %d %llu", (int)record->pid, (int)record->code,
		    (int)record->status, (unsigned long long)record->start_ticks);
	}
}

static inline void
actor_obey(struct actor *actor)
{
	char order[MESSAGE] = "";
	ssize_t n = recv(actor->test, order, sizeof order - 1, 0);

	if (n <= 0)
		_exit(94);
	if (strcmp(order, "ready") == 0)
		actor_tell_keeper(KEEPER_READY, sizeof(struct keeper_msg));
	else if (strcmp(order, "stop") == 0)
		actor_tell_keeper(KEEPER_STOP, sizeof(struct keeper_msg));
	else if (strcmp(order, "restart") == 0)
		actor_tell_keeper(KEEPER_RESTART, sizeof(struct keeper_msg));
	else if (strcmp(order, "long stop") == 0)
		actor_tell_keeper(KEEPER_STOP, 64);
	else if (strcmp(order, "child") == 0)
		actor_spawn(actor);
	else if (strcmp(order, "let go") == 0)
		fd_close(&actor->stdin_of_child);
	else if (strcmp(order, "orphan") == 0)
		actor_orphan();
	else if (strcmp(order, "history") == 0) {
		actor->seen = 0;
		actor_read_ring(actor);
	} else if (strcmp(order, "protect") == 0)
		actor_protect(actor);
	else if (strcmp(order, "environment") == 0)
		actor_say(actor, getenv("REEVE_KEEPER_FDS") ? "fds" : "clean");
	else if (strncmp(order, "exit ", 5) == 0)
		_exit((int)strtol(order + 5, NULL, 10));
}

/* A keeper that is gone kills us, a moment after the link has ended. */
static inline void
actor_read_link(struct actor *actor)
{
	struct keeper_msg msg;
	ssize_t n = recv(KEEPER_FD_LINK, &msg, sizeof msg, 0);

	if (n == 0)
		actor->link = -1;
	else if (n == (ssize_t)sizeof msg && msg.kind == KEEPER_REAPED)
		actor_read_ring(actor);
	else if (n == (ssize_t)sizeof msg && msg.kind == KEEPER_SUSPEND)
		actor_say(actor, "suspend");
	else
		_exit(93);
}

static inline void
actor_read_signal(struct actor *actor)
{
	struct signalfd_siginfo info;

	if (read(actor->signals, &info, sizeof info) != (ssize_t)sizeof info)
		_exit(92);
	actor_say(actor, "signal %u", info.ssi_signo);
	if (info.ssi_signo == SIGTERM)
		_exit(0);
}

_Noreturn static inline void
actor_run(int argc, char **argv)
{
	struct actor actor = { .test = -1, .link = KEEPER_FD_LINK, .stdin_of_child = -1 };
	char fds[MESSAGE], args[MESSAGE] = "";
	sigset_t set;

	actor_list_fds(fds);
	for (int i = 1; i < argc; i++)
		snprintf(args + strlen(args), sizeof args - strlen(args), " %s", argv[i]);
	actor.test = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof address.sun_path, "%s", getenv("KEEPER_TEST_SOCKET"));
	if (connect(actor.test, (struct sockaddr *)&address, sizeof address) < 0)
		_exit(91);
	actor.ring = mmap(NULL, sizeof *actor.ring, PROT_READ, MAP_SHARED, KEEPER_FD_REAPS, 0);
	if (actor.ring == MAP_FAILED || actor.ring->magic != REAP_RING_MAGIC)
		_exit(90);
	actor.seen = actor.ring->count;
	sigfillset(&set);
	sigdelset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	actor.signals = signalfd(-1, &set, SFD_CLOEXEC);
	actor_say(&actor, "hello %d %d %s %s%s", (int)getpid(), (int)getppid(), fds,
	    actor.ring->instance, args);
	for (;;) {
		struct pollfd fds_[] = { { .fd = actor.test, .events = POLLIN },
			{ .fd = actor.signals, .events = POLLIN },
			{ .fd = actor.link, .events = POLLIN } };

		if (poll(fds_, 3, -1) < 0)
			_exit(89);
		if (fds_[2].revents)
			actor_read_link(&actor);
		if (fds_[1].revents)
			actor_read_signal(&actor);
		if (fds_[0].revents)
			actor_obey(&actor);
	}
}

/* ---- the test's side -------------------------------------------------------------------- */

struct keeper_world {
	char dir[128], state[160], run[160], log[160];
	char hello[MESSAGE];
	int listener, supervisor;
	pid_t keeper;
};

static inline void
world_copy(const char *from, const char *to)
{
	char *data;
	size_t len;

	ck_assert_int_eq(fd_read_file(AT_FDCWD, from, 256 * 1024 * 1024, &data, &len), 0);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, to, data, len, 0755, false), 0);
	free(data);
}

/* reeved stands where the Makefile puts it: tests/unit/.. /bin beside us. */
static inline void
world_put_reeved(const struct keeper_world *world)
{
	char self[PATH_MAX] = "", reeved[PATH_MAX + 32], path[256];

	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof self - 1), 0);
	snprintf(reeved, sizeof reeved, "%s/../../bin/reeved", dirname(self));
	snprintf(path, sizeof path, "%s/reeved", world->dir);
	world_copy(reeved, path);
}

static inline void
world_init(struct keeper_world *world)
{
	char self[PATH_MAX] = "", path[256];
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*world = (struct keeper_world){ .listener = -1, .supervisor = -1 };
	snprintf(world->dir, sizeof world->dir, "%s/%d", scratch_path, (int)getpid());
	snprintf(world->state, sizeof world->state, "%s/state", world->dir);
	snprintf(world->run, sizeof world->run, "%s/run", world->dir);
	snprintf(world->log, sizeof world->log, "%s/log", world->dir);
	ck_assert_int_eq(mkdir(world->dir, 0755), 0);
	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof self - 1), 0);
	snprintf(path, sizeof path, "%s/reeve-supervisor", world->dir);
	ck_assert_int_eq(symlink(self, path), 0);
	world_put_reeved(world);
	snprintf(address.sun_path, sizeof address.sun_path, "%.90s/test", world->dir);
	ck_assert_int_eq(setenv("KEEPER_TEST_SOCKET", address.sun_path, 1), 0);
	world->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(world->listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(world->listener, 8), 0);
	/* what a keeper leaves behind comes to us */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

/* In the child: becomes reeved with these arguments, the first being its name. */
_Noreturn static inline void
world_exec(const struct keeper_world *world, const char *const *args)
{
	union {
		const char *const *given;
		char *const *taken;
	} argv = { .given = args };
	char path[256];
	int log = open(world->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	snprintf(path, sizeof path, "%s/reeved", world->dir);
	execv(path, argv.taken);
	_exit(88);
}

/* Starts reeved. */
static inline pid_t
world_spawn(const struct keeper_world *world, const char *const *args)
{
	pid_t pid = fork();

	if (pid == 0)
		world_exec(world, args);
	ck_assert_int_gt(pid, 0);
	return pid;
}

static inline void
world_await(int fd, const char *what)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	ck_assert_msg(poll(&ready, 1, PATIENCE_MS) == 1, "waited in vain for %s", what);
}

/* Word number INDEX of TEXT, from 0; valid until the next call but three. */
static inline const char *
world_word(const char *text, int index)
{
	static char words[4][MESSAGE];
	static unsigned next;
	char *word = words[next++ % 4];
	size_t len;

	for (; index > 0; index--)
		text += strcspn(text, " ") + (text[strcspn(text, " ")] == ' ');
	len = strcspn(text, " ");
	ck_assert_uint_lt(len, MESSAGE);
	memcpy(word, text, len);
	word[len] = '\0';
	return word;
}

static inline int
world_number(const char *text, int index)
{
	const char *word = world_word(text, index);
	char *end;
	long number = strtol(word, &end, 10);

	ck_assert_msg(end != word && *end == '\0', "\"%s\" has no number at %d", text, index);
	return (int)number;
}

/* Of a hello: who speaks, its parent, its fds, the keeper's instance, then its arguments. */
enum {
	HELLO_PID = 1,
	HELLO_PPID,
	HELLO_FDS,
	HELLO_INSTANCE
};

/* The next supervisor that is started. */
static inline void
world_meet(struct keeper_world *world)
{
	ssize_t n;

	fd_close(&world->supervisor);
	world_await(world->listener, "a supervisor");
	world->supervisor = accept4(world->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(world->supervisor, 0);
	world_await(world->supervisor, "its hello");
	n = recv(world->supervisor, world->hello, sizeof world->hello - 1, 0);
	ck_assert_int_gt(n, 0);
	world->hello[n] = '\0';
}

static inline void
world_start(struct keeper_world *world)
{
	const char *args[] = { "reeved", "--state-dir", world->state, "--run-dir", world->run,
		"--slots", "3", NULL };

	world->keeper = world_spawn(world, args);
	world_meet(world);
}

static inline void
world_tell(const struct keeper_world *world, const char *order)
{
	ck_assert_int_gt(send(world->supervisor, order, strlen(order), MSG_NOSIGNAL), 0);
}

/* What the supervisor says next. Valid until the next call. */
static inline const char *
world_hear(const struct keeper_world *world)
{
	static char text[MESSAGE];
	ssize_t n;

	world_await(world->supervisor, "the supervisor");
	n = recv(world->supervisor, text, sizeof text - 1, 0);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

/* A worker that the supervisor started: its number, and how a record of its end reads. */
static inline pid_t
world_start_worker(
    const struct keeper_world *world, int code, int status, char record[static MESSAGE])
{
	const char *child = (world_tell(world, "child"), world_hear(world));
	pid_t pid;

	ck_assert_str_eq(world_word(child, 0), "child");
	pid = world_number(child, 1);
	ck_assert_int_eq(world_number(child, 2), world_number(world->hello, HELLO_PPID));
	snprintf(
	    record, MESSAGE, "reaped %d %d %d %s", (int)pid, code, status, world_word(child, 3));
	return pid;
}

/* The exit status of a reeved; 128 + the signal that killed it. */
static inline int
world_wait(pid_t pid)
{
	int pidfd = proc_pidfd_open(pid), status = 0;

	ck_assert_int_ge(pidfd, 0);
	world_await(pidfd, "the end of reeved");
	fd_close(&pidfd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* True when reeved has written TEXT by now. */
static inline bool
world_logged(const struct keeper_world *world, const char *text)
{
	char *log;
	size_t len;
	bool found;

	ck_assert_int_eq(fd_read_file(AT_FDCWD, world->log, 1024 * 1024, &log, &len), 0);
	found = strstr(log, text) != NULL;
	free(log);
	return found;
}

/* Every program of this kind: the actor under that one's name, the suite under its own. */
static inline int
world_main(int argc, char **argv, Suite *(*make_suite)(void))
{
	if (strcmp(argv[0], "reeve-supervisor") == 0)
		actor_run(argc, argv);
	return run_suite(make_suite());
}

#endif
