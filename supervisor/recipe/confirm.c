#include "supervisor/recipe/confirm.h"

#include <errno.h>
#include <string.h>

/* What may stand beside it; `env` and `cwd` are for its check and its undo. */
static const char *const beside[] = { "name", "confirm", "check", "undo", "env", "cwd", "weight" };

static bool
may_stand(const char *key)
{
	for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++)
		if (strcmp(beside[i], key) == 0)
			return true;
	return false;
}

static int
add_outputs(const struct source *source, const struct node *node, struct spec_step *step)
{
	int r = strs_add(&step->outputs, "answer");

	for (size_t i = 0; r == 0 && i < step->confirm.fields.n; i++) {
		const char *name = step->confirm.fields.v[i].name;

		if (strcmp(name, "answer") == 0)
			return node_fail(source, node_get(node_get(node, "confirm"), "fields"),
			    "no field is called \"answer\": that is the yes or no");
		r = strs_add(&step->outputs, name);
	}
	return r;
}

int
confirm_finish(const struct source *source, const struct node *node, struct spec_step *step)
{
	char problem[QUESTION_PROBLEM];

	for (const struct node *child = node->first; child; child = child->next)
		if (!may_stand(child->key))
			return node_fail_key(source, child,
			    "step \"%.64s\" asks a question: \"%.64s\" means nothing there",
			    step->name, child->key);
	if (step->confirm.on_no == 0)
		step->confirm.on_no = ON_NO_STOP;
	if (str_set(&step->confirm.name, CONFIRM_QUESTION) < 0)
		return -ENOMEM;
	if (question_problem(&step->confirm, problem))
		return node_fail(source, node_get(node, "confirm"), "%s", problem);
	return add_outputs(source, node, step);
}

bool
confirm_is_secret(const struct spec_step *step, const char *output)
{
	const struct question_field *field =
	    step->kind == STEP_KIND_CONFIRM ? question_find_field(&step->confirm, output) : NULL;

	return field && field_type_parse(field->type) == FIELD_SECRET;
}
