/*
 * supervisor/committer.h - the one thread that writes the store, many changes at a time.
 *
 * Whatever was handed over while a commit was under way goes into the next one
 * (group commit); what may wait does so for others, for a while. Completions come back on the loop
 * in the order of handing over, after the transaction is on disk: only then may anybody hear of the
 * change.
 *
 * On a full disk a change of class COMMIT_NEW fails with -ENOSPC and nothing of it stays;
 * COMMIT_MUST changes are kept and tried again each second, with the ballast freed, since they
 * finish work that was accepted. A dead environment ends the process: on_dead.
 */
#ifndef SUPERVISOR_COMMITTER_H
#define SUPERVISOR_COMMITTER_H

#include "store/store.h"

#include <ev.h>
#include <pthread.h>
#include <stdbool.h>

enum commit_class {
	COMMIT_MUST,
	COMMIT_NEW
};

/* Embedded in the owner's struct. Between committer_add and `done` it is the committer's. */
struct commit {
	struct store_batch *batch; /* stays the owner's */
	enum commit_class class;
	bool may_wait; /* for a few ms: nobody waits for it, and it is on record elsewhere */
	void (*done)(struct commit *commit, int result); /* on the loop: 0 or -ENOSPC */
	int result;
	struct commit *next;
};

struct commit_list {
	struct commit *first, **end;
	size_t n;
};

struct committer {
	struct store *store; /* borrowed */
	struct ev_loop *loop;
	ev_async wake;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct commit_list todo, finished; /* under lock */
	size_t urgent;                     /* under lock: of todo, those that may not wait */
	bool stop;                         /* under lock */
	bool is_full; /* under lock: the last transaction found the disk full */
	int dead;     /* under lock: -errno */
	void (*on_dead)(int error, void *arg); /* on the loop */
	void *arg;
};

/* 0 or -errno. COMMITTER must not move. */
int committer_start(struct committer *committer, struct ev_loop *loop, struct store *store,
    void (*on_dead)(int error, void *arg), void *arg);

/* Writes what was added, calls every `done`, ends the thread. Blocks for the disk. What a full disk
 * does not take even now is done with -ENOSPC: the next process decides it again. */
void committer_stop(struct committer *committer);

void committer_add(struct committer *committer, struct commit *commit);

/* True while the disk is full: refuse new work. */
bool committer_is_full(struct committer *committer);

#endif
