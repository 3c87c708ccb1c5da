#include "supervisor/keeper/keeper.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/inherit.h"
#include "ipc/install.h"
#include "ipc/proc.h"
#include "ipc/spawn.h"
#include "supervisor/keeper/notify.h"
#include "supervisor/keeper/ring.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	STOP_MS = 10 * 1000,
	SUSPEND_MS = 24 * 3600 * 1000, /* whoever stops a container has a limit of his own */
	LOOK_MS = 1000,                /* while nobody tells that the socket's name has gone */
	BACKOFF_MIN_MS = 1000,
	BACKOFF_MAX_MS = 30 * 1000,
	ARGV_MAX = 11
};

struct keeper {
	const struct options *options;
	struct places *places;
	struct ring ring;
	int vault_fd; /* KEEPER_FD_VAULT; -1: there is none */
	int signal_fd;
	int link;         /* our end of KEEPER_FD_LINK; -1 while no supervisor lives */
	pid_t supervisor; /* 0: none */
	int pidfd;
	bool was_ready;       /* this supervisor has served */
	bool has_served;      /* some supervisor has */
	bool wants_stop;      /* it asked that the service ends with it */
	bool wants_restart;   /* it asked that another build takes our place */
	bool stopping;        /* SIGTERM came */
	uint64_t kill_at_ms;  /* boot clock; while stopping */
	uint64_t start_at_ms; /* boot clock; of the next supervisor */
	uint64_t backoff_ms;
	int status; /* to exit with; -1: go on */
};

/* ---- the supervisor ------------------------------------------------------------- */

static void
try_again_later(struct keeper *keeper)
{
	keeper->backoff_ms = keeper->backoff_ms ? keeper->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (keeper->backoff_ms > BACKOFF_MAX_MS)
		keeper->backoff_ms = BACKOFF_MAX_MS;
	keeper->start_at_ms = clock_boot_ms() + keeper->backoff_ms;
	log_warn("the supervisor is started again in %llu s",
	    (unsigned long long)keeper->backoff_ms / 1000);
}

static char program[] = "reeve-supervisor";

/* NULL-terminated; the words belong to OPTIONS or to nobody. */
static void
fill_argv(const struct keeper *keeper, char *argv[static ARGV_MAX])
{
	static char state[] = "--state-dir", run[] = "--run-dir", log[] = "--log-level",
		    slots[] = "--slots", again[] = "--again";
	const struct options *options = keeper->options;
	struct {
		char *flag, *value;
	} pairs[] = { { state, options->state_dir }, { run, options->run_dir },
		{ log, options->log_flag }, { slots, options->slots } };
	size_t n = 0;

	argv[n++] = program;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		if (!pairs[i].value)
			continue;
		argv[n++] = pairs[i].flag;
		argv[n++] = pairs[i].value;
	}
	if (keeper->has_served)
		argv[n++] = again;
	argv[n] = NULL;
}

static int
spawn_supervisor(struct keeper *keeper, int link)
{
	struct install_paths found = { 0 };
	const char *const paths[] = { found.v[0], found.v[1], found.v[2], NULL };
	char *argv[ARGV_MAX];
	const struct spawn_fd fds[] = {
		{ STDERR_FILENO, STDERR_FILENO },
		{ keeper->places->listen_fd, KEEPER_FD_LISTEN },
		{ keeper->ring.fd, KEEPER_FD_REAPS },
		{ link, KEEPER_FD_LINK },
		{ keeper->vault_fd, KEEPER_FD_VAULT },
	};
	struct spawn_spec spec = { .exec_fd = -1,
		.paths = paths,
		.argv = argv,
		.envp = environ,
		.fds = fds,
		.nfds = keeper->vault_fd < 0 ? 4 : 5,
		.cgroup_fd = -1,
		.umask = 077,
		.death_signal = SIGKILL,
		.oom_score_adj = INT_MIN };
	struct spawned child = { .stage = SPAWN_STAGE_EXEC };
	int r = install_paths(program, &found); /* each time, so that an upgrade is picked up */

	fill_argv(keeper, argv);
	if (r == 0)
		r = spawn(&spec, &child);
	if (r < 0) {
		log_error("%s: %s: %s", program, spawn_stage_name(child.stage), strerror(-r));
		return r;
	}
	keeper->supervisor = child.pid;
	keeper->pidfd = child.pidfd;
	return 0;
}

static void
start_supervisor(struct keeper *keeper)
{
	int pair[2];
	int r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);

	if (r < 0) {
		log_error("making a socket pair: %s", strerror(errno));
		try_again_later(keeper);
		return;
	}
	r = spawn_supervisor(keeper, pair[1]);
	fd_close(&pair[1]);
	if (r < 0) {
		fd_close(&pair[0]);
		try_again_later(keeper);
		return;
	}
	keeper->link = pair[0];
	keeper->was_ready = keeper->wants_stop = keeper->wants_restart = false;
}

/* The same process goes on as the program that is installed now. */
static void
become_new(struct keeper *keeper)
{
	const struct heritage heritage = { .fds = {
					       [HERITAGE_STATE_LOCK] = keeper->places->state_lock,
					       [HERITAGE_RUN_LOCK] = keeper->places->run_lock,
					       [HERITAGE_LISTEN] = keeper->places->listen_fd,
					       [HERITAGE_RING] = keeper->ring.fd,
					       [HERITAGE_VAULT] = keeper->vault_fd } };
	int r;

	log_info("starting anew as the program that is installed now");
	r = heritage_leave(&heritage, keeper->options->argv);
	log_error("that failed, going on as before: %s", strerror(-r));
}

static void
on_supervisor_end(struct keeper *keeper, const siginfo_t *info)
{
	bool exited = info->si_code == CLD_EXITED;

	keeper->supervisor = 0;
	fd_close(&keeper->pidfd);
	fd_close(&keeper->link);
	if (keeper->stopping || (exited && info->si_status == 0 && keeper->wants_stop)) {
		keeper->status = EXIT_SUCCESS;
	} else if (exited && info->si_status == SUPERVISOR_EXIT_USAGE) {
		keeper->status = SUPERVISOR_EXIT_USAGE;
	} else if (exited && info->si_status == SUPERVISOR_EXIT_UNUSABLE) {
		keeper->status = EXIT_FAILURE; /* it has said which file */
	} else if (exited && info->si_status == 0 && keeper->wants_restart) {
		become_new(keeper);
		keeper->start_at_ms = clock_boot_ms();
	} else {
		log_warn(
		    "the supervisor ended (%s %d)", exited ? "status" : "signal", info->si_status);
		keeper->start_at_ms = clock_boot_ms();
		if (keeper->was_ready)
			keeper->backoff_ms = 0;
		else
			try_again_later(keeper);
	}
}

/* ---- what happens ------------------------------------------------------------------ */

static void
on_ready(struct keeper *keeper)
{
	keeper->was_ready = keeper->has_served = true;
	notify("READY=1");
}

static void
read_link(struct keeper *keeper)
{
	struct keeper_msg msg;
	ssize_t n;

	while (keeper->link >= 0 && (n = recv(keeper->link, &msg, sizeof msg, MSG_TRUNC)) >= 0) {
		if (n == 0)
			return; /* it is about to die; SIGCHLD says so */
		if (n != (ssize_t)sizeof msg)
			continue;
		if (msg.kind == KEEPER_READY)
			on_ready(keeper);
		keeper->wants_stop = keeper->wants_stop || msg.kind == KEEPER_STOP;
		keeper->wants_restart = keeper->wants_restart || msg.kind == KEEPER_RESTART;
	}
}

/* Each child is noted before it is reaped, so that no pid can be reused in between. */
static void
reap(struct keeper *keeper)
{
	static const struct keeper_msg reaped = { .kind = KEEPER_REAPED };
	siginfo_t info = { 0 };
	bool any = false;

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
	       info.si_pid != 0) {
		ring_note(&keeper->ring, &info);
		waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG | __WALL);
		if (info.si_pid == keeper->supervisor) {
			read_link(keeper); /* its last word */
			on_supervisor_end(keeper, &info);
		}
		any = true;
		info.si_pid = 0;
	}
	if (any && keeper->link >= 0 &&
	    send(keeper->link, &reaped, sizeof reaped, MSG_NOSIGNAL) < 0)
		log_debug("the supervisor is busy: it finds the record in the ring");
}

/* Nothing outlives us here: tasks are to stop where they can be gone on with. */
static bool
tell_suspend(const struct keeper *keeper)
{
	static const struct keeper_msg suspend = { .kind = KEEPER_SUSPEND };

	return keeper->link >= 0 &&
	       send(keeper->link, &suspend, sizeof suspend, MSG_NOSIGNAL) == sizeof suspend;
}

static void
stop(struct keeper *keeper)
{
	bool suspends = false;

	if (keeper->supervisor == 0) {
		keeper->status = EXIT_SUCCESS;
		return;
	}
	if (!keeper->stopping) {
		notify("STOPPING=1");
		suspends = keeper->options->ends_all && tell_suspend(keeper);
		if (!suspends)
			log_info("stopping; tasks go on without the service");
		/* asking again does not put it off */
		keeper->kill_at_ms = clock_boot_ms() + (suspends ? SUSPEND_MS : STOP_MS);
	}
	keeper->stopping = true;
	if (!suspends)
		proc_pidfd_signal(keeper->pidfd, SIGTERM);
}

static void
read_signals(struct keeper *keeper)
{
	struct signalfd_siginfo info;

	while (read(keeper->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			stop(keeper);
		else if (info.ssi_signo == SIGHUP && keeper->supervisor)
			proc_pidfd_signal(keeper->pidfd, SIGHUP);
	}
	/* Signals merge: whatever came, look for children. */
	reap(keeper);
}

static int
poll_timeout(const struct keeper *keeper)
{
	uint64_t now = clock_boot_ms(), at;

	if (keeper->stopping)
		at = keeper->kill_at_ms;
	else if (keeper->supervisor == 0)
		at = keeper->start_at_ms;
	else
		return keeper->places->watch_fd < 0 ? LOOK_MS : -1;
	return at > now ? (int)(at - now) : 0;
}

static void
on_time(struct keeper *keeper)
{
	uint64_t now = clock_boot_ms();

	if (keeper->stopping && keeper->supervisor && now >= keeper->kill_at_ms) {
		log_warn("the supervisor does not stop; killing it");
		proc_pidfd_signal(keeper->pidfd, SIGKILL);
		keeper->kill_at_ms = now + STOP_MS;
	}
	if (!keeper->stopping && keeper->supervisor == 0 && now >= keeper->start_at_ms)
		start_supervisor(keeper);
}

/* ---- setting up -------------------------------------------------------------------- */

static int
open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* A supervisor listens on the socket it was born with: another one takes its place. */
static void
mend(struct keeper *keeper)
{
	int r = places_mend(keeper->places, keeper->options);

	if (r < 0)
		log_error("%s has gone and cannot be made again", keeper->options->run_dir);
	if (r != 1)
		return;
	log_warn("%s had gone and was made again", keeper->options->run_dir);
	if (keeper->supervisor && !keeper->stopping)
		proc_pidfd_signal(keeper->pidfd, SIGTERM);
}

static void
serve(struct keeper *keeper)
{
	while (keeper->status < 0) {
		struct pollfd fds[] = { { .fd = keeper->signal_fd, .events = POLLIN },
			{ .fd = keeper->link, .events = POLLIN },
			{ .fd = keeper->places->watch_fd, .events = POLLIN } };

		on_time(keeper);
		fds[1].fd = keeper->link;
		if (poll(fds, 3, poll_timeout(keeper)) < 0 && errno != EINTR)
			keeper->status = EXIT_FAILURE;
		read_link(keeper);
		if (fds[1].revents & POLLHUP)
			fd_close(&keeper->link); /* nothing more comes; do not spin on it */
		if (fds[2].revents || keeper->places->watch_fd < 0)
			mend(keeper);
		read_signals(keeper);
	}
}

int
keeper_run(const struct options *options, struct places *places, struct heritage *left)
{
	struct keeper keeper = { .options = options,
		.places = places,
		.link = -1,
		.pidfd = -1,
		.status = -1,
		.ring.fd = -1,
		.has_served = left->fds[HERITAGE_RING] >= 0,
		.vault_fd = left->fds[HERITAGE_VAULT] };
	int r = ring_open(&keeper.ring, left->fds[HERITAGE_RING]);

	left->fds[HERITAGE_VAULT] = -1;
	if (keeper.vault_fd < 0)
		keeper.vault_fd = memfd_create("reeve-vault", MFD_CLOEXEC);
	heritage_close(left);
	keeper.signal_fd = open_signals();
	if (r < 0 || keeper.signal_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		log_error("setting up: %s", strerror(r < 0 ? -r : errno));
		return EXIT_FAILURE;
	}
	reap(&keeper); /* who ended while we were becoming this build */
	serve(&keeper);
	fd_close(&keeper.signal_fd);
	fd_close(&keeper.vault_fd);
	ring_close(&keeper.ring);
	return keeper.status;
}
