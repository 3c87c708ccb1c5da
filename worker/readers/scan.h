/*
 * worker/readers/scan.h - a cursor over one line. Nothing here looks beyond the line's end or
 * goes back; what is not there leaves the cursor where it was, unless said otherwise.
 */
#ifndef WORKER_READERS_SCAN_H
#define WORKER_READERS_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct scan {
	const char *text;
	size_t len, at;
};

char scan_peek(const struct scan *scan);                 /* '\0' at the end */
char scan_before(const struct scan *scan);               /* '\0' at the begin */
void scan_spaces(struct scan *scan);                     /* and tabs */
bool scan_word(struct scan *scan, const char *word);     /* exactly these bytes */
bool scan_find(struct scan *scan, const char *word);     /* moves behind the next one */
bool scan_digits(struct scan *scan, double *ret);        /* at most 15 */
bool scan_decimal(struct scan *scan, double *ret);       /* 12, 12.5, 12,5 */
bool scan_grouped(struct scan *scan, double *ret);       /* 1,234,567 or 1.234.567 */
bool scan_token(struct scan *scan, struct scan *ret);    /* to the next space */
bool scan_is(const struct scan *scan, const char *word); /* all that is left is WORD */

/* `NN%`, `NN.N %` as 0..1, moving behind it; NaN for none and for more than 100. */
double scan_percent(struct scan *scan);

/* H:MM:SS with any fraction, in seconds; NaN for none. */
double scan_clock(struct scan *scan);

/* 12.5MB, 12.5 MiB, 12k, 12B: bytes; NaN for none. */
double scan_bytes(struct scan *scan);

bool scan_is_digit(char c);
bool scan_is_word(char c); /* letters, digits, _ */

#endif
