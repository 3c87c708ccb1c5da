/* git's phases, each from 0 to 100 % (progress.c of git). A clone has most of them, a push has the
 * writing ones; what is quick has a small share, since nothing says how long a phase takes. */
#include "worker/readers/readers.h"

#include <math.h>

static const struct phase {
	const char *name;
	double from, to;
	bool is_last; /* the whole, where no other one came before */
} phases[] = {
	{ "remote: Enumerating objects: ", 0, 0, false },
	{ "remote: Counting objects: ", 0, 0.02, false },
	{ "remote: Compressing objects: ", 0.02, 0.05, false },
	{ "remote: Finding sources: ", 0, 0.05, false },
	{ "Receiving objects: ", 0.05, 0.80, false },
	{ "Unpacking objects: ", 0.05, 0.80, false },
	{ "Resolving deltas: ", 0.80, 0.90, false },
	{ "Updating files: ", 0.90, 0.95, true },
	{ "Checking out files: ", 0.90, 0.95, true },
	{ "Filtering content: ", 0.95, 1, true },
	{ "Enumerating objects: ", 0, 0, false },
	{ "Counting objects: ", 0, 0.05, false },
	{ "Compressing objects: ", 0.05, 0.20, false },
	{ "Writing objects: ", 0.20, 0.90, false },
	{ "remote: Resolving deltas: ", 0.90, 1, false },
};

bool
read_git(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
		const struct phase *phase = &phases[i];
		struct scan scan = { line->text, line->len, 0 };
		double percent;

		if (!scan_word(&scan, phase->name))
			continue;
		scan_spaces(&scan);
		percent = scan_percent(&scan);
		if (phase->is_last && !state->git.has_begun)
			*ret_fraction = percent;
		else
			*ret_fraction = phase->from + percent * (phase->to - phase->from);
		state->git.has_begun |= !phase->is_last;
		return true;
	}
	return false;
}
