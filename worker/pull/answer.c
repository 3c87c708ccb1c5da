#include "worker/pull/answer.h"

#include "ipc/codec.h"
#include "worker/pull/http.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* ---- the head ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;
} headers[] = {
	{ "etag", offsetof(struct answer, etag) },
	{ "last-modified", offsetof(struct answer, last_modified) },
	{ "date", offsetof(struct answer, date) },
	{ "content-length", offsetof(struct answer, content_length) },
	{ "content-range", offsetof(struct answer, content_range) },
	{ "retry-after", offsetof(struct answer, retry_after) },
	{ "location", offsetof(struct answer, location) },
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* "HTTP/1.1 206 Partial Content" */
static void
take_status(struct answer *answer, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	const char *end = line + len;
	unsigned status = 0;

	*answer = (struct answer){ 0 };
	if (!space)
		return;
	for (const char *at = space + 1; at < end && *at >= '0' && *at <= '9' && status < 1000;
	     at++)
		status = status * 10 + (unsigned)(*at - '0');
	answer->status = status < 1000 ? status : 0;
}

static void
keep(char slot[static ANSWER_HEADER_BYTES], const char *value, size_t len)
{
	if (len >= ANSWER_HEADER_BYTES || memchr(value, '\0', len))
		len = 0;
	memcpy(slot, value, len);
	slot[len] = '\0';
}

static void
take_header(struct answer *answer, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const char *value, *end = line + len;
	size_t name_len;

	if (!colon)
		return;
	name_len = (size_t)(colon - line);
	value = colon + 1;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		if (strlen(headers[i].name) == name_len &&
		    strncasecmp(headers[i].name, line, name_len) == 0)
			keep((char *)answer + headers[i].offset, value, (size_t)(end - value));
	}
}

void
answer_feed(struct answer *answer, const char *line, size_t len)
{
	bool is_empty = len == 0 || (is_blank(line[0]) && (line[0] == '\r' || line[0] == '\n'));

	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		take_status(answer, line, len);
	else if (answer->is_whole)
		return; /* a trailer, behind the body */
	else if (is_empty)
		answer->is_whole = answer->status >= 200;
	else
		take_header(answer, line, len);
}

/* ---- what it means -------------------------------------------------------------------- */

static uint64_t
number_or_unknown(const char *text)
{
	uint64_t number;

	return http_parse_number(text, &number) == 0 ? number : HTTP_UNKNOWN;
}

static void
unfit(struct decision *decision, const char *why)
{
	decision->verdict = ANSWER_UNFIT;
	failure_set(&decision->failure, PULL_REFUSED, "%s", why);
}

static void
check_size(const struct ask *ask, struct decision *decision)
{
	if (ask->want_bytes == HTTP_UNKNOWN || decision->total == HTTP_UNKNOWN ||
	    ask->want_bytes == decision->total)
		return;
	decision->verdict = ANSWER_REFUSED;
	failure_set(&decision->failure, PULL_WRONG,
	    "the server's file has %" PRIu64 " bytes, but %" PRIu64
	    " were asked for: it is not that file, or --size is wrong",
	    decision->total, ask->want_bytes);
}

static void
judge_whole(const struct answer *answer, const struct ask *ask, struct decision *decision)
{
	decision->verdict = ANSWER_WHOLE;
	decision->total = number_or_unknown(answer->content_length);
	if (decision->total == HTTP_UNKNOWN)
		decision->total = ask->want_bytes;
	check_size(ask, decision);
}

/* Servers exist that answer If-Range without looking at it: their 206 says whose piece it is. */
static bool
is_same_file(const struct answer *answer, const struct meta *meta)
{
	if (meta->etag && answer->etag[0])
		return strcmp(meta->etag, answer->etag) == 0;
	if (meta->last_modified && answer->last_modified[0])
		return strcmp(meta->last_modified, answer->last_modified) == 0;
	return true;
}

static void
judge_rest(const struct answer *answer, const struct ask *ask, struct decision *decision)
{
	struct http_range range;

	if (ask->from == 0) {
		decision->verdict = ANSWER_REFUSED;
		failure_set(&decision->failure, PULL_REFUSED,
		    "the server sent a part of the file (206) when asked for all of it");
		return;
	}
	if (http_parse_content_range(answer->content_range, &range) != 0 ||
	    range.first != ask->from) {
		unfit(decision, "the server sent another part than the one asked for");
		return;
	}
	if (ask->meta->has_size && range.total != HTTP_UNKNOWN && range.total != ask->meta->size) {
		unfit(decision, "the file on the server has another size now");
		return;
	}
	if (!is_same_file(answer, ask->meta)) {
		unfit(decision, "the file on the server has changed");
		return;
	}
	decision->verdict = ANSWER_REST;
	decision->total = range.total;
	if (decision->total == HTTP_UNKNOWN && ask->meta->has_size)
		decision->total = ask->meta->size;
	if (decision->total == HTTP_UNKNOWN)
		decision->total = ask->want_bytes;
	check_size(ask, decision);
}

static void
judge_unsatisfied(const struct answer *answer, const struct ask *ask, struct decision *decision)
{
	struct http_range range;

	if (ask->from == 0) {
		decision->verdict = ANSWER_REFUSED;
		failure_set(&decision->failure, PULL_REFUSED,
		    "the server has no such range (416), though none was asked for");
	} else if (http_parse_content_range(answer->content_range, &range) == 0 &&
		   range.total == ask->from && is_same_file(answer, ask->meta)) {
		decision->verdict = ANSWER_COMPLETE;
		decision->total = range.total;
		check_size(ask, decision);
	} else {
		unfit(decision, "the file on the server is shorter than what is here");
	}
}

static void
judge_busy(const struct answer *answer, time_t now, struct decision *decision)
{
	decision->verdict = ANSWER_BUSY;
	decision->has_retry_after =
	    http_parse_retry_after(answer->retry_after, now, &decision->retry_after_ms) == 0;
	failure_set(&decision->failure, PULL_UNREACHABLE, "the server answered %u (%s)",
	    answer->status, answer->status == 429 ? "too many requests" : "its own trouble");
}

static void
judge_refused(const struct answer *answer, struct decision *decision)
{
	static const struct {
		unsigned status;
		const char *meaning;
	} known[] = {
		{ 401, "it wants a user and a password: https://USER:PASSWORD@HOST/..." },
		{ 403, "forbidden: ask whoever runs the server for access" },
		{ 404, "not found: check the URL; the file may have moved or been withdrawn" },
		{ 407, "the proxy wants a user and a password: see http_proxy and https_proxy" },
		{ 410, "gone: the file was withdrawn" },
	};
	const char *meaning = "an answer that is no file";

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].status == answer->status)
			meaning = known[i].meaning;
	decision->verdict = ANSWER_REFUSED;
	failure_set(&decision->failure, PULL_REFUSED, "the server answered %u: %s", answer->status,
	    meaning);
}

static bool
is_redirect(const struct answer *answer)
{
	switch (answer->status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return answer->location[0];
	default:
		return false;
	}
}

void
answer_judge(
    const struct answer *answer, const struct ask *ask, time_t now, struct decision *ret_decision)
{
	*ret_decision = (struct decision){ .total = HTTP_UNKNOWN };
	if (answer->status == 200)
		judge_whole(answer, ask, ret_decision);
	else if (answer->status == 206)
		judge_rest(answer, ask, ret_decision);
	else if (answer->status == 416)
		judge_unsatisfied(answer, ask, ret_decision);
	else if (is_redirect(answer))
		ret_decision->verdict = ANSWER_REDIRECT;
	else if (answer->status == 429 || (answer->status >= 500 && answer->status <= 599))
		judge_busy(answer, now, ret_decision);
	else
		judge_refused(answer, ret_decision);
}

int
answer_describe(const struct answer *answer, const char *url, uint64_t total, struct meta *ret_meta)
{
	struct meta meta = { .has_size = total != HTTP_UNKNOWN };
	int r;

	meta.size = meta.has_size ? total : 0;
	r = str_set(&meta.url, url);
	if (r == 0 && http_is_strong_etag(answer->etag))
		r = str_set(&meta.etag, answer->etag);
	if (r == 0 && http_is_strong_date(answer->last_modified, answer->date))
		r = str_set(&meta.last_modified, answer->last_modified);
	if (r == 0)
		*ret_meta = meta;
	else
		meta_free(&meta);
	return r;
}
