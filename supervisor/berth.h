/*
 * supervisor/berth.h - where one attempt lives: a journal, two pipes and a cgroup, by one number.
 *
 * To make these anew costs more than to start a worker: inodes on a disk, groups in the kernel. So
 * they are made once and given to the next attempt, when the last one is proven empty and that is
 * committed. Numbered from 1; the lowest free one is given, so that few are ever made.
 *
 * A journal says in its first fact whose it is. One that begins with another attempt's was not
 * begun yet by the one it is looked at for.
 */
#ifndef SUPERVISOR_BERTH_H
#define SUPERVISOR_BERTH_H

#include "ipc/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which are taken. On the loop. */
struct berths {
	uint64_t *words; /* owned; a bit each */
	size_t nwords;
};

/* The lowest free one, now taken; 0: no memory. */
uint64_t berths_take(struct berths *berths);

/* Takes BERTH, which may be taken already. 0, or -ENOMEM. */
int berths_hold(struct berths *berths, uint64_t berth);
bool berths_is_taken(const struct berths *berths, uint64_t berth);
uint64_t berths_next(const struct berths *berths, uint64_t after); /* taken, above AFTER; 0: none */
void berths_release(struct berths *berths, uint64_t berth);
void berths_fini(struct berths *berths);

/*
 * For a new attempt: the journal of BERTH in the directory JOURNALS_FD, full of zeros, which are no
 * frame. It keeps its blocks: a sync of what is written over them need not touch the file system's
 * own journal. *ret_fd has the lock that is the worker's proof of life; *ret_reader only reads. 0;
 * -EBUSY: somebody holds that lock, take another berth; -errno. Blocks.
 */
int berth_make_journal(int journals_fd, uint64_t berth, int *ret_fd, int *ret_reader);

/* The journal of BERTH for reading when it is empty or begins with the HELLO of attempt ATTEMPT of
 * task ID; -ENOENT when it is missing or another's; -errno. */
int berth_open_journal(int journals_fd, uint64_t berth, uint64_t id, uint64_t attempt);

/* The highest id of a task that any journal tells of; 0: none. */
uint64_t berth_last_id(int journals_fd);

/* Of the pipe WHAT, in RUN_DIR. Owned, or NULL. */
char *berth_pipe_path(const char *run_dir, uint64_t berth, const char *what);

#endif
