/*
 * worker/pull/fetch.h - one try: asks the server for what is missing of a part and appends it.
 *
 * Follows redirects itself (source.h says where to). Decides from the answer's head, before a
 * byte of its body is kept, whether what is there and what comes belong together.
 */
#ifndef WORKER_PULL_FETCH_H
#define WORKER_PULL_FETCH_H

#include "worker/pull/failure.h"
#include "worker/pull/options.h"
#include "worker/pull/part.h"
#include "worker/pull/report.h"
#include "worker/pull/source.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct fetch {
	CURL *curl;
	const struct options *options;
	struct part *part;
	struct report *report;
};

enum fetch_outcome {
	FETCH_DONE = 1,   /* the part is complete */
	FETCH_TRY_AGAIN,  /* may go better later; what is there stays good */
	FETCH_START_OVER, /* what is there is of no use for this server: drop it */
	FETCH_FAILED      /* will not go better */
};

struct fetch_result {
	enum fetch_outcome outcome;
	bool has_retry_after;
	uint64_t retry_after_ms;
	struct failure failure; /* all but FETCH_DONE */
};

/* Borrows all. 0 or -ENOMEM. curl_global_init was called. */
int fetch_init(
    struct fetch *fetch, const struct options *options, struct part *part, struct report *report);
void fetch_fini(struct fetch *fetch);

/* Blocks until the outcome; SOURCE is what the command line named. */
void fetch_run(struct fetch *fetch, const struct source *source, struct fetch_result *ret_result);

#endif
