/*
 * supervisor/cli/doc.h - a task's document as the command line reads it. Pure.
 *
 * The documents come from our own service but carry what tasks wrote: every access copes
 * with a key that is missing or of another type.
 */
#ifndef SUPERVISOR_CLI_DOC_H
#define SUPERVISOR_CLI_DOC_H

#include "ipc/mp.h"
#include "ipc/task.h"
#include "supervisor/cli/text.h"

/* Borrowed from the document; empty when nil. */
struct span doc_span(const msgpack_object *map, const char *key);
uint64_t doc_uint(const msgpack_object *map, const char *key);    /* 0 when nil */
double doc_double(const msgpack_object *map, const char *key);    /* NaN when nil */
uint64_t doc_time_ms(const msgpack_object *map, const char *key); /* 0 when nil */

/* A list's items. */
size_t doc_count(const msgpack_object *list);
const msgpack_object *doc_at(const msgpack_object *list, size_t i); /* NULL beyond its end */

enum task_state doc_state(const msgpack_object *task); /* 0 for an unknown one */
enum step_state doc_step_state(const msgpack_object *step);
bool doc_is_ended(const msgpack_object *task);

/* The exit status that a task's state means to run and wait; EXIT_FAILED for one that is no end. */
int doc_exit_status(const msgpack_object *task, bool is_strict);

/* How long MAP (a task or a step) ran or runs; 0 when it has not begun. */
uint64_t doc_duration_ms(const msgpack_object *map, uint64_t now_ms);

/* "now", "5 s ago", "3 min ago", "2 h ago", "3 d ago". Returns TEXT. */
char *doc_ago(uint64_t then_ms, uint64_t now_ms, char text[static TEXT_NUMBER]);

/* A document kept after the message it came in is gone. */
struct doc_copy {
	struct buf bytes;
	struct mp_doc doc;
	bool is_set;
};
void doc_copy_init(struct doc_copy *copy);
void doc_copy_fini(struct doc_copy *copy);
int doc_copy_set(
    struct doc_copy *copy, const msgpack_object *task);          /* 0 or -errno: then it is unset */
const msgpack_object *doc_copy_get(const struct doc_copy *copy); /* NULL while unset */

/* What a task's or step's state looks like. */
struct doc_mark {
	const char *utf8, *ascii;
	enum style style;
};
struct doc_mark doc_state_mark(enum task_state state);
struct doc_mark doc_step_mark(enum step_state state);
const char *doc_mark_text(const struct term *term, struct doc_mark mark);

#endif
