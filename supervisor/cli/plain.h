/*
 * supervisor/cli/plain.h - tasks followed by lines that stay: for files, pipes, dumb
 * terminals and several tasks at once.
 *
 * A line when a step begins and ends, at each tenth of it, and every half minute of silence.
 */
#ifndef SUPERVISOR_CLI_PLAIN_H
#define SUPERVISOR_CLI_PLAIN_H

#include "supervisor/cli/doc.h"
#include "supervisor/cli/follow.h"

struct plain_task;

struct plain {
	const struct term *term;
	bool is_many;             /* lines begin with the task's id */
	struct plain_task *tasks; /* what was said of each so far */
	size_t ntasks, room;
	uint64_t said_ms; /* boot clock, of the last line */
	int failed;       /* -errno of a write */
};

/* Follows with this as the view and the struct plain as its arg. */
extern const struct follow_view plain_view;

void plain_init(struct plain *plain, const struct term *term, bool is_many);
void plain_fini(struct plain *plain);

/* The latest document of a task, or NULL. */
const msgpack_object *plain_document(const struct plain *plain, uint64_t id);

#endif
