#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_regular(int dirfd, const char *path, size_t *ret_hint)
{
	/* O_NONBLOCK: a FIFO in the file's place must not stop us. */
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fd_close(&fd);
		return -EINVAL;
	}
	*ret_hint = st.st_size > 0 ? (size_t)st.st_size : 0;
	return fd;
}

int
fd_read_file(int dirfd, const char *path, size_t max_bytes, char **ret_data, size_t *ret_len)
{
	size_t hint = 0, room, len = 0;
	char *data = NULL;
	int fd = open_regular(dirfd, path, &hint), r = -EFBIG;

	if (fd < 0)
		return fd;
	/* Two bytes more than expected: one proves the end, one is the NUL. /proc says 0: start at
	 * a page. */
	room = (hint && hint <= max_bytes ? hint : max_bytes < 4096 ? max_bytes : 4096) + 2;
	while (hint <= max_bytes) {
		char *grown = realloc(data, room);
		ssize_t got;

		r = -ENOMEM;
		if (!grown)
			break;
		data = grown;
		got = fd_read_all(fd, data + len, room - 1 - len);
		r = got < 0 ? (int)got : 0;
		if (r < 0)
			break;
		len += (size_t)got;
		r = len > max_bytes ? -EFBIG : 0;
		if (r < 0 || len < room - 1)
			break;
		room = room > max_bytes / 2 ? max_bytes + 2 : room * 2;
	}
	fd_close(&fd);
	if (r < 0) {
		free(data);
		return r;
	}
	data[len] = '\0';
	*ret_data = data;
	*ret_len = len;
	return 0;
}

static int
sync_parent(int dirfd, const char *path)
{
	char parent[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	int fd, r = 0;

	if (slash)
		snprintf(parent, sizeof parent, "%.*s", (int)(slash - path) + 1, path);
	fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	fd_close(&fd);
	return r;
}

static int
fill(int fd, const void *data, size_t len, mode_t mode, bool sync)
{
	int r = fd_write_all(fd, data, len);

	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0)
		return -errno;
	if (sync && fsync(fd) < 0)
		return -errno;
	return 0;
}

int
fd_write_file(int dirfd, const char *path, const void *data, size_t len, mode_t mode, bool sync)
{
	char tmp[PATH_MAX];
	int fd, r;

	r = snprintf(tmp, sizeof tmp, "%s.tmp", path);
	if (r < 0 || (size_t)r >= sizeof tmp)
		return -ENAMETOOLONG;
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fill(fd, data, len, mode, sync);
	fd_close(&fd);
	if (r == 0 && renameat(dirfd, tmp, dirfd, path) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, tmp, 0);
		return r;
	}
	return sync ? sync_parent(dirfd, path) : 0;
}

int
fd_mkdir_all(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len == 0)
		return -ENOENT;
	if (len >= sizeof part)
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= len; i++) {
		struct stat st;

		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, mode) == 0)
			continue;
		/* EROFS, EACCES: what is there already needs no making. */
		if (stat(part, &st) < 0)
			return -errno;
		if (!S_ISDIR(st.st_mode))
			return -ENOTDIR;
	}
	return 0;
}
