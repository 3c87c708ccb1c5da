/*
 * supervisor/link.h - the two FIFOs between the supervisor and one worker.
 *
 * Both ends open both O_RDWR, so neither blocks nor sees the other's death here. What
 * comes up is news: it may be lost and it may be rubbish; a frame that makes no sense empties the
 * pipe and nothing else. What goes down is the whole wish with its revision.
 */
#ifndef SUPERVISOR_LINK_H
#define SUPERVISOR_LINK_H

#include "ipc/msg.h"

#include <ev.h>

struct link {
	struct ev_loop *loop;
	ev_io reader;
	int news_fd, orders_fd; /* owned; -1 while stopped */
	struct buf in;
	/* NEWS is NULL when something came that was no snapshot: look at the journal all the same.
	 */
	void (*on_news)(struct news *news, void *arg);
	void *arg;
};

void link_init(struct link *link, struct ev_loop *loop,
    void (*on_news)(struct news *news, void *arg), void *arg);

/* Takes both fds. */
void link_start(struct link *link, int news_fd, int orders_fd);
void link_stop(struct link *link); /* also of one never started */

/* 0; -EAGAIN when the pipe is full (send the wish again later); -errno. */
int link_order(struct link *link, const struct order *order);

/* The FIFO at PATH, made (0600) when it is missing: an fd, O_RDWR and non-blocking, or -errno.
 * *ret_made tells whether it had to be made. */
int link_open_fifo(const char *path, bool *ret_made);

/* Takes out what is in it. A pipe forgets when the last who has it open lets go, and that may be
 * later than he dies: a child about to exec has copies for a moment. */
void link_empty_fifo(int fd);

#endif
