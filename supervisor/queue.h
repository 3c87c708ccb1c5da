/*
 * supervisor/queue.h - who is next, and whether there is room.
 *
 * Pure. A task's place is its order: it grows with the id when it was submitted and is less
 * than the head's for one that comes back, so that returners stand at the head. Slots bound how
 * many run at once.
 */
#ifndef SUPERVISOR_QUEUE_H
#define SUPERVISOR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_place {
	uint64_t order;
	uint64_t id;
};

struct queue {
	struct queue_place *places; /* sorted; the live ones are [head, head + n) */
	size_t head, n, room;
	uint64_t slots; /* 0: start nothing */
	uint64_t used;
};

void queue_init(struct queue *queue, uint64_t slots);
void queue_fini(struct queue *queue);

/* 0 or -ENOMEM. A task stands in the queue once: adding it again with the same order is a no-op. */
int queue_add(struct queue *queue, uint64_t order, uint64_t id);
void queue_remove(struct queue *queue, uint64_t order, uint64_t id);

/* The id that may start now, or 0. It stays in the queue until removed. */
uint64_t queue_next(const struct queue *queue);

/* The order of a task submitted as ID, and one that stands before everybody who waits now. */
uint64_t queue_tail_order(uint64_t id);
uint64_t queue_head_order(const struct queue *queue);

#endif
