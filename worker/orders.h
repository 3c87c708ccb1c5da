/*
 * worker/orders.h - what the supervisor wishes: reads the order FIFO and keeps the latest wish.
 *
 * Every order is the whole wish. A revision seen before is nothing new; bytes that are no
 * order are thrown away, since whole frames arrive or none (PIPE_BUF).
 */
#ifndef WORKER_ORDERS_H
#define WORKER_ORDERS_H

#include "ipc/msg.h"

struct orders {
	int fd; /* borrowed */
	uint64_t rev;
	enum want want;
	bool force;
	bool hold; /* who was answered waits for a slot */
	struct answer
	    answer;  /* came with the latest order; taken by asking_hear(); question NULL: none */
	bool is_new; /* the wish has changed and nobody has acted on it */
};

void orders_init(struct orders *orders, int fd, uint64_t seen_rev);
void orders_fini(struct orders *orders);

/* Reads what is there, without waiting. True when the latest news were asked for. */
bool orders_read(struct orders *orders);

bool orders_want_cancel(const struct orders *orders);

#endif
