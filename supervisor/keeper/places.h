/* supervisor/keeper/places.h - the service's directories, locks and listening socket. */
#ifndef SUPERVISOR_KEEPER_PLACES_H
#define SUPERVISOR_KEEPER_PLACES_H

#include "supervisor/keeper/heritage.h"
#include "supervisor/keeper/options.h"

struct places {
	int state_lock, run_lock; /* held for life: there is one service per place */
	int listen_fd;
	int watch_fd; /* readable when the socket's name may have gone; -1: nobody tells */
};

/* Makes and checks the directories, takes both locks, binds RUN/control.sock; what fits of LEFT is
 * taken from there instead. 0, or -errno after saying on stderr what is wrong ("already running,
 * pid N" for -EAGAIN). */
int places_open(struct places *places, const struct options *options, struct heritage *left);

/* RUN may be a tmpfs that somebody empties. What has gone of it is made again: 1 when listen_fd is
 * another socket now, 0 when nothing was missing, -errno. Empties watch_fd. */
int places_mend(struct places *places, const struct options *options);
void places_close(struct places *places);

#endif
