/*
 * supervisor/roster/learn.h - what a completed task teaches about its type (store/history.h).
 */
#ifndef SUPERVISOR_ROSTER_LEARN_H
#define SUPERVISOR_ROSTER_LEARN_H

#include "supervisor/roster/change.h"

/* CHANGE ends its task. Learns nothing from one that was not completed in its first attempt, nor
 * from ad-hoc commands, which are all of one type. */
void learn_from(struct change *change);

#endif
