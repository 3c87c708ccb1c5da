#include "supervisor/recipe/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/expand.h"
#include "supervisor/recipe/confirm.h"
#include "supervisor/recipe/keys.h"
#include "supervisor/recipe/params.h"
#include "supervisor/recipe/suggest.h"

/* Where in the recipe we are: which outputs a reference can see depends on it. */
struct scene {
	const struct source *source;
	const struct recipe *recipe;
	size_t step;       /* its index; SIZE_MAX outside steps */
	bool sees_own;     /* in verify and undo the step's own outputs are there too */
	bool sees_secrets; /* nobody but the step sees what stands here */
};

static int
check_param_reference(const struct scene *scene, const struct node *node, const char *reference)
{
	const struct params *params = &scene->recipe->params;
	char quoted[QUOTE_TEXT], hint[SUGGEST_TEXT];
	const struct param *param = params_find(params, reference);
	struct suggest suggest;

	if (param && param->secret && !scene->sees_secrets)
		return node_fail(scene->source, node,
		    "parameter \"%.64s\" is secret: it may stand in env only, for others can see "
		    "what stands here (in sh it is a variable)",
		    reference);
	if (param)
		return 0;
	suggest_init(&suggest, reference);
	for (size_t i = 0; i < params->n; i++)
		suggest_offer(&suggest, params->v[i].name);
	return node_fail(scene->source, node, "there is no parameter %s%s",
	    quote(reference, quoted), suggest_text(&suggest, hint));
}

static size_t
find_step(const struct spec_steps *steps, const char *name, size_t len)
{
	size_t i = 0;

	while (i < steps->n &&
	       (strlen(steps->v[i].name) != len || strncmp(steps->v[i].name, name, len) != 0))
		i++;
	return i;
}

static int
fail_no_step(const struct scene *scene, const struct node *node, const char *name, size_t len)
{
	const struct spec_steps *steps = &scene->recipe->spec.steps;
	char word[LIMIT_NAME + 1], quoted[QUOTE_TEXT], hint[SUGGEST_TEXT];
	struct suggest suggest;

	(void)snprintf(word, sizeof word, "%.*s", (int)(len > LIMIT_NAME ? LIMIT_NAME : len), name);
	suggest_init(&suggest, word);
	for (size_t i = 0; i < steps->n; i++)
		suggest_offer(&suggest, steps->v[i].name);
	return node_fail(scene->source, node, "there is no step %s%s", quote(word, quoted),
	    suggest_text(&suggest, hint));
}

static int
fail_no_output(const struct scene *scene, const struct node *node, const struct spec_step *step,
    const char *output)
{
	char quoted[QUOTE_TEXT], hint[SUGGEST_TEXT];
	struct suggest suggest;

	suggest_init(&suggest, output);
	for (size_t i = 0; i < step->outputs.n; i++)
		suggest_offer(&suggest, step->outputs.v[i]);
	return node_fail(scene->source, node, "step \"%.64s\" declares no output %s%s", step->name,
	    quote(output, quoted), suggest_text(&suggest, hint));
}

/* ${steps.STEP.OUTPUT}; REFERENCE is what follows "steps.". */
static int
check_output_reference(const struct scene *scene, const struct node *node, const char *reference)
{
	const struct spec_steps *steps = &scene->recipe->spec.steps;
	const char *dot = strchr(reference, '.');
	const struct spec_step *step;
	size_t i;

	if (scene->step == SIZE_MAX)
		return node_fail(scene->source, node,
		    "outputs of steps are not known here: only parameters are");
	if (!dot || strchr(dot + 1, '.') || dot == reference || dot[1] == '\0')
		return node_fail(scene->source, node,
		    "an output is written ${steps.STEP.OUTPUT}, with the names of both");
	i = find_step(steps, reference, (size_t)(dot - reference));
	if (i == steps->n)
		return fail_no_step(scene, node, reference, (size_t)(dot - reference));
	step = &steps->v[i];
	if (i == scene->step && !scene->sees_own)
		return node_fail(scene->source, node,
		    "step \"%.64s\" cannot use its own outputs: they come when it ends",
		    step->name);
	if (i > scene->step)
		return node_fail(scene->source, node,
		    "step \"%.64s\" runs later than step \"%.64s\", "
		    "which wants its output",
		    step->name, steps->v[scene->step].name);
	if (confirm_is_secret(step, dot + 1) && !scene->sees_secrets)
		return node_fail(scene->source, node,
		    "\"%.64s\" is a secret, which others could read here: only env and sh get it",
		    dot + 1);
	for (size_t o = 0; o < step->outputs.n; o++)
		if (strcmp(step->outputs.v[o], dot + 1) == 0)
			return 0;
	return fail_no_output(scene, node, step, dot + 1);
}

static int
check_text(const struct scene *scene, const struct node *node)
{
	static const char steps[] = "steps.";
	struct strs references = { .v = NULL };
	int r;

	r = expand_references(node->text, &references);
	if (r == -EINVAL)
		return node_fail(
		    scene->source, node, "a ${ has no name or no } (write $${ for a plain ${)");
	for (size_t i = 0; r == 0 && i < references.n; i++) {
		const char *reference = references.v[i];

		if (strncmp(reference, steps, sizeof steps - 1) == 0)
			r = check_output_reference(scene, node, reference + sizeof steps - 1);
		else
			r = check_param_reference(scene, node, reference);
	}
	strs_free(&references);
	return r;
}

/* NODE and the texts in it. */
static int
check_texts(const struct scene *scene, const struct node *node)
{
	int r = 0;

	if (node->kind == NODE_TEXT)
		return check_text(scene, node);
	for (const struct node *item = node->first; r == 0 && item; item = item->next)
		r = check_text(scene, item);
	return r;
}

static int
check_shell(const struct scene *scene, const struct node *node)
{
	if (!strstr(node->text, "${steps."))
		return 0;
	return node_fail(scene->source, node,
	    "nothing is filled in inside sh: an output is the variable $OUT_STEP_OUTPUT there");
}

static int check_map(const struct scene *scene, const struct node *node, enum key_place place);

static int
check_command(const struct scene *scene, const struct recipe_key *key, const struct node *node)
{
	struct scene inside = *scene;

	inside.sees_own = strcmp(key->name, "check") != 0;
	if (node->kind == NODE_LIST)
		return check_texts(&inside, node);
	if (node->kind == NODE_TEXT)
		return check_shell(&inside, node);
	return check_map(&inside, node, PLACE_COMMAND);
}

struct variable {
	char *name; /* OUT_STEP_OUTPUT; owned */
	const struct node *output;
};

static int
by_name(const void *a, const void *b)
{
	const struct variable *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	if (order != 0)
		return order;
	return (left->output->at.line > right->output->at.line) -
	       (left->output->at.line < right->output->at.line);
}

/* One variable for each output of STEP. */
static int
add_variables(const struct node *step, struct variable *variables, size_t *n)
{
	const struct node *outputs = node_get(step, "outputs");
	char name[2 * LIMIT_NAME + 2];

	for (const struct node *item = outputs ? outputs->first : NULL; item; item = item->next) {
		(void)snprintf(
		    name, sizeof name, "%s-%s", node_get(step, "name")->text, item->text);
		variables[*n] = (struct variable){ expand_env_name("OUT_", name), item };
		if (!variables[*n].name)
			return -ENOMEM;
		(*n)++;
	}
	return 0;
}

static size_t
count_outputs(const struct spec_steps *steps)
{
	size_t n = 0;

	for (size_t i = 0; i < steps->n; i++)
		n += steps->v[i].outputs.n;
	return n;
}

/* Two outputs that would be the same variable OUT_STEP_OUTPUT: step a-b's c, and step a's b-c. */
static int
check_variables(const struct scene *scene, const struct node *steps)
{
	size_t n = 0, room = count_outputs(&scene->recipe->spec.steps) + 1;
	struct variable *variables = calloc(room, sizeof *variables);
	int r = 0;

	if (!variables)
		return -ENOMEM;
	for (const struct node *step = steps->first; r == 0 && step; step = step->next)
		r = add_variables(step, variables, &n);
	qsort(variables, n, sizeof *variables, by_name);
	for (size_t i = 1; r == 0 && i < n; i++)
		if (strcmp(variables[i - 1].name, variables[i].name) == 0)
			r = node_fail(scene->source, variables[i].output,
			    "this output and the one in line %u would be the same variable in sh",
			    variables[i - 1].output->at.line);
	while (n > 0)
		free(variables[--n].name);
	free(variables);
	return r;
}

static int
check_steps(const struct scene *scene, const struct node *node)
{
	const struct spec_steps *steps = &scene->recipe->spec.steps;
	struct scene inside = *scene;
	int r = 0;

	for (const struct node *item = node->first; r == 0 && item; item = item->next) {
		const char *name = steps->v[item->index].name;

		if (find_step(steps, name, strlen(name)) < item->index)
			return node_fail(scene->source, node_get(item, "name"),
			    "another step is named \"%.64s\" already", name);
		inside.step = item->index;
		r = check_map(&inside, item, PLACE_STEP);
	}
	return r < 0 ? r : check_variables(scene, node);
}

static int
check_dedupe(const struct scene *scene, const struct node *node)
{
	int r = 0;

	for (const struct node *item = node->first; r == 0 && item; item = item->next)
		if (strcmp(item->text, "scope") != 0)
			r = check_param_reference(scene, item, item->text);
	return r;
}

static int
check_value(const struct scene *scene, const struct recipe_key *key, const struct node *node)
{
	struct scene inside = *scene;

	if (key->type == KEY_STEPS)
		return check_steps(scene, node);
	if (key->type == KEY_MAP)
		return check_map(scene, node, key->inside);
	if (key->type == KEY_COMMAND)
		return check_command(scene, key, node);
	if (key->type == KEY_DEDUPE)
		return check_dedupe(scene, node);
	if (key->type == KEY_PROGRESS)
		return check_map(scene, node, PLACE_PROGRESS);
	switch (key->refs) {
	case REFS_NONE:
		return 0;
	case REFS_SHELL:
		return check_shell(scene, node);
	case REFS_PARAMS:
	case REFS_ALL:
		inside.sees_secrets = key->type == KEY_ENV;
		return check_texts(&inside, node);
	}
	return 0;
}

static int
check_map(const struct scene *scene, const struct node *node, enum key_place place)
{
	int r = 0;

	for (const struct node *child = node->first; r == 0 && child; child = child->next)
		r = check_value(scene, recipe_key_find(place, child->key), child);
	return r;
}

int
check_recipe(const struct source *source, const struct node *root, const struct recipe *recipe)
{
	struct scene scene = { .source = source, .recipe = recipe, .step = SIZE_MAX };

	return check_map(&scene, root, PLACE_TOP);
}
