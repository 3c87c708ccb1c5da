/*
 * worker/estimate.h - how steps weigh against each other and how long there is to go, from how
 * earlier tasks of the same type went. Pure.
 *
 * A time left is 0 where it is unknown, which it is rather than guessed: a step that nothing is
 * known of makes it so, and one that takes longer than it ever did.
 */
#ifndef WORKER_ESTIMATE_H
#define WORKER_ESTIMATE_H

#include "ipc/spec.h"

/*
 * Each step's share: what it took in earlier runs (the median); else its recipe's weight, else that
 * of any other step. Where some steps have been run and others have not, the latter's are scaled so
 * that both mean the same.
 */
void estimate_weights(const struct brief *brief, double ret_weights[static LIMIT_STEPS]);

/* What a step is thought to take that has not begun; 0: unknown. */
uint64_t estimate_typical_ms(const struct past_runs *runs);

/* Of N numbers, which are put in order; 0 for none. */
uint64_t estimate_median(uint64_t *numbers, size_t n);

/* What is known of a step under way. */
struct estimate_step {
	const struct past_runs *runs;
	uint64_t elapsed_ms;
	double fraction;           /* NaN: unknown */
	double first_fraction;     /* the first that was heard of, and when */
	uint64_t first_ms;         /* since the step began */
	uint64_t bytes_left, rate; /* of a transfer; rate 0: none */
};

/* Milliseconds until it ends, or 0: unknown. */
uint64_t estimate_left_ms(const struct estimate_step *step);

/* When its elapsed time has passed this many ms there is another answer without any news; 0: there
 * is not. */
uint64_t estimate_changes_ms(const struct past_runs *runs, uint64_t elapsed_ms);

#endif
