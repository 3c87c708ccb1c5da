#include "supervisor/guests.h"

#include <stdlib.h>

struct guest *
guests_enter(struct guests *guests, uid_t uid)
{
	struct guest *guest = guests->first;

	while (guest && guest->uid != uid)
		guest = guest->next;
	if (!guest) {
		guest = calloc(1, sizeof *guest);
		if (!guest)
			return NULL;
		guest->uid = uid;
		guest->next = guests->first;
		guests->first = guest;
	}
	guest->nconns++;
	return guest;
}

void
guests_leave(struct guests *guests, struct guest *guest)
{
	struct guest **link = &guests->first;

	if (--guest->nconns > 0)
		return;
	while (*link != guest)
		link = &(*link)->next;
	*link = guest->next;
	free(guest);
}

void
guests_turn(struct guests *guests)
{
	guests->turn++;
}

void
guests_use(const struct guests *guests, struct guest *guest, uint64_t ns)
{
	if (!guest)
		return;
	if (guest->turn != guests->turn)
		guest->used_ns = 0;
	guest->turn = guests->turn;
	guest->used_ns += ns;
}

bool
guests_had_turn(const struct guests *guests, const struct guest *guest)
{
	return guest->turn == guests->turn && guest->used_ns >= GUEST_TURN_NS;
}
