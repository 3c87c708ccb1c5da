#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
	return -1;
}

int
fd_guard_stdio(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) /* the lowest: FD */
			return -errno;
	return 0;
}

int
fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

ssize_t
fd_read_all(int fd, void *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = read(fd, (char *)data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

int
fd_write_all(int fd, const void *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = write(fd, (const char *)data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return 0;
}

int
fd_read_whole(int fd, size_t max_bytes, char **ret_data, size_t *ret_len)
{
	struct stat info;
	size_t room;
	char *data;
	ssize_t n;

	if (fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode))
		return -EINVAL;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	if ((uint64_t)info.st_size > max_bytes)
		return -EFBIG;
	/* the kernel's own files say they are empty */
	room = info.st_size > 0 ? (size_t)info.st_size : max_bytes;
	data = malloc(room + 2);
	if (!data)
		return -ENOMEM;
	n = fd_read_all(fd, data, room + 1);
	if (n < 0 || (size_t)n > room) {
		free(data);
		return n < 0 ? (int)n : -EFBIG;
	}
	data[n] = '\0';
	*ret_data = data;
	*ret_len = (size_t)n;
	return 0;
}

int
fd_read_file(int dirfd, const char *path, size_t max_bytes, char **ret_data, size_t *ret_len)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_read_whole(fd, max_bytes, ret_data, ret_len);
	fd_close(&fd);
	return r;
}

static int
sync_parent(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent =
	    slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
	int fd, r = 0;

	if (!parent)
		return -ENOMEM;
	fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	fd_close(&fd);
	return r;
}

int
fd_write_file(int dirfd, const char *path, const void *data, size_t len, mode_t mode, bool sync)
{
	char temporary[PATH_MAX];
	int fd, r;

	if (snprintf(temporary, sizeof temporary, "%s.tmp", path) >= (int)sizeof temporary)
		return -ENAMETOOLONG;
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (r == 0 && sync && fdatasync(fd) < 0)
		r = -errno;
	fd_close(&fd);
	if (r == 0 && renameat(dirfd, temporary, dirfd, path) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, temporary, 0);
	return r == 0 && sync ? sync_parent(dirfd, path) : r;
}

int
fd_mkdir_all(const char *path, mode_t mode)
{
	char *copy;
	int r = 0;

	if (*path == '\0')
		return -ENOENT;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	for (char *at = copy + 1; r == 0 && (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			r = -errno;
		*at = '/';
	}
	if (r == 0 && mkdir(copy, mode) < 0 && errno != EEXIST)
		r = -errno;
	free(copy);
	return r;
}

/* fcntl(2), "Open file description locks". */
static struct flock
whole_file(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

int
fd_lock(int fd)
{
	struct flock lock = whole_file();

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int
fd_is_locked(int fd)
{
	struct flock lock = whole_file();

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}

/*
 * sun_path holds 107 bytes. A longer path is reached through its directory's fd: *ret_dir then
 * has to stay open until the call is made.
 */
static int
make_address(const char *path, struct sockaddr_un *ret_address, int *ret_dir)
{
	const char *slash = strrchr(path, '/');
	char *parent;

	*ret_dir = -1;
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (*path == '\0')
		return -ENOENT; /* to the kernel that is an abstract name */
	if (strlen(path) < sizeof ret_address->sun_path) {
		memcpy(ret_address->sun_path, path, strlen(path) + 1);
		return 0;
	}
	if (!slash)
		return -ENAMETOOLONG;
	parent = strndup(path, (size_t)(slash - path));
	if (!parent)
		return -ENOMEM;
	*ret_dir = open(*parent ? parent : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	if (*ret_dir < 0)
		return -errno;
	if (snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "/proc/self/fd/%d/%s",
		*ret_dir, slash + 1) < (int)sizeof ret_address->sun_path)
		return 0;
	fd_close(ret_dir);
	return -ENAMETOOLONG;
}

int
fd_unix_listen(const char *path, mode_t mode, int backlog)
{
	struct sockaddr_un address;
	int dir, r = make_address(path, &address, &dir);
	int fd = -1;
	mode_t old;

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* born closed to others; opened up only once it is bound */
	old = umask(0177);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		r = -errno;
	umask(old);
	if (r == 0 && (chmod(path, mode) < 0 || listen(fd, backlog) < 0))
		r = -errno;
	fd_close(&dir);
	if (r < 0)
		fd_close(&fd);
	return r < 0 ? r : fd;
}

int
fd_unix_connect(const char *path)
{
	struct sockaddr_un address;
	int dir, r = make_address(path, &address, &dir);
	int fd;

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		r = -errno;
	fd_close(&dir);
	if (r < 0)
		fd_close(&fd);
	return r < 0 ? r : fd;
}

enum {
	MAX_PASSED = 16
};

union fd_control {
	char bytes[CMSG_SPACE(MAX_PASSED * sizeof(int))];
	struct cmsghdr align;
};

ssize_t
fd_send(int sock, const void *data, size_t len, const int *fds, size_t nfds)
{
	union {
		const void *given;
		void *taken;
	} bytes = { .given = data };
	struct iovec part = { .iov_base = bytes.taken, .iov_len = len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union fd_control control = { 0 };
	ssize_t n;

	if (nfds > MAX_PASSED)
		return -EINVAL;
	if (nfds > 0) {
		struct cmsghdr *head;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(head), fds, nfds * sizeof(int));
	}
	do
		n = sendmsg(sock, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Moves the fds of one control message to RET_FDS; those there is no room for are closed. */
static void
take_fds(const struct cmsghdr *head, int *ret_fds, size_t max, size_t *n)
{
	size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
		if (*n < max)
			ret_fds[(*n)++] = fd;
		else
			fd_close(&fd);
	}
}

ssize_t
fd_recv(int sock, void *data, size_t len, int *ret_fds, size_t *nfds)
{
	struct iovec part = { .iov_base = data, .iov_len = len };
	union fd_control control;
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	size_t max = *nfds;
	ssize_t n;

	*nfds = 0;
	do
		n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head;
	     head = CMSG_NXTHDR(&message, head))
		if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
			take_fds(head, ret_fds, max, nfds);
	return n;
}
