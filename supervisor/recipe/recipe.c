#include "supervisor/recipe/recipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/recipe/params.h"
#include "supervisor/recipe/read.h"
#include "supervisor/recipe/value.h"

/* Without `name:` a recipe is called as its file is, without directory and .yaml. */
static int
name_by_file(const struct source *source, struct recipe *recipe)
{
	const char *slash = strrchr(source->name, '/');
	const char *base = slash ? slash + 1 : source->name;
	size_t len = strlen(base);
	char quoted[QUOTE_TEXT];

	if (len > 5 && strcmp(base + len - 5, ".yaml") == 0)
		len -= 5;
	else if (len > 4 && strcmp(base + len - 4, ".yml") == 0)
		len -= 4;
	recipe->name = strndup(base, len);
	if (!recipe->name)
		return -ENOMEM;
	if (!value_is_file_name(recipe->name))
		return error_set(source, (struct mark){ 1, 1 }, "name",
		    "the file's name, %s, is no name for a recipe: give it the key \"name\"",
		    quote(recipe->name, quoted));
	return 0;
}

static int
read_tree(const struct source *source, const struct node *root, struct recipe *recipe)
{
	int r;

	r = read_recipe(source, root, recipe);
	if (r == 0)
		r = check_recipe(source, root, recipe);
	if (r == 0 && !recipe->name)
		r = name_by_file(source, recipe);
	return r;
}

int
recipe_parse(const char *name, const char *text, size_t len, struct recipe **ret_recipe,
    struct recipe_error *ret_error)
{
	struct source source = { .name = name, .error = ret_error };
	struct node *root = NULL;
	struct recipe *recipe;
	int r;

	recipe = malloc(sizeof *recipe);
	if (!recipe)
		return -ENOMEM;
	codec_init(&recipe_codec, recipe);
	r = node_parse(&source, text, len, &root);
	if (r == 0)
		r = read_tree(&source, root, recipe);
	node_free(root);
	if (r < 0)
		recipe_free(recipe);
	else
		*ret_recipe = recipe;
	return r;
}

void
recipe_free(struct recipe *recipe)
{
	if (!recipe)
		return;
	codec_free(&recipe_codec, recipe);
	free(recipe);
}

const char *
recipe_name(const struct recipe *recipe)
{
	return recipe->name;
}

const char *
recipe_title(const struct recipe *recipe)
{
	return recipe->spec.title;
}

const char *
recipe_description(const struct recipe *recipe)
{
	return recipe->spec.description;
}

const char *
recipe_run_as(const struct recipe *recipe)
{
	return recipe->spec.run_as;
}

size_t
recipe_param_count(const struct recipe *recipe)
{
	return recipe->params.n;
}

struct recipe_param
recipe_param_at(const struct recipe *recipe, size_t i)
{
	const struct param *param = &recipe->params.v[i];

	return (struct recipe_param){
		.name = param->name,
		.type = param_type_name(param->type),
		.pattern = param->pattern,
		.default_value = param->default_value,
		.description = param->description,
		.choices = (const char *const *)param->choices.v,
		.required = param->required && !param->default_value,
		.secret = param->secret,
	};
}
