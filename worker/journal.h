/*
 * worker/journal.h - the only writer of an attempt's journal (ipc/frame.h, ipc/PROTOCOL.md).
 *
 * A fact that was accepted is in the file, or waits in memory for room on the disk and is
 * written, in order, as soon as there is some. A torn frame is cut off before another follows.
 * Errors that room does not cure are final: the journal takes nothing more.
 */
#ifndef WORKER_JOURNAL_H
#define WORKER_JOURNAL_H

#include "ipc/msg.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	JOURNAL_WAITING_MAX = 1024 * 1024
};

struct journal {
	int fd; /* borrowed */
	uint64_t seq;
	off_t end;          /* of the last whole frame in the file */
	struct buf scratch; /* one body */
	struct buf waiting; /* whole frames the disk had no room for, oldest first */
	bool torn;          /* bytes behind `end` that could not be cut off yet */
	bool unsynced;
	int error; /* final -errno, or 0 */
};

/* What is in FD behind the frames is zeros (supervisor/berth.h); FIRST_SEQ: journal_first_seq. 0;
 * -EEXIST when something is in it already: somebody ran this attempt.
 */
int journal_open(struct journal *journal, int fd, uint64_t first_seq);
void journal_fini(struct journal *journal);

/* Numbers and appends FACT. 0; -EMSGSIZE or -EBADMSG for a fact no journal takes (nothing
 * happened); any other error is final. */
int journal_add(struct journal *journal, const struct fact *fact);

/* Bytes that wait for room. */
size_t journal_waiting(const struct journal *journal);

/* Tries again what waits. 0: nothing waits; -EAGAIN: still no room; else final. */
int journal_retry(struct journal *journal);

/* Puts everything accepted on the disk. As journal_retry. Blocks. */
int journal_sync(struct journal *journal);

#endif
