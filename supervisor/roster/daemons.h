/*
 * supervisor/roster/daemons.h - what steps left running on purpose (`leave_running`), for as long
 * as it lives: it stands in the census, so that whoever hunts strays spares it and all below it.
 *
 * It outlives its task and this supervisor, so it is kept in the store, under a name of its own.
 */
#ifndef SUPERVISOR_ROSTER_DAEMONS_H
#define SUPERVISOR_ROSTER_DAEMONS_H

#include "supervisor/roster/change.h"

/* At start: who still lives. 0 or -errno. */
int daemons_load(struct roster *roster);

/* FACT, a left_running, is part of CHANGE. */
void daemons_add(struct change *change, const struct fact *fact);

void daemons_fini(struct roster *roster);

#endif
