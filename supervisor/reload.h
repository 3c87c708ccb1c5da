/* supervisor/reload.h - reads the configuration again while the service runs, and applies it. */
#ifndef SUPERVISOR_RELOAD_H
#define SUPERVISOR_RELOAD_H

#include "supervisor/supervisor.h"

/* RESULT: 0 with the rows that have CHANGED as bits; -EINVAL with what is wrong in ERROR (then
 * nothing has changed); -ENOMEM. */
typedef void (*reloaded_fn)(
    int result, uint64_t changed, const struct recipe_error *error, void *arg);

/* Later: DONE (NULL: nobody asks). Either way it is logged. 0, or -ENOMEM without calling DONE. */
int reload_start(struct supervisor *supervisor, reloaded_fn done, void *arg);

#endif
