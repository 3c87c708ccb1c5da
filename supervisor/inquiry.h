/*
 * supervisor/inquiry.h - the question in a task's row: opened by its worker, closed by an answer,
 * by its step's end, or with the task. Pure.
 *
 * It outlives attempts: what is asked again by the next one is the same question, and its time
 * runs on.
 */
#ifndef SUPERVISOR_INQUIRY_H
#define SUPERVISOR_INQUIRY_H

#include "store/record.h"

bool inquiry_is_open(const struct record *record);

/* FACT_QUESTION says nothing new: it is open already, or its answer is on its way to the worker. */
bool inquiry_is_known(const struct record *record, const struct fact *fact);

/* 0; -EPROTO for a question that nobody can ask now; -ENOMEM. */
int inquiry_ask(struct record *record, const struct fact *fact);

void inquiry_close(struct record *record);
/* Only when it is step STEP's (from 1), and called NAME (NULL: whatever it is called). */
void inquiry_close_of(struct record *record, uint64_t step, const char *name);

/* When its default counts, wall clock; 0: never. */
uint64_t inquiry_default_ms(const struct record *record);

/* The answer given last, or NULL. Borrowed. */
const struct answer *inquiry_last(const struct record *record);

enum {
	INQUIRY_ID = LIMIT_NAME + 24
};
/* "2/confirm": what names the question called NAME of step STEP (from 1) within the task. Returns
 * ID. */
char *inquiry_id(uint64_t step, const char *name, char id[static INQUIRY_ID]);

/* True when the open question has that id. */
bool inquiry_is(const struct record *record, const char *id);

/* The answer to the question with that id, or NULL. Borrowed. */
const struct answer *inquiry_answered(const struct record *record, const char *id);

/* The answer that was given with TOKEN, or NULL. Borrowed. */
const struct answer *inquiry_sent(const struct record *record, const struct blob *token);

/* True while the present step asks and has done nothing that an interruption could have halved. */
bool inquiry_is_all(const struct record *record);

/* Before somebody has the task run again: a no that ended it is taken back. */
void inquiry_forget_no(struct record *record);

#endif
