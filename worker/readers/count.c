/* Any program that counts: `n/m` and `n of m`, of things or of bytes. In a plain line only in
 * brackets, or behind one word that begins it. */
#include "worker/readers/readers.h"

#include <math.h>
#include <string.h>

struct amount {
	double number, bytes; /* NaN: it has no unit */
	bool is_whole;
};

static bool
take_amount(struct scan *scan, struct amount *ret)
{
	struct scan digits = *scan, decimal = *scan;
	double whole;

	if (!scan_decimal(&decimal, &ret->number))
		return false;
	ret->is_whole = scan_digits(&digits, &whole) && digits.at == decimal.at;
	ret->bytes = scan_bytes(scan);
	if (isnan(ret->bytes))
		*scan = decimal;
	return true;
}

/* What may stand behind it without making it a path, a date or a version. */
static bool
ends_here(const struct scan *scan)
{
	char next = scan_peek(scan);

	return next == '\0' || (!scan_is_word(next) && !strchr("/.-:%", next));
}

/* Both in bytes, or the unit stands behind the second for both, or both are whole numbers. */
static double
divide(const struct amount *part, const struct amount *all)
{
	bool in_bytes = !isnan(part->bytes) && !isnan(all->bytes);
	double done = in_bytes ? part->bytes : part->number;
	double whole = in_bytes ? all->bytes : all->number;

	if (!isnan(part->bytes) && !in_bytes)
		return NAN;
	if (isnan(all->bytes) && !(part->is_whole && all->is_whole))
		return NAN;
	return whole > 0 && done <= whole ? done / whole : NAN;
}

static double
take_ratio(struct scan *scan)
{
	struct amount part, all;

	if (!take_amount(scan, &part))
		return NAN;
	if (!scan_word(scan, "/") && !scan_word(scan, " / ") && !scan_word(scan, " of "))
		return NAN;
	if (!take_amount(scan, &all) || !ends_here(scan))
		return NAN;
	return divide(&part, &all);
}

static double
anywhere(struct scan scan)
{
	double fraction = NAN;

	for (; scan.at < scan.len; scan.at++) {
		char before = scan_before(&scan);
		struct scan here = scan;
		double found;

		if (!scan_is_digit(scan_peek(&scan)) ||
		    (before && (scan_is_word(before) || strchr("./-:", before))))
			continue;
		found = take_ratio(&here);
		fraction = isnan(found) ? fraction : found;
	}
	return fraction;
}

static double
at_begin(struct scan scan)
{
	size_t begin;

	scan_spaces(&scan);
	if (scan_word(&scan, "[") || scan_word(&scan, "(")) {
		scan_spaces(&scan);
		return take_ratio(&scan);
	}
	begin = scan.at;
	while (scan_is_word(scan_peek(&scan)) && !scan_is_digit(scan_peek(&scan)))
		scan.at++;
	if (scan.at == begin || !(scan_word(&scan, " ") || scan_word(&scan, ": ")))
		return NAN;
	scan_spaces(&scan);
	return take_ratio(&scan);
}

bool
read_count(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	struct scan scan = { line->text, line->len, 0 };

	(void)state;
	if (line->unfinished)
		return false;
	*ret_fraction = line->redrawn ? anywhere(scan) : at_begin(scan);
	return !isnan(*ret_fraction);
}
