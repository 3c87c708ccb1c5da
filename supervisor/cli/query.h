/*
 * supervisor/cli/query.h - which tasks a verb means, and all of them, page by page.
 */
#ifndef SUPERVISOR_CLI_QUERY_H
#define SUPERVISOR_CLI_QUERY_H

#include "ipc/codec.h"
#include "supervisor/cli/session.h"

struct query {
	bool active, failed, all;
	struct strs states;  /* owned */
	struct pairs labels; /* owned */
	const char *type, *scope, *owner;
	uint64_t since_ms; /* wall clock; 0: the service's default */
	uint64_t limit;    /* 0: all */
};

void query_fini(struct query *query);

/*
 * Calls FN for each task, newest first, until it returns other than 0. 0, what FN returned, or an
 * exit status after a complaint.
 */
int query_run(const struct query *query, struct session *session,
    int (*fn)(const msgpack_object *task, void *arg), void *arg);

#endif
