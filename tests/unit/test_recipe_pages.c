/* The documents that are made from the table of keys. */
#include "supervisor/recipe/pages.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "ipc/fd.h"
#include "supervisor/recipe/node.h"
#include "supervisor/recipe/value.h"
#include "tests/unit/recipe_examples.h"

static struct buf
make(void (*write)(struct buf *out))
{
	struct buf page;

	buf_init(&page, 1024 * 1024);
	write(&page);
	ck_assert_int_eq(buf_add(&page, "", 1), 0);
	return page;
}

static void
compare(const char *path, void (*write)(struct buf *out))
{
	struct buf page = make(write);
	char *text;
	size_t len;

	ck_assert_int_eq(fd_read_file(AT_FDCWD, path, 1024 * 1024, &text, &len), 0);
	ck_assert_msg(strcmp(text, (const char *)page.data) == 0,
	    "%s is not what the table makes of it: `make pages`", path);
	free(text);
	buf_fini(&page);
}

START_TEST(the_files_that_ship_are_made_from_the_table)
{
	compare("contrib/recipe.schema.json", recipe_schema);
	compare("contrib/RECIPES.md", recipe_reference);
}
END_TEST

START_TEST(every_key_stands_in_the_reference_and_in_the_schema)
{
	struct buf page = make(recipe_reference), schema = make(recipe_schema);
	json_t *root = json_loads((const char *)schema.data, 0, NULL);
	size_t count, n = 0;
	const struct recipe_key *keys = recipe_keys(&count);
	const char *name;
	json_t *def;

	ck_assert_ptr_nonnull(root);
	for (size_t i = 0; i < count; i++) {
		char head[64];

		snprintf(head, sizeof head, "\n### `%s`\n", keys[i].name);
		ck_assert_ptr_nonnull(strstr((const char *)page.data, head));
	}
	json_object_foreach(json_object_get(root, "$defs"), name, def)
	{
		n += json_object_size(json_object_get(def, "properties"));
	}
	ck_assert_uint_eq(n, count);
	json_decref(root);
	buf_fini(&page);
	buf_fini(&schema);
}
END_TEST

/* ---- as an editor sees it ---------------------------------------------------------------- */

/* What YAML makes of a plain word. */
static json_t *
to_json(const struct node *node)
{
	json_t *json;

	if (node->kind == NODE_MAP) {
		json = json_object();
		for (const struct node *item = node->first; item; item = item->next)
			json_object_set_new(json, item->key, to_json(item));
		return json;
	}
	if (node->kind == NODE_LIST) {
		json = json_array();
		for (const struct node *item = node->first; item; item = item->next)
			json_array_append_new(json, to_json(item));
		return json;
	}
	if (node->plain && value_is_bool(node->text))
		return json_boolean(strcmp(node->text, "true") == 0);
	json = node->plain ? json_loads(node->text, JSON_DECODE_ANY, NULL) : NULL;
	if (json_is_number(json))
		return json;
	json_decref(json);
	return json_string(node->text);
}

static json_t *
parse(const char *text)
{
	struct recipe_error error = { .message = "" };
	struct source source = { .name = "t.yaml", .error = &error };
	struct node *root = NULL;
	json_t *json;

	ck_assert_msg(node_parse(&source, text, strlen(text), &root) == 0, "%s", error.message);
	json = to_json(root);
	node_free(root);
	return json;
}

static const char validator[] = "import json, sys, jsonschema\n"
				"whole = json.load(open(sys.argv[1]))\n"
				"check = jsonschema.Draft202012Validator(whole['schema'])\n"
				"check.check_schema(whole['schema'])\n"
				"bad = 0\n"
				"for text, recipe, good in whole['recipes']:\n"
				"    wrong = [e.message for e in check.iter_errors(recipe)]\n"
				"    if (not wrong) != good:\n"
				"        bad += 1\n"
				"        print(text, wrong)\n"
				"sys.exit(bad != 0)\n";

static void
add(json_t *recipes, const char *text, bool good)
{
	json_array_append_new(recipes, json_pack("[s, o, b]", text, parse(text), (int)good));
}

START_TEST(the_schema_accepts_what_we_accept)
{
	struct buf schema = make(recipe_schema);
	json_t *recipes = json_array(), *whole;
	char text[8192], path[] = "/tmp/reeve-schema-XXXXXX", command[4096];
	size_t count;
	const struct recipe_key *keys = recipe_keys(&count);
	int fd = mkstemp(path);

	for (size_t i = 0; i < count; i++) {
		kit_write_recipe(&keys[i], keys[i].good, text, sizeof text);
		add(recipes, text, true);
	}
	add(recipes, "steps: [{name: one, sh: x, tiemout: 5s}]\n", false);
	add(recipes, "steps: [{name: one, sh: x, run: [y]}]\n", false);
	add(recipes, "steps: [{name: one}]\n", false);
	add(recipes, "steps: [{name: one, sh: x, timeout: 5}]\n", false);
	add(recipes, "name: x\n", false);
	whole = json_pack("{s: o, s: o}", "schema", json_loads((const char *)schema.data, 0, NULL),
	    "recipes", recipes);
	ck_assert_int_eq(json_dumpfd(whole, fd, 0), 0);
	snprintf(command, sizeof command, "python3 -c \"%s\" %s", validator, path);
	ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c): words of our own */
	unlink(path);
	fd_close(&fd);
	json_decref(whole);
	buf_fini(&schema);
}
END_TEST

START_TEST(a_new_recipe_is_sound_and_names_every_key)
{
	struct buf page;
	size_t count;
	const struct recipe_key *keys = recipe_keys(&count);
	struct recipe *recipe;

	buf_init(&page, 1024 * 1024);
	recipe_start(&page, "greet");
	ck_assert_int_eq(buf_add(&page, "", 1), 0);
	recipe = kit_parse((const char *)page.data);
	ck_assert_str_eq(recipe_name(recipe), "greet");
	recipe_free(recipe);
	for (size_t i = 0; i < count; i++)
		if (keys[i].place <= PLACE_STEP)
			ck_assert_ptr_nonnull(strstr((const char *)page.data, keys[i].name));
	buf_fini(&page);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipe_pages");
	TCase *tests = tcase_create("pages");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, the_files_that_ship_are_made_from_the_table);
	tcase_add_test(tests, every_key_stands_in_the_reference_and_in_the_schema);
	tcase_add_test(tests, the_schema_accepts_what_we_accept);
	tcase_add_test(tests, a_new_recipe_is_sound_and_names_every_key);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
