#include "ipc/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Directories open at once. What lies deeper is moved up to the top first, so any depth will do. */
enum {
	MAX_DEPTH = 24,
	MAX_RENAMES = 64
};

struct removal {
	struct statx home; /* the mount that is never left */
	int top;           /* borrowed; -1 until known */
	unsigned moved;
	int error; /* the first one */
};

static void
fail(struct removal *removal, int error)
{
	if (removal->error == 0)
		removal->error = error;
}

/* A bind mount of the same file system has the same device, hence the mount id. */
static bool
is_home(const struct removal *removal, int fd)
{
	const struct statx *home = &removal->home;
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &stx) < 0)
		return false;
	if (stx.stx_mask & home->stx_mask & STATX_MNT_ID)
		return stx.stx_mnt_id == home->stx_mnt_id;
	return stx.stx_dev_major == home->stx_dev_major && stx.stx_dev_minor == home->stx_dev_minor;
}

/* An ordinary user's own directory may forbid him to list or empty it. */
static void
make_accessible(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[64];

	if (fd < 0)
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	(void)chmod(path, 0700); /* what fails here fails again, and is reported, at its use */
	fd_close(&fd);
}

static int
open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == EACCES) {
		make_accessible(dirfd, name);
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd >= 0 && geteuid() != 0 && faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		(void)fchmod(fd, 0700);
	return fd;
}

/* Moves DIRFD/NAME to a free name in the top directory, where a later pass finds it. */
static int
move_up(struct removal *removal, int dirfd, const char *name)
{
	char to[32];

	for (int i = 0; i < MAX_RENAMES; i++) {
		snprintf(to, sizeof to, ".removing-%u", removal->moved++);
		if (renameat(dirfd, name, removal->top, to) == 0)
			return 0;
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
			return -errno;
	}
	return -EEXIST;
}

static void empty_dir(struct removal *removal, int fd, unsigned depth);

/* True when DIRFD/NAME is no longer there. */
static bool
remove_entry(struct removal *removal, int dirfd, const char *name, unsigned depth)
{
	int fd = -1, r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR) {
		fail(removal, -errno);
		return false;
	}
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	if (depth == MAX_DEPTH) {
		r = move_up(removal, dirfd, name);
		if (r < 0)
			fail(removal, r);
		return r == 0;
	}
	fd = open_dir(dirfd, name);
	if (fd < 0) {
		fail(removal, -errno);
		return false;
	}
	if (!is_home(removal, fd)) {
		fail(removal, -EXDEV);
		fd_close(&fd);
		return false;
	}
	empty_dir(removal, fd, depth + 1);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	fail(removal, -errno);
	return false;
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Takes FD. */
static void
empty_dir(struct removal *removal, int fd, unsigned depth)
{
	DIR *dir = fdopendir(fd);
	bool progress = true;

	if (!dir) {
		fail(removal, -errno);
		fd_close(&fd);
		return;
	}
	if (depth == 1)
		removal->top = fd;
	/* Removing while reading may hide entries, and some are moved to the top: read again. */
	while (progress) {
		const struct dirent *entry;

		progress = false;
		rewinddir(dir);
		while ((entry = readdir(dir)) != NULL) {
			if (!is_dots(entry->d_name) &&
			    remove_entry(removal, fd, entry->d_name, depth))
				progress = true;
		}
	}
	closedir(dir);
}

int
fd_remove_tree(int dirfd, const char *name)
{
	struct removal removal = { .top = -1 };

	if (statx(dirfd, ".", 0, STATX_TYPE | STATX_MNT_ID, &removal.home) < 0)
		return -errno;
	return remove_entry(&removal, dirfd, name, 0) ? 0 : removal.error;
}
