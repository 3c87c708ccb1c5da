/*
 * supervisor/cli/ends.h - waits in silence until tasks have ended, and keeps how they did.
 */
#ifndef SUPERVISOR_CLI_ENDS_H
#define SUPERVISOR_CLI_ENDS_H

#include "supervisor/cli/cli.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/follow.h"

struct ends {
	const uint64_t *ids; /* borrowed */
	size_t n;
	struct doc_copy *docs; /* of each id, unset while unknown */
	int *statuses;         /* of each id: 0, or why there is no document (said already) */
};

/* 0, or an exit status after a complaint. */
int ends_init(struct ends *ends, const uint64_t *ids, size_t n);
void ends_fini(struct ends *ends);

/* Asks how each stands. 0, or EXIT_NO_SUPERVISOR; one that is not there has its status set. */
int ends_look(struct ends *ends, struct session *session);

/*
 * Waits for those that ends_look found. TIMEOUT_MS 0: without limit. 0 when all have ended, else an
 * exit status: EXIT_TIMED_OUT (not said), EXIT_SIGNALLED + n (said, with farewell), or what follow
 * said.
 */
int ends_wait(struct ends *ends, struct session *session, uint64_t timeout_ms);

/* The first status that is not 0, in order: of the tasks' ends, or why there is none. */
int ends_status(const struct ends *ends, bool is_strict);

/* For people: each end in a few lines. An exit status. */
int ends_print(const struct ends *ends, const struct cli *cli, struct session *session);

/* The documents as JSON: one alone, several (or IS_LIST) as an array with null for the missing. */
int ends_print_json(const struct ends *ends, const struct cli *cli, bool is_list);

/* Tells who interrupts the following that task ID goes on, and how to come back or to stop it. TASK
 * is how it stood last; NULL: not known. */
void ends_farewell(uint64_t id, const msgpack_object *task);

#endif
