/*
 * supervisor/cli/args.h - the words behind a verb, by getopt_long and the verb's table.
 *
 * Options and other words may mix; `--` ends the options, and what follows it is kept apart.
 */
#ifndef SUPERVISOR_CLI_ARGS_H
#define SUPERVISOR_CLI_ARGS_H

#include "supervisor/cli/cli.h"

#include <getopt.h>

enum {
	ARGS_MAX_OPTIONS = 24,
	ARGS_STOP = -1
};

struct args {
	const struct cli *cli;
	int argc;
	char **argv;
	struct option longs[ARGS_MAX_OPTIONS + 1];
	char shorts[3 * ARGS_MAX_OPTIONS + 4];
	const char *value; /* of the option returned last; borrowed from argv */
	char **words;      /* owned: those that are no options and stand before `--` */
	size_t nwords;
	char **rest; /* borrowed: behind `--` */
	size_t nrest;
	bool has_rest;   /* there was a `--` */
	bool is_stopped; /* ARGS_STOP was returned: do nothing but return status */
	int status;
};

/* 0, or an exit status after a complaint. */
int args_init(struct args *args, const struct cli *cli, int argc, char **argv);
void args_fini(struct args *args);

/* The next option's key; 0 at the end; ARGS_STOP after --help or a mistake (said): see status. */
int args_next(struct args *args);

/* A usage mistake: says it and where help is. Returns EXIT_USAGE. */
int args_wrong(const struct args *args, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Words as a verb needs them: 0, or EXIT_USAGE after a complaint. */
int args_no_words(const struct args *args);
int args_id(const struct args *args, const char *word, uint64_t *ret_id);
/* Every word an id, at least one: *ret_ids is owned. */
int args_ids(const struct args *args, uint64_t **ret_ids, size_t *ret_n);
/* Exactly one word, an id. */
int args_one_id(const struct args *args, uint64_t *ret_id);
/* A number of seconds, or a duration such as 10m, as the value of option NAME. */
int args_seconds(const struct args *args, const char *name, uint64_t *ret_ms);
/* A whole number from 1 to MAX, as the value of option NAME. */
int args_count(const struct args *args, const char *name, uint64_t max, uint64_t *ret_count);

#endif
