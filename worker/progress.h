/*
 * worker/progress.h - reads how far a program is from what it prints. Pure: bytes in, a
 * fraction out that never falls and is below 1: that all is done is said by the program's end.
 *
 * Cuts two streams into lines, free of escape sequences, for the readers (worker/readers/). Of
 * those that know what they see the most particular one is believed, and from then on no less
 * particular one; OSC 9;4 above them all. A bar that begins anew says nothing about the whole:
 * the fraction stays where it was.
 */
#ifndef WORKER_PROGRESS_H
#define WORKER_PROGRESS_H

#include "worker/escape.h"
#include "worker/readers/readers.h"

/* The most that is believed of a program that still runs. */
#define PROGRESS_MOST 0.99

enum {
	PROGRESS_STREAMS = 2
};

struct progress_line {
	struct escape escape;
	bool returned;   /* a carriage return, and nothing since */
	bool draws_over; /* it stands where another one stood */
	bool too_long;   /* it does not fit: not a bar */
	size_t len;
	char text[READ_LINE]; /* since the last line end or carriage return */
};

struct progress {
	enum progress_kind kind; /* whose word is taken; PROGRESS_AUTO: anybody's */
	double fraction;         /* NaN until something was believed */
	size_t believed;         /* readers behind this one are not asked */
	struct progress_line lines[PROGRESS_STREAMS];
	struct read_state state;
};

void progress_init(struct progress *progress, enum progress_kind kind);

/* STREAM 0 or 1. True when the fraction has risen. */
bool progress_feed(struct progress *progress, int stream, const void *data, size_t len);

/* There is no more for now: what has been drawn is read, though its end has not come. True when the
 * fraction has risen. */
bool progress_settle(struct progress *progress);

/* From elsewhere: takes FRACTION if it is a rise. */
bool progress_raise(struct progress *progress, double fraction);

/* Is it one version of a line that is drawn again and again to show progress? */
bool progress_is_bar(const char *text, size_t len);

#endif
