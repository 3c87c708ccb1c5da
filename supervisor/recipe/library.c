#include "supervisor/recipe/library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/fd.h"
#include "ipc/install.h"
#include "supervisor/recipe/value.h"

static const char suffix[] = ".yaml";
enum {
	SUFFIX_LEN = sizeof suffix - 1,
	MAX_RECIPES = 4096
};

/* ---- the directories ---- */

static int
add_below(struct strs *dirs, const char *parent, const char *name)
{
	char *dir;
	int r;

	if (asprintf(&dir, "%s/%s", parent, name) < 0)
		return -ENOMEM;
	r = strs_add(dirs, dir);
	free(dir);
	return r;
}

static int
add_packaged(struct strs *dirs)
{
	char dir[PATH_MAX], real[PATH_MAX];

	if (install_share("recipes", dir) < 0)
		return 0;
	/* Messages name the files: as the file system does, where the directory is there already.
	 */
	return strs_add(dirs, realpath(dir, real) ? real : dir);
}

int
recipe_library_init(
    struct recipe_library *library, const char *config_dir, const struct strs *listed)
{
	struct strs dirs = { .v = NULL };
	int r = 0;

	for (size_t i = 0; r == 0 && i < listed->n; i++)
		r = strs_add(&dirs, listed->v[i]);
	if (listed->n == 0) {
		if (config_dir && config_dir[0] == '/')
			r = add_below(&dirs, config_dir, "recipes");
		if (r == 0)
			r = add_packaged(&dirs);
	}
	if (r < 0) {
		strs_free(&dirs);
		return r;
	}
	library->dirs = dirs;
	return 0;
}

void
recipe_library_fini(struct recipe_library *library)
{
	strs_free(&library->dirs);
}

/* ---- one recipe ---- */

void
recipe_file_fini(struct recipe_file *file)
{
	free(file->path);
	free(file->text);
	*file = (struct recipe_file){ .path = NULL };
}

/* Only root and the service's own user can change it. */
static bool
is_ours(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) &&
	       (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* FD and every directory above it, where the kernel says it is: a path could be changed under us.
 */
static bool
is_trusted(int fd)
{
	char link[32], path[PATH_MAX];
	struct stat st;
	ssize_t len;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	if (len <= 0 || path[0] != '/' || fstat(fd, &st) < 0 || !is_ours(&st))
		return false;
	path[len] = '\0';
	for (;;) {
		char *slash = strrchr(path, '/');
		bool is_root = slash == path;

		slash[is_root] = '\0';
		if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || !is_ours(&st))
			return false;
		if (is_root)
			return true;
	}
}

static int
read_text(int fd, struct recipe_file *file)
{
	ssize_t n;

	file->text = malloc(LIMIT_RECIPE + 1);
	if (!file->text)
		return -ENOMEM;
	n = fd_read_all(fd, file->text, LIMIT_RECIPE + 1);
	if (n < 0)
		return (int)n;
	if (n > LIMIT_RECIPE)
		return -EFBIG;
	file->text[n] = '\0';
	file->len = (size_t)n;
	return 0;
}

/* Takes PATH, also on failure. */
static int
read_file(char *path, struct recipe_file *ret_file)
{
	struct recipe_file file = { .path = path };
	struct stat st;
	int r = 0, fd;

	/* O_NONBLOCK: a FIFO in the directory is not waited for, but refused. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -ENOENT;
	if (r == 0)
		r = read_text(fd, &file);
	if (r == 0) {
		file.trusted = is_trusted(fd);
		*ret_file = file;
	} else {
		recipe_file_fini(&file);
	}
	fd_close(&fd);
	return r;
}

int
recipe_library_find(
    const struct recipe_library *library, const char *name, struct recipe_file *ret_file)
{
	int r = -ENOENT;

	if (!value_is_file_name(name))
		return -EINVAL;
	for (size_t i = 0; r == -ENOENT && i < library->dirs.n; i++) {
		char *path;

		if (asprintf(&path, "%s/%s%s", library->dirs.v[i], name, suffix) < 0)
			return -ENOMEM;
		r = read_file(path, ret_file);
	}
	return r;
}

/* ---- all of them ---- */

struct entry {
	char *name, *path;
	size_t order; /* of its directory */
};

struct entries {
	struct entry *v;
	size_t n;
};

static int
add_entry(struct entries *entries, const char *dir, size_t order, const char *file)
{
	size_t len = strlen(file);
	struct entry entry = { .order = order };
	struct entry *v;

	if (len <= SUFFIX_LEN || strcmp(file + len - SUFFIX_LEN, suffix) != 0)
		return 0;
	entry.name = strndup(file, len - SUFFIX_LEN);
	if (!entry.name)
		return -ENOMEM;
	if (!value_is_file_name(entry.name)) {
		free(entry.name);
		return 0;
	}
	v = realloc(entries->v, (entries->n + 1) * sizeof *v);
	if (v)
		entries->v = v;
	if (!v || asprintf(&entry.path, "%s/%s", dir, file) < 0) {
		free(entry.name);
		return -ENOMEM;
	}
	entries->v[entries->n++] = entry;
	return 0;
}

/* A directory that is not there, or not for us to read, holds no recipes. */
static int
add_dir(struct entries *entries, const char *path, size_t order)
{
	DIR *dir = opendir(path);
	const struct dirent *file;
	int r = 0;

	if (!dir)
		return 0;
	while (r == 0 && entries->n < MAX_RECIPES && (file = readdir(dir)))
		r = add_entry(entries, path, order, file->d_name);
	closedir(dir);
	return r;
}

static int
by_name(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	if (order != 0)
		return order;
	return (left->order > right->order) - (left->order < right->order);
}

int
recipe_library_each(const struct recipe_library *library,
    int (*fn)(const char *name, const char *path, void *arg), void *arg)
{
	struct entries entries = { .v = NULL };
	int r = 0;

	for (size_t i = 0; r == 0 && i < library->dirs.n; i++)
		r = add_dir(&entries, library->dirs.v[i], i);
	if (entries.n > 0)
		qsort(entries.v, entries.n, sizeof *entries.v, by_name);
	for (size_t i = 0; r == 0 && i < entries.n; i++)
		if (i == 0 || strcmp(entries.v[i].name, entries.v[i - 1].name) != 0)
			r = fn(entries.v[i].name, entries.v[i].path, arg);
	for (size_t i = 0; i < entries.n; i++) {
		free(entries.v[i].name);
		free(entries.v[i].path);
	}
	free(entries.v);
	return r;
}
