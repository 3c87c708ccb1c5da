/*
 * worker/report.h - the news of one attempt: keeps the latest snapshot and sends it up the FIFO.
 *
 * At most ten a second, the latest always; never waits. What a full pipe drops is sent again
 * once a second. A fact rings at once: any frame makes the supervisor look at the journal.
 * Only here is the percent kept from falling.
 */
#ifndef WORKER_REPORT_H
#define WORKER_REPORT_H

#include "ipc/msg.h"
#include "ipc/spec.h"

struct report {
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

void report_init(struct report *report, int fd, const struct brief *brief);
void report_fini(struct report *report);

/* Step INDEX (from 0) begins or begins again; DONE counts as finished. */
void report_step_begin(struct report *report, const struct brief *brief, size_t index);
void report_step_done(struct report *report, const struct brief *brief, size_t index);

void report_fraction(struct report *report, double fraction);
void report_bytes(struct report *report, const struct step_msg *msg, uint64_t now_ms);
void report_label(struct report *report, const char *label); /* NULL or "": none */
void report_log_bytes(struct report *report, uint64_t log_bytes);

/* There is a new fact, or somebody asked. */
void report_ring(struct report *report);

/* Sends what is due. Returns milliseconds until more is due, -1 for never. */
int report_flush(struct report *report, uint64_t now_ms);

#endif
