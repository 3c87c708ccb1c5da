/*
 * worker/escape.h - takes terminal escape sequences out of what a program prints.
 *
 * One byte at a time, no memory that grows; a sequence that is torn or has no end costs no more
 * than the rest of its line. ECMA-48, and xterm's control sequences for OSC.
 */
#ifndef WORKER_ESCAPE_H
#define WORKER_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

enum {
	ESCAPE_STRING = 64
};

enum escape_kind {
	ESCAPE_TEXT = 1, /* the byte is text; so are line end, carriage return and tab */
	ESCAPE_NOTHING,  /* part of a sequence, or without a look of its own */
	ESCAPE_MOVE,   /* the cursor has left where it stood: what comes is drawn over something */
	ESCAPE_COMMAND /* an operating system command is whole: string, len */
};

struct escape {
	unsigned state; /* zero at first */
	size_t len;
	char string[ESCAPE_STRING]; /* of a command; a longer one is left out */
};

enum escape_kind escape_step(struct escape *escape, char c);

/* Leaves the text in DATA, with a carriage return for each move. Returns its length. */
size_t escape_clean(struct escape *escape, char *data, size_t len);

#endif
