#include "supervisor/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
queue_init(struct queue *queue, uint64_t slots)
{
	*queue = (struct queue){ .slots = slots };
}

void
queue_fini(struct queue *queue)
{
	free(queue->places);
	*queue = (struct queue){ 0 };
}

static bool
stands_before(const struct queue_place *place, uint64_t order, uint64_t id)
{
	return place->order < order || (place->order == order && place->id < id);
}

/* Index of the first place that does not stand before (ORDER, ID). */
static size_t
find(const struct queue *queue, uint64_t order, uint64_t id)
{
	size_t low = queue->head, high = queue->head + queue->n;

	/* Nearly everybody joins at the end. */
	if (queue->n > 0 && stands_before(&queue->places[high - 1], order, id))
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (stands_before(&queue->places[middle], order, id))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct queue *queue, size_t at, uint64_t order, uint64_t id)
{
	return at < queue->head + queue->n && queue->places[at].order == order &&
	       queue->places[at].id == id;
}

static int
make_room(struct queue *queue)
{
	struct queue_place *places;
	size_t room;

	if (queue->head + queue->n < queue->room)
		return 0;
	if (queue->head > queue->n) {
		memmove(
		    queue->places, queue->places + queue->head, queue->n * sizeof *queue->places);
		queue->head = 0;
		return 0;
	}
	room = queue->room ? queue->room * 2 : 64;
	places = reallocarray(queue->places, room, sizeof *places);
	if (!places)
		return -ENOMEM;
	queue->places = places;
	queue->room = room;
	return 0;
}

int
queue_add(struct queue *queue, uint64_t order, uint64_t id)
{
	size_t at;
	int r = make_room(queue);

	if (r < 0)
		return r;
	at = find(queue, order, id);
	if (is_at(queue, at, order, id))
		return 0;
	memmove(queue->places + at + 1, queue->places + at,
	    (queue->head + queue->n - at) * sizeof *queue->places);
	queue->places[at] = (struct queue_place){ .order = order, .id = id };
	queue->n++;
	return 0;
}

void
queue_remove(struct queue *queue, uint64_t order, uint64_t id)
{
	size_t at = find(queue, order, id);

	if (!is_at(queue, at, order, id))
		return;
	if (at == queue->head)
		queue->head++;
	else
		memmove(queue->places + at, queue->places + at + 1,
		    (queue->head + queue->n - at - 1) * sizeof *queue->places);
	queue->n--;
}

uint64_t
queue_next(const struct queue *queue)
{
	if (queue->n == 0 || queue->used >= queue->slots)
		return 0;
	return queue->places[queue->head].id;
}

/* Orders of submissions start in the middle, so that there is room before all of them. */
#define ORDER_BASE (UINT64_C(1) << 62)

uint64_t
queue_tail_order(uint64_t id)
{
	return ORDER_BASE + id;
}

uint64_t
queue_head_order(const struct queue *queue)
{
	return queue->n > 0 ? queue->places[queue->head].order - 1 : ORDER_BASE;
}
