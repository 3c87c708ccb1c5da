/*
 * supervisor/cli/story.h - what became of a task, told to a person: its end in a few lines
 * with the cause and the next thing to do, or all of it as a timeline. Pure.
 */
#ifndef SUPERVISOR_CLI_STORY_H
#define SUPERVISOR_CLI_STORY_H

#include "supervisor/cli/doc.h"

/* How it ended, why, its last words, its receipt, what to do next: reading its log where it WROTE
 * something. Nothing for one that goes on. */
void story_end(struct buf *out, const struct term *term, const msgpack_object *task, bool wrote);

/* Who, what, when, the steps, what came out, and the above. */
void story_all(struct buf *out, const struct term *term, const msgpack_object *task,
    uint64_t now_ms, bool wrote);

/* What a cancel did, in a line or more. */
void story_receipt(struct buf *out, const struct term *term, const msgpack_object *receipt);

/* What task ID asks, and with HINT how it is answered. Returns the number of lines. */
size_t story_question(struct buf *out, const struct term *term, uint64_t id,
    const msgpack_object *question, bool hint);

/* TEXT's last LINES lines, each behind a bar. */
void story_tail(struct buf *out, const struct term *term, struct span text, size_t lines);

/* `  reeve VERB ID     what it does`, aligned. */
void story_hint(
    struct buf *out, const struct term *term, const char *verb, uint64_t id, const char *what);

#endif
