/* tests/unit/scratch.h - a directory of a test's own, open and gone again afterwards. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include "ipc/fd.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static char scratch_path[64];
static int scratch_fd = -1;

/* An unchecked fixture: the directory goes even when a test fails. */
static void
scratch_make(void)
{
	snprintf(scratch_path, sizeof scratch_path, "/tmp/reeve-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch_path));
	scratch_fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(scratch_fd, 0);
}

static void
scratch_remove(void)
{
	fd_close(&scratch_fd);
	(void)fd_remove_tree(AT_FDCWD, scratch_path);
}

/* NAME below the directory; valid until the fourth call after this one. */
static inline const char *
scratch_file(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", scratch_path, name);
	return path;
}

/* How many fds are open, give or take the one that counts. */
static inline size_t
scratch_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#endif
