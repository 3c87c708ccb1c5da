/*
 * supervisor/recipe/recipe.h - a recipe's text, read, checked and frozen.
 *
 * Pure: text in, struct spec out; no file is opened here (supervisor/recipe/library.h
 * finds them). libyaml's event parser plus one table of keys (keys.h); every error names
 * file, line and column: `try-it.yaml:7:5: unknown key "tiemout" (did you mean "timeout"?)`.
 */
#ifndef SUPERVISOR_RECIPE_RECIPE_H
#define SUPERVISOR_RECIPE_RECIPE_H

#include "ipc/spec.h"

struct recipe; /* opaque, immutable once read */

/* One thing wrong. LINE and COLUMN from 1; 0 when it is about parameters, not about text. */
struct recipe_error {
	uint32_t line, column;
	char field[96];    /* "steps[2].timeout", or a parameter's name */
	char message[384]; /* complete, with file:line:column where there is one */
};

/*
 * NAME is the file's name for messages. 0 with *ret_recipe owned; -EINVAL with *ret_error (the
 * first error), also for unknown and duplicate keys, aliases, anchors, tags, several documents,
 * depth over 16, text over LIMIT_RECIPE; -ENOMEM.
 */
int recipe_parse(const char *name, const char *text, size_t len, struct recipe **ret_recipe,
    struct recipe_error *ret_error);
void recipe_free(struct recipe *recipe);

const char *recipe_name(
    const struct recipe *recipe); /* its `name:`, else the file's without .yaml */
const char *recipe_title(const struct recipe *recipe);       /* NULL: none */
const char *recipe_description(const struct recipe *recipe); /* NULL: none */
const char *recipe_run_as(const struct recipe *recipe);      /* NULL: none */

struct recipe_param {
	const char *name, *type, *pattern, *default_value, *description;
	const char *const *choices; /* NULL-terminated, or NULL */
	bool required;              /* must be given: it has no default */
	bool secret;
};
size_t recipe_param_count(const struct recipe *recipe);
struct recipe_param recipe_param_at(const struct recipe *recipe, size_t i); /* borrowed */

/*
 * Checks GIVEN against the parameters (unknown, missing, type, pattern over the whole value,
 * choices), fills in defaults, expands ${param} in arguments, environment, title, scope, type and
 * the other expanded fields, and derives dedupe_key. sh text is left as it is; parameters reach it
 * as PARAM_*. SECRETS are the secret ones; their values are checked and go no further. NULL: they
 * are not known here and are taken for given. 0 with *ret_spec owned (codec_free with spec_codec);
 * -EINVAL with *ret_error; -ENOMEM.
 */
int recipe_freeze(const struct recipe *recipe, const struct pairs *given,
    const struct pairs *secrets, struct spec *ret_spec, struct recipe_error *ret_error);

/* The spec of an ad-hoc command: type "command", one step named after argv[0], title the command
 * line. */
int recipe_command_spec(const struct strs *argv, const char *title, struct spec *ret_spec);

#endif
