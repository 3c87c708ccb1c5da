/*
 * tests/unit/worker_world.h - a world with one worker in it: plays the supervisor for it.
 * The worker is a forked child that runs the real code; what it wrote is read from its journal.
 */
#ifndef TESTS_UNIT_WORKER_WORLD_H
#define TESTS_UNIT_WORKER_WORLD_H

#include "ipc/fd.h"
#include "ipc/frame.h"
#include "ipc/inherit.h"
#include "ipc/log.h"
#include "ipc/logfile.h"
#include "worker/attempt.h"
#include "worker/runner.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
	char dir[128];
	char work[160];
	int dir_fd, attempts_fd, journal_fd, news_fd, orders_fd, cgroup_fd, pids_fd;
	struct brief brief;
	pid_t pid;
	struct fact *facts;
	size_t nfacts;
	struct news news; /* the latest */
	size_t nnews;
	rlim_t file_limit; /* RLIMIT_FSIZE of the worker; 0: none */
};

/* Everything is below it, and world_main removes it, whatever became of the tests. */
static char world_root[64];

static inline int
world_fifo(struct world *world, const char *name, char **ret_path)
{
	ck_assert_int_gt(asprintf(ret_path, "%s/%s", world->dir, name), 0);
	ck_assert_int_eq(mkfifo(*ret_path, 0600), 0);
	return open(*ret_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static inline void
world_init(struct world *world)
{
	struct brief *brief = &world->brief;

	*world = (struct world){ .cgroup_fd = -1, .pids_fd = -1 };
	snprintf(world->dir, sizeof world->dir, "%s/XXXXXX", world_root);
	ck_assert_ptr_nonnull(mkdtemp(world->dir));
	snprintf(world->work, sizeof world->work, "%s/work", world->dir);
	ck_assert_int_eq(mkdir(world->work, 0700), 0);
	world->dir_fd = open(world->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(world->dir_fd, "attempts", 0700), 0);
	world->attempts_fd = openat(world->dir_fd, "attempts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world->journal_fd =
	    openat(world->dir_fd, "journal", O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	codec_init(&brief_codec, brief);
	codec_init(&news_codec, &world->news);
	world->news_fd = world_fifo(world, "news", &brief->news_path);
	world->orders_fd = world_fifo(world, "orders", &brief->orders_path);
	brief->task = 41;
	brief->attempt = 1;
	brief->mode = ATTEMPT_RUN;
	str_set(&brief->keeper_instance, "0123456789abcdef0123456789abcdef");
	str_set(&brief->boot_id, "some-boot");
	str_set(&brief->workdir, world->work);
	brief->own_workdir = true;
	brief->grace_ms = 500;
	brief->umask = 022;
	pairs_set(&brief->env, "PATH", "/usr/bin:/bin");
	str_set(&brief->spec.type, "command");
}

static inline struct spec_step *
world_step(struct world *world, const char *name)
{
	struct spec_step *step =
	    list_add((struct list *)&world->brief.spec.steps, &spec_step_codec);

	ck_assert_ptr_nonnull(step);
	str_set(&step->name, name);
	step->kind = STEP_KIND_CMD;
	step->cancel = CANCEL_NOW;
	return step;
}

static inline struct spec_step *
world_sh(struct world *world, const char *name, const char *text)
{
	struct spec_step *step = world_step(world, name);

	str_set(&step->cmd.sh, text);
	return step;
}

static inline int
world_worker(void)
{
	struct attempt attempt;
	int r;

	log_init("worker", LOG_LEVEL_ERROR);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	setsid();
	r = attempt_open(&attempt, "41.1");
	if (r == 0)
		r = runner_run(&attempt);
	else if (r == -EEXIST)
		r = -70;
	attempt_close(&attempt);
	return r == -70 ? 70 : r < 0 ? 74 : 0;
}

static inline void
world_give(int from, int to)
{
	if (from < 0)
		close(to);
	else if (dup2(from, to) != to) /* no assertions here: one of these fds may be Check's */
		_exit(99);
}

static inline void
world_start(struct world *world)
{
	struct buf out;
	int brief_fd;

	buf_init(&out, 1024 * 1024);
	ck_assert_int_eq(codec_encode(&brief_codec, &world->brief, &out), 0);
	brief_fd = memfd_create("brief", MFD_CLOEXEC);
	ck_assert_int_ge(brief_fd, 0);
	ck_assert_int_eq(fd_write_all(brief_fd, out.data, out.len), 0);
	buf_fini(&out);
	world->pid = fork();
	ck_assert_int_ge(world->pid, 0);
	if (world->pid == 0) {
		int high[6] = { world->journal_fd, world->news_fd, world->orders_fd,
			world->attempts_fd, world->cgroup_fd, brief_fd };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (world->pids_fd >= 0 && write(world->pids_fd, "0", 1) < 0)
			_exit(98);
		if (world->file_limit) {
			struct rlimit limit = { world->file_limit, RLIM_INFINITY };

			setrlimit(RLIMIT_FSIZE, &limit);
		}
		for (size_t i = 0; i < 6; i++)
			high[i] = high[i] < 0 ? -1 : fcntl(high[i], F_DUPFD, 50);
		for (size_t i = 0; i < 6; i++)
			world_give(high[i], WORKER_FD_JOURNAL + (int)i);
		_exit(world_worker());
	}
	close(brief_fd);
}

static inline void
world_read_facts(struct world *world)
{
	struct stat st;
	struct journal_frame frame;
	uint64_t first_seq = journal_first_seq(world->brief.task, world->brief.attempt);
	uint8_t *data;
	size_t at = 0;

	ck_assert_int_eq(fstat(world->journal_fd, &st), 0);
	data = malloc((size_t)st.st_size + 1);
	ck_assert_int_eq(pread(world->journal_fd, data, (size_t)st.st_size, 0), st.st_size);
	for (size_t i = 0; i < world->nfacts; i++)
		codec_free(&fact_codec, &world->facts[i]);
	world->nfacts = 0;
	while (journal_frame_next(data + at, (size_t)st.st_size - at, &frame) == 1) {
		ck_assert_uint_eq(frame.seq, first_seq + world->nfacts);
		world->facts = realloc(world->facts, (world->nfacts + 1) * sizeof *world->facts);
		ck_assert_int_eq(codec_decode(&fact_codec, frame.body, frame.len,
				     &world->facts[world->nfacts], NULL),
		    0);
		world->nfacts++;
		at += frame.used;
	}
	ck_assert_uint_eq(at, (size_t)st.st_size);
	free(data);
}

/* The NTH (from 1) fact of a kind, or NULL. */
static inline const struct fact *
world_fact(const struct world *world, enum fact_kind kind, size_t nth)
{
	for (size_t i = 0; i < world->nfacts; i++)
		if (world->facts[i].kind == kind && --nth == 0)
			return &world->facts[i];
	return NULL;
}

static inline size_t
world_count(const struct world *world, enum fact_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < world->nfacts; i++)
		n += world->facts[i].kind == kind;
	return n;
}

static inline void
world_read_news(struct world *world)
{
	uint8_t data[64 * 1024];
	ssize_t n = read(world->news_fd, data, sizeof data);
	struct pipe_frame frame;

	for (size_t at = 0;
	     n > 0 && pipe_frame_next(data + at, (size_t)n - at, LIMIT_FRAME, &frame) == 1;
	     at += frame.used) {
		codec_free(&news_codec, &world->news);
		ck_assert_int_eq(
		    codec_decode(&news_codec, frame.body, frame.len, &world->news, NULL), 0);
		world->nnews++;
	}
}

/* Waits until the worker has rung with the NTH fact of KIND in its journal. */
static inline void
world_await(struct world *world, enum fact_kind kind, size_t nth)
{
	struct pollfd poll_news = { .fd = world->news_fd, .events = POLLIN };

	for (world_read_facts(world); world_count(world, kind) < nth; world_read_facts(world)) {
		poll(&poll_news, 1, -1);
		world_read_news(world);
	}
}

static inline void
world_await_label(struct world *world, const char *label)
{
	struct pollfd poll_news = { .fd = world->news_fd, .events = POLLIN };

	while (!world->news.label || strcmp(world->news.label, label) != 0) {
		poll(&poll_news, 1, -1);
		world_read_news(world);
	}
}

static inline void
world_await_blocked(struct world *world, enum block_kind kind)
{
	struct pollfd poll_news = { .fd = world->news_fd, .events = POLLIN };

	while (world->news.blocked != kind) {
		poll(&poll_news, 1, -1);
		world_read_news(world);
	}
}

static inline void
world_order(struct world *world, uint64_t rev, enum want want, bool force)
{
	struct order order;
	struct buf frame;
	size_t begin;

	codec_init(&order_codec, &order);
	order.rev = rev;
	order.want = want;
	order.force = force;
	buf_init(&frame, 4096);
	begin = pipe_frame_begin(&frame);
	ck_assert_int_eq(codec_encode(&order_codec, &order, &frame), 0);
	ck_assert_int_eq(pipe_frame_end(&frame, begin, 4096), 0);
	ck_assert_int_eq(write(world->orders_fd, frame.data, frame.len), (ssize_t)frame.len);
	buf_fini(&frame);
}

/* The worker's exit status, after its end; its facts and latest news are read. */
static inline int
world_wait(struct world *world)
{
	int status;

	ck_assert_int_eq(waitpid(world->pid, &status, 0), world->pid);
	world_read_facts(world);
	world_read_news(world);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline int
world_run(struct world *world)
{
	world_start(world);
	return world_wait(world);
}

/* Where the log is, once something was written: an fd, or -1. */
static inline int
world_log_fd(const struct world *world)
{
	return openat(world->attempts_fd, "41.1", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The whole log as text, streams mixed, one line per entry. Owned. */
static inline char *
world_log(const struct world *world)
{
	size_t room = 16 * 1024 * 1024, len = 0;
	uint8_t *data = malloc(room);
	char *text = malloc(room);
	uint64_t offset = 0;
	int fd = world_log_fd(world);
	ssize_t n;

	text[0] = '\0';
	while (fd >= 0 && (n = logfile_read(fd, offset, data, room, &offset)) > 0) {
		struct log_entry entry;
		size_t used, at = 0;

		while (log_entry_next(data + at, (size_t)n - at, &entry, &used) == 1) {
			memcpy(text + len, entry.text, entry.len);
			len += entry.len;
			if (!(entry.flags & LOG_FLAG_MORE))
				text[len++] = '\n';
			at += used;
		}
		offset += (uint64_t)n;
	}
	text[len] = '\0';
	free(data);
	fd_close(&fd);
	return text;
}

static inline void
world_fini(struct world *world)
{
	world_read_facts(world);
	for (size_t i = 0; i < world->nfacts; i++)
		codec_free(&fact_codec, &world->facts[i]);
	free(world->facts);
	codec_free(&brief_codec, &world->brief);
	codec_free(&news_codec, &world->news);
	close(world->dir_fd);
	close(world->attempts_fd);
	close(world->journal_fd);
	close(world->news_fd);
	close(world->orders_fd);
}

static inline int
world_main(Suite *suite)
{
	const char *tmp = getenv("TMPDIR");
	SRunner *runner = srunner_create(suite);
	int failed;

	snprintf(world_root, sizeof world_root, "%.40s/reeve-worker-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(world_root))
		return EXIT_FAILURE;
	chmod(world_root, 0711);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	fd_remove_tree(AT_FDCWD, world_root);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
