/* supervisor/keeper/places.h - the service's directories, locks and listening socket. */
#ifndef SUPERVISOR_KEEPER_PLACES_H
#define SUPERVISOR_KEEPER_PLACES_H

#include "supervisor/keeper/options.h"

struct places {
	int state_lock, run_lock; /* held for life: there is one service per place */
	int listen_fd;
};

/* Makes and checks the directories, takes both locks, binds RUN/control.sock. 0, or -errno after
 * saying on stderr what is wrong ("already running, pid N" for -EAGAIN). */
int places_open(struct places *places, const struct options *options);
void places_close(struct places *places);

#endif
