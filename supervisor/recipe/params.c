#include "supervisor/recipe/params.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/recipe/error.h"
#include "supervisor/recipe/pattern.h"
#include "supervisor/recipe/value.h"

/* About a quarter of a second. */
#define MAX_COST UINT64_C(50000000)

static bool
is_any(const char *value)
{
	(void)value;
	return true;
}

static const struct {
	const char *name, *wanted;
	bool (*is)(const char *value);
} types[PARAM_TYPE_MAX + 1] = {
	[PARAM_STRING] = { "string", "a text", is_any },
	[PARAM_INT] = { "int", "a whole number", value_is_int },
	[PARAM_BOOL] = { "bool", "true or false", value_is_bool },
	[PARAM_PATH] = { "path", "an absolute path without ..", value_is_path },
	[PARAM_URL] = { "url", "a URL such as https://example.org/file", value_is_url },
};

const char *
param_type_name(enum param_type type)
{
	return type > 0 && type <= PARAM_TYPE_MAX ? types[type].name : "invalid";
}

const struct param *
params_find(const struct params *params, const char *name)
{
	for (size_t i = 0; i < params->n; i++)
		if (strcmp(params->v[i].name, name) == 0)
			return &params->v[i];
	return NULL;
}

/* VALUE for a message, unless nobody may read it. */
static const char *
quote_value(const struct param *param, const char *value, char quoted[static QUOTE_TEXT])
{
	return param->secret ? "its value" : quote(value, quoted);
}

static int
check_type(const struct param *param, const char *value, char problem[static PARAM_PROBLEM])
{
	char quoted[QUOTE_TEXT];

	if (types[param->type].is(value))
		return 0;
	(void)snprintf(problem, PARAM_PROBLEM, "parameter \"%.64s\" takes %s, not %s", param->name,
	    types[param->type].wanted, quote_value(param, value, quoted));
	return -EINVAL;
}

static int
check_pattern(struct param_checker *checker, const struct param *param,
    const struct pattern *pattern, const char *value, char problem[static PARAM_PROBLEM])
{
	char quoted[QUOTE_TEXT], ere[QUOTE_TEXT];

	checker->spent += pattern_cost(pattern, value);
	if (checker->spent > MAX_COST) {
		(void)snprintf(problem, PARAM_PROBLEM,
		    "parameter \"%.64s\" is too long for its pattern", param->name);
		return -EINVAL;
	}
	if (pattern_matches(pattern, value))
		return 0;
	(void)snprintf(problem, PARAM_PROBLEM,
	    "parameter \"%.64s\": %s does not match the pattern %s", param->name,
	    quote_value(param, value, quoted), quote(param->pattern, ere));
	return -EINVAL;
}

/* The choices as far as they fit: ` (a, b, c)`. */
static void
append_choices(const struct strs *choices, char problem[static PARAM_PROBLEM])
{
	size_t used = strlen(problem);

	for (size_t i = 0; i < choices->n; i++) {
		size_t len = strlen(choices->v[i]);

		if (used + len + 8 > PARAM_PROBLEM) {
			(void)snprintf(problem + used, PARAM_PROBLEM - used, ", ...");
			return;
		}
		used += (size_t)snprintf(problem + used, PARAM_PROBLEM - used, "%s%s",
		    i == 0 ? "" : ", ", choices->v[i]);
	}
}

static int
check_choice(const struct param *param, const char *value, char problem[static PARAM_PROBLEM])
{
	char quoted[QUOTE_TEXT];

	for (size_t i = 0; i < param->choices.n; i++)
		if (strcmp(param->choices.v[i], value) == 0)
			return 0;
	if (param->choices.n == 0)
		return 0;
	(void)snprintf(problem, PARAM_PROBLEM, "parameter \"%.64s\": %s is none of ", param->name,
	    quote_value(param, value, quoted));
	append_choices(&param->choices, problem);
	return -EINVAL;
}

static int
new_pattern(
    const struct param *param, struct pattern **ret_pattern, char problem[static PARAM_PROBLEM])
{
	const char *why = "";
	char quoted[QUOTE_TEXT];
	int r;

	r = pattern_new(param->pattern, ret_pattern, &why);
	if (r == -EINVAL)
		(void)snprintf(problem, PARAM_PROBLEM, "cannot use the pattern %s: %s",
		    quote(param->pattern, quoted), why);
	return r;
}

static int
check_value(struct param_checker *checker, const struct param *param, const struct pattern *pattern,
    const char *value, char problem[static PARAM_PROBLEM])
{
	int r;

	r = check_type(param, value, problem);
	if (r == 0 && pattern)
		r = check_pattern(checker, param, pattern, value, problem);
	return r;
}

int
param_check(struct param_checker *checker, const struct param *param, const char *value,
    char problem[static PARAM_PROBLEM])
{
	struct pattern *pattern = NULL;
	int r = 0;

	if (param->pattern)
		r = new_pattern(param, &pattern, problem);
	if (r == 0)
		r = check_value(checker, param, pattern, value, problem);
	if (r == 0)
		r = check_choice(param, value, problem);
	pattern_free(pattern);
	return r;
}

int
param_check_self(struct param_checker *checker, const struct param *param, const char **ret_key,
    size_t *ret_index, char problem[static PARAM_PROBLEM])
{
	struct pattern *pattern = NULL;
	int r = 0;

	*ret_key = "pattern";
	if (param->pattern)
		r = new_pattern(param, &pattern, problem);
	for (size_t i = 0; r == 0 && i < param->choices.n; i++) {
		*ret_key = "choices";
		*ret_index = i;
		r = check_value(checker, param, pattern, param->choices.v[i], problem);
	}
	if (r == 0 && param->default_value && param->secret) {
		*ret_key = "default";
		(void)snprintf(problem, PARAM_PROBLEM,
		    "parameter \"%.64s\" is secret: a default would be there for all to read",
		    param->name);
		r = -EINVAL;
	} else if (r == 0 && param->default_value) {
		*ret_key = "default";
		r = check_value(checker, param, pattern, param->default_value, problem);
		if (r == 0)
			r = check_choice(param, param->default_value, problem);
	}
	pattern_free(pattern);
	return r;
}
