/*
 * supervisor/cli/asker.h - the question of a task that is followed: asked when it comes, answered
 * from here, and gone when somebody else was quicker.
 */
#ifndef SUPERVISOR_CLI_ASKER_H
#define SUPERVISOR_CLI_ASKER_H

#include "supervisor/cli/ask.h"
#include "supervisor/cli/cli.h"
#include "supervisor/cli/follow.h"

/* An answer on its way. Its request is {id, question, answer, fields, token}. */
struct answer_call {
	uint64_t id;
	struct span question; /* its id; empty: the one that is open */
	bool yes;
	const struct pairs *fields;
	uint8_t token[16]; /* drawn by answer_pack */
};

/* Begins REQUEST. 0 or an exit status after a complaint. */
int answer_pack(struct answer_call *call, struct session *session, struct request *request);

struct asker {
	struct ask ask;
	struct follow *follow; /* borrowed */
	const struct term *term;
	uint64_t id;
	bool is_answered; /* by us */
	bool is_deaf;     /* stdin came to its end */
	int status;       /* of what the service said last */
};

void asker_init(struct asker *asker, struct follow *follow, const struct term *term);
void asker_fini(struct asker *asker);

/* How the task stands: begins, or drops, its question. */
void asker_look(struct asker *asker, const msgpack_object *task);

/* Stdin is readable. */
void asker_input(struct asker *asker);

/* Sends what is ready. True while the terminal is the question's. */
bool asker_tick(struct asker *asker);

#endif
