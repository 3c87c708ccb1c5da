#include "supervisor/passed.h"

#include "ipc/fd.h"

/* The request that is first has the latest, too: of two the later one counts. */
static void
settle(struct passed *passed)
{
	if (passed->latest < 0)
		return;
	fd_close(&passed->begun);
	passed->begun = passed->latest;
	passed->latest = -1;
}

void
passed_add(struct passed *passed, const int *fds, size_t n, size_t end)
{
	if (n == 0)
		return;
	settle(passed); /* no request has become whole since */
	for (size_t i = 0; i < n; i++) {
		fd_close(&passed->latest);
		passed->latest = fds[i];
	}
	passed->end = end;
}

int
passed_take(struct passed *passed, size_t len)
{
	int fd;

	if (passed->end <= len)
		settle(passed);
	else
		passed->end -= len;
	fd = passed->begun;
	passed->begun = -1;
	return fd;
}

void
passed_close(struct passed *passed)
{
	fd_close(&passed->begun);
	fd_close(&passed->latest);
}
