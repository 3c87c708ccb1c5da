/*
 * supervisor/commands/watch.h - who follows which tasks, and what they are sent.
 *
 * Facts are sent once, in order, with their number; news without one. A follower that comes back
 * says the last number it saw and is sent the rest first.
 */
#ifndef SUPERVISOR_COMMANDS_WATCH_H
#define SUPERVISOR_COMMANDS_WATCH_H

#include "supervisor/supervisor.h"

/* Listeners of the roster; ARG is the supervisor. */
void watch_event(const struct task *task, const struct record *record, uint64_t seq,
    const struct fact *event, void *arg);
void watch_news(const struct task *task, void *arg);

/* CONN has read what it was sent of the facts it missed. */
void watch_go_on(struct conn *conn, struct supervisor *supervisor);

/* CONN goes away. */
void watch_forget(struct conn *conn);

#endif
