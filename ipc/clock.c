#include "ipc/clock.h"

#include "ipc/units.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* RFC 3339 has years of four digits: 9999-12-31T23:59:59.999Z. */
static const uint64_t LAST_MS = UINT64_C(253402300799999);

uint64_t
clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t
clock_boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t
clock_boot_ms(void)
{
	return clock_boot_ns() / 1000000;
}

char *
clock_format(uint64_t wall_ms, char text[static CLOCK_TEXT])
{
	uint64_t shown_ms = wall_ms < LAST_MS ? wall_ms : LAST_MS;
	time_t seconds = (time_t)(shown_ms / 1000);
	struct tm parts;
	size_t n;

	gmtime_r(&seconds, &parts); /* cannot fail up to LAST_MS */
	n = strftime(text, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + n, CLOCK_TEXT - n, ".%03uZ", (unsigned)(shown_ms % 1000));
	return text;
}

int
clock_parse_duration(const char *text, uint64_t *ret_ms)
{
	static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 } };

	return units_parse(text, units, sizeof units / sizeof units[0], ret_ms);
}

char *
clock_format_duration(uint64_t duration_ms, char text[static CLOCK_TEXT])
{
	uint64_t seconds = duration_ms / 1000;

	if (seconds < 60)
		snprintf(text, CLOCK_TEXT, "%u.%u s", (unsigned)seconds,
		    (unsigned)(duration_ms % 1000 / 100));
	else if (seconds < 3600)
		snprintf(text, CLOCK_TEXT, "%u min %02u s", (unsigned)(seconds / 60),
		    (unsigned)(seconds % 60));
	else if (seconds < UINT64_C(48) * 3600)
		snprintf(text, CLOCK_TEXT, "%u h %02u min", (unsigned)(seconds / 3600),
		    (unsigned)(seconds / 60 % 60));
	else
		snprintf(text, CLOCK_TEXT, "%llu days", (unsigned long long)(seconds / 86400));
	return text;
}

/* .678, to milliseconds, however many digits there are. False: there are none. */
static bool
parse_fraction(const char **text, uint64_t *ret_ms)
{
	const char *at = *text + 1;
	uint64_t ms = 0;

	for (uint64_t unit_ms = 100; *at >= '0' && *at <= '9'; unit_ms /= 10)
		ms += (uint64_t)(*at++ - '0') * unit_ms;
	if (at == *text + 1)
		return false;
	*text = at;
	*ret_ms = ms;
	return true;
}

/* Z, +02:00, or nothing, which is UTC too. */
static bool
parse_zone(const char *text, int64_t *ret_east_s)
{
	struct tm offset = { 0 };
	const char *end;

	*ret_east_s = 0;
	if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if ((*text != '+' && *text != '-') || text[1] < '0' || text[1] > '9')
		return false;
	end = strptime(text + 1, "%H:%M", &offset);
	if (!end || *end != '\0')
		return false;
	*ret_east_s = (int64_t)60 * (offset.tm_hour * 60 + offset.tm_min);
	if (*text == '-')
		*ret_east_s = -*ret_east_s;
	return true;
}

/* 15:04, 15:04:05 or 15:04:05.678, and its zone: the milliseconds since the day's midnight UTC,
 * which may lie in the day before or after. */
static bool
parse_time_of_day(const char *text, int64_t *ret_ms)
{
	struct tm parts = { 0 };
	const char *end = strptime(text, "%H:%M", &parts);
	uint64_t fraction_ms = 0;
	int64_t east_s, seconds;

	if (end && *end == ':') {
		end = strptime(end, ":%S", &parts);
		if (end && *end == '.' && !parse_fraction(&end, &fraction_ms))
			return false;
	}
	if (!end || !parse_zone(end, &east_s))
		return false;
	seconds = (int64_t)parts.tm_hour * 3600 + (int64_t)parts.tm_min * 60 + parts.tm_sec;
	*ret_ms = (seconds - east_s) * 1000 + (int64_t)fraction_ms;
	return true;
}

/* RFC 3339: a date, or a date and a time. */
static bool
parse_date(const char *text, uint64_t *ret_wall_ms)
{
	struct tm parts = { 0 }, day;
	const char *end = strptime(text, "%Y-%m-%d", &parts);
	int64_t in_day_ms = 0, wall_ms;

	if (!end)
		return false;
	day = parts;
	wall_ms = (int64_t)timegm(&parts) * 1000;
	if (parts.tm_mday != day.tm_mday) /* there is no such day in that month */
		return false;
	if (*end != '\0' && (!strchr("Tt ", *end) || !parse_time_of_day(end + 1, &in_day_ms)))
		return false;
	wall_ms += in_day_ms;
	if (wall_ms < 0)
		return false;
	*ret_wall_ms = (uint64_t)wall_ms;
	return true;
}

int
clock_parse_since(const char *text, uint64_t now_wall_ms, uint64_t *ret_wall_ms)
{
	uint64_t ago_ms;

	if (clock_parse_duration(text, &ago_ms) == 0) {
		*ret_wall_ms = ago_ms < now_wall_ms ? now_wall_ms - ago_ms : 0;
		return 0;
	}
	return parse_date(text, ret_wall_ms) ? 0 : -EINVAL;
}
