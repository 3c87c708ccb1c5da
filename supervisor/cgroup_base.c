#include "supervisor/cgroup_base.h"

#include "ipc/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "reeve."

static bool
is_still(int fd, const char *path)
{
	struct stat held, there;

	return fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_dev == there.st_dev &&
	       held.st_ino == there.st_ino;
}

static int
lock_shared(int fd)
{
	while (flock(fd, LOCK_SH) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int
cgroup_base_hold(const char *base)
{
	for (;;) {
		int fd, r;

		if (mkdir(base, 0755) < 0 && errno != EEXIST)
			return -errno;
		fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT) /* swept away meanwhile */
			continue;
		if (fd < 0)
			return -errno;
		r = lock_shared(fd);
		if (r == 0 && is_still(fd, base))
			return fd;
		fd_close(&fd);
		if (r < 0)
			return r;
	}
}

/* Appends the name of a group in PATH to PATH, if there is one. */
static bool
descend(char path[static PATH_MAX])
{
	const struct dirent *entry;
	size_t len = strlen(path);
	DIR *dir = opendir(path);
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0 &&
			snprintf(path + len, PATH_MAX - len, "/%s", entry->d_name) <
			    (int)(PATH_MAX - len);
	if (dir)
		closedir(dir);
	if (!found)
		path[len] = '\0';
	return found;
}

int
cgroup_base_remove(char path[static PATH_MAX])
{
	size_t top = strlen(path);

	for (;;) {
		while (descend(path))
			continue;
		if (rmdir(path) < 0 && errno != ENOENT)
			return -errno;
		if (strlen(path) <= top)
			return 0;
		*strrchr(path, '/') = '\0';
	}
}

/* Held while it goes, so that no service takes it up half removed. */
static void
remove_if_free(char path[static PATH_MAX])
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)cgroup_base_remove(path); /* somebody's process may still be in it */
	fd_close(&fd);
}

void
cgroup_base_sweep(const char *base)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	int len = (int)(strrchr(base, '/') - base);
	DIR *dir;

	snprintf(path, sizeof path, "%.*s", len, base);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
		    strcmp(entry->d_name, base + len + 1) == 0)
			continue;
		if (snprintf(path, sizeof path, "%.*s/%s", len, base, entry->d_name) <
		    (int)sizeof path)
			remove_if_free(path);
	}
	if (dir)
		closedir(dir);
}
