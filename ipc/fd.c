#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

int
fd_close(int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		close(*fd); /* EINTR has closed it all the same on Linux */
	*fd = -1;
	errno = saved_errno;
	return -1;
}

int
fd_guard_stdio(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (errno != EBADF)
			return -errno;
		/* Lower numbers are taken, so this one is FD. Inherited on purpose. */
		if (open("/dev/null", O_RDWR) < 0) // NOLINT(android-cloexec-open)
			return -errno;
	}
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

/* After a failed read or write: 0 to try again, else -errno. */
static int
wait_ready(int fd, short events)
{
	struct pollfd pollfd = { .fd = fd, .events = events };

	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	if (poll(&pollfd, 1, -1) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

ssize_t
fd_read_all(int fd, void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t got = read(fd, (char *)data + done, len - done);
		int r;

		if (got == 0)
			break;
		if (got > 0) {
			done += (size_t)got;
			continue;
		}
		r = wait_ready(fd, POLLIN);
		if (r < 0)
			return r;
	}
	return (ssize_t)done;
}

int
fd_write_all(int fd, const void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t put = write(fd, (const char *)data + done, len - done);
		int r;

		if (put >= 0) {
			done += (size_t)put;
			continue;
		}
		r = wait_ready(fd, POLLOUT);
		if (r < 0)
			return r;
	}
	return 0;
}

int
fd_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int
fd_is_locked(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}
