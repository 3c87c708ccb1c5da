#include "ipc/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS
};

static uint64_t
now_ns(clockid_t id)
{
	struct timespec now = { 0 };

	clock_gettime(id, &now); /* cannot fail for these clocks */
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t
clock_wall_ms(void)
{
	return now_ns(CLOCK_REALTIME) / 1000000U;
}

uint64_t
clock_boot_ns(void)
{
	return now_ns(CLOCK_BOOTTIME);
}

uint64_t
clock_boot_ms(void)
{
	return clock_boot_ns() / 1000000U;
}

char *
clock_format(uint64_t wall_ms, char text[static CLOCK_TEXT])
{
	time_t seconds = (time_t)(wall_ms / SECOND_MS);
	struct tm tm = { 0 };
	char date[CLOCK_TEXT - 5];

	/* A stamp beyond the calendar comes from damaged data: say the last one there is. */
	if (!gmtime_r(&seconds, &tm) || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		strcpy(date,
		    "9999-12-31T23:59:59"); // NOLINT(clang-analyzer-security.insecureAPI.strcpy)
	snprintf(text, CLOCK_TEXT, "%s.%03uZ", date, (unsigned)(wall_ms % SECOND_MS));
	return text;
}

/* Decimal digits at *TEXT, moved past them. */
static int
parse_number(const char **text, uint64_t *ret_value)
{
	const char *at = *text;
	uint64_t value = 0;

	if (*at < '0' || *at > '9')
		return -EINVAL;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return -EINVAL;
	}
	*text = at;
	*ret_value = value;
	return 0;
}

int
clock_parse_duration(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {
		{ "ms", 1 },
		{ "s", SECOND_MS },
		{ "m", MINUTE_MS },
		{ "h", HOUR_MS },
		{ "d", DAY_MS },
	};
	uint64_t value;

	if (parse_number(&text, &value) < 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow(value, units[i].ms, &value))
			return -EINVAL;
		*ret_ms = value;
		return 0;
	}
	return -EINVAL;
}

char *
clock_format_duration(uint64_t duration_ms, char text[static CLOCK_TEXT])
{
	uint64_t seconds = duration_ms / SECOND_MS;
	uint64_t minutes = duration_ms / MINUTE_MS;
	uint64_t hours = duration_ms / HOUR_MS;

	if (duration_ms < 10U * SECOND_MS)
		snprintf(text, CLOCK_TEXT, "%u.%u s", (unsigned)seconds,
		    (unsigned)(duration_ms % SECOND_MS / 100));
	else if (duration_ms < MINUTE_MS)
		snprintf(text, CLOCK_TEXT, "%u s", (unsigned)seconds);
	else if (duration_ms < HOUR_MS)
		snprintf(
		    text, CLOCK_TEXT, "%u min %02u s", (unsigned)minutes, (unsigned)(seconds % 60));
	else if (duration_ms < DAY_MS)
		snprintf(
		    text, CLOCK_TEXT, "%u h %02u min", (unsigned)hours, (unsigned)(minutes % 60));
	else
		snprintf(
		    text, CLOCK_TEXT, "%" PRIu64 " d %02u h", hours / 24, (unsigned)(hours % 24));
	return text;
}
