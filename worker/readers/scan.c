#include "worker/readers/scan.h"

#include <math.h>
#include <string.h>

enum {
	MAX_DIGITS = 15
};

bool
scan_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
scan_is_word(char c)
{
	return scan_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

char
scan_peek(const struct scan *scan)
{
	if (scan->at >= scan->len)
		return '\0';
	return scan->text[scan->at];
}

char
scan_before(const struct scan *scan)
{
	if (scan->at == 0)
		return '\0';
	return scan->text[scan->at - 1];
}

void
scan_spaces(struct scan *scan)
{
	while (scan_peek(scan) == ' ' || scan_peek(scan) == '\t')
		scan->at++;
}

bool
scan_word(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	if (scan->len - scan->at < len || memcmp(scan->text + scan->at, word, len) != 0)
		return false;
	scan->at += len;
	return true;
}

bool
scan_find(struct scan *scan, const char *word)
{
	size_t len = strlen(word);
	const char *found = memmem(scan->text + scan->at, scan->len - scan->at, word, len);

	if (!found)
		return false;
	scan->at = (size_t)(found - scan->text) + len;
	return true;
}

bool
scan_digits(struct scan *scan, double *ret)
{
	size_t at = scan->at;
	double number = 0;

	while (at < scan->len && scan_is_digit(scan->text[at]))
		number = number * 10 + (scan->text[at++] - '0');
	if (at == scan->at || at - scan->at > MAX_DIGITS)
		return false;
	scan->at = at;
	*ret = number;
	return true;
}

bool
scan_decimal(struct scan *scan, double *ret)
{
	struct scan part = *scan;
	double whole, fraction = 0;

	if (!scan_digits(&part, &whole))
		return false;
	if (scan_peek(&part) == '.' || scan_peek(&part) == ',') {
		size_t begin = ++part.at;

		if (!scan_digits(&part, &fraction))
			return false;
		for (size_t i = begin; i < part.at; i++)
			fraction /= 10;
	}
	*scan = part;
	*ret = whole + fraction;
	return true;
}

bool
scan_grouped(struct scan *scan, double *ret)
{
	struct scan part = *scan;
	double number, group;

	if (!scan_digits(&part, &number))
		return false;
	while (scan_peek(&part) == ',' || scan_peek(&part) == '.') {
		size_t begin = ++part.at;

		if (!scan_digits(&part, &group) || part.at - begin != 3)
			return false;
		number = number * 1000 + group;
	}
	*scan = part;
	*ret = number;
	return true;
}

bool
scan_token(struct scan *scan, struct scan *ret)
{
	size_t begin;

	scan_spaces(scan);
	begin = scan->at;
	while (scan->at < scan->len && scan_peek(scan) != ' ' && scan_peek(scan) != '\t')
		scan->at++;
	*ret = (struct scan){ scan->text + begin, scan->at - begin, 0 };
	return ret->len > 0;
}

bool
scan_is(const struct scan *scan, const char *word)
{
	struct scan rest = *scan;

	return scan_word(&rest, word) && rest.at == rest.len;
}

double
scan_percent(struct scan *scan)
{
	struct scan part = *scan;
	double number;

	if (!scan_decimal(&part, &number))
		return NAN;
	if (scan_peek(&part) == ' ')
		part.at++;
	if (!scan_word(&part, "%") || number > 100)
		return NAN;
	*scan = part;
	return number / 100;
}

double
scan_clock(struct scan *scan)
{
	struct scan part = *scan;
	double hours, minutes, seconds;

	if (!scan_digits(&part, &hours) || !scan_word(&part, ":") ||
	    !scan_digits(&part, &minutes) || !scan_word(&part, ":") ||
	    !scan_decimal(&part, &seconds) || minutes >= 60 || seconds > 60)
		return NAN;
	*scan = part;
	return hours * 3600 + minutes * 60 + seconds;
}

double
scan_bytes(struct scan *scan)
{
	static const char units[] = "kmgt";
	struct scan part = *scan;
	const char *unit;
	double number;

	if (!scan_decimal(&part, &number))
		return NAN;
	if (scan_peek(&part) == ' ')
		part.at++;
	unit = scan_peek(&part) ? strchr(units, scan_peek(&part) | ' ') : NULL;
	if (unit) {
		double base = part.at + 1 < part.len && part.text[part.at + 1] == 'i' ? 1024 : 1000;

		part.at++;
		scan_word(&part, "i");
		for (const char *u = units; u <= unit; u++)
			number *= base;
		scan_word(&part, "B");
	} else if (!scan_word(&part, "B")) {
		return NAN;
	}
	*scan = part;
	return number;
}
