/*
 * worker/pump.h - one poll() loop: waits for a child while its output, its messages, orders,
 * news and the disk are served. Everything the worker waits for, it waits for here.
 */
#ifndef WORKER_PUMP_H
#define WORKER_PUMP_H

#include "worker/attempt.h"
#include "worker/channel.h"
#include "worker/growth.h"
#include "worker/progress.h"
#include "worker/prompt.h"
#include "worker/vigil.h"

struct child {
	pid_t pid;              /* also the number of its process group */
	int pidfd;              /* owned, like all fds here; -1: closed */
	int out_fd, err_fd;     /* of a terminal the first alone */
	struct channel channel; /* fd -1: none */
	struct vigil vigil;
	struct prompt prompt;
	enum progress_kind progress; /* what is believed of it, unless it uses the channel */
	struct progress *bars;       /* owned, of both streams; NULL until there is output */
	struct growth growth;
	bool is_on_tty;
	bool exited; /* dead, not reaped */
	bool over;   /* and its pipes are read out, or were given up */
	struct exit_info exit;
	uint64_t drain_ms; /* boot clock: no longer than to here */
};

void child_init(struct child *child);
void child_fini(struct child *child); /* does not reap */

/* Takes its end off the kernel's hands. Its group was signalled. */
void child_reap(struct child *child);

enum pump_event {
	PUMP_EXITED = 1, /* child->over */
	PUMP_DEADLINE,
	PUMP_WISH,  /* orders.is_new */
	PUMP_BROKEN /* the journal takes nothing more */
};

/* CHILD may be NULL, or over already: then it waits for the rest. DEADLINE_MS 0: none. */
enum pump_event pump(struct attempt *attempt, struct child *child, uint64_t deadline_ms);

/* Puts the journal on the disk, waiting for room as long as it takes. 0; -ECANCELED: a new wish
 * came and MAY_STOP; else final. */
int pump_sync(struct attempt *attempt, bool may_stop);

#endif
