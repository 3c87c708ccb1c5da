/* curl's two tables (tool_progress.c and progress.c of curl); its bar (-#) is a percentage like any
 * other. They have no percent signs: a row is known by its shape. */
#include "worker/readers/readers.h"

#include <math.h>

enum {
	TABLE_ONE = 1,
	TABLE_PARALLEL,
	COLUMNS_ONE = 12,
	COLUMNS_PARALLEL = 10,
	PERCENTS = 5 /* the last of the columns that are percentages: 0, 2 and 4 */
};

/* --:--:--, 0:00:10, 2d 04h and the like. */
static bool
is_time(const struct scan *token)
{
	bool has_digit = false;

	for (size_t i = 0; i < token->len; i++) {
		char c = token->text[i];

		if (!scan_is_digit(c) && c != ':' && c != '-' && c != 'd' && c != 'h')
			return false;
		has_digit |= scan_is_digit(c) || c == '-';
	}
	return has_digit;
}

static bool
is_percent(const struct scan *token, double *ret)
{
	struct scan part = *token;

	return token->len <= 3 && scan_digits(&part, ret) && part.at == part.len && *ret <= 100;
}

/* `% Total % Received % Xferd  dload upload  total spent left  current`. Of an unknown size it
 * says a total of 0 at first, and later 100 % of what there is, but 0 % received or sent. */
static bool
read_one(struct scan scan, double *ret_fraction)
{
	double percents[PERCENTS] = { 0 };
	bool is_known = true;
	struct scan token;
	size_t n = 0;

	for (; scan_token(&scan, &token); n++) {
		if (n < PERCENTS && n % 2 == 0 && !is_percent(&token, &percents[n]))
			return false;
		if (n >= 8 && n <= 10 && !is_time(&token))
			return false;
		if (n == 1)
			is_known = !scan_is(&token, "0");
	}
	if (n != COLUMNS_ONE)
		return false;
	if (!is_known)
		return true;
	if (percents[2] > 0 || percents[4] > 0 || percents[0] < 100)
		*ret_fraction = percents[0] / 100;
	return true;
}

/* `DL% UL%  Dled  Uled  Xfers  Live  Total  Current  Left  Speed`, of all transfers together. */
static bool
read_parallel(struct scan scan, double *ret_fraction)
{
	double percent = NAN, other;
	struct scan token;
	size_t n = 0;

	for (; scan_token(&scan, &token); n++) {
		if (n == 0 && !scan_is(&token, "--") && !is_percent(&token, &percent))
			return false;
		if (n == 1 && !scan_is(&token, "--") && !is_percent(&token, &other))
			return false;
		if (n >= 6 && n <= 8 && !is_time(&token))
			return false;
	}
	if (n != COLUMNS_PARALLEL)
		return false;
	*ret_fraction = percent / 100;
	return true;
}

bool
read_curl(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	struct scan scan = { line->text, line->len, 0 };

	if (scan_find(&scan, "% Total    % Received")) {
		state->curl.table = TABLE_ONE;
		return true;
	}
	if (scan_find(&scan, "DL% UL%")) {
		state->curl.table = TABLE_PARALLEL;
		return true;
	}
	scan.at = 0;
	if (state->curl.table == TABLE_PARALLEL)
		return read_parallel(scan, ret_fraction);
	return read_one(scan, ret_fraction);
}
