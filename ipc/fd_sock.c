#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	MAX_FDS = 16
};

union control {
	char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

/*
 * An address for PATH. When it is too long, *ret_dirfd is its directory, open as long as the
 * address is in use, else -1.
 */
static int
make_address(const char *path, struct sockaddr_un *ret_addr, int *ret_dirfd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int dirfd = -1, len;

	if (path[0] == '\0')
		return -ENOENT;
	if (strlen(path) < sizeof addr.sun_path) {
		strcpy(addr.sun_path, path); // NOLINT(clang-analyzer-security.insecureAPI.strcpy)
	} else {
		if (!slash || (size_t)(slash - path) >= sizeof dir - 1)
			return -ENAMETOOLONG;
		snprintf(dir, sizeof dir, "%.*s", (int)(slash - path) + 1, path);
		dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dirfd < 0)
			return -errno;
		len = snprintf(
		    addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/%s", dirfd, slash + 1);
		if (len < 0 || (size_t)len >= sizeof addr.sun_path) {
			fd_close(&dirfd);
			return -ENAMETOOLONG;
		}
	}
	*ret_addr = addr;
	*ret_dirfd = dirfd;
	return 0;
}

static int
bind_and_listen(int sock, const struct sockaddr_un *addr, mode_t mode, int backlog)
{
	/* The file is born with the socket's own mode: never wider than asked for. */
	if (fchmod(sock, mode) < 0)
		return -errno;
	if (bind(sock, (const struct sockaddr *)addr, sizeof *addr) < 0)
		return -errno;
	if (chmod(addr->sun_path, mode) < 0 || listen(sock, backlog) < 0) {
		int r = -errno;

		unlink(addr->sun_path);
		return r;
	}
	return 0;
}

int
fd_unix_listen(const char *path, mode_t mode, int backlog)
{
	struct sockaddr_un addr;
	int dirfd = -1, sock, r;

	r = make_address(path, &addr, &dirfd);
	if (r < 0)
		return r;
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = sock < 0 ? -errno : bind_and_listen(sock, &addr, mode, backlog);
	fd_close(&dirfd);
	if (r < 0) {
		fd_close(&sock);
		return r;
	}
	return sock;
}

int
fd_unix_connect(const char *path)
{
	struct sockaddr_un addr;
	int dirfd = -1, sock, r;

	r = make_address(path, &addr, &dirfd);
	if (r < 0)
		return r;
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = sock < 0 ? -errno : 0;
	while (r == 0 && connect(sock, (const struct sockaddr *)&addr, sizeof addr) < 0)
		r = errno == EINTR ? 0 : -errno;
	fd_close(&dirfd);
	if (r < 0) {
		fd_close(&sock);
		return r;
	}
	return sock;
}

ssize_t
fd_send(int sock, const void *data, size_t len, const int *fds, size_t nfds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = { .bytes = { 0 } };
	ssize_t put;

	if (nfds > MAX_FDS)
		return -EINVAL;
	if (nfds > 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	do
		put = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	return put < 0 ? -errno : put;
}

/* Keeps up to ROOM of the fds in MSG, closes the others. Returns how many were kept. */
static size_t
take_fds(struct msghdr *msg, int *ret_fds, size_t room)
{
	size_t kept = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t count;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof fd, sizeof fd);
			if (kept < room)
				ret_fds[kept++] = fd;
			else
				fd_close(&fd);
		}
	}
	return kept;
}

ssize_t
fd_recv(int sock, void *data, size_t len, int *ret_fds, size_t *nfds)
{
	struct iovec iov = { .iov_base = data, .iov_len = len };
	union control control;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	ssize_t got;

	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	/* What does not fit the buffer the kernel did not hand over. */
	*nfds = take_fds(&msg, ret_fds, *nfds);
	return got;
}
