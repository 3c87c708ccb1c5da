/*
 * supervisor/roster/join.h - which active task a submission joins.
 *
 * A key given by the submitter decides alone; else what the recipe's type and dedupe fields
 * say, for the same owner. Ad-hoc commands without a key never join.
 */
#ifndef SUPERVISOR_ROSTER_JOIN_H
#define SUPERVISOR_ROSTER_JOIN_H

#include "supervisor/roster/roster.h"

/* What RECORD has to share with another to be joined: owned, or NULL for nothing. */
char *join_of(const struct record *record);

/* The active task with that join, or NULL. */
struct task *join_find(struct roster *roster, char *join);

int join_enter(struct task *task); /* computes task->join; 0 or -ENOMEM */
void join_leave(struct task *task);

#endif
