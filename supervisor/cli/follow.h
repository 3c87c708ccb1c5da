/*
 * supervisor/cli/follow.h - the news of tasks as they come, until those tasks have ended.
 *
 * Nothing is polled: the supervisor says what happens. When it goes away the subscription
 * is made again from the last number seen, so that no fact is missed and none seen twice.
 * Signals are taken in while following: SIGINT, SIGTERM and SIGHUP end it.
 */
#ifndef SUPERVISOR_CLI_FOLLOW_H
#define SUPERVISOR_CLI_FOLLOW_H

#include "supervisor/cli/session.h"

enum follow_end {
	FOLLOW_GOING = 0,
	FOLLOW_ENDED,     /* every task named has */
	FOLLOW_SIGNALLED, /* see ->signal */
	FOLLOW_TIMED_OUT,
	FOLLOW_FAILED /* said already, see ->status */
};

struct follow_item {
	const msgpack_object *task;
	const msgpack_object *event; /* NULL: not an event but how the task stands */
	uint64_t seq;                /* 0: news, or no event */
	const msgpack_object
	    *whole; /* {seq, event, task} as it came; NULL when there is no event */
};

struct follow_view {
	void (*item)(const struct follow_item *item, void *arg);
	/* Called before each wait: milliseconds until it wants to be called again, -1: not at all.
	 * NULL: never. */
	int (*tick)(void *arg);
	/* SIGWINCH or SIGTSTP. NULL: the one is ignored, the other stops us. */
	void (*signal)(int signo, void *arg);
	/* Stdin is readable, and ->wants_input. */
	void (*input)(void *arg);
	/* One of several ids is not there, which was said already with STATUS; the others are
	 * followed. NULL: nothing more is done. */
	void (*missing)(uint64_t id, int status, void *arg);
	/* COUNT more tasks are followed, but how they stand was too much to tell. NULL: so is this.
	 */
	void (*omitted)(uint64_t count, void *arg);
};

struct follow {
	struct session *session;
	const uint64_t *ids;
	size_t nids;         /* 0: every task, without end */
	uint64_t timeout_ms; /* 0: none */
	bool wants_ends;     /* only those, where what happens before is of no interest */
	bool wants_facts;    /* the last fact too, where else knowing the end suffices */
	const struct follow_view *view;
	void *arg;

	int signal, status; /* results */
	int missing;        /* another: the status of an id that is not there; 0: all are */

	bool wants_input; /* the view's to set, like */
	bool is_done;     /* it needs to hear no more */

	bool *ended; /* per id */
	char *epoch;
	uint64_t seq; /* last seen */
	bool is_subscribed;
	bool stood_ended; /* since the last subscription, by how the tasks stand */
	uint64_t quiet_since_ms;
};

/* For the view, from tick() or input(): a call that misses no news. As session_call. */
int follow_call(struct follow *follow, struct request *request, struct client_reply *ret_reply);

/* Until one of the ends above. Closes no session. */
enum follow_end follow_run(struct follow *follow);

#endif
