#include "worker/estimate.h"

#include <math.h>
#include <stdlib.h>

enum {
	LOOK_MS = 1000 /* how long a fraction is watched before its speed is believed */
};
#define LOOK_FRACTION 0.02

static int
compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

uint64_t
estimate_median(uint64_t *numbers, size_t n)
{
	if (n == 0)
		return 0;
	qsort(numbers, n, sizeof *numbers, compare);
	return n % 2 ? numbers[n / 2] : (numbers[n / 2 - 1] + numbers[n / 2]) / 2;
}

/* The median of the runs that took longer than AFTER_MS; 0: none did. */
static uint64_t
typical_ms(const struct past_runs *runs, uint64_t after_ms)
{
	uint64_t longer[LIMIT_RUNS];
	size_t n = 0;

	for (size_t i = 0; i < runs->n && n < LIMIT_RUNS; i++)
		if (runs->v[i].took_ms > after_ms)
			longer[n++] = runs->v[i].took_ms;
	return estimate_median(longer, n);
}

uint64_t
estimate_typical_ms(const struct past_runs *runs)
{
	return typical_ms(runs, 0);
}

static double
given_weight(const struct brief *brief, size_t index)
{
	double weight = brief->spec.steps.v[index].weight;

	return isnan(weight) || weight < 0 ? 1 : weight;
}

void
estimate_weights(const struct brief *brief, double ret_weights[static LIMIT_STEPS])
{
	double took = 0, given = 0, scale;

	for (size_t i = 0; i < brief->spec.steps.n; i++) {
		uint64_t ms = i < brief->steps.n ? estimate_typical_ms(&brief->steps.v[i].runs) : 0;

		ret_weights[i] = (double)ms;
		took += (double)ms;
		given += ms > 0 ? given_weight(brief, i) : 0;
	}
	scale = took > 0 && given > 0 ? took / given : 1;
	for (size_t i = 0; i < brief->spec.steps.n; i++)
		if (ret_weights[i] <= 0)
			ret_weights[i] = given_weight(brief, i) * scale;
}

/* By the speed of its fraction since the first was heard of. */
static uint64_t
left_by_fraction(const struct estimate_step *step)
{
	double risen = step->fraction - step->first_fraction;
	uint64_t watched_ms =
	    step->elapsed_ms > step->first_ms ? step->elapsed_ms - step->first_ms : 0;

	if (isnan(risen) || risen < LOOK_FRACTION || watched_ms < LOOK_MS)
		return 0;
	return (uint64_t)((double)watched_ms * (1 - step->fraction) / risen) + 1;
}

uint64_t
estimate_left_ms(const struct estimate_step *step)
{
	uint64_t typical = typical_ms(step->runs, step->elapsed_ms);
	uint64_t by_runs = typical > 0 ? typical - step->elapsed_ms : 0;
	uint64_t by_fraction;

	if (step->rate > 0)
		return step->bytes_left * 1000 / step->rate + 1;
	by_fraction = left_by_fraction(step);
	if (by_fraction == 0 || by_runs == 0)
		return by_fraction ? by_fraction : by_runs;
	/* The further it is, the more its own speed says. */
	return (uint64_t)(step->fraction * (double)by_fraction +
			  (1 - step->fraction) * (double)by_runs) +
	       1;
}

uint64_t
estimate_changes_ms(const struct past_runs *runs, uint64_t elapsed_ms)
{
	uint64_t next = 0;

	for (size_t i = 0; i < runs->n; i++)
		if (runs->v[i].took_ms > elapsed_ms && (next == 0 || runs->v[i].took_ms < next))
			next = runs->v[i].took_ms;
	return next;
}
