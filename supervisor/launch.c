#include "supervisor/launch.h"

#include "ipc/failpoint.h"
#include "ipc/fd.h"
#include "ipc/inherit.h"
#include "ipc/proc.h"
#include "ipc/secrets.h"
#include "ipc/spawn.h"
#include "supervisor/berth.h"
#include "supervisor/link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

char *
launch_attempt_name(uint64_t id, uint64_t attempt, char name[static ATTEMPT_NAME])
{
	snprintf(
	    name, ATTEMPT_NAME, "%llu.%llu", (unsigned long long)id, (unsigned long long)attempt);
	return name;
}

enum {
	MAX_OWN_ENV = 32
};

/* What is only known while it is being made. */
struct making {
	struct launch *launch;
	char name[ATTEMPT_NAME];
	int locked_fd; /* the journal, with our lock */
	int brief_fd;
	struct brief brief;
	struct cgroup_attempt cgroup;
};

static int
fail(struct launch *launch, int error, const char *what)
{
	snprintf(launch->message, sizeof launch->message, "%s: %s", what, strerror(-error));
	return error;
}

/* The system is short of something: that passes. A missing program or a lie does not. */
static bool
passes(int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EMFILE || error == -ENFILE ||
	       error == -ENOSPC || error == -EDQUOT || error == -EIO || error == -EINTR ||
	       error == -ETXTBSY || error == -EBUSY;
}

static int
read_brief(struct making *making)
{
	struct launch *launch = making->launch;
	struct store_bytes bytes;
	int r = store_get_spec(launch->store, launch->id, &bytes);

	if (r < 0)
		return fail(launch, r, "read its frozen spec");
	r = codec_decode(&brief_codec, bytes.data, bytes.len, &making->brief, NULL);
	store_bytes_free(&bytes);
	return r < 0 ? fail(launch, r, "decode its frozen spec") : 0;
}

/* How the steps went in earlier tasks of the type; without it there is just less to go by. */
static int
recall(const struct launch *launch, struct brief *brief)
{
	struct history history;
	int r =
	    store_get_history(launch->store, brief->spec.type ? brief->spec.type : "", &history);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; r == 0 && i < brief->steps.n && i < brief->spec.steps.n; i++) {
		const char *name = brief->spec.steps.v[i].name;
		/* How long people take to answer says nothing. */
		bool is_work = brief->spec.steps.v[i].kind != STEP_KIND_CONFIRM;
		const struct past_runs *runs =
		    name && is_work ? history_runs(&history, name) : NULL;
		struct brief_step *step = &brief->steps.v[i];

		for (size_t k = 0; r == 0 && runs && k < runs->n; k++) {
			struct past_run *run =
			    list_add((struct list *)&step->runs, &past_run_codec);

			r = run ? 0 : -ENOMEM;
			if (run)
				*run = runs->v[k];
			step->lines = runs->v[k].lines;
		}
	}
	codec_free(&history_codec, &history);
	return r;
}

/* Moves what belongs to this attempt into the brief that was frozen at submit. */
static int
complete_brief(struct making *making)
{
	struct launch *launch = making->launch;
	struct brief *brief = &making->brief;
	int r = 0;

	brief->task = launch->id;
	brief->attempt = launch->attempt;
	brief->mode = launch->mode;
	brief->grace_ms = launch->grace_ms;
	brief->order_rev = launch->order_rev;
	brief->steps = launch->steps;
	launch->steps = (struct brief_steps){ 0 };
	brief->secrets = launch->secrets;
	launch->secrets = (struct pairs){ 0 };
	if (recall(launch, brief) < 0 ||
	    str_set(&brief->keeper_instance, launch->keeper_instance) < 0 ||
	    str_set(&brief->boot_id, launch->boot_id) < 0 ||
	    str_set(&brief->news_path, launch->news_path) < 0 ||
	    str_set(&brief->orders_path, launch->orders_path) < 0)
		r = -ENOMEM;
	if (brief->own_workdir) {
		free(brief->workdir);
		brief->workdir = NULL;
		if (asprintf(&brief->workdir, "%s/work/%llu", launch->state_dir,
			(unsigned long long)launch->id) < 0)
			r = -ENOMEM;
	}
	return r < 0 ? fail(launch, r, "complete its brief") : 0;
}

/* An undo is made without them rather than not at all. */
static int
check_secrets(struct making *making)
{
	const struct brief *brief = &making->brief;

	if (brief->mode == ATTEMPT_UNDO || brief->secrets.n == brief->spec.secrets.n)
		return 0;
	making->launch->lacks_secrets = true;
	return fail(making->launch, -ENOKEY, "its secret parameters");
}

static int
make_workdir(struct making *making)
{
	const struct brief *brief = &making->brief;

	if (!brief->own_workdir)
		return 0;
	/* One of an earlier attempt may not have been given away any more. */
	if (mkdir(brief->workdir, 0700) < 0 && errno != EEXIST)
		return fail(making->launch, -errno, "make its directory");
	if (brief->change_user && lchown(brief->workdir, (uid_t)brief->uid, (gid_t)brief->gid) < 0)
		return fail(making->launch, -errno, "give away its directory");
	return 0;
}

/* In memory: it may hold what its owner would not like to find on a disk. */
static int
write_brief(struct making *making)
{
	struct buf out;
	int r;

	buf_init(&out, LIMIT_SPEC + LIMIT_STEPS * LIMIT_VALUE + SECRETS_MAX);
	r = codec_encode(&brief_codec, &making->brief, &out);
	making->brief_fd = memfd_create("reeve-brief", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (r == 0)
		r = making->brief_fd < 0 ? -errno
					 : fd_write_all(making->brief_fd, out.data, out.len);
	if (r == 0 &&
	    fcntl(making->brief_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		r = -errno;
	if (out.data)
		explicit_bzero(out.data, out.len);
	buf_fini(&out);
	return r < 0 ? fail(making->launch, r, "write its brief") : 0;
}

/* With the lock on the journal nobody is left for whom their content was: an order that the last
 * worker did not read must not reach this one. */
static int
make_fifos(struct launch *launch)
{
	bool made;

	launch->news_fd = link_open_fifo(launch->news_path, &made);
	if (launch->news_fd < 0)
		return fail(launch, launch->news_fd, launch->news_path);
	launch->orders_fd = link_open_fifo(launch->orders_path, &made);
	if (launch->orders_fd < 0)
		return fail(launch, launch->orders_fd, launch->orders_path);
	link_empty_fifo(launch->news_fd);
	link_empty_fifo(launch->orders_fd);
	return 0;
}

static int
make_journal(struct making *making)
{
	struct launch *launch = making->launch;
	int r = berth_make_journal(
	    launch->journals_fd, launch->berth, &making->locked_fd, &launch->journal_fd);

	launch->is_occupied = r == -EBUSY;
	return r < 0 ? fail(launch, r, "make its journal") : 0;
}

/* A worker needs no environment but what tests tell the service's programs. */
static char **
own_environment(char *into[static MAX_OWN_ENV])
{
	size_t n = 0;

	for (char **entry = environ; *entry && n + 1 < MAX_OWN_ENV; entry++)
		if (strncmp(*entry, "REEVE_", 6) == 0)
			into[n++] = *entry;
	into[n] = NULL;
	return into;
}

static int
spawn_worker(struct making *making)
{
	struct launch *launch = making->launch;
	char argv0[] = "reeve-worker";
	char *const argv[] = { argv0, making->name, NULL };
	char *own[MAX_OWN_ENV];
	struct spawn_fd fds[9] = {
		{ .from = STDIN_FILENO, .to = STDIN_FILENO }, /* the supervisor has none either */
		{ .from = STDIN_FILENO, .to = STDOUT_FILENO },
		{ .from = STDERR_FILENO, .to = STDERR_FILENO },
		{ .from = making->locked_fd, .to = WORKER_FD_JOURNAL },
		{ .from = launch->news_fd, .to = WORKER_FD_NEWS },
		{ .from = launch->orders_fd, .to = WORKER_FD_ORDERS },
		{ .from = launch->attempts_fd, .to = WORKER_FD_ATTEMPTS },
		{ .from = making->brief_fd, .to = WORKER_FD_BRIEF },
	};
	struct spawn_spec spec = { .exec_fd = launch->worker_fd,
		.argv = argv,
		.envp = own_environment(own),
		.fds = fds,
		.nfds = 8,
		.sibling = true,
		.new_session = true,
		.cgroup_fd = making->cgroup.worker_fd,
		.umask = -1,
		.oom_score_adj = INT_MIN };
	struct spawned child;
	int r;

	if (making->cgroup.dir_fd >= 0)
		fds[spec.nfds++] = (struct spawn_fd){ making->cgroup.dir_fd, WORKER_FD_CGROUP };
	r = spawn(&spec, &child);
	if (r < 0)
		return fail(launch, r, spawn_stage_name(child.stage));
	launch->pid = child.pid;
	launch->pidfd = child.pidfd;
	return 0;
}

/* Whoever hunts strays meanwhile waits until the worker stands in the census. */
static int
spawn_counted(struct making *making)
{
	struct launch *launch = making->launch;
	struct proc_stat stat;
	int r;

	r = census_open(launch->census);
	if (r < 0)
		return fail(launch, r, "count it");
	r = spawn_worker(making);
	if (r == 0 && proc_stat(launch->pid, &stat) == 0) {
		launch->start_ticks = stat.start_ticks;
		census_enter(launch->census, launch->pid, launch->start_ticks);
	}
	census_close(launch->census);
	return r;
}

static int
make(struct making *making)
{
	struct launch *launch = making->launch;
	int r;

	if ((r = read_brief(making)) < 0 || (r = complete_brief(making)) < 0 ||
	    (r = check_secrets(making)) < 0 || (r = make_workdir(making)) < 0 ||
	    (r = write_brief(making)) < 0 || (r = make_journal(making)) < 0 ||
	    (r = make_fifos(launch)) < 0)
		return r;
	r = cgroup_make(launch->cgroups, launch->berth, &making->cgroup);
	if (r < 0 && r != -ENOTSUP)
		return fail(launch, r, "make its cgroup");
	r = FAILPOINT("spawn.before");
	if (r < 0)
		return fail(launch, r, "spawn");
	r = spawn_counted(making);
	(void)FAILPOINT("spawn.after");
	return r;
}

static void
work(struct job *job)
{
	struct launch *launch = (struct launch *)job;
	struct making making = { .launch = launch, .locked_fd = -1, .brief_fd = -1 };

	making.cgroup = (struct cgroup_attempt)CGROUP_ATTEMPT_NONE;
	launch_attempt_name(launch->id, launch->attempt, making.name);
	codec_init(&brief_codec, &making.brief);
	launch->result = make(&making);
	launch->is_transient = passes(launch->result);
	secrets_wipe(&making.brief.secrets);
	codec_free(&brief_codec, &making.brief);
	fd_close(&making.locked_fd);
	fd_close(&making.brief_fd);
	cgroup_attempt_close(&making.cgroup);
	if (launch->result == 0)
		return;
	fd_close(&launch->pidfd);
	fd_close(&launch->journal_fd);
	fd_close(&launch->news_fd);
	fd_close(&launch->orders_fd);
}

void
launch_start(struct launch *launch, struct jobs *jobs)
{
	launch->pidfd = launch->journal_fd = launch->news_fd = launch->orders_fd = -1;
	launch->job.work = work;
	jobs_add(jobs, &launch->job);
}

void
launch_free(struct launch *launch)
{
	struct brief brief;

	codec_init(&brief_codec, &brief);
	brief.steps = launch->steps;
	codec_free(&brief_codec, &brief);
	secrets_wipe(&launch->secrets);
	free(launch->keeper_instance);
	free(launch->boot_id);
	free(launch->news_path);
	free(launch->orders_path);
	free(launch);
}
