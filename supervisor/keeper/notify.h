/* supervisor/keeper/notify.h - tells a service manager how far we are (sd_notify(3)). */
#ifndef SUPERVISOR_KEEPER_NOTIFY_H
#define SUPERVISOR_KEEPER_NOTIFY_H

/* Sends STATE ("READY=1") to the socket that NOTIFY_SOCKET names; nothing where none is named. A
 * manager that does not listen is its own problem. Never blocks. */
void notify(const char *state);

#endif
