/*
 * worker/pull/options.h - the command line of reeve-pull.
 */
#ifndef WORKER_PULL_OPTIONS_H
#define WORKER_PULL_OPTIONS_H

#include "worker/pull/digest.h"
#include "worker/pull/failure.h"

#include <stdbool.h>
#include <stdint.h>

struct options {
	const char *url; /* borrowed from argv */
	const char *to;  /* borrowed from argv */
	bool has_sha256;
	char sha256[DIGEST_TEXT]; /* lower case */
	uint64_t size;            /* HTTP_UNKNOWN: not given */
	unsigned retries;         /* tries in a row that bring nothing, beyond the first */
	uint64_t retry_delay_ms;  /* before the first of them */
	uint64_t stall_ms;        /* without a byte: the try has failed */
	bool wants_help;
	bool wants_version;
};

/* 0, or -EINVAL with *ret_failure naming the option. */
int options_parse(int argc, char **argv, struct options *ret_options, struct failure *ret_failure);

/* The text of --help, on stdout. */
void options_help(void);

#endif
