/*
 * supervisor/cli/candidates.h - what a word being typed may become: where each kind of word comes
 * from.
 *
 * A shell reads them: a line each, the whole word, a tab, what it is. A line that begins with a
 * colon asks the shell for what it completes best itself: `:files`, `:dirs` or `:commands`, for
 * what follows the word's first `=`.
 */
#ifndef SUPERVISOR_CLI_CANDIDATES_H
#define SUPERVISOR_CLI_CANDIDATES_H

#include "supervisor/cli/cli.h"

struct candidates {
	struct buf *out;
	const char *word;   /* as typed so far */
	const char *prefix; /* of it, that stays: "--status=" when that value is typed; else "" */
};

/* TEXT behind the prefix, unless something else was typed. HELP may be empty. */
void candidates_add(const struct candidates *candidates, struct span text, struct span help);
void candidates_ask(const struct candidates *candidates, const char *directive);

/* The ids that VERB makes sense for, newest first; not those among the N WORDS given already. */
void candidates_ids(
    const struct candidates *candidates, const char *verb, char *const *words, size_t n);
/* What the tasks there are have as their KEY: type, scope, owner. */
void candidates_values(const struct candidates *candidates, const char *key);
void candidates_states(const struct candidates *candidates);
void candidates_recipes(const struct candidates *candidates);
/* `name=` for those not among the N WORDS given already; behind `name=` its values. RECIPE is a
 * name or, with a slash, a file. */
void candidates_params(
    const struct candidates *candidates, const char *recipe, char *const *words, size_t n);

#endif
