/*
 * supervisor/keeper/keeper.h - starts the supervisor, starts it again, and reaps everybody.
 *
 * Parent of every worker from birth; notes how each child ended before reaping it. It decides
 * nothing and knows no task, so it has next to nothing to fail at.
 */
#ifndef SUPERVISOR_KEEPER_KEEPER_H
#define SUPERVISOR_KEEPER_KEEPER_H

#include "supervisor/keeper/options.h"
#include "supervisor/keeper/places.h"

/* Serves until it is told to stop. Returns the exit status. Takes and closes LEFT. */
int keeper_run(const struct options *options, struct places *places, struct heritage *left);

#endif
