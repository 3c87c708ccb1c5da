/*
 * reeve-pull: one download that can be interrupted anywhere. Crash-only: there is no handler
 * for signals, because a kill at any instruction leaves nothing worse than a part to go on with.
 */
#include "ipc/fd.h"
#include "ipc/version.h"
#include "worker/pull/options.h"
#include "worker/pull/pull.h"
#include "worker/pull/report.h"
#include "worker/step.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static enum pull_exit
run(const struct options *options)
{
	struct failure failure;
	struct report report;
	enum pull_exit exit;
	int r;

	r = step_open();
	if (r != 0) {
		fprintf(stderr, "reeve-pull: REEVE_FD or REEVE_START_FD: %s\n", strerror(-r));
		return PULL_USAGE;
	}
	report_init(&report);
	exit = pull_run(options, &report, &failure);
	if (exit != PULL_OK)
		report_note(&report, "%s", failure.text);
	report_fini(&report);
	step_close();
	return exit;
}

int
main(int argc, char **argv)
{
	struct options options;
	struct failure failure;
	enum pull_exit exit;

	/* A size limit or a peer that hangs up is an error to report, not a death. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (fd_guard_stdio() != 0)
		return PULL_FAILED;
	if (options_parse(argc, argv, &options, &failure) != 0) {
		fprintf(stderr, "reeve-pull: %s\nTry: reeve-pull --help\n", failure.text);
		return (int)failure.exit;
	}
	if (options.wants_help) {
		options_help();
		return PULL_OK;
	}
	if (options.wants_version) {
		puts("reeve-pull " REEVE_VERSION);
		return PULL_OK;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return PULL_FAILED;
	exit = run(&options);
	curl_global_cleanup();
	return (int)exit;
}
