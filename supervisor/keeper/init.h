/* supervisor/keeper/init.h - what pid 1 of a container has to do. */
#ifndef SUPERVISOR_KEEPER_INIT_H
#define SUPERVISOR_KEEPER_INIT_H

#include <stdbool.h>

/*
 * As pid 1: starts one more process of this program and stays init for it: passes signals on, reaps
 * strangers, and ends with its status (*ret_status). Then returns true. False: this process is to
 * be the keeper (it is not pid 1, or it is the inner one). clone(CLONE_PARENT) is not allowed to a
 * child of pid 1, clone(2).
 */
bool init_stay(int *ret_status);

#endif
