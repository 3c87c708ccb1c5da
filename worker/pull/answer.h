/*
 * worker/pull/answer.h - the head of one HTTP answer, and what it means for a part. No I/O.
 */
#ifndef WORKER_PULL_ANSWER_H
#define WORKER_PULL_ANSWER_H

#include "worker/pull/failure.h"
#include "worker/pull/meta.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
	ANSWER_HEADER_BYTES = 4096
};

struct answer {
	unsigned status; /* 0: no answer yet */
	bool is_whole;   /* the head is complete */
	/* Empty: not given, or too long to be of use. */
	char etag[ANSWER_HEADER_BYTES];
	char last_modified[ANSWER_HEADER_BYTES];
	char date[ANSWER_HEADER_BYTES];
	char content_length[ANSWER_HEADER_BYTES];
	char content_range[ANSWER_HEADER_BYTES];
	char retry_after[ANSWER_HEADER_BYTES];
	char location[ANSWER_HEADER_BYTES];
};

/* Takes one line, with its CRLF; a status line or the empty line included. */
void answer_feed(struct answer *answer, const char *line, size_t len);

enum answer_verdict {
	ANSWER_NONE = 0,
	ANSWER_WHOLE,    /* the body is the file from its start */
	ANSWER_REST,     /* the body is what is missing */
	ANSWER_COMPLETE, /* nothing is missing */
	ANSWER_REDIRECT,
	ANSWER_UNFIT, /* what is there cannot be gone on with here */
	ANSWER_BUSY,  /* 429 or 5xx */
	ANSWER_REFUSED
};

/* What was asked for: everything, or (from > 0) what META's file has behind the first FROM bytes.
 */
struct ask {
	uint64_t from;
	uint64_t want_bytes; /* of the whole file, HTTP_UNKNOWN: any */
	const struct meta *meta;
};

struct decision {
	enum answer_verdict verdict;
	uint64_t total; /* of the whole file; HTTP_UNKNOWN */
	bool has_retry_after;
	uint64_t retry_after_ms;
	struct failure failure; /* ANSWER_UNFIT, _BUSY, _REFUSED */
};

/* NOW is wall time in seconds. */
void answer_judge(
    const struct answer *answer, const struct ask *ask, time_t now, struct decision *ret_decision);

/* The sidecar for a file that ANSWER begins. 0 or -ENOMEM. */
int answer_describe(
    const struct answer *answer, const char *url, uint64_t total, struct meta *ret_meta);

#endif
