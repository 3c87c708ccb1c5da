/*
 * pip downloads one package after the other. How many there will be is known beforehand where the
 * index gives it what each package needs (PEP 658): then it names them all ("Collecting x", with
 * its .metadata) before the first is downloaded. Without that a bar is one package's, and nothing
 * says how many follow.
 */
#include "worker/readers/readers.h"

#include <math.h>

/* To install what was downloaded is the rest. */
#define DOWNLOAD_SHARE 0.95

/* `Progress 3 of 10` (raw), or `━━━━╸━━━ 0.5/1.5 MB 984.9 kB/s eta 0:00:01`. */
static bool
take_bar(const struct read_line *line, double *ret)
{
	static const char line_drawn[] = "\xe2\x94\x81", half[] = "\xe2\x95\xb8";
	struct scan scan = { line->text, line->len, 0 };
	struct read_line rest;
	struct scan bar;

	*ret = NAN;
	if (scan_word(&scan, "Progress "))
		return read_count(
		    NULL, &(struct read_line){ line->text, line->len, true, false }, ret);
	scan_spaces(&scan);
	if (!scan_word(&scan, line_drawn) && !scan_word(&scan, half))
		return false;
	if (!scan_token(&scan, &bar))
		return false;
	scan_spaces(&scan);
	rest =
	    (struct read_line){ line->text + scan.at, line->len - scan.at, true, line->unfinished };
	(void)read_count(NULL, &rest, ret);
	return true;
}

static double
share(const struct pip_state *pip, double part)
{
	if (!pip->knows_all || pip->known <= 0 || isnan(part))
		return NAN;
	part += pip->done;
	return DOWNLOAD_SHARE * (part < pip->known ? part : pip->known) / pip->known;
}

static double
begin_download(struct pip_state *pip, struct scan scan)
{
	if (scan_find(&scan, ".metadata (")) {
		pip->knows_all = true;
		return NAN;
	}
	if (pip->is_in_wheel)
		pip->done++;
	pip->is_in_wheel = true;
	return share(pip, 0);
}

bool
read_pip(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	struct pip_state *pip = &state->pip;
	struct scan scan = { line->text, line->len, 0 };
	double part;

	if (take_bar(line, &part)) {
		*ret_fraction = pip->is_in_wheel ? share(pip, part) : NAN;
		return true;
	}
	scan_spaces(&scan);
	if (scan_word(&scan, "Collecting ")) {
		pip->known++;
		return true;
	}
	if (scan_word(&scan, "Downloading ") || scan_word(&scan, "Using cached ")) {
		*ret_fraction = begin_download(pip, scan);
		return true;
	}
	if (scan_word(&scan, "Installing collected packages: ")) {
		*ret_fraction = DOWNLOAD_SHARE;
		return true;
	}
	return false;
}
