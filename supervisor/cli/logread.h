/*
 * supervisor/cli/logread.h - a task's log, read piece by piece and put together into lines.
 */
#ifndef SUPERVISOR_CLI_LOGREAD_H
#define SUPERVISOR_CLI_LOGREAD_H

#include "supervisor/cli/session.h"

enum {
	LOGREAD_LINE_MAX = 1024 * 1024
}; /* a longer one is given in pieces */

struct logread_line {
	uint64_t ts_ms, step;
	struct span stream; /* "stdout", "stderr", "reeve" */
	struct span text;   /* without its line end; raw */
};

typedef int (*logread_fn)(const struct logread_line *line, void *arg);

enum {
	LOGREAD_STREAMS = 3
};

struct logread {
	struct session *session;
	uint64_t id;
	uint64_t attempt; /* 0: the latest */
	uint64_t step;    /* 0: all */
	bool is_pinned;   /* to that attempt */
	uint64_t offset;
	uint64_t dropped;
	bool is_at_end, is_live;           /* after a piece */
	struct buf parts[LOGREAD_STREAMS]; /* of lines that go on, by stream */
};

void logread_init(struct logread *logread, struct session *session, uint64_t id);
void logread_fini(struct logread *logread);

/*
 * Reads the next piece and calls FN for each whole line in it. When the task went on to another
 * attempt, that one's log follows from its start. 0, what FN returned, or an exit status after a
 * complaint.
 */
int logread_next(struct logread *logread, logread_fn fn, void *arg);

enum {
	LOGREAD_LAST = 4096
};

/* What a task's latest attempt wrote. */
struct logread_last {
	struct buf text; /* its end, some LOGREAD_LAST bytes; each line ends with \n */
	uint64_t lines;  /* in all */
};
void logread_last_fini(struct logread_last *last);

/* Reads the whole log for its end: 0, or an exit status after a complaint; fini it in any case. */
int logread_last(struct session *session, uint64_t id, struct logread_last *ret_last);

/* True when there is anything in it, or that cannot be known. */
bool logread_has_some(struct session *session, uint64_t id);

#endif
