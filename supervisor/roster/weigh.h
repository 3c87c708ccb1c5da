/*
 * supervisor/roster/weigh.h - how much of the disk the logs of ended tasks take, and who is too
 * much.
 */
#ifndef SUPERVISOR_ROSTER_WEIGH_H
#define SUPERVISOR_ROSTER_WEIGH_H

#include "supervisor/roster/roster.h"

/*
 * Weighs what lies in attempts/ of tasks that go one day, on the thread of files (some 15 us for
 * each attempt), unless that was done within the last minute or there is no limit. Then
 * roster->overweight is how many have to go, from the front of those that are due.
 */
void weigh(struct roster *roster);

#endif
