/*
 * worker/progress.h - reads how far a program is from the bars it draws. Pure: bytes in,
 * a fraction out that never falls.
 *
 * Believed is `NN%` anywhere in a line that is redrawn (ends in a carriage return), and in a
 * plain line where it stands first or last; `n/m` where it stands first, in brackets or
 * redrawn. A bar that begins anew (one file after the other) says nothing about the whole:
 * the fraction stays where it was.
 */
#ifndef WORKER_PROGRESS_H
#define WORKER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

enum {
	PROGRESS_LINE = 256
};

struct progress {
	double fraction;          /* NaN until something was believed */
	size_t len;               /* bytes of `line` in use */
	bool too_long;            /* the line does not fit: not a bar */
	char line[PROGRESS_LINE]; /* since the last line end or carriage return */
};

void progress_init(struct progress *progress);

/* True when the fraction has risen. */
bool progress_feed(struct progress *progress, const void *data, size_t len);

/* What one line says, NaN for nothing. REDRAWN: it ended in a carriage return. */
double progress_in_line(const char *text, size_t len, bool redrawn);

#endif
