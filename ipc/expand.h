/*
 * ipc/expand.h - ${name} and ${steps.STEP.OUTPUT} inside one string.
 *
 * Expansion never crosses from one argument into another and never reaches sh text.
 * `$${` is a literal `${`, and so is `${$}` a literal `$`. What a reference stands for is
 * never expanded again: where text is expanded in two passes, the first one quotes the
 * values it puts in.
 */
#ifndef IPC_EXPAND_H
#define IPC_EXPAND_H

#include "ipc/codec.h"
#include "ipc/spec.h"

/* Returns the value of a reference (borrowed) or NULL when there is none. */
typedef const char *(*expand_fn)(const char *reference, void *arg);

/* Returned in a pass of EXPAND_PARAMS, it leaves the reference for EXPAND_ALL. */
extern const char expand_later[];

enum expand_mode {
	EXPAND_PARAMS, /* ${name} only, quoted; ${steps.*}, `$${` and `${$}` are left for EXPAND_ALL
			*/
	EXPAND_ALL
};

/* *ret_text is owned. 0; -ENOENT: *ret_missing (owned) names the reference; -EINVAL: unclosed `${`
 * or an empty name; -EMSGSIZE beyond LIMIT_TEXT; -ENOMEM. */
int expand(const char *text, enum expand_mode mode, expand_fn lookup, void *arg, char **ret_text,
    char **ret_missing);

/* TEXT such that EXPAND_ALL gives it back as it is: for words that are no template. Owned, or NULL.
 */
char *expand_quote(const char *text);

/* Every reference in TEXT, as written between the braces, but for `${$}`. 0, -EINVAL, -ENOMEM. */
int expand_references(const char *text, struct strs *ret_references);

/* PREFIX + name in capitals, everything that is no letter or digit as '_': PARAM_SERVER_ID. Owned,
 * or NULL. */
char *expand_env_name(const char *prefix, const char *name);

#endif
