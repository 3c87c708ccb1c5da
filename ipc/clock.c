#include "ipc/clock.h"

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
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 } };
	unsigned long long number;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	for (size_t i = 0; errno == 0 && i < sizeof units / sizeof units[0]; i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (number > UINT64_MAX / units[i].ms)
			return -EINVAL;
		*ret_ms = number * units[i].ms;
		return 0;
	}
	return -EINVAL;
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

/* RFC 3339 date, or date and time in UTC. */
static bool
parse_date(const char *text, uint64_t *ret_wall_ms)
{
	static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S",
		"%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ" };

	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		struct tm parts = { 0 };
		const char *end = strptime(text, formats[i], &parts);
		time_t seconds;

		if (!end || *end != '\0')
			continue;
		seconds = timegm(&parts);
		if (seconds < 0)
			return false;
		*ret_wall_ms = (uint64_t)seconds * 1000;
		return true;
	}
	return false;
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
