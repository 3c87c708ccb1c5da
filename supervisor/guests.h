/*
 * supervisor/guests.h - what one user has of the service at once, over all his connections: how
 * many they are, bytes that are kept for him, and time of this turn of the loop. Pure.
 *
 * What bounds a connection bounds nobody who opens many. Who has had his time is gone on with in
 * the next turn, so that whatever he asks the others wait a few milliseconds and not for him.
 */
#ifndef SUPERVISOR_GUESTS_H
#define SUPERVISOR_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	GUEST_TURN_NS = 5 * 1000 * 1000,
	GUEST_MAX_BYTES = 64 * 1024 * 1024 /* of one who is no administrator */
};

struct guest {
	uid_t uid;
	size_t nconns;
	size_t bytes;     /* requests that are not whole, answers that are not read */
	uint64_t turn;    /* of which the time below is */
	uint64_t used_ns; /* may be above GUEST_TURN_NS by one request */
	struct guest *next;
};

struct guests {
	struct guest *first; /* those with a connection */
	uint64_t turn;
};

/* One connection more of UID. Valid until as many have left; NULL: no memory. */
struct guest *guests_enter(struct guests *guests, uid_t uid);
void guests_leave(struct guests *guests, struct guest *guest);

/* The loop turns. */
void guests_turn(struct guests *guests);
/* GUEST NULL: he left meanwhile. */
void guests_use(const struct guests *guests, struct guest *guest, uint64_t ns);
bool guests_had_turn(const struct guests *guests, const struct guest *guest);

#endif
