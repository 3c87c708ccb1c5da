/* supervisor/keeper/init.h - the keeper's children are its own, and pid 1 has more to do. */
#ifndef SUPERVISOR_KEEPER_INIT_H
#define SUPERVISOR_KEEPER_INIT_H

#include <stdbool.h>

/*
 * As pid 1, and where this process was born with children (a shell that had started some became
 * it): starts one more process of this program and stays before it: passes signals on, reaps
 * strangers, and ends with its status (*ret_status). Then returns true. False: this process is to
 * be the keeper, and no child of its is a stranger. An heir (heritage.h) has children of its own.
 * As pid 1 it takes that anyway: clone(CLONE_PARENT) is not allowed to a child of pid 1, clone(2).
 * *ret_ends_all: all that runs here ends with this program.
 */
bool init_stay(bool is_heir, int *ret_status, bool *ret_ends_all);

#endif
