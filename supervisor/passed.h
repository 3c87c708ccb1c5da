/*
 * supervisor/passed.h - which request of a stream a passed fd belongs to.
 *
 * A receive ends where the bytes end that fds were sent with, whatever it began with
 * (net/unix/af_unix.c), so an fd is that of the request in which the receive ends. Each has one:
 * the last. For supervisor/control.c alone.
 */
#ifndef SUPERVISOR_PASSED_H
#define SUPERVISOR_PASSED_H

#include <stddef.h>

struct passed {
	int begun;  /* of the request that is first in the stream, not whole yet; -1 */
	int latest; /* came with the last receive that brought any; -1 */
	size_t end; /* of that receive, in bytes from where the first request begins */
};
#define PASSED_NONE         \
 {                          \
  .begun = -1, .latest = -1 \
 }

/* Takes the N fds of a receive that ended at END, and closes those that count no more. All requests
 * that were whole before it have been taken. */
void passed_add(struct passed *passed, const int *fds, size_t n, size_t end);

/* The first request is the next LEN bytes: returns its fd, owned by the caller, or -1. */
int passed_take(struct passed *passed, size_t len);

void passed_close(struct passed *passed);

#endif
