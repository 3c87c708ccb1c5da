/* npm's bar, up to its version 9: `[#####.......] / reify:name: http fetch GET 200 ...`, or
 * `(####⠂⠂⠂⠂) ⠏ ...`. Later ones show a wheel that turns, and say nothing of how much is done. */
#include "worker/readers/readers.h"

enum {
	LEAST_CELLS = 10
};

static double
count_of(struct scan *scan, const char *mark)
{
	double n = 0;

	while (scan_word(scan, mark))
		n++;
	return n;
}

bool
read_npm(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	struct scan scan = { line->text, line->len, 0 };
	double done, left;
	bool round;

	(void)state;
	scan_spaces(&scan);
	round = scan_word(&scan, "(");
	if (!round && !scan_word(&scan, "["))
		return false;
	done = count_of(&scan, "#");
	left = count_of(&scan, round ? "\xe2\xa0\x82" : ".");
	if (!scan_word(&scan, round ? ")" : "]") || done + left < LEAST_CELLS)
		return false;
	*ret_fraction = done / (done + left);
	return true;
}
