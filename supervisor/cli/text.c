#include "supervisor/cli/text.h"

#include "ipc/clock.h"
#include "ipc/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum {
	ESC = 0x1b,
	BEL = 0x07,
	DEL = 0x7f,
	FORMATTED_MAX = 1024
};

struct span
span_of(const char *text)
{
	return (struct span){ text ? text : "", text ? strlen(text) : 0 };
}

/* The next character, N bytes long: its number, or U+FFFD for bytes that are none. */
static uint32_t
decode(const char *text, size_t len, size_t *ret_n)
{
	const uint8_t *bytes = (const uint8_t *)text;
	uint32_t point;

	if (!utf8_next(bytes, len, ret_n))
		return 0xfffd;
	if (*ret_n == 1)
		return bytes[0];
	point = bytes[0] & (0x7fU >> *ret_n);
	for (size_t i = 1; i < *ret_n; i++)
		point = point << 6 | (bytes[i] & 0x3fU);
	return point;
}

/* Controls, and marks that would turn or split a line somewhere else than we think. */
static bool
is_unprintable(uint32_t point)
{
	return point < 0x20 || (point >= DEL && point < 0xa0) || point == 0x061c ||
	       (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

/* Bytes of a string sequence (OSC, DCS, ...), up to BEL or ST; all there is when it is unclosed. */
static size_t
string_sequence(const char *text, size_t len)
{
	for (size_t i = 2; i < len; i++) {
		if (text[i] == BEL)
			return i + 1;
		if (text[i] == ESC && i + 1 < len && text[i + 1] == '\\')
			return i + 2;
	}
	return len;
}

/* Bytes of the escape sequence at TEXT (ECMA-48), which starts with ESC. */
static size_t
escape_sequence(const char *text, size_t len)
{
	size_t i = 1;

	if (len < 2)
		return len;
	if (strchr("]PX^_", text[1]) && text[1] != '\0')
		return string_sequence(text, len);
	if (text[1] == '[') {
		i = 2;
		while (i < len && text[i] >= 0x20 && text[i] <= 0x3f)
			i++;
		return i < len && text[i] >= 0x40 && text[i] <= 0x7e ? i + 1 : i;
	}
	while (i < len && text[i] >= 0x20 && text[i] <= 0x2f)
		i++;
	return i < len && text[i] >= 0x30 && text[i] <= 0x7e ? i + 1 : i;
}

static bool
is_colour(const char *sequence, size_t len)
{
	if (len < 3 || sequence[1] != '[' || sequence[len - 1] != 'm')
		return false;
	for (size_t i = 2; i < len - 1; i++)
		if (!strchr("0123456789;:", sequence[i]) || sequence[i] == '\0')
			return false;
	return true;
}

static void
clean_point(struct buf *out, const char *text, size_t n, uint32_t point, enum text_mode mode)
{
	bool is_blank = point == '\t' || point == '\n' || point == '\r';

	if (mode != TEXT_FIELD && point == '\t')
		buf_add(out, "\t", 1);
	else if (mode == TEXT_FIELD && is_blank)
		buf_add(out, " ", 1);
	else if (!is_unprintable(point))
		buf_add(out, text, n);
}

/* What stands at AT: its length. *COLOURED becomes true when it is a colour that was kept. */
static size_t
clean_next(struct buf *out, const char *at, size_t len, enum text_mode mode, bool *coloured)
{
	uint32_t point;
	size_t n;

	if (*at == ESC) {
		n = escape_sequence(at, len);
		if (mode == TEXT_COLOURS && is_colour(at, n)) {
			buf_add(out, at, n);
			*coloured = true;
		}
		return n;
	}
	point = decode(at, len, &n);
	if (point == 0xfffd)
		buf_add(out, UTF8_REPLACEMENT, strlen(UTF8_REPLACEMENT));
	else
		clean_point(out, at, n, point, mode);
	return n;
}

bool
text_clean(struct buf *out, struct span text, enum text_mode mode)
{
	bool coloured = false;

	for (size_t i = 0; i < text.len;)
		i += clean_next(out, text.text + i, text.len - i, mode, &coloured);
	return coloured;
}

static size_t
point_columns(uint32_t point)
{
	int columns = wcwidth((wchar_t)point);

	/* Outside a UTF-8 locale wcwidth() knows ASCII only. */
	return columns < 0 ? 1 : (size_t)columns;
}

size_t
text_columns(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len;) {
		size_t n;

		columns += point_columns(decode(text + i, len - i, &n));
		i += n;
	}
	return columns;
}

void
text_add(struct buf *out, const char *format, ...)
{
	char text[FORMATTED_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n > 0)
		buf_add(out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

char *
text_bytes(uint64_t bytes, char text[static TEXT_NUMBER])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
		value /= 1000;
		unit++;
	}
	snprintf(
	    text, TEXT_NUMBER, "%.*f %s", unit > 0 && value < 99.95 ? 1 : 0, value, units[unit]);
	return text;
}

char *
text_bytes_of(uint64_t done, uint64_t total, char text[static TEXT_BYTES_OF])
{
	char left[TEXT_NUMBER], right[TEXT_NUMBER];
	char *unit_left = strchr(text_bytes(done, left), ' ');
	const char *unit_right = strchr(text_bytes(total, right), ' ');

	if (strcmp(unit_left, unit_right) == 0)
		*unit_left = '\0';
	snprintf(text, TEXT_BYTES_OF, "%s of %s", left, right);
	return text;
}

char *
text_duration(uint64_t duration_ms, char text[static TEXT_NUMBER])
{
	if (duration_ms >= 1000)
		return clock_format_duration(duration_ms, text);
	snprintf(text, TEXT_NUMBER, "%u ms", (unsigned)duration_ms);
	return text;
}

unsigned
text_percent(double fraction)
{
	if (isnan(fraction) || fraction <= 0)
		return 0;
	return fraction >= 1 ? 100 : (unsigned)(fraction * 100);
}
