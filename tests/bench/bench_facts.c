/* Facts from steps to the committed history, against the same frames through a bare pipe to a file.
 */
#include "tests/bench/bench.h"

#include "ipc/fd.h"
#include "ipc/frame.h"
#include "ipc/msg.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FACTS = 15000, /* of one step: below what a worker takes without slowing it down */
	MAX_WORKERS = 8
};

static double
run_workers(const struct service *service, int workers, int facts)
{
	struct client client;
	uint64_t ids[MAX_WORKERS];
	double begin;
	char program[512], number[16];
	const char *command[] = { program, number, NULL };
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 16);
	char *slash;

	program[n > 0 ? n : 0] = '\0';
	slash = strrchr(program, '/');
	if (!slash)
		die("finding the step");
	strcpy(slash, "/chatter");
	snprintf(number, sizeof number, "%d", facts);
	bench_connect(&client, service);
	begin = now_s();
	for (int i = 0; i < workers; i++)
		ids[i] = bench_submit(&client, command);
	for (int i = 0; i < workers; i++)
		bench_await(&client, ids[i]);
	begin = now_s() - begin;
	client_fini(&client);
	return workers * facts / begin;
}

/* One writer of frames, as the step library writes them. */
static void
write_frames(int fd, int facts)
{
	struct step_msg message;
	struct buf out;
	size_t begin;
	char type[] = "notification", text[] = "a fact of some forty bytes, as they come";

	codec_init(&step_msg_codec, &message);
	message.type = type;
	message.text = text;
	buf_init(&out, LIMIT_FRAME);
	for (int i = 0; i < facts; i++) {
		buf_clear(&out);
		begin = pipe_frame_begin(&out);
		codec_encode(&step_msg_codec, &message, &out);
		pipe_frame_end(&out, begin, LIMIT_FRAME);
		if (fd_write_all(fd, out.data, out.len) < 0)
			_exit(1);
	}
	_exit(0);
}

/* Each frame is written to a file by a write of its own, as a journal is. */
static void
read_frames(int from, int to)
{
	struct pipe_frame frame;
	struct buf in;
	ssize_t n;

	buf_init(&in, 2 * LIMIT_FRAME);
	while ((n = read(from, buf_reserve(&in, LIMIT_FRAME), LIMIT_FRAME)) > 0) {
		size_t at = 0;

		in.len += (size_t)n;
		while (pipe_frame_next(in.data + at, in.len - at, LIMIT_FRAME, &frame) > 0) {
			if (fd_write_all(to, in.data + at, frame.used) < 0)
				die("writing");
			at += frame.used;
		}
		buf_consume(&in, at);
	}
	buf_fini(&in);
}

static double
run_bare(const char *root, int facts)
{
	char path[128];
	double begin = now_s();
	int fds[2], to;
	pid_t pid;

	snprintf(path, sizeof path, "%s/bare", root);
	to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (to < 0 || pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		die("a bare pipe");
	if (pid == 0) {
		fd_close(&fds[0]);
		write_frames(fds[1], facts);
	}
	fd_close(&fds[1]);
	read_frames(fds[0], to);
	fd_close(&fds[0]);
	fd_close(&to);
	waitpid(pid, NULL, 0);
	return facts / (now_s() - begin);
}

void
bench_facts(bool small)
{
	static const int counts[] = { 1, MAX_WORKERS };
	int facts = small ? 1000 : FACTS, rounds = small ? 1 : 5;
	struct service service;

	service_start(&service, "8");
	for (size_t k = 0; k < 2; k++) {
		static struct samples ours, bare;
		char name[32];

		ours.n = bare.n = 0;
		for (int i = 0; i < rounds; i++) {
			samples_add(&ours, run_workers(&service, counts[k], facts));
			samples_add(&bare, run_bare(service.root, facts * 4));
		}
		snprintf(name, sizeof name, "facts_%d_workers", counts[k]);
		print_figure(name, "facts/s", &ours, "one pipe to a file, a write each", &bare);
	}
	service_stop(&service);
}
