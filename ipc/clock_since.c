#include "ipc/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

/* RFC 3339, section 5.6, but that a date may stand alone (the start of that day here). */
struct reading {
	const char *at;
	struct tm tm;
	uint64_t ms;
	long offset_s; /* of local time to UTC */
	bool is_local;
};

/* Exactly DIGITS digits within LOW..HIGH. */
static bool
take_number(struct reading *reading, int digits, int low, int high, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		char c = *reading->at;

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
		reading->at++;
	}
	*ret_value = value;
	return value >= low && value <= high;
}

static bool
take_char(struct reading *reading, char c)
{
	if (*reading->at != c)
		return false;
	reading->at++;
	return true;
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

static bool
take_date(struct reading *reading)
{
	int year, month, day;

	if (!take_number(reading, 4, 1970, 9999, &year) || !take_char(reading, '-') ||
	    !take_number(reading, 2, 1, 12, &month) || !take_char(reading, '-') ||
	    !take_number(reading, 2, 1, month_days(year, month), &day))
		return false;
	reading->tm.tm_year = year - 1900;
	reading->tm.tm_mon = month - 1;
	reading->tm.tm_mday = day;
	return true;
}

static bool
take_fraction(struct reading *reading)
{
	uint64_t weight_ms = 100;

	if (!take_char(reading, '.'))
		return true;
	if (*reading->at < '0' || *reading->at > '9')
		return false;
	for (; *reading->at >= '0' && *reading->at <= '9'; reading->at++, weight_ms /= 10)
		reading->ms += (uint64_t)(*reading->at - '0') * weight_ms;
	return true;
}

static bool
take_clock(struct reading *reading)
{
	struct tm *tm = &reading->tm;

	if (!take_number(reading, 2, 0, 23, &tm->tm_hour) || !take_char(reading, ':') ||
	    !take_number(reading, 2, 0, 59, &tm->tm_min))
		return false;
	if (!take_char(reading, ':'))
		return true;
	return take_number(reading, 2, 0, 60, &tm->tm_sec) && take_fraction(reading);
}

/* Z, an offset, or nothing: the machine's own zone. */
static bool
take_zone(struct reading *reading)
{
	bool is_west = *reading->at == '-';
	int hours, minutes;

	if (*reading->at == '\0') {
		reading->is_local = true;
		return true;
	}
	if (take_char(reading, 'Z') || take_char(reading, 'z'))
		return true;
	if (!take_char(reading, '+') && !take_char(reading, '-'))
		return false;
	if (!take_number(reading, 2, 0, 23, &hours) || !take_char(reading, ':') ||
	    !take_number(reading, 2, 0, 59, &minutes))
		return false;
	reading->offset_s = (hours * 60L + minutes) * 60L * (is_west ? -1 : 1);
	return true;
}

static int
parse_moment(const char *text, uint64_t *ret_wall_ms)
{
	struct reading reading = { .at = text, .tm = { .tm_isdst = -1 } };
	time_t seconds;

	if (!take_date(&reading))
		return -EINVAL;
	if ((take_char(&reading, 'T') || take_char(&reading, 't') || take_char(&reading, ' ')) &&
	    !take_clock(&reading))
		return -EINVAL;
	if (!take_zone(&reading) || *reading.at != '\0')
		return -EINVAL;
	seconds = reading.is_local ? mktime(&reading.tm) : timegm(&reading.tm) - reading.offset_s;
	if (seconds < 0)
		return -EINVAL;
	*ret_wall_ms = (uint64_t)seconds * 1000 + reading.ms;
	return 0;
}

int
clock_parse_since(const char *text, uint64_t now_wall_ms, uint64_t *ret_wall_ms)
{
	uint64_t ms;

	if (clock_parse_duration(text, &ms) == 0) {
		if (ms > now_wall_ms)
			return -EINVAL;
		*ret_wall_ms = now_wall_ms - ms;
		return 0;
	}
	if (parse_moment(text, &ms) < 0 || ms > now_wall_ms)
		return -EINVAL;
	*ret_wall_ms = ms;
	return 0;
}
