#include "worker/pull/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum {
	ETAG_MAX_BYTES = 1024
};

/* The decimal number at *TEXT, which moves behind it. */
static int
take_number(const char **text, uint64_t *ret_number)
{
	uint64_t number = 0;
	const char *at = *text;

	if (*at < '0' || *at > '9')
		return -EINVAL;
	for (; *at >= '0' && *at <= '9'; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (number > (HTTP_UNKNOWN - 1 - digit) / 10)
			return -EINVAL;
		number = number * 10 + digit;
	}
	*text = at;
	*ret_number = number;
	return 0;
}

int
http_parse_number(const char *text, uint64_t *ret_number)
{
	uint64_t number;

	if (take_number(&text, &number) != 0 || *text)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

static int
take_char(const char **text, char expected)
{
	if (**text != expected)
		return -EINVAL;
	(*text)++;
	return 0;
}

/* first-last, or `*`. */
static int
take_bounds(const char **text, struct http_range *range)
{
	if (take_char(text, '*') == 0)
		return 0;
	if (take_number(text, &range->first) != 0 || take_char(text, '-') != 0 ||
	    take_number(text, &range->last) != 0)
		return -EINVAL;
	return 0;
}

int
http_parse_content_range(const char *text, struct http_range *ret_range)
{
	struct http_range range = { HTTP_UNKNOWN, HTTP_UNKNOWN, HTTP_UNKNOWN };

	if (strncasecmp(text, "bytes ", 6) != 0)
		return -EINVAL;
	text += 6;
	text += strspn(text, " ");
	if (take_bounds(&text, &range) != 0 || take_char(&text, '/') != 0)
		return -EINVAL;
	if (take_char(&text, '*') != 0 && take_number(&text, &range.total) != 0)
		return -EINVAL;
	if (*text || (range.first == HTTP_UNKNOWN && range.total == HTTP_UNKNOWN))
		return -EINVAL;
	if (range.first != HTTP_UNKNOWN && (range.first > range.last || range.last >= range.total))
		return -EINVAL;
	*ret_range = range;
	return 0;
}

int
http_parse_retry_after(const char *text, time_t now, uint64_t *ret_ms)
{
	uint64_t seconds;
	time_t when;

	if (http_parse_number(text, &seconds) == 0) {
		*ret_ms = seconds > UINT64_MAX / 1000 ? UINT64_MAX : seconds * 1000;
		return 0;
	}
	when = curl_getdate(text, NULL);
	if (when == (time_t)-1)
		return -EINVAL;
	*ret_ms = when > now ? (uint64_t)(when - now) * 1000 : 0;
	return 0;
}

bool
http_is_strong_etag(const char *etag)
{
	size_t len = strlen(etag);

	return len >= 2 && len <= ETAG_MAX_BYTES && etag[0] == '"' && etag[len - 1] == '"';
}

bool
http_is_strong_date(const char *last_modified, const char *date)
{
	time_t modified = curl_getdate(last_modified, NULL);
	time_t sent = curl_getdate(date, NULL);

	return modified != (time_t)-1 && sent != (time_t)-1 && modified < sent;
}
