/*
 * store/history.h - how the steps of earlier tasks of one type went: what weights and times left
 * are learned from.
 *
 * Bounded: LIMIT_RUNS runs of each step of the type's latest task, HISTORY_MAX_TYPES types; beyond
 * that the type that was not run for the longest is forgotten. SCHEMA.md says how it is kept.
 */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include "ipc/spec.h"

enum {
	HISTORY_MAX_TYPES = 1024,
	HISTORY_MAX_BYTES = 64 * 1024 /* of a whole one, encoded */
};

struct history_step {
	char *name;
	struct past_runs runs; /* the latest last */
};
struct history_steps {
	struct history_step *v;
	size_t n;
};

struct history {
	char *type;
	uint64_t ended_ms; /* of the latest task */
	struct history_steps steps;
};
extern const struct codec history_codec, history_step_codec;

/* The runs of step NAME; NULL: none. Borrowed. */
const struct past_runs *history_runs(const struct history *history, const char *name);

/*
 * RUN, one task's history, becomes that of its type: runs of its steps that BEFORE remembers are
 * taken along, as many as there is room for. 0 or -ENOMEM.
 */
int history_follow(struct history *run, const struct history *before);

#endif
