#include "worker/pull/fetch.h"

#include "ipc/clock.h"
#include "ipc/version.h"
#include "worker/pull/answer.h"
#include "worker/pull/http.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	MAX_REDIRECTS = 10,
	BUFFER_BYTES = 256 * 1024,
	SYNC_EVERY_MS = 5000,
	CONNECT_MS = 30000,
	SILENT_MS = 3000 /* then it is said that it waits for the network */
};

/* One try, and within it one request after the other while the server redirects. */
struct attempt {
	struct fetch *fetch;
	const struct source *origin; /* what the command line named */
	const struct source *source; /* where we are now */
	struct ask ask;
	struct answer answer;
	struct decision decision;
	struct fetch_result *result;
	char curl_error[CURL_ERROR_SIZE];
	bool is_over;      /* the result is decided, whatever curl says */
	uint64_t heard_ms; /* of the last byte */
	uint64_t synced_ms;
	bool has_stalled;
};

static void
finish(struct attempt *attempt, enum fetch_outcome outcome)
{
	attempt->result->outcome = outcome;
	attempt->is_over = true;
}

static void
finish_with(struct attempt *attempt, enum fetch_outcome outcome, const struct failure *failure)
{
	failure_set(&attempt->result->failure, failure->exit, "%.400s: %s", attempt->source->url,
	    failure->text);
	finish(attempt, outcome);
}

/* ---- this machine's side -------------------------------------------------------------- */

static void
fail_no_space(struct attempt *attempt, uint64_t missing)
{
	char text[REPORT_BYTES_TEXT];

	if (missing)
		failure_set(&attempt->result->failure, PULL_NO_SPACE,
		    "not enough room for %s: %s more are needed; free some and run this again",
		    attempt->fetch->options->to, report_format_bytes(missing, text));
	else
		failure_set(&attempt->result->failure, PULL_NO_SPACE,
		    "the disk (or the quota) is full under %s: free some room and run this again, "
		    "it goes on from where it is",
		    attempt->fetch->options->to);
	finish(attempt, FETCH_FAILED);
}

static void
fail_locally(struct attempt *attempt, int error)
{
	if (error == -ENOSPC) {
		fail_no_space(attempt, 0);
		return;
	}
	failure_set(&attempt->result->failure, PULL_FAILED, "cannot write %s.part: %s",
	    attempt->fetch->options->to, strerror(-error));
	finish(attempt, FETCH_FAILED);
}

static void
sync_now_and_then(struct attempt *attempt)
{
	int r;

	if (clock_boot_ms() - attempt->synced_ms < SYNC_EVERY_MS)
		return;
	r = part_sync(attempt->fetch->part);
	if (r != 0) {
		fail_locally(attempt, r);
		return;
	}
	report_checkpoint(meta_validator(&attempt->fetch->part->meta), attempt->fetch->part->have);
	attempt->synced_ms = clock_boot_ms();
}

/* ---- the answer's head ---------------------------------------------------------------- */

static int
begin_whole(struct attempt *attempt)
{
	struct meta meta = { 0 };
	int r;

	r = answer_describe(&attempt->answer, attempt->origin->url, attempt->decision.total, &meta);
	if (r == 0)
		r = part_restart(attempt->fetch->part, &meta);
	meta_free(&meta);
	return r;
}

static void
begin_body(struct attempt *attempt)
{
	struct part *part = attempt->fetch->part;
	uint64_t total = attempt->decision.total, missing = 0;
	int r = 0;

	if (attempt->decision.verdict == ANSWER_WHOLE) {
		if (part->have > 0)
			report_note(attempt->fetch->report,
			    "the server sends the file from its start: starting again");
		r = begin_whole(attempt);
	} else {
		part->kept = part->have;
	}
	if (r == 0 && total != HTTP_UNKNOWN) {
		part->meta.has_size = true;
		part->meta.size = total;
		r = part_reserve(part, total, &missing);
	}
	if (r == -ENOSPC)
		fail_no_space(attempt, missing);
	else if (r != 0)
		fail_locally(attempt, r);
	else
		report_begin(attempt->fetch->report, true, part->have,
		    total == HTTP_UNKNOWN ? 0 : total, "downloading %s", part->name);
}

static void
act_on_head(struct attempt *attempt)
{
	struct decision *decision = &attempt->decision;

	answer_judge(&attempt->answer, &attempt->ask, time(NULL), decision);
	switch (decision->verdict) {
	case ANSWER_WHOLE:
	case ANSWER_REST:
		begin_body(attempt);
		return;
	case ANSWER_COMPLETE:
		finish(attempt, FETCH_DONE);
		return;
	case ANSWER_UNFIT:
		finish_with(attempt, FETCH_START_OVER, &decision->failure);
		return;
	case ANSWER_BUSY:
		attempt->result->has_retry_after = decision->has_retry_after;
		attempt->result->retry_after_ms = decision->retry_after_ms;
		finish_with(attempt, FETCH_TRY_AGAIN, &decision->failure);
		return;
	case ANSWER_REFUSED:
		finish_with(attempt, FETCH_FAILED, &decision->failure);
		return;
	case ANSWER_REDIRECT:
	case ANSWER_NONE:
		return;
	}
}

/* ---- what curl calls ------------------------------------------------------------------ */

/* Less than what was given ends the transfer: nothing more is wanted of this answer. */
static size_t
go_on(const struct attempt *attempt, size_t len)
{
	return attempt->is_over || attempt->decision.verdict == ANSWER_REDIRECT ? 0 : len;
}

static size_t
on_header(char *line, size_t size, size_t count, void *arg)
{
	struct attempt *attempt = arg;
	bool was_whole = attempt->answer.is_whole;

	attempt->heard_ms = clock_boot_ms();
	answer_feed(&attempt->answer, line, size * count);
	if (!was_whole && attempt->answer.is_whole)
		act_on_head(attempt);
	return go_on(attempt, size * count);
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	struct attempt *attempt = arg;
	struct part *part = attempt->fetch->part;
	size_t len = size * count;
	int r;

	if (part->meta.has_size && part->have + len > part->meta.size) {
		failure_set(&attempt->result->failure, PULL_WRONG,
		    "the server sends more than the %" PRIu64 " bytes the file should have",
		    part->meta.size);
		finish(attempt, FETCH_FAILED);
		return 0;
	}
	r = part_append(part, data, len);
	if (r != 0) {
		fail_locally(attempt, r);
		return 0;
	}
	sync_now_and_then(attempt);
	report_bytes(attempt->fetch->report, part->have);
	/* After the disk: its slowness is not the server's. */
	attempt->heard_ms = clock_boot_ms();
	return go_on(attempt, len);
}

static int
on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct attempt *attempt = arg;
	uint64_t silent_ms;

	(void)total, (void)now, (void)up_total, (void)up_now;
	if (attempt->answer.is_whole && !attempt->is_over)
		report_bytes(attempt->fetch->report, attempt->fetch->part->have);
	silent_ms = clock_boot_ms() - attempt->heard_ms;
	if (silent_ms >= SILENT_MS)
		report_wait(attempt->fetch->report, "network", "nothing comes from %s",
		    attempt->source->origin);
	attempt->has_stalled = silent_ms >= attempt->fetch->options->stall_ms;
	return attempt->has_stalled;
}

/* ---- one request ---------------------------------------------------------------------- */

/* As the curl command does; the library alone knows only the system's own bundle. */
static void
set_trust(CURL *curl)
{
	const char *bundle = getenv("CURL_CA_BUNDLE");
	const char *directory = getenv("SSL_CERT_DIR");

	if (!bundle || !*bundle)
		bundle = getenv("SSL_CERT_FILE");
	if (bundle && *bundle)
		curl_easy_setopt(curl, CURLOPT_CAINFO, bundle);
	if (directory && *directory)
		curl_easy_setopt(curl, CURLOPT_CAPATH, directory);
}

static void
set_up(struct attempt *attempt, const char *range, struct curl_slist *headers)
{
	CURL *curl = attempt->fetch->curl;
	const struct source *source = attempt->source;
	uint64_t stall_ms = attempt->fetch->options->stall_ms;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, source->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_USERNAME, source->user);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, source->password);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "reeve-pull/" REEVE_VERSION);
	curl_easy_setopt(curl, CURLOPT_RANGE, range);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, attempt);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, attempt);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, attempt);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, attempt->curl_error);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	curl_easy_setopt(
	    curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(stall_ms < CONNECT_MS ? stall_ms : CONNECT_MS));
	set_trust(curl);
}

static CURLcode
request(struct attempt *attempt)
{
	struct part *part = attempt->fetch->part;
	const char *validator = meta_validator(&part->meta);
	char range[32], condition[ANSWER_HEADER_BYTES + 16];
	struct curl_slist *headers = NULL;
	CURLcode code;

	attempt->answer = (struct answer){ 0 };
	attempt->curl_error[0] = '\0';
	attempt->decision = (struct decision){ 0 };
	attempt->ask = (struct ask){
		.from = part->have,
		.want_bytes = attempt->fetch->options->size,
		.meta = &part->meta,
	};
	snprintf(range, sizeof range, "%" PRIu64 "-", part->have);
	if (part->have > 0 && validator) {
		snprintf(condition, sizeof condition, "If-Range: %s", validator);
		headers = curl_slist_append(NULL, condition);
		if (!headers)
			return CURLE_OUT_OF_MEMORY;
	}
	set_up(attempt, part->have > 0 ? range : NULL, headers);
	attempt->heard_ms = clock_boot_ms();
	code = curl_easy_perform(attempt->fetch->curl);
	curl_slist_free_all(headers);
	return code;
}

/* ---- how it ended --------------------------------------------------------------------- */

static void
judge_error(struct attempt *attempt, CURLcode code)
{
	struct failure *failure = &attempt->result->failure;
	const char *what = attempt->curl_error[0] ? attempt->curl_error : curl_easy_strerror(code);
	const char *url = attempt->source->url;
	char text[CLOCK_TEXT];
	long proxy_status = 0;

	curl_easy_getinfo(attempt->fetch->curl, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (proxy_status >= 400 && proxy_status < 500) {
		failure_set(failure, PULL_REFUSED,
		    "the proxy answered %ld: see http_proxy and https_proxy", proxy_status);
		finish(attempt, FETCH_FAILED);
		return;
	}
	switch ((int)code) {
	case CURLE_ABORTED_BY_CALLBACK:
		failure_set(failure, PULL_UNREACHABLE, "%s: not a byte for %s", url,
		    clock_format_duration(attempt->fetch->options->stall_ms, text));
		finish(attempt, FETCH_TRY_AGAIN);
		return;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		failure_set(failure, PULL_UNSAFE,
		    "%s: the server's certificate is not trusted (%s). If it is signed by your own "
		    "authority, name its certificate in SSL_CERT_FILE",
		    url, what);
		finish(attempt, FETCH_FAILED);
		return;
	case CURLE_OUT_OF_MEMORY:
		fail_locally(attempt, -ENOMEM);
		return;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		failure_set(failure, PULL_REFUSED, "%s: %s", url, what);
		finish(attempt, FETCH_FAILED);
		return;
	default:
		failure_set(failure, PULL_UNREACHABLE, "%s: %s", url, what);
		finish(attempt, FETCH_TRY_AGAIN);
	}
}

/* Curl is content. A length it did not know may still say that something is missing. */
static void
judge_end(struct attempt *attempt)
{
	const struct part *part = attempt->fetch->part;

	if (!part->meta.has_size || part->have == part->meta.size) {
		finish(attempt, FETCH_DONE);
		return;
	}
	failure_set(&attempt->result->failure, PULL_UNREACHABLE,
	    "%s: the answer ended after %" PRIu64 " of %" PRIu64 " bytes", attempt->source->url,
	    part->have, part->meta.size);
	finish(attempt, FETCH_TRY_AGAIN);
}

static void
run_request(struct attempt *attempt)
{
	CURLcode code = request(attempt);

	if (attempt->is_over || attempt->decision.verdict == ANSWER_REDIRECT)
		return;
	if (code == CURLE_OK && attempt->decision.verdict != ANSWER_NONE)
		judge_end(attempt);
	else
		judge_error(attempt, code == CURLE_OK ? CURLE_WEIRD_SERVER_REPLY : code);
}

/* Replaces NEXT, where we are, by where the answer sends us; else the attempt is over. */
static void
follow(struct attempt *attempt, struct source *next)
{
	struct failure *failure = &attempt->result->failure;
	struct source target = { 0 };
	int r = source_follow(attempt->source, attempt->answer.location, &target);

	if (r == 0) {
		source_free(next);
		*next = target;
		attempt->source = next;
		return;
	}
	if (r == -EPERM)
		failure_set(failure, PULL_UNSAFE,
		    "%s redirects to an address without https: not followed. If that is meant, "
		    "name the other address in --url",
		    attempt->source->url);
	else
		failure_set(failure, PULL_REFUSED,
		    "%s redirects to an address that cannot be followed", attempt->source->url);
	finish(attempt, FETCH_FAILED);
}

void
fetch_run(struct fetch *fetch, const struct source *source, struct fetch_result *ret_result)
{
	struct source next = { 0 };
	struct attempt attempt = {
		.fetch = fetch,
		.origin = source,
		.source = source,
		.result = ret_result,
		.synced_ms = clock_boot_ms(),
	};

	*ret_result = (struct fetch_result){ 0 };
	for (unsigned hops = 0; !attempt.is_over; hops++) {
		run_request(&attempt);
		if (attempt.is_over)
			break;
		if (hops < MAX_REDIRECTS) {
			follow(&attempt, &next);
			continue;
		}
		failure_set(&ret_result->failure, PULL_REFUSED,
		    "%s: more than %d redirects in a row", source->url, MAX_REDIRECTS);
		finish(&attempt, FETCH_FAILED);
	}
	source_free(&next);
}

int
fetch_init(
    struct fetch *fetch, const struct options *options, struct part *part, struct report *report)
{
	*fetch = (struct fetch){
		.curl = curl_easy_init(), .options = options, .part = part, .report = report
	};
	return fetch->curl ? 0 : -ENOMEM;
}

void
fetch_fini(struct fetch *fetch)
{
	curl_easy_cleanup(fetch->curl);
	fetch->curl = NULL;
}
