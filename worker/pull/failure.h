/*
 * worker/pull/failure.h - why a download did not happen, for a person and for the exit status.
 */
#ifndef WORKER_PULL_FAILURE_H
#define WORKER_PULL_FAILURE_H

/* X(symbol, exit status, what it means: printed by --help) */
/* clang-format off */
#define PULL_EXITS(X)                                                                          \
	X(PULL_OK,          0, "the file is there, complete (and proved, when --sha256 was given)") \
	X(PULL_FAILED,      1, "this machine's side: cannot write, no permission, out of memory")   \
	X(PULL_USAGE,       2, "the command line is wrong")                                         \
	X(PULL_REFUSED,     3, "the server says no: not found, forbidden, an answer without sense") \
	X(PULL_UNREACHABLE, 4, "the network or the server failed until the tries ran out")          \
	X(PULL_WRONG,       5, "what arrived is not what was asked for (SHA-256 or size)")          \
	X(PULL_NO_SPACE,    6, "not enough room on the disk")                                       \
	X(PULL_UNSAFE,      7, "refused for safety: certificate, or a redirect from https to http")
/* clang-format on */

enum pull_exit {
#define X(sym, num, help) sym = num,
	PULL_EXITS(X)
#undef X
};

struct failure {
	enum pull_exit exit; /* PULL_OK: nothing failed */
	char text[1024];     /* a sentence or two: what is wrong and what to do */
};

void failure_set(struct failure *failure, enum pull_exit exit, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
