#include "supervisor/berth.h"

#include "ipc/fd.h"
#include "ipc/frame.h"
#include "ipc/task.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BITS = 64,
	NAME = 24,
	HELLO_BYTES = 4096,
	CLEARED_BYTES = 4096,
	MAX_KEPT_BYTES = 64 * 1024
};

/* ---- which are taken ----------------------------------------------------------------- */

static int
grow(struct berths *berths, size_t nwords)
{
	uint64_t *words;

	if (nwords <= berths->nwords)
		return 0;
	words = reallocarray(berths->words, nwords, sizeof *words);
	if (!words)
		return -ENOMEM;
	memset(words + berths->nwords, 0, (nwords - berths->nwords) * sizeof *words);
	berths->words = words;
	berths->nwords = nwords;
	return 0;
}

uint64_t
berths_take(struct berths *berths)
{
	size_t i = 0;
	unsigned bit;

	while (i < berths->nwords && berths->words[i] == UINT64_MAX)
		i++;
	if (grow(berths, i + 1) < 0)
		return 0;
	bit = (unsigned)__builtin_ctzll(~berths->words[i]);
	berths->words[i] |= UINT64_C(1) << bit;
	return i * BITS + bit + 1;
}

int
berths_hold(struct berths *berths, uint64_t berth)
{
	if (grow(berths, (berth - 1) / BITS + 1) < 0)
		return -ENOMEM;
	berths->words[(berth - 1) / BITS] |= UINT64_C(1) << (berth - 1) % BITS;
	return 0;
}

bool
berths_is_taken(const struct berths *berths, uint64_t berth)
{
	size_t i = (berth - 1) / BITS;

	return i < berths->nwords && (berths->words[i] >> (berth - 1) % BITS & 1) != 0;
}

uint64_t
berths_next(const struct berths *berths, uint64_t after)
{
	size_t i = after / BITS;
	uint64_t word = i < berths->nwords ? berths->words[i] & UINT64_MAX << after % BITS : 0;

	while (word == 0 && ++i < berths->nwords)
		word = berths->words[i];
	return word ? i * BITS + (unsigned)__builtin_ctzll(word) + 1 : 0;
}

void
berths_release(struct berths *berths, uint64_t berth)
{
	if (berth > 0 && (berth - 1) / BITS < berths->nwords)
		berths->words[(berth - 1) / BITS] &= ~(UINT64_C(1) << (berth - 1) % BITS);
}

void
berths_fini(struct berths *berths)
{
	free(berths->words);
	*berths = (struct berths){ 0 };
}

/* ---- journals ------------------------------------------------------------------------ */

static const char *
journal_name(uint64_t berth, char name[static NAME])
{
	snprintf(name, NAME, "%llu", (unsigned long long)berth);
	return name;
}

/* A file that is new has its name synced once; the worker syncs what it writes. */
static int
open_for_writing(int journals_fd, const char *name)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(journals_fd, name, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	fd = openat(journals_fd, name, flags | O_CREAT | O_EXCL, 0600);
	if (fd >= 0 && fsync(journals_fd) < 0) {
		int error = -errno;

		fd_close(&fd);
		return error;
	}
	return fd < 0 ? -errno : fd;
}

/* What an earlier attempt wrote goes; its blocks stay, unless they are many. */
static int
clear(int fd)
{
	static const uint8_t zeros[CLEARED_BYTES];
	struct stat info;

	if (fstat(fd, &info) < 0)
		return -errno;
	if (info.st_size > MAX_KEPT_BYTES) {
		if (ftruncate(fd, 0) < 0)
			return -errno;
		info.st_size = 0;
	}
	for (off_t at = 0; at == 0 || at < info.st_size; at += CLEARED_BYTES) {
		ssize_t n = pwrite(fd, zeros, sizeof zeros, at);

		if (n != (ssize_t)sizeof zeros)
			return n < 0 ? -errno : -ENOSPC;
	}
	return 0;
}

int
berth_make_journal(int journals_fd, uint64_t berth, int *ret_fd, int *ret_reader)
{
	char name[NAME];
	int fd = open_for_writing(journals_fd, journal_name(berth, name)), reader = -1, r;

	if (fd < 0)
		return fd;
	r = fd_lock(fd);
	if (r == -EAGAIN)
		r = -EBUSY;
	if (r == 0)
		r = clear(fd);
	if (r == 0)
		reader = openat(journals_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (r == 0 && reader < 0)
		r = -errno;
	if (r < 0) {
		fd_close(&fd);
		return r;
	}
	*ret_fd = fd;
	*ret_reader = reader;
	return 0;
}

enum first {
	FIRST_NONE,  /* nothing, or no whole frame yet */
	FIRST_OTHER, /* a frame that is no HELLO */
	FIRST_HELLO
};

static enum first
read_first(int fd, struct fact *ret_fact)
{
	uint8_t data[HELLO_BYTES];
	struct journal_frame frame;
	ssize_t n = pread(fd, data, sizeof data, 0);
	int r = n > 0 ? journal_frame_next(data, (size_t)n, &frame) : 0;

	if (r <= 0)
		return r == 0 ? FIRST_NONE : FIRST_OTHER;
	if (codec_decode(&fact_codec, frame.body, frame.len, ret_fact, NULL) < 0)
		return FIRST_OTHER;
	if (ret_fact->kind == FACT_HELLO)
		return FIRST_HELLO;
	codec_free(&fact_codec, ret_fact);
	return FIRST_OTHER;
}

int
berth_open_journal(int journals_fd, uint64_t berth, uint64_t id, uint64_t attempt)
{
	char name[NAME];
	int fd = openat(journals_fd, journal_name(berth, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct fact hello;

	if (fd < 0)
		return -errno;
	if (read_first(fd, &hello) == FIRST_HELLO) {
		if (hello.task != id || hello.attempt != attempt)
			fd_close(&fd);
		codec_free(&fact_codec, &hello);
	}
	return fd < 0 ? -ENOENT : fd;
}

uint64_t
berth_last_id(int journals_fd)
{
	int dir_fd = openat(journals_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = dir_fd >= 0 ? fdopendir(dir_fd) : NULL;
	const struct dirent *entry;
	uint64_t last = 0;

	while (dir && (entry = readdir(dir))) {
		int fd = entry->d_name[0] != '.'
			     ? openat(journals_fd, entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
			     : -1;
		struct fact hello;

		if (fd >= 0 && read_first(fd, &hello) == FIRST_HELLO) {
			last = hello.task > last ? hello.task : last;
			codec_free(&fact_codec, &hello);
		}
		fd_close(&fd);
	}
	if (dir)
		closedir(dir);
	else
		fd_close(&dir_fd);
	return last;
}

char *
berth_pipe_path(const char *run_dir, uint64_t berth, const char *what)
{
	char *path = NULL;

	return asprintf(&path, "%s/%llu.%s", run_dir, (unsigned long long)berth, what) < 0 ? NULL
											   : path;
}
