/* supervisor/recipe/params.h - which values a parameter takes. Private to supervisor/recipe. */
#ifndef SUPERVISOR_RECIPE_PARAMS_H
#define SUPERVISOR_RECIPE_PARAMS_H

#include "supervisor/recipe/model.h"

enum {
	PARAM_PROBLEM = 256
};

/* Checks values one after another, and stops when patterns have cost too much altogether. */
struct param_checker {
	uint64_t spent; /* pattern_cost() so far */
};

/*
 * Does PARAM take VALUE? Its type, its pattern over the whole value, its choices. 0; -EINVAL with
 * PROBLEM saying why, beginning with the parameter's name and never quoting
 * a secret one's; -ENOMEM.
 */
int param_check(struct param_checker *checker, const struct param *param, const char *value,
    char problem[static PARAM_PROBLEM]);

/* Can PARAM's pattern be understood, and do its choices and its default pass? *ret_key names the
 * key that is to blame ("pattern", "choices", "default"), *ret_index the choice. Else as above. */
int param_check_self(struct param_checker *checker, const struct param *param, const char **ret_key,
    size_t *ret_index, char problem[static PARAM_PROBLEM]);

const struct param *params_find(const struct params *params, const char *name); /* or NULL */

/* "string", "int", ... Static. */
const char *param_type_name(enum param_type type);

#endif
