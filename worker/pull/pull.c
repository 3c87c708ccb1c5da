#include "worker/pull/pull.h"

#include "ipc/clock.h"
#include "worker/pull/backoff.h"
#include "worker/pull/fetch.h"
#include "worker/pull/http.h"
#include "worker/pull/part.h"
#include "worker/pull/source.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>

enum {
	LOCK_POLL_MS = 100,
	WAIT_MAX_MS = 60 * 60 * 1000
};

struct pull {
	const struct options *options;
	struct report *report;
	struct failure *failure;
	struct source source;
	struct part part;
	uint64_t resumed_at; /* bytes that were there when we came */
	char sha256[DIGEST_TEXT];
};

static void
pause_ms(uint64_t delay_ms)
{
	(void)poll(NULL, 0, (int)delay_ms);
}

static int
fail_on_file(struct pull *pull, const char *suffix, int error)
{
	const char *what = strerror(-error);

	if (error == -EISDIR)
		what = "it is a directory; name the file to write";
	else if (error == -EPERM && *suffix)
		what = "it is no plain file of this user's own; remove it";
	failure_set(pull->failure,
	    error == -ENOSPC || error == -EDQUOT ? PULL_NO_SPACE : PULL_FAILED, "%s%s: %s",
	    pull->options->to, suffix, what);
	return error;
}

static void
on_hash(uint64_t done, void *arg)
{
	report_bytes(arg, done);
}

/* ---- what is there already ------------------------------------------------------------ */

/* What PATH holds, into pull->sha256. */
static int
hash_target(struct pull *pull, uint64_t *ret_bytes)
{
	uint64_t want = pull->options->size;

	report_begin(pull->report, false, 0, want == HTTP_UNKNOWN ? 0 : want,
	    "checking whether %s is there", pull->part.name);
	return part_hash_target(&pull->part, want, on_hash, pull->report, pull->sha256, ret_bytes);
}

static void
report_there(struct pull *pull, uint64_t bytes)
{
	report_result(pull->report, &(struct report_result){ .path = pull->options->to,
					.sha256 = pull->sha256,
					.bytes = bytes,
					.was_there = true });
}

/* Without a digest nothing can be said about a file that is there. */
static bool
is_there(struct pull *pull)
{
	uint64_t bytes = 0;

	if (!pull->options->has_sha256 || hash_target(pull, &bytes) != 0 ||
	    strcmp(pull->sha256, pull->options->sha256) != 0)
		return false;
	report_there(pull, bytes);
	return true;
}

/* True when the process that has the part loads what we want, so that we may take what it leaves.
 */
static bool
is_same_url(const struct pull *pull)
{
	struct meta meta = { 0 };
	bool is_same;

	if (part_peek(&pull->part, &meta) != 0)
		return false;
	is_same = meta.url && strcmp(meta.url, pull->source.url) == 0;
	meta_free(&meta);
	return is_same;
}

/*
 * 0: the part is ours. 1: another process has made what we want meanwhile. -errno with failure set.
 */
static int
lock(struct pull *pull)
{
	bool has_waited = false, is_same = false;
	uint64_t bytes = 0;
	int r;

	for (;;) {
		r = part_lock(&pull->part);
		if (r == -EAGAIN) {
			if (!has_waited)
				report_note(pull->report,
				    "another reeve-pull is loading %s: waiting for it",
				    pull->options->to);
			report_wait(pull->report, "lock", "another reeve-pull is loading %s",
			    pull->options->to);
			has_waited = true;
			is_same = is_same_url(pull) || is_same;
			pause_ms(LOCK_POLL_MS);
		} else if (r == -EEXIST && is_same && !pull->options->has_sha256 &&
			   hash_target(pull, &bytes) == 0) {
			report_there(pull, bytes);
			return 1;
		} else if (r != -EEXIST) {
			break;
		}
	}
	if (r != 0)
		return fail_on_file(pull, ".part", r);
	if (has_waited)
		report_move(pull->report);
	if (has_waited && is_there(pull)) {
		part_discard(&pull->part);
		return 1;
	}
	return 0;
}

static int
resume(struct pull *pull)
{
	struct part *part = &pull->part;
	char text[REPORT_BYTES_TEXT];
	int r;

	r = part_resume(part, pull->source.url, pull->options->has_sha256);
	if (r == 0 && pull->options->size != HTTP_UNKNOWN && part->have > pull->options->size)
		r = part_restart(part, &(struct meta){ 0 });
	if (r == 0 && part->have > 0) {
		report_note(pull->report, "%s of %s are here: going on from there",
		    report_format_bytes(part->have, text), part->name);
		report_begin(
		    pull->report, false, 0, part->have, "checking what is here of %s", part->name);
		r = part_hash_kept(part, on_hash, pull->report);
	}
	if (r != 0)
		return fail_on_file(pull, ".part", r);
	pull->resumed_at = part->have;
	return 0;
}

/* ---- tries ---------------------------------------------------------------------------- */

static uint32_t
draw_random(void)
{
	uint32_t random = 0;

	/* Without randomness there is no jitter, which is no reason to fail. */
	(void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
	return random;
}

static void
wait_before_try(struct pull *pull, const struct fetch_result *result, unsigned failures)
{
	uint64_t delay_ms = backoff_ms(failures, pull->options->retry_delay_ms, draw_random());
	char text[CLOCK_TEXT];

	if (result->has_retry_after && result->retry_after_ms > delay_ms)
		delay_ms = result->retry_after_ms;
	if (delay_ms > WAIT_MAX_MS)
		delay_ms = WAIT_MAX_MS;
	report_note(pull->report, "%s; trying again in %s (%u of %u)", result->failure.text,
	    clock_format_duration(delay_ms, text), failures, pull->options->retries);
	report_wait(pull->report, "network", "%s", result->failure.text);
	pause_ms(delay_ms);
}

static int
give_up(struct pull *pull, const struct fetch_result *result)
{
	*pull->failure = result->failure;
	if (result->outcome == FETCH_TRY_AGAIN)
		failure_set(pull->failure, PULL_UNREACHABLE,
		    "%.800s; gave up after %u tries in a row that brought nothing. What has arrived "
		    "is kept: run this again to go on",
		    result->failure.text, pull->options->retries + 1);
	return -EIO;
}

static int
start_over(struct pull *pull, const char *why)
{
	struct meta none = { 0 };
	int r;

	report_note(pull->report, "%s: starting again", why);
	pull->resumed_at = 0;
	r = part_restart(&pull->part, &none);
	return r == 0 ? 0 : fail_on_file(pull, ".part", r);
}

static bool
is_complete(const struct part *part)
{
	return part->have > 0 && part->meta.has_size && part->have == part->meta.size;
}

/* Tries until the part is complete. Only those that brought nothing new count against the limit. */
static int
complete(struct pull *pull, struct fetch *fetch)
{
	struct fetch_result result;
	uint64_t furthest = pull->part.have;
	unsigned failures = 0;
	int r;

	while (!is_complete(&pull->part)) {
		fetch_run(fetch, &pull->source, &result);
		if (result.outcome == FETCH_DONE)
			return 0;
		if (result.outcome == FETCH_FAILED)
			return give_up(pull, &result);
		if (result.outcome == FETCH_START_OVER) {
			r = start_over(pull, result.failure.text);
			if (r != 0)
				return r;
			continue;
		}
		if (pull->part.have > furthest) {
			furthest = pull->part.have;
			failures = 0;
		}
		if (++failures > pull->options->retries)
			return give_up(pull, &result);
		wait_before_try(pull, &result, failures);
	}
	return 0;
}

/* ---- the proof ------------------------------------------------------------------------ */

/* 0: right, or nothing to compare with. -EBADMSG: wrong. */
static int
prove(struct pull *pull)
{
	if (digest_hex(&pull->part.digest, pull->sha256) != 0)
		return -EIO;
	if (!pull->options->has_sha256)
		return 0;
	return strcmp(pull->sha256, pull->options->sha256) == 0 ? 0 : -EBADMSG;
}

static int
fail_wrong(struct pull *pull)
{
	failure_set(pull->failure, PULL_WRONG,
	    "what %s sent is not the file asked for: its SHA-256 is %s, expected %s. It was deleted. "
	    "Compare the digest with what the file's publisher says; if that is right, the server "
	    "or somebody on the way has another file",
	    pull->source.url, pull->sha256, pull->options->sha256);
	part_discard(&pull->part);
	return -EBADMSG;
}

/* Pieces from several answers may not fit together though each was right: once from the start. */
static int
complete_and_prove(struct pull *pull, struct fetch *fetch)
{
	int r;

	r = complete(pull, fetch);
	if (r != 0)
		return r;
	r = prove(pull);
	if (r == -EBADMSG && pull->part.kept > 0) {
		r = start_over(pull, "the pieces do not make the file asked for");
		if (r == 0)
			r = complete(pull, fetch);
		if (r != 0)
			return r;
		r = prove(pull);
	}
	if (r == -EBADMSG)
		return fail_wrong(pull);
	return r == 0 ? 0 : fail_on_file(pull, ".part", r);
}

static int
commit(struct pull *pull)
{
	int r;

	report_begin(pull->report, false, pull->part.have, pull->part.have,
	    "writing %s to the disk", pull->part.name);
	r = part_commit(&pull->part);
	if (r != 0)
		return fail_on_file(pull, "", r);
	report_result(pull->report, &(struct report_result){ .path = pull->options->to,
					.sha256 = pull->sha256,
					.bytes = pull->part.have,
					.resumed_at = pull->resumed_at });
	return 0;
}

static int
load(struct pull *pull)
{
	struct fetch fetch;
	int r;

	r = resume(pull);
	if (r != 0)
		return r;
	r = fetch_init(&fetch, pull->options, &pull->part, pull->report);
	if (r != 0)
		return fail_on_file(pull, "", r);
	r = complete_and_prove(pull, &fetch);
	fetch_fini(&fetch);
	if (r == 0)
		return commit(pull);
	if (pull->part.have == 0)
		part_discard(&pull->part);
	return r;
}

static void
run(struct pull *pull)
{
	int r;

	r = source_parse(pull->options->url, &pull->source);
	if (r != 0) {
		failure_set(pull->failure, PULL_USAGE, "--url: %s",
		    r == -EPROTONOSUPPORT ? "only http and https are known" : "not a URL");
		return;
	}
	r = part_open(&pull->part, pull->options->to);
	if (r != 0) {
		(void)fail_on_file(pull, "", r);
		return;
	}
	if (!is_there(pull) && lock(pull) == 0)
		(void)load(pull);
	part_close(&pull->part);
}

enum pull_exit
pull_run(const struct options *options, struct report *report, struct failure *ret_failure)
{
	struct pull pull = { .options = options, .report = report, .failure = ret_failure };

	*ret_failure = (struct failure){ .exit = PULL_OK };
	run(&pull);
	source_free(&pull.source);
	return ret_failure->exit;
}
