#include "worker/sandbox.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/frame.h"
#include "ipc/spawn.h"
#include "worker/words.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The ends that go to the command. */
struct given {
	int in, out, err, step, start, answer;
};

static void
given_close(struct given *given)
{
	fd_close(&given->in);
	fd_close(&given->out);
	fd_close(&given->err);
	fd_close(&given->step);
	fd_close(&given->start);
	fd_close(&given->answer);
}

/* Our end does not block; theirs belongs to their user, so that /dev/stdout can be opened. */
static int
make_pipe(const struct brief *brief, int *ret_ours, int *ret_theirs)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
	if (brief->change_user && fchown(fds[1], (uid_t)brief->uid, (gid_t)brief->gid) < 0)
		return -errno;
	return fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* The other way round. */
static int
make_answers(const struct brief *brief, int *ret_ours, int *ret_theirs)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*ret_theirs = fds[0];
	*ret_ours = fds[1];
	if (brief->change_user && fchown(fds[0], (uid_t)brief->uid, (gid_t)brief->gid) < 0)
		return -errno;
	return fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* A file in memory: whatever the size of a checkpoint, nobody has to wait for its reader. */
static int
make_start(const struct attempt *attempt, const struct sandbox *sandbox, int *ret_fd)
{
	struct step_start start = { .task = attempt->brief.task,
		.attempt = attempt->brief.attempt,
		.try_ = sandbox->attempt_try,
		.checkpoint = attempt->brief.steps.v[sandbox->step].checkpoint };
	struct buf frame;
	size_t begin;
	int r;

	buf_init(&frame, PIPE_HEAD + LIMIT_FRAME);
	begin = pipe_frame_begin(&frame);
	r = codec_encode(&step_start_codec, &start, &frame);
	if (r == 0)
		r = pipe_frame_end(&frame, begin, PIPE_HEAD + LIMIT_FRAME);
	if (r == 0 && (*ret_fd = memfd_create("reeve-start", MFD_CLOEXEC)) < 0)
		r = -errno;
	if (r == 0)
		r = fd_write_all(*ret_fd, frame.data, frame.len);
	if (r == 0 && lseek(*ret_fd, 0, SEEK_SET) < 0)
		r = -errno;
	buf_fini(&frame);
	return r;
}

static int
copy_fd(int fd, int *ret_fd)
{
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return *ret_fd < 0 ? -errno : 0;
}

/* What it reads and where it writes: nothing and two pipes, or a terminal. */
static int
make_stdio(struct attempt *attempt, const struct sandbox *sandbox, struct child *child,
    struct given *given)
{
	int r;

	if (!sandbox_has_tty(attempt, sandbox)) {
		if ((r = copy_fd(attempt->null_fd, &given->in)) < 0 ||
		    (r = make_pipe(&attempt->brief, &child->out_fd, &given->out)) < 0)
			return r;
		return make_pipe(&attempt->brief, &child->err_fd, &given->err);
	}
	child->is_on_tty = true;
	if ((r = prompt_open(&child->prompt, attempt, sandbox->step, &child->out_fd, &given->in)) <
		0 ||
	    (r = copy_fd(given->in, &given->out)) < 0)
		return r;
	return copy_fd(given->in, &given->err);
}

static int
make_fds(struct attempt *attempt, const struct sandbox *sandbox, struct child *child,
    struct given *given)
{
	int step_fd = -1, r = make_stdio(attempt, sandbox, child, given);

	if (r < 0)
		return r;
	if (sandbox->role != ROLE_RUN)
		return 0;
	r = make_pipe(&attempt->brief, &step_fd, &given->step);
	channel_init(&child->channel, step_fd, sandbox->step, sandbox->last_sub);
	if (r == 0)
		r = make_start(attempt, sandbox, &given->start);
	return r < 0 ? r : make_answers(&attempt->brief, &child->channel.answer_fd, &given->answer);
}

static bool
is_shortage(enum spawn_stage stage, int r)
{
	return stage == SPAWN_STAGE_CLONE && (r == -EAGAIN || r == -ENOMEM);
}

static const char *
directory_of(const struct attempt *attempt, const struct words *words)
{
	const char *directory = words->cwd ? words->cwd : attempt->brief.workdir;

	return directory ? directory : "/";
}

/* What spawn() says of a program, for who named it. */
static const char *
why_not(const char *program, int r)
{
	switch (r) {
	case -ENOENT:
		return strchr(program, '/') ? "no such file" : "command not found";
	case -ELIBACC:
		return "the interpreter or loader that it names is missing";
	case -EISDIR:
		return "it is a directory, not a program";
	case -EACCES:
		return "it may not be executed (chmod +x makes a file executable)";
	case -ENOEXEC:
		/* Others give it to the shell then, which takes whatever it is for commands. */
		return "not a program of this machine (a script needs a first line like #!/bin/sh, "
		       "or is started by its shell: sh FILE)";
	default:
		return strerror(-r);
	}
}

static void
explain_spawn(const struct attempt *attempt, const struct words *words, enum spawn_stage stage,
    int r, struct sandbox_error *error)
{
	const char *program = words->argv.n ? words->argv.v[0] : "";

	error->may_pass = is_shortage(stage, r);
	error->code = error->may_pass ? "spawn_failed" : "exec_failed";
	if (error->may_pass) {
		snprintf(error->message, sizeof error->message, "cannot start a process: %s",
		    strerror(-r));
		return;
	}
	error->exit_code = 126;
	if (stage == SPAWN_STAGE_EXEC) {
		error->exit_code = r == -ENOENT || r == -ELIBACC ? 127 : 126;
		snprintf(error->message, sizeof error->message, "%.256s: %s", program,
		    why_not(program, r));
	} else if (stage == SPAWN_STAGE_CWD) {
		snprintf(error->message, sizeof error->message,
		    "cannot enter the directory %.384s: %s", directory_of(attempt, words),
		    r == -ESTALE ? "another one stands there by now" : strerror(-r));
	} else {
		snprintf(error->message, sizeof error->message, "%.256s: %s: %s", program,
		    spawn_stage_name(stage), strerror(-r));
	}
}

static void
explain_words(const struct words *words, int r, struct sandbox_error *error)
{
	error->code = "expand_failed";
	if (r == -ENOENT)
		snprintf(error->message, sizeof error->message, "${%.300s} has no value",
		    words->missing ? words->missing : "?");
	else
		snprintf(error->message, sizeof error->message, "cannot build the command: %s",
		    r == -EINVAL ? "a ${ has no end" : strerror(-r));
}

static int
spawn_words(struct attempt *attempt, const struct words *words, const struct given *given,
    struct spawned *ret)
{
	const struct brief *brief = &attempt->brief;
	const struct spawn_cred cred = { .uid = (uid_t)brief->uid,
		.gid = (gid_t)brief->gid,
		.groups = attempt->groups,
		.ngroups = attempt->ngroups };
	const struct spawn_fd fds[] = { { given->in, STDIN_FILENO }, { given->out, STDOUT_FILENO },
		{ given->err, STDERR_FILENO }, { given->step, STEP_FD },
		{ given->start, STEP_START_FD }, { given->answer, STEP_ANSWER_FD } };
	const char **paths = calloc(words->paths.n + 1, sizeof *paths);
	char **argv = calloc(words->argv.n + 1, sizeof *argv);
	struct spawn_spec spec = { .exec_fd = -1,
		.paths = paths,
		.argv = argv,
		.envp = words->envp,
		.fds = fds,
		.nfds = given->step < 0 ? 3 : 6,
		.new_session = true,
		.new_tty = isatty(given->in) == 1,
		.cgroup_fd = attempt->steps_fd,
		.cgroup_by_write = attempt->steps_were_killed,
		.ignores_usual = true, /* its supervisor started it with all at their defaults */
		.cred = brief->change_user ? &cred : NULL,
		.cwd = words->cwd ? words->cwd : brief->workdir,
		.cwd_dev = words->cwd ? 0 : (dev_t)brief->workdir_dev,
		.cwd_ino = words->cwd ? 0 : (ino_t)brief->workdir_ino,
		.umask = (int)(brief->umask & 0777),
		.oom_score_adj = INT_MIN };
	int r = -ENOMEM;

	ret->stage = SPAWN_STAGE_CLONE;
	if (paths && argv) {
		for (size_t i = 0; i < words->paths.n; i++)
			paths[i] = words->paths.v[i];
		for (size_t i = 0; i < words->argv.n; i++)
			argv[i] = words->argv.v[i];
		r = spawn(&spec, ret);
	}
	free(paths);
	free(argv);
	return r;
}

int
sandbox_start(struct attempt *attempt, const struct sandbox *sandbox, struct child *child,
    struct sandbox_error *error)
{
	struct given given = { -1, -1, -1, -1, -1, -1 };
	struct spawned spawned = { .pidfd = -1 };
	struct words words;
	int r;

	*error = (struct sandbox_error){ 0 };
	child_init(child);
	r = words_make(&words, attempt, sandbox);
	if (r < 0) {
		explain_words(&words, r, error);
		goto out;
	}
	child->growth = (struct growth){ .path = words.growing, .bytes = words.grows_to };
	words.growing = NULL;
	growth_begin(&child->growth, attempt, clock_boot_ms());
	r = make_fds(attempt, sandbox, child, &given);
	if (r < 0) {
		error->code = "spawn_failed";
		error->may_pass = r == -EMFILE || r == -ENFILE || r == -ENOMEM;
		snprintf(error->message, sizeof error->message, "cannot make a %s: %s",
		    child->is_on_tty ? "terminal" : "pipe", strerror(-r));
		goto out;
	}
	r = spawn_words(attempt, &words, &given, &spawned);
	if (r < 0) {
		explain_spawn(attempt, &words, spawned.stage, r, error);
		goto out;
	}
	child->pid = spawned.pid;
	child->pidfd = spawned.pidfd;
	if (sandbox->role == ROLE_RUN)
		child->progress = attempt->brief.spec.steps.v[sandbox->step].progress.kind;
out:
	given_close(&given);
	words_free(&words);
	if (r < 0)
		child_fini(child);
	return r;
}
