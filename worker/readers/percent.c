/* Any program's percentages: anywhere in a line that is redrawn, first or last in a plain one. */
#include "worker/readers/readers.h"

#include <math.h>
#include <string.h>

static bool
may_begin(const struct scan *scan)
{
	char before = scan_before(scan);

	return scan_is_digit(scan_peek(scan)) &&
	       (before == '\0' || (!scan_is_word(before) && !strchr("./-:", before)));
}

/* The last one: what stands before it are names. */
static double
anywhere(struct scan scan)
{
	double fraction = NAN;

	for (; scan.at < scan.len; scan.at++) {
		struct scan here = scan;
		double found = may_begin(&scan) ? scan_percent(&here) : NAN;

		fraction = isnan(found) ? fraction : found;
	}
	return fraction;
}

static double
at_begin(struct scan scan)
{
	while (scan_peek(&scan) && strchr(" \t[(", scan_peek(&scan)))
		scan.at++;
	return scan_percent(&scan);
}

static double
at_end(struct scan scan)
{
	scan.at = scan.len;
	while (scan.at > 0 &&
	       (scan_is_digit(scan_before(&scan)) || strchr(".,% ])", scan_before(&scan))))
		scan.at--;
	while (scan.at < scan.len && !scan_is_digit(scan_peek(&scan)))
		scan.at++;
	return may_begin(&scan) ? scan_percent(&scan) : NAN;
}

bool
read_percent(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	struct scan scan = { line->text, line->len, 0 };

	(void)state;
	if (line->redrawn)
		*ret_fraction = anywhere(scan);
	else if (isnan(*ret_fraction = at_begin(scan)))
		*ret_fraction = at_end(scan);
	return !isnan(*ret_fraction);
}
