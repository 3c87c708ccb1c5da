/*
 * worker/pull/http.h - the header values a download turns on. Pure: text in, numbers out.
 * RFC 9110 sections 8.8 (validators), 10.2.3 (Retry-After), 14.4 (Content-Range).
 */
#ifndef WORKER_PULL_HTTP_H
#define WORKER_PULL_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define HTTP_UNKNOWN UINT64_MAX

/* Decimal digits and nothing else. 0 or -EINVAL; HTTP_UNKNOWN itself is refused. */
int http_parse_number(const char *text, uint64_t *ret_number);

struct http_range {
	uint64_t first, last; /* HTTP_UNKNOWN both in the unsatisfied form, bytes STAR/N */
	uint64_t total;       /* HTTP_UNKNOWN for `*` */
};
/* 0, or -EINVAL (also when first > last or last >= total). */
int http_parse_content_range(const char *text, struct http_range *ret_range);

/* Seconds or an HTTP date; a date in the past is 0. 0 or -EINVAL. */
int http_parse_retry_after(const char *text, time_t now, uint64_t *ret_ms);

/* True when ETAG proves byte-for-byte sameness: quoted, not W/, of sane length. */
bool http_is_strong_etag(const char *etag);

/* True when the Last-Modified date does: at least a second older than the answer's own date. */
bool http_is_strong_date(const char *last_modified, const char *date);

#endif
