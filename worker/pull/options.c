#include "worker/pull/options.h"

#include "ipc/clock.h"
#include "worker/pull/http.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	RETRIES_DEFAULT = 8,
	RETRIES_MAX = 1000,
	RETRY_DELAY_MS = 1000,
	STALL_MS = 30 * 1000
};

static const struct option names[] = {
	{ "url", required_argument, NULL, 'u' },
	{ "sha256", required_argument, NULL, 's' },
	{ "to", required_argument, NULL, 't' },
	{ "size", required_argument, NULL, 'n' },
	{ "retries", required_argument, NULL, 'r' },
	{ "retry-delay", required_argument, NULL, 'd' },
	{ "stall", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static int
bad(struct failure *failure, const char *option, const char *value, const char *expected)
{
	failure_set(failure, PULL_USAGE, "--%s %s: expected %s", option, value, expected);
	return -EINVAL;
}

static int
parse_retries(const char *value, struct options *options, struct failure *failure)
{
	uint64_t number;

	if (http_parse_number(value, &number) != 0 || number > RETRIES_MAX)
		return bad(failure, "retries", value, "a number up to 1000");
	options->retries = (unsigned)number;
	return 0;
}

static int
take(struct options *options, int name, const char *value, struct failure *failure)
{
	switch (name) {
	case 'u':
		options->url = value;
		return 0;
	case 't':
		options->to = value;
		return 0;
	case 's':
		options->has_sha256 = true;
		if (digest_parse(value, options->sha256) != 0)
			return bad(failure, "sha256", value, "64 hex digits");
		return 0;
	case 'n':
		if (http_parse_number(value, &options->size) != 0)
			return bad(failure, "size", value, "a number of bytes");
		return 0;
	case 'r':
		return parse_retries(value, options, failure);
	case 'd':
		if (clock_parse_duration(value, &options->retry_delay_ms) != 0)
			return bad(failure, "retry-delay", value, "a duration like 500ms or 2s");
		return 0;
	case 'l':
		if (clock_parse_duration(value, &options->stall_ms) != 0 || options->stall_ms == 0)
			return bad(failure, "stall", value, "a duration like 30s");
		return 0;
	case 'h':
		options->wants_help = true;
		return 0;
	case 'V':
		options->wants_version = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int
check(const struct options *options, int argc, char **argv, struct failure *failure)
{
	if (optind < argc)
		failure_set(failure, PULL_USAGE, "unexpected argument: %s", argv[optind]);
	else if (!options->url || !*options->url)
		failure_set(failure, PULL_USAGE, "--url is missing: what to download");
	else if (!options->to || !*options->to)
		failure_set(failure, PULL_USAGE, "--to is missing: the file to write");
	else
		return 0;
	return -EINVAL;
}

int
options_parse(int argc, char **argv, struct options *ret_options, struct failure *ret_failure)
{
	struct options options = {
		.size = HTTP_UNKNOWN,
		.retries = RETRIES_DEFAULT,
		.retry_delay_ms = RETRY_DELAY_MS,
		.stall_ms = STALL_MS,
	};
	int name, r;

	optind = 1;
	opterr = 0;
	while ((name = getopt_long(argc, argv, ":", names, NULL)) != -1) {
		if (name == '?' || name == ':') {
			failure_set(ret_failure, PULL_USAGE, "%s: %s", argv[optind - 1],
			    name == ':' ? "a value is missing" : "no such option");
			return -EINVAL;
		}
		r = take(&options, name, optarg, ret_failure);
		if (r != 0)
			return r;
	}
	if (!options.wants_help && !options.wants_version) {
		r = check(&options, argc, argv, ret_failure);
		if (r != 0)
			return r;
	}
	*ret_options = options;
	return 0;
}

void
options_help(void)
{
	static const struct {
		int status;
		const char *meaning;
	} exits[] = {
#define X(sym, num, help) { num, help },
		PULL_EXITS(X)
#undef X
	};

	puts(
	    "Usage: reeve-pull --url URL --to PATH [options]\n"
	    "\n"
	    "Downloads one file so that PATH is either absent (or what it was) or complete. What\n"
	    "arrived is kept in PATH.part; run the same command again after any interruption, be it\n"
	    "a kill, and it goes on from there, unless the file has changed on the server.\n"
	    "\n"
	    "  --url URL          http or https; user:password@ goes to that host only\n"
	    "  --to PATH          the file to write; missing directories are made\n"
	    "  --sha256 HEX       what the file must be. PATH is there and right: done at once.\n"
	    "                     Something else arrived: it is deleted, PATH stays as it was\n"
	    "  --size N           its bytes, if known: compared, and room is made before the start\n"
	    "  --retries N        tries in a row that may bring nothing (default 8); waits double\n"
	    "                     from --retry-delay up to a minute, or what Retry-After says\n"
	    "  --retry-delay D    the first wait (default 1s)\n"
	    "  --stall D          a try without a byte for so long has failed (default 30s)\n"
	    "  --help, --version\n"
	    "\n"
	    "Tried again: lost connections, stalls, answers 429 and 5xx. Not tried again: other\n"
	    "4xx, a wrong digest, a full disk. Two at the same PATH: the second waits for the first.\n"
	    "\n"
	    "Environment: http_proxy https_proxy all_proxy no_proxy; CURL_CA_BUNDLE, SSL_CERT_FILE,\n"
	    "SSL_CERT_DIR name trusted certificates.\n"
	    "\n"
	    "Exit status:");
	for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++)
		printf("  %d  %s\n", exits[i].status, exits[i].meaning);
	puts("\n"
	     "Examples:\n"
	     "  reeve-pull --url https://example.org/model.bin --to models/model.bin\n"
	     "  reeve-pull --url https://example.org/app.tar.gz --to app.tar.gz \\\n"
	     "      --sha256 \"$(cut -d ' ' -f 1 app.tar.gz.sha256)\" && tar xf app.tar.gz");
}
