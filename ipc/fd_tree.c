/* fd_remove_tree: a directory and all below it, by fds, so that no link can lead elsewhere. */
#include "ipc/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 64 };

static int remove_entry(int dirfd, const char *name, dev_t device, int depth);

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Takes FD. */
static int
empty_directory(int fd, dev_t device, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		fd_close(&fd);
		return -ENOMEM;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (!is_dots(entry->d_name))
			r = remove_entry(fd, entry->d_name, device, depth + 1);
	closedir(dir);
	return r;
}

static int
remove_entry(int dirfd, const char *name, dev_t device, int depth)
{
	struct stat info;
	int fd, r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth > MAX_DEPTH)
		return -ELOOP;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &info) < 0 || info.st_dev != device) {
		fd_close(&fd);
		return -EXDEV;
	}
	r = empty_directory(fd, device, depth);
	if (r == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

int
fd_remove_tree(int dirfd, const char *name)
{
	struct stat info;

	if (fstatat(dirfd, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return remove_entry(dirfd, name, info.st_dev, 0);
}
