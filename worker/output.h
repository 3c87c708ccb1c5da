/*
 * worker/output.h - writes a task's log in segments (ipc/logfile.h) and remembers its last lines.
 *
 * Nothing here can stop a step: what the disk does not take is dropped, and the gap in the
 * logical offsets says how much. Directory and first segment are made when there is something to
 * write. Versions of a line that a program draws over to show its progress are not kept, the last
 * is; nor are those of which only numbers and marks are new (a wheel that turns, a count). Secrets
 * are masked before anything else is done with them; the beginning of one is held back until more
 * has come.
 */
#ifndef WORKER_OUTPUT_H
#define WORKER_OUTPUT_H

#include "ipc/buf.h"
#include "ipc/logfile.h"
#include "ipc/task.h"
#include "worker/mask.h"

/* One of a step's streams on its way into lines. */
struct output_line {
	struct buf text;   /* since the last line end, at most LOG_ENTRY_TEXT */
	uint64_t since_ms; /* boot clock: when its first byte came; 0: empty */
	bool returned;     /* the last byte was a carriage return */
	uint64_t drawn;    /* the letters of the version before, hashed; 0: none */
	bool goes_on;      /* a piece of this line is in the log already */
};

struct output {
	int attempts_fd;  /* borrowed */
	const char *name; /* of the directory in it; borrowed */
	int dir_fd;       /* of the log, made with the first segment; -1 */
	int segment_fd;
	uint64_t segment;             /* number of the next one to make */
	size_t used;                  /* bytes in the present one */
	uint64_t end;                 /* logical */
	uint64_t dropped;             /* bytes of output that are in no segment (any more) */
	uint64_t kept[LOG_KEEP_TAIL]; /* bytes of output in each of the last, by number */
	uint16_t step;
	uint64_t taken;     /* bytes that steps wrote, those drawn over as well */
	uint64_t line_ends; /* that the step wrote since output_begin */
	struct output_line lines[LOG_STREAM_ERR];  /* by stream - 1; our own are always whole */
	struct mask_stream masked[LOG_STREAM_ERR]; /* what is on its way into lines */
	const struct mask *mask;                   /* borrowed */
	struct buf batch;                          /* entries not written yet */
	struct buf tail;
};

/* The log will be in the directory NAME, to be made in ATTEMPTS_FD. MASK may still be filled. */
void output_init(struct output *output, int attempts_fd, const char *name, const struct mask *mask);
void output_fini(struct output *output);

/* A step begins: its number stands in what follows, and the tail starts empty. */
void output_begin(struct output *output, uint16_t step);

/* Bytes a step wrote to STREAM, LOG_STREAM_OUT or LOG_STREAM_ERR. */
void output_feed(struct output *output, enum log_stream stream, const void *data, size_t len);

/* One line of our own. */
void output_say(struct output *output, const char *text);

/* Writes lines that have been without an end for a second: a prompt is worth seeing.
 * Returns milliseconds until the next is due, -1 for none. */
int output_flush_old(struct output *output, uint64_t now_ms);

/* The streams are at their end: what is left of their lines is written. */
void output_end(struct output *output);

/* The last lines since output_begin, cleaned of zero bytes, at most LIMIT_TAIL. Owned; NULL: none.
 */
char *output_tail(const struct output *output);

#endif
