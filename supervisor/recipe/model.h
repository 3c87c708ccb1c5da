/*
 * supervisor/recipe/model.h - a recipe as read: the template that freezing fills in.
 *
 * Private to supervisor/recipe. The work itself is kept as a struct spec whose strings
 * still hold their ${references}; everything frees and copies through recipe_codec.
 */
#ifndef SUPERVISOR_RECIPE_MODEL_H
#define SUPERVISOR_RECIPE_MODEL_H

#include "supervisor/recipe/recipe.h"

enum param_type {
	PARAM_STRING = 1,
	PARAM_INT,
	PARAM_BOOL,
	PARAM_PATH,
	PARAM_URL
};
#define PARAM_TYPE_MAX 5

struct param {
	char *name;
	enum param_type type;
	char *pattern;       /* compiles (pattern.h); NULL: any value */
	char *default_value; /* passes param_check(); NULL: none */
	char *description;
	struct strs choices; /* each passes the type and the pattern */
	bool required, secret;
};

struct params {
	struct param *v;
	size_t n;
};

/* What joining compares, besides type and owner. */
enum dedupe_mode {
	DEDUPE_DERIVED = 0, /* the scope; without one all parameters */
	DEDUPE_FIELDS = 1,  /* what dedupe_fields names; when empty nothing more */
	DEDUPE_NEVER = 2    /* each submission is a task of its own */
};

struct recipe {
	char *name;       /* its type, where `type:` gives none */
	struct spec spec; /* spec.params is unused: see params */
	struct params params;
	enum dedupe_mode dedupe_mode;
	struct strs dedupe_fields; /* names of parameters, or "scope" */
};

extern const struct codec recipe_codec;
extern const struct codec param_codec;

#endif
