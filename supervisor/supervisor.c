#include "supervisor/supervisor.h"

#include "ipc/clock.h"
#include "ipc/failpoint.h"
#include "ipc/fd.h"
#include "ipc/inherit.h"
#include "ipc/install.h"
#include "ipc/log.h"
#include "ipc/spawn.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/watch.h"
#include "supervisor/reload.h"
#include "supervisor/roster/suspend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the keeper ---------------------------------------------------------------- */

static void
tell_keeper(enum keeper_msg_kind kind)
{
	struct keeper_msg msg = { .kind = kind };

	if (send(KEEPER_FD_LINK, &msg, sizeof msg, MSG_NOSIGNAL) < 0)
		log_warn("telling the keeper: %s", strerror(errno));
}

static void
on_link(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct supervisor *supervisor = watcher->data;
	struct keeper_msg msg;
	ssize_t n = recv(watcher->fd, &msg, sizeof msg, MSG_DONTWAIT);

	(void)revents;
	if (n == 0) {
		log_warn("the keeper is gone");
		ev_io_stop(loop, watcher);
		ev_break(loop, EVBREAK_ALL);
	} else if (n == (ssize_t)sizeof msg && msg.kind == KEEPER_REAPED) {
		roster_reaped(&supervisor->roster);
	} else if (n == (ssize_t)sizeof msg && msg.kind == KEEPER_SUSPEND) {
		log_info("stopping; tasks stop at a checkpoint");
		suspend_all(&supervisor->roster);
		supervisor_stop_when(supervisor, STOP_WHEN_IDLE);
	}
}

/* ---- stopping -------------------------------------------------------------------- */

static void
on_signal(struct ev_loop *loop, ev_signal *watcher, int revents)
{
	(void)watcher;
	(void)revents;
	log_info("stopping; tasks go on");
	ev_break(loop, EVBREAK_ALL);
}

static void
on_hangup(struct ev_loop *loop, ev_signal *watcher, int revents)
{
	(void)loop;
	(void)revents;
	if (reload_start(watcher->data, NULL, NULL) < 0)
		log_error("configuration: it is not read again: out of memory");
}

static void
on_dead_store(int error, void *arg)
{
	struct supervisor *supervisor = arg;

	log_error("the store failed: %s; starting afresh", strerror(-error));
	supervisor->exit_status = SUPERVISOR_EXIT_IO;
	ev_break(supervisor->loop, EVBREAK_ALL);
}

static bool
is_time_to_stop(const struct supervisor *supervisor)
{
	switch (supervisor->stop_when) {
	case STOP_WHEN_EMPTY:
		return supervisor->roster.ntasks == 0;
	case STOP_WHEN_IDLE:
		return suspend_is_done(&supervisor->roster);
	case STOP_NOW:
		break;
	}
	return true;
}

static void
on_stopper(struct ev_loop *loop, ev_prepare *watcher, int revents)
{
	struct supervisor *supervisor = watcher->data;

	(void)revents;
	if (is_time_to_stop(supervisor))
		ev_break(loop, EVBREAK_ALL);
}

void
supervisor_stop_when(struct supervisor *supervisor, enum stop_when when)
{
	supervisor->stop_service = true;
	supervisor->stop_when = when;
	ev_prepare_start(supervisor->loop, &supervisor->stopper);
}

/* ---- starting -------------------------------------------------------------------- */

static bool
is_admin(const struct peer *peer, void *arg)
{
	const struct supervisor *supervisor = arg;

	if (peer->uid == 0 || peer->uid == geteuid())
		return true;
	if (supervisor->admin_gid == (gid_t)-1)
		return false;
	for (size_t i = 0; i < peer->ngroups; i++)
		if (peer->groups[i] == supervisor->admin_gid)
			return true;
	return peer->gid == supervisor->admin_gid;
}

static void
on_turn(struct conn *conn, void *arg)
{
	watch_go_on(conn, arg);
}

static void
on_closed(struct conn *conn, void *arg)
{
	(void)arg;
	watch_forget(conn);
}

/* Two supervisors must never write: the lock is ours for life, and none of our children has it. */
static int
lock_store(const char *state_dir)
{
	char path[4096];
	int fd, r;

	snprintf(path, sizeof path, "%s/store.lock", state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	while ((r = fd_lock(fd)) == -EAGAIN)
		poll(NULL, 0, 20); /* the last one is still dying */
	return r < 0 ? r : fd;
}

static int
open_worker(void)
{
	struct install_paths paths;
	int r = install_paths("reeve-worker", &paths);

	for (size_t i = 0; r == 0 && i < INSTALL_PLACES; i++) {
		int fd = open(paths.v[i], O_PATH | O_CLOEXEC);

		if (fd >= 0)
			return fd;
	}
	return r < 0 ? r : -ENOENT;
}

static int
open_store(struct supervisor *supervisor)
{
	char dir[4096];
	struct store_options options = { .dir = dir };
	struct store_error error = { .text = "" };
	int r;

	snprintf(dir, sizeof dir, "%s/store", supervisor->settings.flags.state_dir);
	r = store_check(dir, &error);
	if (r == 0)
		r = store_open(&options, &supervisor->store, &error);
	if (r < 0)
		log_error(
		    "the store cannot be used: %s", error.text[0] ? error.text : strerror(-r));
	return r;
}

/* "reeve.TAG": one per state directory, so that two services on one machine do not meet. */
static void
make_tag(const char *state_dir, char tag[static 20])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (const char *at = state_dir; *at; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	snprintf(tag, 20, "%016llx", (unsigned long long)hash);
}

static int
open_dir(const char *state_dir, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/%s", state_dir, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
open_world(struct supervisor *supervisor)
{
	const char *state_dir = supervisor->settings.flags.state_dir;
	char tag[20];
	int r;

	supervisor->attempts_fd = open_dir(state_dir, "attempts");
	supervisor->journals_fd = open_dir(state_dir, "journals");
	if (supervisor->attempts_fd < 0 || supervisor->journals_fd < 0)
		return -errno;
	supervisor->worker_fd = open_worker();
	if (supervisor->worker_fd < 0) {
		log_error("reeve-worker is neither beside reeve-supervisor nor in libexec/reeve");
		return supervisor->worker_fd;
	}
	r = reaps_open(&supervisor->reaps, KEEPER_FD_REAPS);
	if (r == 0)
		r = proc_boot_id(supervisor->boot_id);
	make_tag(state_dir, tag);
	if (r == 0)
		r = cgroups_open(tag, &supervisor->cgroups);
	if (r == 0)
		cgroups_limit(supervisor->cgroups, supervisor->settings.config.max_processes);
	if (r == 0)
		r = settings_library(&supervisor->settings.config, &supervisor->library);
	supervisor->admin_gid = settings_admin_gid(&supervisor->settings.config);
	return r;
}

struct counting {
	struct job job;
	struct cgroups *cgroups;
};

static void
count_workers(struct job *job)
{
	int r = cgroups_count_thread(((struct counting *)job)->cgroups);

	if (r < 0)
		log_warn("the number of processes is not limited: %s", strerror(-r));
}

static void
on_counted(struct job *job)
{
	free(job);
}

/* Workers are started by the thread of files: the first thing it does is to be counted. */
static int
start_files(struct supervisor *supervisor)
{
	struct counting *counting = calloc(1, sizeof *counting);
	int r = counting ? jobs_start(&supervisor->files, supervisor->loop, "files") : -ENOMEM;

	if (r < 0) {
		free(counting);
		return r;
	}
	*counting = (struct counting){ .job = { .work = count_workers, .done = on_counted },
		.cgroups = supervisor->cgroups };
	jobs_add(&supervisor->files, &counting->job);
	return 0;
}

static int
start_threads(struct supervisor *supervisor)
{
	struct ev_loop *loop = supervisor->loop;
	int r = committer_start(
	    &supervisor->committer, loop, supervisor->store, on_dead_store, supervisor);

	if (r == 0)
		r = start_files(supervisor);
	if (r == 0)
		r = jobs_start(&supervisor->kills, loop, "kills");
	if (r == 0)
		r = jobs_start(&supervisor->names, loop, "names");
	if (r == 0)
		r = jobs_start(&supervisor->removals, loop, "removals");
	if (r == 0)
		r = people_new(&supervisor->names, &supervisor->people);
	return r;
}

struct retention
supervisor_retention(const struct config *config)
{
	const struct config_keep *keep = &config->keep_ms;

	return (struct retention){ .completed_ms = keep->completed,
		.failed_ms = keep->failed,
		.cancelled_ms = keep->cancelled,
		.interrupted_ms = keep->interrupted,
		.tasks = config->keep_tasks,
		.bytes = config->keep_bytes };
}

static int
start_roster(struct supervisor *supervisor)
{
	const struct config *config = &supervisor->settings.config;
	struct roster_env env = { .loop = supervisor->loop,
		.store = supervisor->store,
		.committer = &supervisor->committer,
		.files = &supervisor->files,
		.kills = &supervisor->kills,
		.removals = &supervisor->removals,
		.census = &supervisor->census,
		.cgroups = supervisor->cgroups,
		.reaps = &supervisor->reaps,
		.vault = &supervisor->vault,
		.state_dir = supervisor->settings.flags.state_dir,
		.run_dir = supervisor->settings.flags.run_dir,
		.attempts_fd = supervisor->attempts_fd,
		.journals_fd = supervisor->journals_fd,
		.worker_fd = supervisor->worker_fd,
		.boot_id = supervisor->boot_id,
		.slots = settings_slots(config),
		.grace_ms = config->grace_ms,
		.user_tasks = config->user_tasks,
		.retention = supervisor_retention(config),
		.change_user = supervisor->change_user };
	struct roster_listener listener = {
		.event = watch_event, .news = watch_news, .arg = supervisor
	};
	int r = roster_init(&supervisor->roster, &env, &listener);

	return r < 0 ? r : roster_load(&supervisor->roster);
}

static void
start_watchers(struct supervisor *supervisor)
{
	struct ev_loop *loop = supervisor->loop;

	ev_signal_init(&supervisor->on_term, on_signal, SIGTERM);
	ev_signal_init(&supervisor->on_int, on_signal, SIGINT);
	ev_signal_init(&supervisor->on_hup, on_hangup, SIGHUP);
	ev_io_init(&supervisor->link, on_link, KEEPER_FD_LINK, EV_READ);
	ev_prepare_init(&supervisor->stopper, on_stopper);
	supervisor->link.data = supervisor->stopper.data = supervisor->on_hup.data = supervisor;
	ev_signal_start(loop, &supervisor->on_term);
	ev_signal_start(loop, &supervisor->on_int);
	ev_signal_start(loop, &supervisor->on_hup);
	ev_io_start(loop, &supervisor->link);
}

/* Many tasks need many fds: take what we may. */
static void
raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Before any other file is opened: a keeper of an older build leaves its number free. */
static int
take_vault(struct supervisor *supervisor)
{
	bool is_given = fcntl(KEEPER_FD_VAULT, F_GET_SEALS) >= 0 &&
			fcntl(KEEPER_FD_VAULT, F_SETFD, FD_CLOEXEC) == 0;

	return vault_open(&supervisor->vault, is_given ? KEEPER_FD_VAULT : -1);
}

static int
start(struct supervisor *supervisor)
{
	struct control_handler handler = { .request = commands_call,
		.turn = on_turn,
		.closed = on_closed,
		.is_admin = is_admin,
		.arg = supervisor };
	int r;

	if ((r = lock_store(supervisor->settings.flags.state_dir)) < 0) {
		log_error("locking the store: %s", strerror(-r));
		return r;
	}
	if ((r = open_store(supervisor)) < 0 || (r = open_world(supervisor)) < 0)
		return r;
	spawn_method();
	supervisor->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!supervisor->loop)
		return -ENOMEM;
	if ((r = start_threads(supervisor)) < 0 || (r = start_roster(supervisor)) < 0)
		return r;
	start_watchers(supervisor);
	(void)FAILPOINT("serve.before");
	return control_start(&supervisor->control, supervisor->loop, KEEPER_FD_LISTEN, &handler);
}

int
supervisor_start(struct supervisor *supervisor, const struct settings *settings)
{
	int r;

	*supervisor = (struct supervisor){ .settings = *settings,
		.change_user = geteuid() == 0,
		.attempts_fd = -1,
		.journals_fd = -1,
		.worker_fd = -1,
		.started_ms = clock_wall_ms() };
	census_init(&supervisor->census);
	raise_fd_limit();
	r = take_vault(supervisor);
	if (r == 0)
		r = start(supervisor);
	if (r < 0) {
		log_error("cannot start: %s", strerror(-r));
		if (r == -EUCLEAN || r == -EPROTO)
			return SUPERVISOR_EXIT_UNUSABLE;
		return r == -EIO ? SUPERVISOR_EXIT_IO : EXIT_FAILURE;
	}
	tell_keeper(KEEPER_READY);
	log_info("serving; %zu tasks taken up, spawn by %s, kill by %s", supervisor->roster.ntasks,
	    spawn_method_name(spawn_method()), cgroups_describe(supervisor->cgroups));
	return 0;
}

int
supervisor_run(struct supervisor *supervisor)
{
	/* SIGTERM means: let others take over; only `shutdown` ends the service with it. */
	supervisor->exit_status = SUPERVISOR_EXIT_STOP;
	ev_run(supervisor->loop, 0);
	if (supervisor->stop_service)
		tell_keeper(supervisor->restart_service ? KEEPER_RESTART : KEEPER_STOP);
	return supervisor->exit_status;
}

void
supervisor_stop(struct supervisor *supervisor)
{
	struct ev_loop *loop = supervisor->loop;

	control_stop(&supervisor->control);
	jobs_stop(&supervisor->names);
	jobs_stop(&supervisor->files);
	jobs_stop(&supervisor->kills);
	jobs_stop(&supervisor->removals);
	committer_stop(&supervisor->committer);
	roster_fini(&supervisor->roster);
	people_free(supervisor->people);
	recipe_library_fini(&supervisor->library);
	settings_fini(&supervisor->settings);
	cgroups_close(supervisor->cgroups);
	reaps_close(&supervisor->reaps);
	vault_close(&supervisor->vault);
	store_close(supervisor->store);
	census_fini(&supervisor->census);
	ev_signal_stop(loop, &supervisor->on_term);
	ev_signal_stop(loop, &supervisor->on_int);
	ev_signal_stop(loop, &supervisor->on_hup);
	ev_io_stop(loop, &supervisor->link);
	ev_loop_destroy(loop);
	fd_close(&supervisor->attempts_fd);
	fd_close(&supervisor->journals_fd);
	fd_close(&supervisor->worker_fd);
}
