/* supervisor/roster/retention.h - ended tasks go when their time has come, with all they left. */
#ifndef SUPERVISOR_ROSTER_RETENTION_H
#define SUPERVISOR_ROSTER_RETENTION_H

#include "supervisor/roster/roster.h"

/* Looks every few seconds, from now on, until roster->retention is stopped. */
void retention_start(struct roster *roster);

#endif
