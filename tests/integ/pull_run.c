#include "tests/integ/pull_run.h"

#include "ipc/fd.h"
#include "ipc/frame.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	WORDS_MAX = 32,
	FRAMES_MAX = 16 * 1024 * 1024
};

/* .../tests/integ/test_pull -> .../bin/reeve-pull */
static void
find_program(char path[static PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

	ck_assert_int_gt((int)len, 0);
	self[len] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(self, '/') = '\0';
	ck_assert_int_lt(snprintf(path, PATH_MAX, "%s/bin/reeve-pull", self), PATH_MAX);
}

static void
exec_pull(const char *path, const char *const words[], int text_fd, int frames_fd)
{
	char *argv[WORDS_MAX] = { strdup("reeve-pull") };
	char number[16];

	for (int i = 0; words[i] && i + 2 < WORDS_MAX; i++)
		argv[i + 1] = strdup(words[i]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(text_fd, STDERR_FILENO);
	unsetenv("REEVE_FD");
	if (frames_fd != -1) {
		fcntl(frames_fd, F_SETFD, 0);
		snprintf(number, sizeof number, "%d", frames_fd);
		setenv("REEVE_FD", number, 1);
	}
	execv(path, argv);
	_exit(127);
}

/* Takes TEXT_FD and FRAMES_FD, the child's ends. */
static void
start(struct run *run, int text_fd, int frames_fd, const char *const words[])
{
	char path[PATH_MAX];

	find_program(path);
	buf_init(&run->frames, FRAMES_MAX);
	run->pid = fork();
	ck_assert_int_ge(run->pid, 0);
	if (run->pid == 0)
		exec_pull(path, words, text_fd, frames_fd);
	fd_close(&text_fd);
	fd_close(&frames_fd);
}

void
run_start(struct run *run, bool is_supervised, const char *const words[])
{
	int text[2], frames[2] = { -1, -1 };

	ck_assert_int_eq(pipe2(text, O_CLOEXEC), 0);
	if (is_supervised)
		ck_assert_int_eq(pipe2(frames, O_CLOEXEC), 0);
	*run = (struct run){ .text_fd = text[0], .frames_fd = frames[0] };
	start(run, text[1], frames[1], words);
}

void
run_start_at(struct run *run, int terminal, const char *const words[])
{
	*run = (struct run){ .text_fd = -1, .frames_fd = -1 };
	start(run, terminal, -1, words);
}

/* False at the end. */
static bool
read_text(struct run *run)
{
	size_t room = sizeof run->text - 1 - run->text_len;
	ssize_t n = read(run->text_fd, run->text + run->text_len, room);

	ck_assert_int_ge(n, 0);
	run->text_len += (size_t)n;
	run->text[run->text_len] = '\0';
	return n > 0;
}

void
run_wait_text(struct run *run, const char *text)
{
	while (!strstr(run->text, text))
		ck_assert_msg(read_text(run), "it never said \"%s\" but: %s", text, run->text);
}

static bool
read_frames(struct run *run)
{
	uint8_t *at = buf_reserve(&run->frames, 4096);
	ssize_t n;

	ck_assert_ptr_nonnull(at);
	n = read(run->frames_fd, at, 4096);
	ck_assert_int_ge(n, 0);
	run->frames.len += (size_t)n;
	return n > 0;
}

bool
run_next_message(struct run *run, struct step_msg *ret_message)
{
	struct pipe_frame frame;
	int r;

	for (;;) {
		r = pipe_frame_next(run->frames.data + run->frames_at,
		    run->frames.len - run->frames_at, LIMIT_FRAME, &frame);
		ck_assert_int_ge(r, 0);
		if (r == 1)
			break;
		if (!read_frames(run))
			return false;
	}
	run->frames_at += frame.used;
	ck_assert_int_eq(
	    codec_decode(&step_msg_codec, frame.body, frame.len, ret_message, NULL), 0);
	return true;
}

bool
run_wait_bytes(struct run *run, uint64_t done)
{
	struct step_msg message;
	bool is_there = false;

	while (!is_there && run_next_message(run, &message)) {
		is_there = strcmp(message.type, "bytes") == 0 && message.done >= done;
		codec_free(&step_msg_codec, &message);
	}
	return is_there;
}

int
run_finish(struct run *run)
{
	int status;

	/* The frames first: a reader that stops would stop the program. */
	while (run->frames_fd != -1 && read_frames(run))
		;
	while (run->text_fd != -1 && read_text(run))
		;
	ck_assert_int_eq(waitpid(run->pid, &status, 0), run->pid);
	fd_close(&run->text_fd);
	fd_close(&run->frames_fd);
	buf_fini(&run->frames);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int
run_pull(struct run *run, const char *const words[])
{
	run_start(run, false, words);
	return run_finish(run);
}
