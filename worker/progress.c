#include "worker/progress.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
	MAX_DIGITS = 9
};

struct cursor {
	const char *text;
	size_t len, at;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Digits at the cursor; moves behind them. False: none, or absurdly many. */
static bool
take_number(struct cursor *cursor, double *ret_number)
{
	size_t begin = cursor->at;
	double number = 0;

	while (cursor->at < cursor->len && is_digit(cursor->text[cursor->at]))
		number = number * 10 + (cursor->text[cursor->at++] - '0');
	if (cursor->at == begin || cursor->at - begin > MAX_DIGITS)
		return false;
	*ret_number = number;
	return true;
}

static char
peek(const struct cursor *cursor)
{
	if (cursor->at >= cursor->len)
		return '\0';
	return cursor->text[cursor->at];
}

/* `NN%` or `NN.N%` at the cursor, 0..1; NaN when there is none. */
static double
take_percent(struct cursor *cursor)
{
	double whole, part = 0;

	if (!take_number(cursor, &whole))
		return NAN;
	if (peek(cursor) == '.' || peek(cursor) == ',') {
		size_t begin = ++cursor->at;

		if (!take_number(cursor, &part))
			return NAN;
		for (size_t i = begin; i < cursor->at; i++)
			part /= 10;
	}
	if (peek(cursor) == ' ')
		cursor->at++;
	if (peek(cursor) != '%' || whole + part > 100)
		return NAN;
	return (whole + part) / 100;
}

/* `n/m` at the cursor with nothing behind it that makes it a path or a date. */
static double
take_ratio(struct cursor *cursor)
{
	double part, whole;
	char next;

	if (!take_number(cursor, &part) || peek(cursor) != '/')
		return NAN;
	cursor->at++;
	if (!take_number(cursor, &whole) || whole < 1 || part > whole)
		return NAN;
	next = peek(cursor);
	if (is_word(next) || (next && strchr("/.-:%", next)))
		return NAN;
	return part / whole;
}

static double
take_either(struct cursor cursor, bool ratio_too)
{
	struct cursor again = cursor;
	double fraction = take_percent(&cursor);

	return isnan(fraction) && ratio_too ? take_ratio(&again) : fraction;
}

static bool
may_begin_number(const char *text, size_t at)
{
	if (!is_digit(text[at]))
		return false;
	return at == 0 || (!is_word(text[at - 1]) && !strchr("./-:", text[at - 1]));
}

/* In a line that is redrawn a percentage wins over a ratio, and the last of its kind over the
 * others. */
static double
anywhere(const char *text, size_t len)
{
	double percent = NAN, ratio = NAN;

	for (size_t i = 0; i < len; i++) {
		struct cursor cursor = { .text = text, .len = len, .at = i };
		struct cursor again = cursor;
		double found;

		if (!may_begin_number(text, i))
			continue;
		found = take_percent(&cursor);
		percent = isnan(found) ? percent : found;
		found = take_ratio(&again);
		ratio = isnan(found) ? ratio : found;
	}
	return isnan(percent) ? ratio : percent;
}

static double
at_begin(const char *text, size_t len)
{
	struct cursor cursor = { .text = text, .len = len };
	bool bracket = false;

	while (is_space(peek(&cursor)) || peek(&cursor) == '[' || peek(&cursor) == '(') {
		bracket = bracket || !is_space(peek(&cursor));
		cursor.at++;
	}
	return take_either(cursor, bracket);
}

static double
at_end(const char *text, size_t len)
{
	size_t begin = len;

	while (begin > 0 && (is_digit(text[begin - 1]) || strchr(".,% ])", text[begin - 1])))
		begin--;
	while (begin < len && !is_digit(text[begin]))
		begin++;
	if (begin == len || !may_begin_number(text, begin))
		return NAN;
	return take_either((struct cursor){ text, len, begin }, false);
}

double
progress_in_line(const char *text, size_t len, bool redrawn)
{
	double fraction;

	if (len == 0 || len > PROGRESS_LINE || memchr(text, '\0', len))
		return NAN;
	if (redrawn)
		return anywhere(text, len);
	fraction = at_begin(text, len);
	return isnan(fraction) ? at_end(text, len) : fraction;
}

void
progress_init(struct progress *progress)
{
	progress->fraction = NAN;
	progress->len = 0;
	progress->too_long = false;
}

static bool
end_line(struct progress *progress, bool redrawn)
{
	double fraction = NAN;

	if (!progress->too_long)
		fraction = progress_in_line(progress->line, progress->len, redrawn);
	progress->len = 0;
	progress->too_long = false;
	if (isnan(fraction) || (!isnan(progress->fraction) && fraction <= progress->fraction))
		return false;
	progress->fraction = fraction;
	return true;
}

bool
progress_feed(struct progress *progress, const void *data, size_t len)
{
	const char *text = data;
	bool risen = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' || text[i] == '\r') {
			/* "\r\n" ends a plain line */
			bool redrawn = text[i] == '\r' && !(i + 1 < len && text[i + 1] == '\n');

			risen |= end_line(progress, redrawn);
		} else if (progress->len < sizeof progress->line) {
			progress->line[progress->len++] = text[i];
		} else {
			progress->too_long = true;
		}
	}
	return risen;
}
