/*
 * supervisor/ingest.h - reads facts from an attempt's journal, from a cursor on.
 *
 * pread only, never mmap: the file may be cut under us. It does not decide what a torn or
 * bad frame means: while the writer lives a torn one may be in the making, afterwards it
 * is where the journal ends.
 */
#ifndef SUPERVISOR_INGEST_H
#define SUPERVISOR_INGEST_H

#include "ipc/msg.h"

struct ingest_cursor {
	uint64_t offset;   /* of the next frame */
	uint64_t next_seq; /* it must carry; at first journal_first_seq */
};

/* Called for each fact, in order; FACT is the callback's to free or to move from. 0 or -errno to
 * stop. */
typedef int (*ingest_fn)(struct fact *fact, void *arg);

enum ingest_end {
	INGEST_END,  /* everything there is has been read */
	INGEST_MORE, /* enough for one turn; call again */
	INGEST_TORN, /* what follows is no whole frame, or none yet */
	INGEST_BAD,  /* what follows is whole and wrong: never one in the making */
	INGEST_CUT   /* the file is shorter than the cursor */
};

/* Moves *CURSOR past each fact handed over. An enum ingest_end, or -errno (of the callback too). */
int ingest_read(int journal_fd, struct ingest_cursor *cursor, ingest_fn fn, void *arg);

#endif
