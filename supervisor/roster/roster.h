/*
 * supervisor/roster/roster.h - the live tasks. This folder is the only writer of task state.
 *
 * A task is here from its submission until its end is committed; ended ones are read from
 * the store. For each it keeps what is *decided* (rec: moves when a change is handed to the
 * committer) and what is *committed* (seen: what clients are told). Everything happens on the loop.
 *
 *   roster.c     the table itself, slots, loading at start
 *   change.c     one decision: rows and events to the committer, then publish, then act
 *   attempt.c    the life of one attempt: launch, news, facts, its end
 *   adopt.c      attempts that were under way when this supervisor started
 *   closing.c    an attempt is over: prove it empty, find the verdict
 *   wish.c       what people ask for: submit, join, cancel
 *   revive.c     what they ask of ended tasks: retry, keep
 *   suspend.c    workers end at a checkpoint, to go on in the next service
 *   drain.c      nothing new is taken, what runs is finished
 *   question.c   what a task asks people, and their answers
 *   blocked.c    why a task does not move
 *   join.c       which active task a submission joins
 *   retention.c  ended tasks go when their time has come
 *   weigh.c      how much of the disk their logs take
 *   learn.c      what a completed task teaches about its type
 *   leftover.c   berths that nobody lives in any more
 */
#ifndef SUPERVISOR_ROSTER_ROSTER_H
#define SUPERVISOR_ROSTER_ROSTER_H

#include "store/store.h"
#include "supervisor/berth.h"
#include "supervisor/census.h"
#include "supervisor/cgroup.h"
#include "supervisor/committer.h"
#include "supervisor/jobs.h"
#include "supervisor/lifecycle.h"
#include "supervisor/queue.h"
#include "supervisor/reaps.h"
#include "supervisor/vault.h"
#include "supervisor/view.h"

#include <ev.h>

struct attempt;

struct task {
	struct roster *roster;
	struct record rec; /* decided */
	char *join;    /* what a submission must have in common to join it; owned; NULL: nothing */
	uint8_t *seen; /* committed row, owned; NULL before the first commit */
	size_t seen_len;
	struct attempt *attempt; /* what is held of a running attempt; NULL */
	struct news news;
	bool has_news;
	uint64_t news_ms;   /* boot clock: when it came */
	bool is_unkillable; /* something of it survives everything: its slot is given up */
	uint64_t blocked_since_ms;
	bool cancel_pending; /* accepted, not committed yet */
	bool is_refused;     /* there was no room for its submission: nothing of it may stay */
	bool is_leaving;     /* its end is decided; gone once that is committed */
	bool is_on_leave;    /* in the roster's list of those */
	struct task *next_leaving;
	unsigned commits;         /* changes not committed yet */
	ev_timer due;             /* retry_at */
	ev_timer answer_due;      /* of its question, the default */
	struct task *prev, *next; /* every live task, oldest first */
};

/* How long and how much is kept of tasks that have ended; UINT64_MAX: no limit. */
struct retention {
	uint64_t completed_ms, failed_ms, cancelled_ms, interrupted_ms;
	uint64_t tasks, bytes; /* all ended ones together, and of their logs */
};

/* Set at start; what is pointed to is borrowed and outlives the roster. slots, grace_ms and
 * retention may change while it runs. */
struct roster_env {
	struct ev_loop *loop;
	struct store *store;
	struct committer *committer;
	struct jobs *files, *kills, *removals;
	struct census *census;
	struct cgroups *cgroups;
	const struct reaps *reaps;
	struct vault *vault; /* secrets of the tasks that are here */
	const char *state_dir, *run_dir;
	int attempts_fd; /* directory STATE/attempts: logs */
	int journals_fd; /* directory STATE/journals */
	int worker_fd;   /* the worker's program, opened once: an upgrade never mixes builds */
	const char *boot_id;
	uint64_t slots;
	uint64_t grace_ms;
	uint64_t user_tasks; /* active ones of each who is no administrator */
	struct retention retention;
	bool change_user; /* the service is root: commands run as their owner */
};

/* Called after the commit, in order. */
struct roster_listener {
	/* RECORD is the committed row. */
	void (*event)(const struct task *task, const struct record *record, uint64_t seq,
	    const struct fact *event, void *arg);
	void (*news)(const struct task *task, void *arg);
	void *arg;
};

/* A process that a step left running on purpose (daemons.h). */
struct daemon {
	uint64_t pid, start_ticks;
};
struct daemons {
	char *boot_id;
	struct {
		struct daemon *v;
		size_t n;
	} list;
};

/* drain.h. */
struct drain {
	char *boot_id; /* NULL: off */
	uint64_t since_ms;
	char *by;
};

struct roster {
	struct roster_env env;
	struct roster_listener listener;
	void *by_id;    /* tsearch(3) tree of struct task */
	void *by_token; /* likewise, by the token it was submitted with */
	void *by_join;  /* tree of struct task, by its join (join.h) */
	struct task *first, *last;
	size_t ntasks;
	struct queue queue;
	struct berths berths;
	struct berths lingering; /* of these: over, with a group in which something lives on */
	uint64_t last_id;
	struct daemons daemons;
	struct drain drain;
	int dead;             /* attempts that wait for the keeper's word */
	int nameless;         /* attempts whose worker is not known yet: no stray hunt meanwhile */
	uint64_t overweight;  /* so many ended tasks have to go before their time: their logs */
	uint64_t weigh_at_ms; /* boot clock: not before */
	bool is_weighing;
	bool is_draining;     /* the service is about to end: no slot is given out */
	bool is_suspending;   /* and workers end at a checkpoint (suspend.h) */
	struct task *leaving; /* may be dropped, the last one first */
	ev_prepare pump;      /* grants free slots and sweeps once per turn of the loop */
	ev_timer retention;
};

int roster_init(
    struct roster *roster, const struct roster_env *env, const struct roster_listener *listener);

/* Reads every active task and takes up where the last supervisor left off. 0 or -errno. */
int roster_load(struct roster *roster);
void roster_fini(struct roster *roster);

struct task *roster_find(struct roster *roster, uint64_t id);

/* The live task that was submitted with TOKEN, or NULL. */
struct task *roster_find_token(struct roster *roster, const uint8_t token[static 16]);

/* The keeper noted another death. */
void roster_reaped(struct roster *roster);

/* Why TASK does not move; kind 0 when nothing holds it. */
struct blocked roster_blocked(const struct task *task);

/* ---- for the files of this folder --------------------------------------------- */

/* A task that is not in the table yet; its rec is moved from RECORD. NULL: no memory. */
struct task *roster_add(struct roster *roster, struct record *record);
/* Takes TASK out and frees it. No change of it may be under way. */
void roster_drop(struct task *task);

bool roster_uses_slot(const struct task *task);
/* QUEUED, or WAITING, where it was answered. */
bool roster_stands_in_queue(enum task_state state);

/* The one setter of a task's state. */
void roster_set_state(struct task *task, enum task_state state);
void roster_set_unkillable(struct task *task, bool is_unkillable);

/* Puts TASK (QUEUED) into the queue. */
void roster_enqueue(struct task *task);
void roster_arm_due(struct task *task);

/* TASK's end is decided and committed, or it was refused: it goes when the loop turns. */
void roster_leave(struct task *task);

#endif
