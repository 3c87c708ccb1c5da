/*
 * worker/bulletin.h - the news of one attempt: keeps the latest snapshot and sends it up the FIFO.
 *
 * At most ten a second, the latest always; never waits. What a full pipe drops is sent again
 * once a second. A fact rings at once: any frame makes the supervisor look at the journal.
 * Only here is the percent kept from falling, and the time left worked out.
 */
#ifndef WORKER_BULLETIN_H
#define WORKER_BULLETIN_H

#include "ipc/msg.h"
#include "worker/estimate.h"
#include "worker/mask.h"

struct bulletin {
	int fd;                    /* borrowed */
	const struct brief *brief; /* borrowed */
	const struct mask *mask;   /* borrowed; of the labels */
	struct news news;
	double weights[LIMIT_STEPS];
	double weight_done, weight_step, weight_all;
	/* Of the step's present try. */
	double fraction_floor;
	uint64_t begun_ms;     /* 0: not flushed yet */
	double first_fraction; /* the first that was flushed, and when after begun_ms */
	uint64_t first_ms;
	uint64_t doubt_ms;       /* after begun_ms: then the time left is another; 0: none */
	bool is_blocked_by_step; /* by its own word, which counts before what we see */
	uint64_t rate_since_ms, rate_from; /* where our own measure of the rate began */
	uint64_t sent_ms;
	bool changed; /* since the last one sent */
	bool dropped; /* the last one found the pipe full */
	bool ring;
};

/* BRIEF's states of steps are looked at later, too. */
void bulletin_init(
    struct bulletin *bulletin, int fd, const struct brief *brief, const struct mask *mask);
void bulletin_fini(struct bulletin *bulletin);

/* Step INDEX (from 0) begins or begins again; DONE counts as finished. */
void bulletin_step_begin(struct bulletin *bulletin, size_t index);
void bulletin_step_done(struct bulletin *bulletin, size_t index);

void bulletin_fraction(struct bulletin *bulletin, double fraction);
void bulletin_bytes(struct bulletin *bulletin, const struct step_msg *msg, uint64_t now_ms);
void bulletin_label(struct bulletin *bulletin, const char *label); /* NULL or "": none */
void bulletin_log_bytes(struct bulletin *bulletin, uint64_t log_bytes);

/* It does not move because of KIND (0: it moves), which HOLDER (NULL: unknown) keeps, since then:
 * the step's own word; or what is seen from outside, while the step says nothing. */
void bulletin_waiting(
    struct bulletin *bulletin, enum block_kind kind, const char *holder, uint64_t wall_ms);
void bulletin_blocked(
    struct bulletin *bulletin, enum block_kind kind, const char *holder, uint64_t wall_ms);

/* There is a new fact, or somebody asked. */
void bulletin_ring(struct bulletin *bulletin);

/* Sends what is due. Returns milliseconds until more is due, -1 for never. */
int bulletin_flush(struct bulletin *bulletin, uint64_t now_ms);

#endif
