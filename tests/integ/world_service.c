#include "tests/integ/world.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/proc.h"
#include "ipc/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- becoming a program ------------------------------------------------------------- */

/* In a child. */
void
world_become(const struct world *world, uid_t uid)
{
	unsetenv("REEVE_RUN_DIR");
	unsetenv("REEVE_STATE_DIR");
	for (size_t i = 0; i < world->env.n; i++)
		if (putenv(world->env.v[i]) != 0)
			_exit(126);
	if (uid != geteuid() && (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0))
		_exit(126);
	/* After the credentials: changing them clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static _Noreturn void
exec_keeper(const struct world *world)
{
	char path[2 * WORLD_PATH], launcher[2 * WORLD_PATH];
	int log = open(world->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	snprintf(path, sizeof path, "%s/reeved", world->bin);
	dup2(log, STDERR_FILENO);
	dup2(log, STDOUT_FILENO);
	world_become(world, world->service_uid);
	if (world->container) {
		snprintf(launcher, sizeof launcher, "%s/container", world->fake);
		execl(launcher, "container", world->container, path, "--state-dir", world->state,
		    "--run-dir", world->rundir, "--log-level", "debug", (char *)NULL);
	}
	execl(path, "reeved", "--state-dir", world->state, "--run-dir", world->rundir,
	    "--log-level", "debug", world->slots && !*world->slots ? NULL : "--slots",
	    world->slots ? world->slots : "4", (char *)NULL);
	_exit(127);
}

/* ---- waiting for the kernel ---------------------------------------------------------- */

static int
left_ms(uint64_t deadline_ms)
{
	uint64_t now_ms = clock_boot_ms();

	return now_ms < deadline_ms ? (int)(deadline_ms - now_ms) : 0;
}

void
world_wait_gone(pid_t pid)
{
	int pidfd = proc_pidfd_open(pid);
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	if (pidfd == -ESRCH)
		return;
	ck_assert_int_ge(pidfd, 0);
	ck_assert_msg(
	    poll(&poll_fd, 1, WORLD_PATIENCE_MS) == 1, "process %d does not end", (int)pid);
	fd_close(&pidfd);
}

/* Calls IS_THERE when something appeared in DIR, until it says so or PIDFD's process ends. */
static void
wait_in(const char *dir, int pidfd, bool (*is_there)(void *arg), void *arg)
{
	uint64_t deadline_ms = clock_boot_ms() + WORLD_PATIENCE_MS;
	int tick_ms = 10; /* listen(2) makes no event: a bound socket is tried again */
	int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd fds[2] = { { .fd = notify, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN } };
	char events[4096];

	ck_assert_int_ge(notify, 0);
	ck_assert_int_ge(
	    inotify_add_watch(notify, dir, IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE), 0);
	while (!is_there(arg)) {
		ck_assert_msg(left_ms(deadline_ms) > 0, "nothing came in %s", dir);
		ck_assert_int_ge(poll(fds, 2, tick_ms), 0);
		ck_assert_msg(!fds[1].revents, "the service ended before it served");
		while (read(notify, events, sizeof events) > 0)
			;
	}
	fd_close(&notify);
}

static bool
file_is_there(void *path)
{
	return access(path, F_OK) == 0;
}

void
world_until_file(struct world *world, const char *name)
{
	char path[2 * WORLD_PATH];

	snprintf(path, sizeof path, "%s/%s", world->root, name);
	wait_in(world->root, -1, file_is_there, path);
}

static bool
file_is_gone(void *path)
{
	return access(path, F_OK) != 0;
}

void
world_until_no_file(struct world *world, const char *dir, const char *name)
{
	char path[3 * WORLD_PATH], parent[2 * WORLD_PATH];

	snprintf(parent, sizeof parent, "%s/%s", world->root, dir);
	snprintf(path, sizeof path, "%s/%s", parent, name);
	wait_in(parent, -1, file_is_gone, path);
}

static bool
answers(void *world)
{
	return world_answers(world);
}

/* A connection may still be lost to a supervisor that dies: then it is tried again. */
void
world_wait_served(struct world *world)
{
	int pidfd = proc_pidfd_open(world->keeper);

	ck_assert_int_ge(pidfd, 0);
	wait_in(world->rundir, pidfd, answers, world);
	fd_close(&pidfd);
}

/* ---- starting and stopping ------------------------------------------------------------ */

void
world_spawn(struct world *world)
{
	ck_assert_int_eq(world->keeper, 0);
	if (world->service_uid != geteuid())
		ck_assert_int_eq(chown(world->root, world->service_uid, (gid_t)-1) +
				     chown(world->rundir, world->service_uid, (gid_t)-1),
		    0);
	/* Orphans of the service come to the test itself, which insists that there are none. */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	world->keeper = fork();
	ck_assert_int_ge(world->keeper, 0);
	if (world->keeper == 0)
		exec_keeper(world);
}

void
world_start(struct world *world)
{
	world_spawn(world);
	world_wait_served(world);
}

int
world_wait_keeper(struct world *world)
{
	pid_t keeper = world->keeper;
	int status = 0;

	world_wait_gone(keeper);
	ck_assert_int_eq(waitpid(keeper, &status, 0), keeper);
	world->keeper = 0;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void
world_stop(struct world *world)
{
	ck_assert_int_eq(kill(world->keeper, SIGTERM), 0);
	ck_assert_int_eq(world_wait_keeper(world), 0);
}

void
world_kill_keeper(struct world *world)
{
	pid_t supervisor = world_supervisor(world);

	ck_assert_int_eq(kill(world->keeper, SIGKILL), 0);
	ck_assert_int_eq(world_wait_keeper(world), -SIGKILL);
	if (supervisor)
		world_wait_gone(supervisor);
}

void
world_kill_supervisor(struct world *world)
{
	pid_t supervisor = world_supervisor(world);

	ck_assert_int_gt(supervisor, 0);
	ck_assert_int_eq(kill(supervisor, SIGKILL), 0);
	world_wait_gone(supervisor);
}

static void
reap(void *arg)
{
	(void)arg;
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
}

void
world_kill_all(struct world *world)
{
	struct tree_kill spec = { .root = getpid(),
		.on_round = reap,
		.deadline_ms = clock_boot_ms() + WORLD_PATIENCE_MS };
	struct tree_result result;

	ck_assert_int_eq(tree_kill(&spec, &result), 0);
	tree_result_free(&result);
	world->keeper = 0;
}

/* ---- who is there ---------------------------------------------------------------------- */

/* The child of PARENT whose command line is WORDS (words end in NUL, as in /proc). */
static pid_t
find_child(pid_t parent, const char *words, size_t len)
{
	pid_t *pids = NULL, found = 0;
	size_t n = 0;

	if (proc_children(parent, &pids, &n) < 0)
		return 0;
	for (size_t i = 0; i < n && !found; i++) {
		char path[64], line[512];
		int fd;
		ssize_t got;

		snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pids[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		got = fd < 0 ? -1 : read(fd, line, sizeof line);
		if (got >= (ssize_t)len && memcmp(line, words, len) == 0)
			found = pids[i];
		fd_close(&fd);
	}
	free(pids);
	return found;
}

pid_t
world_supervisor(struct world *world)
{
	static const char words[] = "reeve-supervisor";

	return world->keeper ? find_child(world->keeper, words, sizeof words) : 0;
}

/* Its attempt is the latest one that still runs. */
pid_t
world_worker(struct world *world, uint64_t id)
{
	char words[64];
	int n = snprintf(words, sizeof words, "reeve-worker%c%llu.", '\0', (unsigned long long)id);
	pid_t found = world->keeper ? find_child(world->keeper, words, (size_t)n) : 0;

	return found ? found : find_child(getpid(), words, (size_t)n);
}

int
world_alive(const struct world *world)
{
	(void)world;
	return tree_count(getpid(), NULL, NULL);
}
