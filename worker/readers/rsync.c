/*
 * rsync's rows (progress.c of rsync): `1,048,576  45%  1.20MB/s  0:00:10 (xfr#3, to-chk=7/12)`.
 *
 * Of one file with --progress, of all with --info=progress2: which of the two is known from the
 * first row with (xfr#…) on, and so is how many files there are. `ir-chk` instead of `to-chk`:
 * it is still looking for more.
 */
#include "worker/readers/readers.h"

#include <math.h>

struct row {
	double percent;
	bool has_files, is_scanning;
	double left, all; /* files */
};

static bool
take_files(struct scan *scan, struct row *row)
{
	double number;

	scan_spaces(scan);
	if (!(scan_word(scan, "(xfr#") || scan_word(scan, "(xfer#")) || !scan_digits(scan, &number))
		return false;
	row->is_scanning = scan_word(scan, ", ir-chk=");
	if (!row->is_scanning && !scan_word(scan, ", to-chk=") && !scan_word(scan, ", to-check="))
		return false;
	return scan_digits(scan, &row->left) && scan_word(scan, "/") &&
	       scan_digits(scan, &row->all) && scan_word(scan, ")") && row->all > 0 &&
	       row->left <= row->all;
}

static bool
take_row(struct scan scan, struct row *row)
{
	struct scan speed;
	double number;

	scan_spaces(&scan);
	if (!scan_grouped(&scan, &number) && !scan_decimal(&scan, &number))
		return false;
	if (scan_is_word(scan_peek(&scan))) /* -h: 1.23M */
		scan.at++;
	scan_spaces(&scan);
	row->percent = scan_percent(&scan);
	if (isnan(row->percent) || !scan_token(&scan, &speed) || !scan_find(&speed, "B/s"))
		return false;
	scan_spaces(&scan);
	if (isnan(scan_clock(&scan)))
		return false;
	row->has_files = take_files(&scan, row);
	return true;
}

bool
read_rsync(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	struct rsync_state *rsync = &state->rsync;
	struct row row = { 0 };

	if (!take_row((struct scan){ line->text, line->len, 0 }, &row))
		return false;
	if (row.has_files) {
		rsync->is_scanning = row.is_scanning;
		rsync->all = row.all;
		rsync->done = row.all - row.left;
		if (row.percent < 1)
			rsync->mode = RSYNC_WHOLE;
		else if (rsync->mode == RSYNC_UNKNOWN)
			rsync->mode = RSYNC_FILES;
	}
	if (rsync->mode == RSYNC_UNKNOWN || rsync->is_scanning)
		return true;
	if (rsync->mode == RSYNC_WHOLE)
		*ret_fraction = row.percent;
	else
		*ret_fraction = (rsync->done + (row.has_files ? 0 : row.percent)) / rsync->all;
	return true;
}
