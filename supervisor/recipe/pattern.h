/*
 * supervisor/recipe/pattern.h - extended regular expressions that cannot be turned against us.
 *
 * POSIX ERE (IEEE 1003.1, chapter 9.4) over UTF-8 characters, matched against whole values,
 * without back-references. Both pattern and value come from strangers, and regcomp(3)
 * takes memory and time without bound for some: this takes a fixed amount of memory, and
 * pattern_cost() tells the time before it is spent.
 */
#ifndef SUPERVISOR_RECIPE_PATTERN_H
#define SUPERVISOR_RECIPE_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PATTERN_MAX_BYTES = 512,
	PATTERN_MAX_PROGRAM = 1024,
	PATTERN_MAX_REPEAT = 255
};

struct pattern;

/* 0 with *ret_pattern owned; -EINVAL with *ret_problem (static) saying why; -ENOMEM. */
int pattern_new(const char *ere, struct pattern **ret_pattern, const char **ret_problem);
void pattern_free(struct pattern *pattern);

/* The most elementary steps that a match of VALUE may take; some hundred million make a second. */
uint64_t pattern_cost(const struct pattern *pattern, const char *value);

/* True when all of VALUE matches, not just a part of it. */
bool pattern_matches(const struct pattern *pattern, const char *value);

#endif
