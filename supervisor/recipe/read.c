#include "supervisor/recipe/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/recipe/confirm.h"
#include "supervisor/recipe/keys.h"
#include "supervisor/recipe/leaf.h"
#include "supervisor/recipe/params.h"
#include "supervisor/recipe/suggest.h"
#include "supervisor/recipe/value.h"

enum {
	DEFAULT_RETRY_DELAY_MS = 1000
};

static int read_map(
    const struct source *source, const struct node *node, enum key_place place, void *obj);

static int
read_inside(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	int r;

	r = leaf_want(source, key, node, NODE_MAP);
	return r < 0 ? r : read_map(source, node, key->inside, member);
}

static int
read_command(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	struct spec_cmd *cmd = member;
	const struct node *run, *sh;
	int r;

	if (node->kind == NODE_LIST)
		return leaf_read(source, recipe_key_find(PLACE_COMMAND, "run"), node, &cmd->argv);
	if (node->kind == NODE_TEXT)
		return leaf_read(source, recipe_key_find(PLACE_COMMAND, "sh"), node, &cmd->sh);
	r = read_map(source, node, PLACE_COMMAND, cmd);
	if (r < 0)
		return r;
	run = node_get(node, "run");
	sh = node_get(node, "sh");
	if (!run && !sh)
		return node_fail(source, node, "\"%s\" needs run or sh", key->name);
	if (run && sh)
		return node_fail_key(source, run->index > sh->index ? run : sh,
		    "\"%s\" takes run or sh, not both", key->name);
	return 0;
}

/* Makes param_check_self()'s verdict point at the value that is to blame. */
static int
check_param(const struct source *source, const struct node *node, struct param_checker *checker,
    const struct param *param)
{
	char problem[PARAM_PROBLEM];
	const char *key = NULL;
	size_t index = 0;
	const struct node *culprit;
	int r;

	r = param_check_self(checker, param, &key, &index, problem);
	if (r != -EINVAL)
		return r;
	culprit = node_get(node, key);
	if (culprit && culprit->kind == NODE_LIST)
		for (culprit = culprit->first; culprit->index < index; culprit = culprit->next)
			;
	return node_fail(source, culprit ? culprit : node, "%s", problem);
}

/* Two names that would be the same variable PARAM_NAME. */
static int
check_variable(const struct source *source, const struct node *node)
{
	for (const struct node *other = node->parent->first; other != node; other = other->next) {
		size_t i = 0;

		for (; node->key[i] != '\0' && other->key[i] != '\0'; i++)
			if (node->key[i] != other->key[i] &&
			    !(strchr("_-", node->key[i]) && strchr("_-", other->key[i])))
				break;
		if (node->key[i] == '\0' && other->key[i] == '\0')
			return node_fail_key(source, node,
			    "parameters \"%.64s\" and \"%.64s\" would be the same variable in sh",
			    other->key, node->key);
	}
	return 0;
}

/* recipe.h promises a NULL behind the choices. */
static int
terminate(struct strs *choices)
{
	char **v;

	if (choices->n == 0)
		return 0;
	v = realloc(choices->v, (choices->n + 1) * sizeof *v);
	if (!v)
		return -ENOMEM;
	v[choices->n] = NULL;
	choices->v = v;
	return 0;
}

static int
read_param(const struct source *source, const struct node *node, struct param_checker *checker,
    struct params *params)
{
	struct list list = { params->v, params->n };
	char quoted[QUOTE_TEXT];
	struct param *param;
	int r;

	if (!value_is_name(node->key))
		return node_fail_key(source, node,
		    "%s is not a parameter's name (a-z 0-9 _ -, "
		    "beginning with a letter or digit)",
		    quote(node->key, quoted));
	if (node->kind != NODE_MAP)
		return node_fail(source, node,
		    "parameter \"%.64s\" needs a map of keys ({} will do)", node->key);
	r = check_variable(source, node);
	if (r < 0)
		return r;
	param = list_add(&list, &param_codec);
	if (!param)
		return -ENOMEM;
	*params = (struct params){ list.v, list.n };
	param->type = PARAM_STRING;
	r = str_set(&param->name, node->key);
	if (r == 0)
		r = read_map(source, node, PLACE_PARAM, param);
	if (r == 0)
		r = terminate(&param->choices);
	return r < 0 ? r : check_param(source, node, checker, param);
}

static int
read_params(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	struct param_checker checker = { .spent = 0 };
	int r;

	r = leaf_want_items(source, key, node, NODE_MAP, 0);
	for (const struct node *item = node->first; r == 0 && item; item = item->next)
		r = read_param(source, item, &checker, member);
	return r;
}

/* Where messages speak of a step: its name, or its number while it has none. */
static void
name_step(const struct node *step, char *text, size_t size)
{
	const struct node *name = node_get(step, "name");
	char quoted[QUOTE_TEXT];

	if (name && name->kind == NODE_TEXT && name->text[0] != '\0')
		(void)snprintf(text, size, "step %s", quote(name->text, quoted));
	else
		(void)snprintf(text, size, "step %zu", step->index + 1);
}

static int
read_work(const struct source *source, const struct node *node, struct spec_step *step)
{
	const char *const *kinds = recipe_key_alternatives(PLACE_STEP);
	const struct node *work = NULL;
	char name[QUOTE_TEXT + 8];

	name_step(node, name, sizeof name);
	for (size_t i = 0; kinds[i]; i++) {
		const struct node *found = node_get(node, kinds[i]);

		if (found && work)
			return node_fail_key(source, found->index > work->index ? found : work,
			    "%s has both %s and %s: one is all it can do", name, work->key,
			    found->key);
		work = found ? found : work;
	}
	if (!work)
		return node_fail(
		    source, node, "%s has nothing to do: it needs run, sh, pull or confirm", name);
	step->kind = strcmp(work->key, "pull") == 0      ? STEP_KIND_PULL
		     : strcmp(work->key, "confirm") == 0 ? STEP_KIND_CONFIRM
							 : STEP_KIND_CMD;
	if (step->kind == STEP_KIND_CONFIRM)
		return confirm_finish(source, node, step);
	if (step->retry_attempts > 0 && step->retry_delay_ms == 0)
		step->retry_delay_ms = DEFAULT_RETRY_DELAY_MS;
	return 0;
}

static int
read_step(const struct source *source, const struct node *node, struct spec_steps *steps)
{
	struct list list = { steps->v, steps->n };
	struct spec_step *step;
	int r;

	if (node->kind != NODE_MAP)
		return node_fail(source, node, "step %zu must be a map of keys, such as `name:`",
		    node->index + 1);
	step = list_add(&list, &spec_step_codec);
	if (!step)
		return -ENOMEM;
	*steps = (struct spec_steps){ list.v, list.n };
	step->cancel = CANCEL_NOW;
	r = read_map(source, node, PLACE_STEP, step);
	return r < 0 ? r : read_work(source, node, step);
}

static int
read_steps(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	int r;

	r = leaf_want_items(source, key, node, NODE_LIST, 1);
	for (const struct node *item = node->first; r == 0 && item; item = item->next)
		r = read_step(source, item, member);
	return r;
}

static int
read_field(const struct source *source, const struct node *node, struct question_fields *fields)
{
	struct list list = { fields->v, fields->n };
	struct question_field *field;
	char quoted[QUOTE_TEXT];

	if (!value_is_name(node->key))
		return node_fail_key(source, node,
		    "%s is not a field's name (a-z 0-9 _ -, beginning with a letter or digit)",
		    quote(node->key, quoted));
	if (node->kind != NODE_MAP)
		return node_fail(
		    source, node, "field \"%.64s\" needs a map of keys ({} will do)", node->key);
	field = list_add(&list, &question_field_codec);
	if (!field)
		return -ENOMEM;
	*fields = (struct question_fields){ list.v, list.n };
	if (str_set(&field->name, node->key) < 0)
		return -ENOMEM;
	return read_map(source, node, PLACE_FIELD, field);
}

static int
read_fields(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	int r = leaf_want_items(source, key, node, NODE_MAP, 0);

	for (const struct node *item = node->first; r == 0 && item; item = item->next)
		r = read_field(source, item, member);
	return r;
}

static int
read_dedupe(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	static const struct recipe_key names = {
		.name = "dedupe", .type = KEY_NAMES, .max = LIMIT_PAIRS
	};
	struct recipe *recipe = member;

	recipe->dedupe_mode = DEDUPE_FIELDS;
	if (node->kind == NODE_TEXT && strcmp(node->text, "none") == 0)
		recipe->dedupe_mode = DEDUPE_NEVER;
	else if (node->kind != NODE_LIST)
		return leaf_want(source, key, node, NODE_LIST);
	else if (node->count > 0)
		return leaf_read(source, &names, node, &recipe->dedupe_fields);
	return 0;
}

static int
read_progress(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	struct recipe_key word = *key;
	struct spec_progress *progress = member;

	if (node->kind == NODE_MAP) {
		progress->kind = PROGRESS_FILE;
		return read_map(source, node, PLACE_PROGRESS, progress);
	}
	word.type = KEY_CHOICE;
	return leaf_read(source, &word, node, &progress->kind);
}

static int
read_value(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	if (key->type == KEY_FIELDS)
		return read_fields(source, key, node, member);
	if (key->type == KEY_MAP)
		return read_inside(source, key, node, member);
	if (key->type == KEY_COMMAND)
		return read_command(source, key, node, member);
	if (key->type == KEY_PARAMS)
		return read_params(source, key, node, member);
	if (key->type == KEY_STEPS)
		return read_steps(source, key, node, member);
	if (key->type == KEY_DEDUPE)
		return read_dedupe(source, key, node, member);
	if (key->type == KEY_PROGRESS)
		return read_progress(source, key, node, member);
	return leaf_read(source, key, node, member);
}

static int
fail_unknown(const struct source *source, const struct node *node, enum key_place place)
{
	char quoted[QUOTE_TEXT], hint[SUGGEST_TEXT];
	struct suggest suggest;
	size_t count;
	const struct recipe_key *keys = recipe_keys(&count);

	suggest_init(&suggest, node->key);
	for (size_t i = 0; i < count; i++)
		if (keys[i].place == place)
			suggest_offer(&suggest, keys[i].name);
	suggest_text(&suggest, hint);
	for (size_t i = 0; i < count && hint[0] == '\0'; i++)
		if (keys[i].place != place && strcmp(keys[i].name, node->key) == 0)
			(void)snprintf(hint, sizeof hint, " in %s (it belongs to %s)",
			    key_place_name(place), key_place_name(keys[i].place));
	return node_fail_key(source, node, "unknown key %s%s", quote(node->key, quoted), hint);
}

/* The key is not there: names the step that NODE is or stands in. */
static int
fail_missing(const struct source *source, const struct node *node, enum key_place place,
    const struct recipe_key *key)
{
	const struct node *step = node;
	char name[QUOTE_TEXT + 8];

	if (place == PLACE_TOP)
		return node_fail(source, node, "the recipe has no \"%s\"", key->name);
	if (place == PLACE_STEP) {
		name_step(node, name, sizeof name);
		return node_fail(source, node, "%s has no \"%s\"", name, key->name);
	}
	while (step->parent && step->parent->kind != NODE_LIST)
		step = step->parent;
	name_step(step, name, sizeof name);
	return node_fail(
	    source, node, "%s: \"%s\" needs \"%s\"", name, key_place_name(place), key->name);
}

static int
read_map(const struct source *source, const struct node *node, enum key_place place, void *obj)
{
	size_t count;
	const struct recipe_key *keys = recipe_keys(&count);
	int r = 0;

	for (const struct node *child = node->first; r == 0 && child; child = child->next) {
		const struct recipe_key *key = recipe_key_find(place, child->key);

		r = key ? read_value(source, key, child, (char *)obj + key->offset)
			: fail_unknown(source, child, place);
	}
	for (size_t i = 0; r == 0 && i < count; i++)
		if (keys[i].place == place && keys[i].required && !node_get(node, keys[i].name))
			r = fail_missing(source, node, place, &keys[i]);
	return r;
}

int
read_recipe(const struct source *source, const struct node *root, struct recipe *recipe)
{
	recipe->spec.on_interrupt = INTERRUPT_STOP;
	return read_map(source, root, PLACE_TOP, recipe);
}
