/*
 * supervisor/cli/signals.h - signals as something to poll for, while a task is followed.
 *
 * SIGINT, SIGTERM, SIGHUP, SIGTSTP and SIGWINCH; one that was ignored at the start stays so.
 */
#ifndef SUPERVISOR_CLI_SIGNALS_H
#define SUPERVISOR_CLI_SIGNALS_H

/* An fd (signalfd(2)) that is readable when a signal waits, or -errno. Blocks them. */
int signals_open(void);

/* The next signal, or 0. */
int signals_next(int fd);

/* Delivers them in the usual way again. */
void signals_close(int *fd);

#endif
