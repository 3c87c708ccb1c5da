/*
 * worker/bulletin.h - the news of one attempt: keeps the latest snapshot and sends it up the FIFO.
 *
 * At most ten a second, the latest always; never waits. What a full pipe drops is sent again
 * once a second. A fact rings at once: any frame makes the supervisor look at the journal.
 * Only here is the percent kept from falling.
 */
#ifndef WORKER_BULLETIN_H
#define WORKER_BULLETIN_H

#include "ipc/msg.h"
#include "ipc/spec.h"

struct bulletin {
	int fd; /* borrowed */
	struct news news;
	double fraction_floor; /* of the step's present try */
	double weight_done, weight_step, weight_all;
	uint64_t rate_since_ms, rate_from; /* where our own measure of the rate began */
	uint64_t sent_ms;
	bool changed; /* since the last one sent */
	bool dropped; /* the last one found the pipe full */
	bool ring;
};

void bulletin_init(struct bulletin *bulletin, int fd, const struct brief *brief);
void bulletin_fini(struct bulletin *bulletin);

/* Step INDEX (from 0) begins or begins again; DONE counts as finished. */
void bulletin_step_begin(struct bulletin *bulletin, const struct brief *brief, size_t index);
void bulletin_step_done(struct bulletin *bulletin, const struct brief *brief, size_t index);

void bulletin_fraction(struct bulletin *bulletin, double fraction);
void bulletin_bytes(struct bulletin *bulletin, const struct step_msg *msg, uint64_t now_ms);
void bulletin_label(struct bulletin *bulletin, const char *label); /* NULL or "": none */
void bulletin_log_bytes(struct bulletin *bulletin, uint64_t log_bytes);

/* There is a new fact, or somebody asked. */
void bulletin_ring(struct bulletin *bulletin);

/* Sends what is due. Returns milliseconds until more is due, -1 for never. */
int bulletin_flush(struct bulletin *bulletin, uint64_t now_ms);

#endif
