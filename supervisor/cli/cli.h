/*
 * supervisor/cli/cli.h - the `reeve` program: its verbs and its exit statuses.
 *
 * One file per family of verbs; each declares its verbs in full (options, help, examples),
 * and verbs.c makes `--help` from that.
 */
#ifndef SUPERVISOR_CLI_CLI_H
#define SUPERVISOR_CLI_CLI_H

#include "supervisor/cli/term.h"
#include "supervisor/cli/text.h"

/* What scripts rely on. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_CANCELLED = 3,
	EXIT_INTERRUPTED = 4,
	EXIT_TIMED_OUT = 5,
	EXIT_NO_SUPERVISOR = 6,
	EXIT_NOT_FOUND = 7,
	EXIT_WARNINGS = 8,
	EXIT_SIGNALLED = 128 /* plus the signal, as shells count */
};

struct option_def {
	int key; /* > 0: the short letter, or a number above 255 where there is none */
	const char *name;
	const char *arg; /* what it takes, for help; NULL: nothing */
	const char *help;
};

struct cli {
	const struct verb *verb;
	struct term out, err;
};

struct verb {
	const char *name;
	const char *synopsis; /* lines that follow `reeve NAME` */
	const char *summary;  /* one line of `reeve --help` */
	/* Paragraphs, which are wrapped, and indented lines, which are not; NULL. */
	const char *help;
	/* More of it, made from a table; NULL. */
	void (*put_help)(struct buf *out, const struct term *page);
	const struct option_def *options; /* ends with key 0; NULL: none but --help */
	const char *examples;             /* lines */
	int (*run)(struct cli *cli, int argc, char **argv); /* returns an exit status */
};

/* In the order of --help; ends with NULL. */
extern const struct verb *const verbs[];

const struct verb *verb_find(const char *name); /* NULL: none */
int verb_help(const struct cli *cli, const struct verb *verb);
int verbs_help(const struct cli *cli, bool is_asked);
int verb_unknown(const char *name);

/* `reeve __complete WORD...`, for shells: what the last WORD may become (candidates.h). */
int complete(const struct cli *cli, int nwords, char **words);

extern const struct verb verb_run, verb_ls, verb_show, verb_watch, verb_logs, verb_events,
    verb_wait, verb_cancel, verb_answer, verb_retry, verb_keep, verb_new, verb_check, verb_recipes,
    verb_config, verb_doctor, verb_drain, verb_shutdown, verb_version;

/* `reeve: message` and, when HINT is not NULL, a line of what to do. Cleans both. */
void complain(const char *hint, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes OUT's bytes to a stream; STATUS, or EXIT_FAILED (said on stderr) when that fails. */
int emit(const struct term *term, const struct buf *out, int status);

#endif
