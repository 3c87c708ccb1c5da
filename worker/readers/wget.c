/* wget's dots and its bar (progress.c of wget). */
#include "worker/readers/readers.h"

#include <math.h>

/* `  50K .......... .......... 45% 1.2M 3s`; without the percentage where no size is known. */
static bool
read_dots(struct scan scan, double *ret_fraction)
{
	struct scan token;
	double number;

	scan_spaces(&scan);
	if (scan.at == 0 || !scan_digits(&scan, &number) || !scan_word(&scan, "K "))
		return false;
	while (scan_peek(&scan) && scan_token(&scan, &token)) {
		if (scan_peek(&token) != '.' && scan_peek(&token) != ',') {
			*ret_fraction = scan_percent(&token);
			return true;
		}
	}
	return true;
}

/* `NAME  45%[====>      ] 1.15M  977KB/s`. */
static bool
read_bar(struct scan scan, double *ret_fraction)
{
	if (!scan_find(&scan, "%["))
		return false;
	for (scan.at -= 2; scan.at > 0 && scan_is_digit(scan_before(&scan));)
		scan.at--;
	*ret_fraction = scan_percent(&scan);
	return !isnan(*ret_fraction);
}

bool
read_wget(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	struct scan scan = { line->text, line->len, 0 };

	(void)state;
	return read_dots(scan, ret_fraction) || read_bar(scan, ret_fraction);
}
