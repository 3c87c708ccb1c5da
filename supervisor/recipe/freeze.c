#include "supervisor/recipe/recipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/expand.h"
#include "supervisor/recipe/dedupe.h"
#include "supervisor/recipe/error.h"
#include "supervisor/recipe/keys.h"
#include "supervisor/recipe/params.h"
#include "supervisor/recipe/suggest.h"
#include "supervisor/recipe/value.h"

static const struct mark nowhere = { 0, 0 };

struct freezing {
	struct source source;
	struct recipe work;          /* a copy of the recipe, filled in piece by piece */
	struct pairs values;         /* given or defaulted, but for the secret ones */
	const struct pairs *secrets; /* NULL: not known here */
	size_t bytes;                /* of all texts filled in so far */
	char field[96];              /* being filled in */
};

/* ---- the parameters' values ---- */

/* GIVEN openly, or secretly. */
static int
check_given(const struct freezing *freezing, const struct pairs *given, bool is_secretly)
{
	const struct params *params = &freezing->work.params;
	char quoted[QUOTE_TEXT], hint[SUGGEST_TEXT];

	for (size_t i = 0; i < given->n; i++) {
		const char *name = given->v[i].name;
		const struct param *param = params_find(params, name);
		struct suggest suggest;

		if (param && param->secret && !is_secretly)
			return error_set(&freezing->source, nowhere, name,
			    "parameter \"%.64s\" is secret: give it with --secret %.64s, not where "
			    "others can read it",
			    name, name);
		if (param && !param->secret && is_secretly)
			return error_set(&freezing->source, nowhere, name,
			    "parameter \"%.64s\" is not secret: it would be shown (%.64s=...)",
			    name, name);
		if (param)
			continue;
		suggest_init(&suggest, name);
		for (size_t p = 0; p < params->n; p++)
			suggest_offer(&suggest, params->v[p].name);
		return error_set(&freezing->source, nowhere, name, "unknown parameter %s%s",
		    quote(name, quoted), suggest_text(&suggest, hint));
	}
	return 0;
}

/* It is checked, and its name is kept. */
static int
take_secret(struct freezing *freezing, struct param_checker *checker, const struct param *param)
{
	const char *value = freezing->secrets ? pairs_get(freezing->secrets, param->name) : NULL;
	char problem[PARAM_PROBLEM];
	int r = 0;

	if (freezing->secrets && !value) {
		if (!param->required)
			return 0;
		return error_set(&freezing->source, nowhere, param->name,
		    "parameter \"%.64s\" is required and secret (--secret %.64s)", param->name,
		    param->name);
	}
	if (value)
		r = param_check(checker, param, value, problem);
	if (r == -EINVAL)
		return error_set(&freezing->source, nowhere, param->name, "%s", problem);
	return r < 0 ? r : strs_add(&freezing->work.spec.secrets, param->name);
}

static int
take_value(struct freezing *freezing, struct param_checker *checker, const struct param *param,
    const struct pairs *given)
{
	const char *value = pairs_get(given, param->name);
	char problem[PARAM_PROBLEM];
	int r;

	if (param->secret)
		return take_secret(freezing, checker, param);
	if (!value && !param->default_value) {
		if (!param->required)
			return 0;
		return error_set(&freezing->source, nowhere, param->name,
		    "parameter \"%.64s\" is required (%.64s=...)", param->name, param->name);
	}
	if (!value)
		return pairs_set(&freezing->values, param->name, param->default_value);
	if (strlen(value) > LIMIT_TEXT)
		return error_set(&freezing->source, nowhere, param->name,
		    "parameter \"%.64s\" is longer than %d KiB", param->name, LIMIT_TEXT / 1024);
	r = param_check(checker, param, value, problem);
	if (r == -EINVAL)
		return error_set(&freezing->source, nowhere, param->name, "%s", problem);
	return r < 0 ? r : pairs_set(&freezing->values, param->name, value);
}

static int
take_values(struct freezing *freezing, const struct pairs *given)
{
	const struct params *params = &freezing->work.params;
	struct param_checker checker = { .spent = 0 };
	int r;

	r = check_given(freezing, given, false);
	if (r == 0 && freezing->secrets)
		r = check_given(freezing, freezing->secrets, true);
	for (size_t i = 0; r == 0 && i < params->n; i++)
		r = take_value(freezing, &checker, &params->v[i], given);
	return r;
}

/* ---- the texts that hold references ---- */

/* A parameter that may be left out, and was, is empty. */
static const char *
look_up(const char *reference, void *arg)
{
	const struct freezing *freezing = arg;
	const char *value = pairs_get(&freezing->values, reference);
	const struct strs *secrets = &freezing->work.spec.secrets;

	if (value)
		return value;
	for (size_t i = 0; i < secrets->n; i++)
		if (strcmp(secrets->v[i], reference) == 0)
			return expand_later;
	return params_find(&freezing->work.params, reference) ? "" : NULL;
}

static int
fail_expansion(const struct freezing *freezing, int r)
{
	if (r == -EMSGSIZE)
		return error_set(&freezing->source, nowhere, freezing->field,
		    "%s is longer than %d KiB with these parameters", freezing->field,
		    LIMIT_TEXT / 1024);
	return r;
}

static int
fill_text(struct freezing *freezing, const struct recipe_key *key, char **member)
{
	enum expand_mode mode = key->refs == REFS_ALL ? EXPAND_PARAMS : EXPAND_ALL;
	char *filled = NULL, *missing = NULL;
	int r;

	if (!*member)
		return 0;
	r = expand(*member, mode, look_up, freezing, &filled, &missing);
	free(missing);
	if (r < 0)
		return fail_expansion(freezing, r);
	free(*member);
	*member = filled;
	freezing->bytes += strlen(filled);
	if (freezing->bytes > LIMIT_SPEC)
		return error_set(&freezing->source, nowhere, "",
		    "with these parameters the recipe becomes larger than %d KiB",
		    LIMIT_SPEC / 1024);
	return 0;
}

/* One text that fills a key by itself. What became empty counts as left out. */
static int
fill_member(struct freezing *freezing, const struct recipe_key *key, char **member)
{
	const char *problem;
	int r;

	r = fill_text(freezing, key, member);
	if (r < 0 || !*member)
		return r;
	/* A title may be cut: it is for people, and parameters may be long texts. */
	if (member == &freezing->work.spec.title)
		value_cut_line(*member, LIMIT_TITLE);
	if (**member == '\0' && !key->required) {
		free(*member);
		*member = NULL;
		return 0;
	}
	problem = value_problem(key, *member);
	if (problem)
		return error_set(&freezing->source, nowhere, freezing->field,
		    "%s %s with these parameters", freezing->field, problem);
	return 0;
}

static int
fill_argv(struct freezing *freezing, const struct recipe_key *key, struct strs *argv)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < argv->n; i++)
		r = fill_text(freezing, key, &argv->v[i]);
	if (r == 0 && argv->n > 0 && argv->v[0][0] == '\0')
		r = error_set(&freezing->source, nowhere, freezing->field,
		    "%s has no program with these parameters", freezing->field);
	return r;
}

static int
fill_env(struct freezing *freezing, const struct recipe_key *key, struct pairs *env)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < env->n; i++)
		r = fill_text(freezing, key, &env->v[i].value);
	return r;
}

static int fill_map(struct freezing *freezing, enum key_place place, void *obj, const char *path);

static int
fill_steps(struct freezing *freezing, struct spec_steps *steps)
{
	char path[48];
	int r = 0;

	for (size_t i = 0; r == 0 && i < steps->n; i++) {
		(void)snprintf(path, sizeof path, "steps[%zu].", i);
		r = fill_map(freezing, PLACE_STEP, &steps->v[i], path);
	}
	return r;
}

/* 0: its value is no map of keys. */
static enum key_place
place_inside(const struct recipe_key *key)
{
	if (key->type == KEY_COMMAND)
		return PLACE_COMMAND;
	return key->type == KEY_PROGRESS ? PLACE_PROGRESS : key->inside;
}

static int
fill_value(struct freezing *freezing, const struct recipe_key *key, void *member, const char *path)
{
	char inside[48];

	if (key->type == KEY_STEPS)
		return fill_steps(freezing, member);
	if (place_inside(key)) {
		(void)snprintf(inside, sizeof inside, "%s%s.", path, key->name);
		return fill_map(freezing, place_inside(key), member, inside);
	}
	if (key->refs != REFS_PARAMS && key->refs != REFS_ALL)
		return 0;
	(void)snprintf(freezing->field, sizeof freezing->field, "%s%s", path, key->name);
	if (key->type == KEY_ARGV)
		return fill_argv(freezing, key, member);
	if (key->type == KEY_ENV)
		return fill_env(freezing, key, member);
	return fill_member(freezing, key, member);
}

/* Fills in every text of the map at OBJ; the table of keys knows where they are. */
static int
fill_map(struct freezing *freezing, enum key_place place, void *obj, const char *path)
{
	size_t count;
	const struct recipe_key *keys = recipe_keys(&count);
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		if (keys[i].place == place)
			r = fill_value(freezing, &keys[i], (char *)obj + keys[i].offset, path);
	return r;
}

/* ---- the whole ---- */

static int
finish(struct freezing *freezing)
{
	struct spec *spec = &freezing->work.spec;
	int r = 0;

	if (!spec->type)
		r = str_set(&spec->type, freezing->work.name);
	if (r == 0 && !spec->title)
		r = str_set(&spec->title, freezing->work.name);
	if (r < 0)
		return r;
	spec->has_workdir = true;
	r = dedupe_key(&freezing->work, &freezing->values, &spec->dedupe_key);
	spec->params = freezing->values;
	freezing->values = (struct pairs){ .v = NULL };
	return r;
}

/* Whatever the parts are, the whole has a limit of its own. */
static int
check_size(const struct freezing *freezing)
{
	struct buf bytes;
	int r;

	buf_init(&bytes, LIMIT_SPEC);
	r = codec_encode(&spec_codec, &freezing->work.spec, &bytes);
	buf_fini(&bytes);
	if (r == -EMSGSIZE)
		return error_set(&freezing->source, nowhere, "",
		    "with these parameters the recipe becomes larger than %d KiB",
		    LIMIT_SPEC / 1024);
	return r;
}

int
recipe_freeze(const struct recipe *recipe, const struct pairs *given, const struct pairs *secrets,
    struct spec *ret_spec, struct recipe_error *ret_error)
{
	struct freezing freezing = { .source = { .error = ret_error }, .secrets = secrets };
	int r;

	r = codec_copy(&recipe_codec, recipe, &freezing.work);
	if (r < 0)
		return r;
	r = take_values(&freezing, given);
	if (r == 0)
		r = fill_map(&freezing, PLACE_TOP, &freezing.work, "");
	if (r == 0)
		r = finish(&freezing);
	if (r == 0)
		r = check_size(&freezing);
	if (r == 0) {
		*ret_spec = freezing.work.spec;
		codec_init(&spec_codec, &freezing.work.spec);
	}
	codec_free(&recipe_codec, &freezing.work);
	pairs_free(&freezing.values);
	return r;
}
