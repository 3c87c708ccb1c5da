/*
 * supervisor/apply.h - what a worker's fact changes in its task's row. Pure.
 *
 * The worker is not trusted: a fact that names a step that is not there, or comes out of
 * place, is refused, and its attempt with it. The state of the task is not changed here
 * (that is lifecycle's), only what is known of its steps.
 */
#ifndef SUPERVISOR_APPLY_H
#define SUPERVISOR_APPLY_H

#include "store/record.h"

/* 0, -EPROTO for a fact that makes no sense, -ENOMEM. */
int apply_fact(struct record *record, const struct fact *fact);

/* Steps that were under way are not any more: the attempt is over. ENDED is what they become. */
void apply_attempt_over(struct record *record, enum step_state ended, uint64_t now_ms);

/* Before a new attempt: what is not done is pending again, sub-steps of it are forgotten. */
void apply_attempt_begins(struct record *record);

int apply_error(struct record *record, const char *code, const char *message, uint64_t step,
    const struct exit_info *exit_info, const char *tail);
int apply_warning(struct record *record, uint64_t ts_ms, uint64_t step, const char *text);
int apply_interruption(struct record *record, uint64_t now_ms, const char *code,
    const char *message, const struct exit_info *exit_info);

#endif
