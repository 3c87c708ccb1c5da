#include "worker/step_pipe.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Whole frames only: half of one would make nonsense of all that follows. */
static int
write_whole(int fd, const uint8_t *data, size_t len)
{
	int r = 0;

	while (len > 0 && r == 0) {
		ssize_t n = write(fd, data, len);

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			(void)poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		} else if (errno != EINTR) {
			r = -errno;
		}
	}
	return r;
}

/* The program's own way with SIGPIPE is left alone: it is held off here, and one of ours taken
 * back. */
int
step_pipe_write(int fd, const uint8_t *data, size_t len)
{
	const struct timespec at_once = { 0, 0 };
	sigset_t sigpipe, before, pending;
	int r;

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
	r = write_whole(fd, data, len);
	if (r == -EPIPE && !sigismember(&pending, SIGPIPE))
		while (sigtimedwait(&sigpipe, NULL, &at_once) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}
