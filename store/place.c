#include "store/place.h"

#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

bool
place_is_remote(uint64_t fs_magic)
{
	static const uint32_t remote[] = {
		NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, V9FS_MAGIC, CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC,
		CODA_SUPER_MAGIC, OCFS2_SUPER_MAGIC, 0xff534d42, /* cifs */
		0xfe534d42,                                      /* smb2 */
		0x65735546,                                      /* fuse */
		0x0bd00bd0,                                      /* lustre */
		0x01161970,                                      /* gfs2 */
		0x786f4256,                                      /* vboxsf */
	};

	for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++)
		if ((uint32_t)fs_magic == remote[i])
			return true;
	return false;
}

static int
check_place(int fd)
{
	struct stat info;
	struct statfs fs;

	if (fstat(fd, &info) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (place_is_remote((uint64_t)fs.f_type))
		return -ENOTSUP;
	if (info.st_uid != geteuid())
		return -EPERM;
	if ((info.st_mode & 07077) != 0 && fchmod(fd, 0700) < 0)
		return -errno;
	return 0;
}

int
place_open(const char *dir, int *ret_fd)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = check_place(fd);
	if (r < 0)
		fd_close(&fd);
	else
		*ret_fd = fd;
	return r;
}

/* NAME with at least BYTES of room that is really there. */
static int
allocate(int dir_fd, const char *name, uint64_t bytes)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return -errno;
	do
		r = posix_fallocate(fd, 0, (off_t)bytes);
	while (r == EINTR);
	fd_close(&fd);
	if (r != 0)
		unlinkat(dir_fd, name, 0);
	return r == EDQUOT || r == EFBIG ? -ENOSPC : -r;
}

int
place_ballast_restore(int dir_fd, size_t bytes)
{
	struct stat info;

	if (fstatat(dir_fd, "ballast", &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
	    (uint64_t)info.st_size >= bytes)
		return 0;
	return allocate(dir_fd, "ballast", bytes);
}

int
place_ballast_release(int dir_fd)
{
	return unlinkat(dir_fd, "ballast", 0) < 0 && errno != ENOENT ? -errno : 0;
}

bool
place_is_full(int dir_fd, uint64_t bytes, uint64_t file_end)
{
	struct rlimit limit;
	int r;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    file_end > limit.rlim_cur)
		return true;
	r = allocate(dir_fd, "room", bytes);
	if (r == 0)
		unlinkat(dir_fd, "room", 0);
	return r == -ENOSPC;
}
