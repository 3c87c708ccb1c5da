/*
 * supervisor/cli/picture.h - a task in a few lines: a line per step, bars, what it waits for.
 * Pure: the document, the terminal's size and the time in, lines out.
 */
#ifndef SUPERVISOR_CLI_PICTURE_H
#define SUPERVISOR_CLI_PICTURE_H

#include "supervisor/cli/doc.h"

struct picture {
	const struct term *term;
	uint64_t now_ms;     /* wall clock */
	unsigned frame;      /* of the spinner */
	bool has_times;      /* when each step began stands before it */
	bool hides_question; /* it is asked below */
};

/* Appends at most term->rows - 1 lines (any number when rows is 0). Returns how many. */
size_t picture_draw(struct buf *out, const struct picture *picture, const msgpack_object *task);

/* Bits that other outputs share. */
void picture_amount(
    struct line *line, const msgpack_object *task);    /* "18.2 of 42.1 MB  5.3 MB/s  4 s left" */
void picture_left(struct line *line, uint64_t left_s); /* "  4 s left"; nothing for 0 */
/* "waits for a slot for 12 s: task 41 has it"; "" when nothing keeps it. NOW_MS 0: not how long. */
void picture_blocked(struct line *line, const msgpack_object *task, uint64_t now_ms);
/* "14:03:22" in local time; "" for 0. Returns TEXT. */
enum {
	PICTURE_CLOCK = 16
};
char *picture_clock(uint64_t wall_ms, char text[static PICTURE_CLOCK]);
/* Two spaces and a time: of something that has ended, or goes on (whole seconds, calmer). Nothing
 * for 0. */
void picture_duration(struct line *line, enum style style, uint64_t duration_ms);
void picture_elapsed(struct line *line, enum style style, uint64_t duration_ms);

#endif
