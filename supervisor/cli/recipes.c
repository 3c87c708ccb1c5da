#include "supervisor/cli/recipes.h"

#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/keylist.h"
#include "supervisor/cli/session.h"
#include "supervisor/cli/submit.h"
#include "supervisor/cli/table.h"
#include "supervisor/recipe/listing.h"
#include "supervisor/recipe/pages.h"
#include "supervisor/recipe/recipe.h"
#include "supervisor/recipe/suggest.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUT_MAX = 4 * 1024 * 1024,
	OWN_MAX = 1000
};
enum {
	KEY_KEYS = 'k',
	KEY_SCHEMA = 256,
	KEY_REFERENCE = 257,
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_KEYS, "keys", NULL, "what a recipe's file may contain, key by key" },
	{ KEY_REFERENCE, "reference", NULL, "the same as a page to read, in Markdown" },
	{ KEY_SCHEMA, "schema", NULL, "the same as a JSON Schema, for editors" },
	{ KEY_JSON, "json", NULL, "as JSON: an array, or the one named" },
	{ 0, NULL, NULL, NULL },
};

/* ---- the user's own, in the same form as the service's --------------------------------- */

struct own {
	struct buf items;
	uint32_t n;
};

static void
pack_own(struct own *own, const char *name, const char *path, const struct recipe *recipe)
{
	msgpack_packer packer;

	buf_packer(&own->items, &packer);
	recipe_pack(&packer, recipe, name, path, false);
	own->n++;
}

static void
add_own(struct own *own, const char *name)
{
	struct submission file = { .fd = -1 };
	char *path = submission_own_recipe(name);
	struct recipe_error error;
	struct recipe *recipe;

	if (path && submission_read(&file, path) == 0) {
		if (recipe_parse(file.name, file.text, strlen(file.text), &recipe, &error) == 0) {
			pack_own(own, name, path, recipe);
			recipe_free(recipe);
		} else {
			complain(NULL, "%s", error.message);
		}
	}
	submission_fini(&file);
	free(path);
}

static int
is_recipe(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static void
collect_own(struct own *own)
{
	char *dir = submission_own_recipe("");
	struct dirent **entries = NULL;
	int n = -1;

	if (dir) {
		*strrchr(dir, '/') = '\0';
		n = scandir(dir, &entries, is_recipe, alphasort);
	}
	for (int i = 0; i < n; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - 5] = '\0';
		if (i < OWN_MAX)
			add_own(own, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	free(dir);
}

/* The service's list and the user's own behind it, as one msgpack array. A name that the service
 * has is the service's: one's own never stands in its way. */
int
recipes_collect(struct session *session, struct buf *ret_list)
{
	struct own own = { .n = 0 };
	const msgpack_object *recipes;
	struct client_reply reply;
	struct request request;
	msgpack_packer packer;
	int status;

	session_begin(session, &request, "recipes", 0);
	status = session_ask(session, &request, &reply);
	if (status != 0)
		return status;
	buf_init(&own.items, OUT_MAX);
	collect_own(&own);
	recipes = mp_get(&reply.body, "recipes");
	buf_packer(ret_list, &packer);
	msgpack_pack_array(&packer, doc_count(recipes) + own.n);
	for (size_t i = 0; i < doc_count(recipes); i++)
		msgpack_pack_object(&packer, *doc_at(recipes, i));
	buf_add(ret_list, own.items.data, own.items.len);
	buf_fini(&own.items);
	client_reply_fini(&reply);
	return 0;
}

int
recipes_read_file(const char *path, struct buf *ret_recipe)
{
	struct submission file = { .fd = -1 };
	struct recipe_error error;
	struct recipe *recipe;
	msgpack_packer packer;
	int r = submission_read(&file, path);

	if (r == 0)
		r = recipe_parse(file.name, file.text, strlen(file.text), &recipe, &error);
	if (r == 0) {
		buf_packer(ret_recipe, &packer);
		recipe_pack(&packer, recipe, file.name, path, false);
		recipe_free(recipe);
	}
	submission_fini(&file);
	return r;
}

/* ---- output ----------------------------------------------------------------------- */

static int
put_json(struct buf *out, const msgpack_object *object)
{
	int r = json_write(out, object, JSON_PRETTY);

	text_add(out, "\n");
	return r;
}

static void
put_list(struct buf *out, const struct term *term, const msgpack_object *recipes)
{
	static const struct table_column columns[] = { { "recipe", 0, false, 0 },
		{ "what it does", 0, false, 1 }, { "from", 0, false, 2 } };
	struct table table;

	table_init(&table, term, columns, 3);
	for (size_t i = 0; i < doc_count(recipes); i++) {
		const msgpack_object *recipe = doc_at(recipes, i);
		struct span title = doc_span(recipe, "title");

		table_row(&table);
		table_put(&table, 0, STYLE_BOLD, doc_span(recipe, "name"));
		table_put(
		    &table, 1, STYLE_PLAIN, title.len ? title : doc_span(recipe, "description"));
		table_put(&table, 2, STYLE_DIM, doc_span(recipe, "path"));
	}
	table_draw(&table, out);
	table_fini(&table);
}

static void
put_choices(struct table *table, const msgpack_object *choices)
{
	for (size_t i = 0; i < doc_count(choices); i++) {
		const msgpack_object *choice = doc_at(choices, i);

		table_put(table, 1, STYLE_PLAIN, span_of(i == 0 ? ": " : ", "));
		if (choice->type == MSGPACK_OBJECT_STR)
			table_put(table, 1, STYLE_PLAIN,
			    (struct span){ choice->via.str.ptr, choice->via.str.size });
	}
}

static void
put_params(struct buf *out, const struct term *term, const msgpack_object *params)
{
	static const struct table_column columns[] = { { "parameter", 0, false, 0 },
		{ "type", 40, false, 1 }, { "default", 30, false, 0 }, { "", 0, false, 2 } };
	struct table table;

	table_init(&table, term, columns, 4);
	for (size_t i = 0; i < doc_count(params); i++) {
		const msgpack_object *param = doc_at(params, i);
		bool is_required = mp_bool(mp_get(param, "required"), false);

		table_row(&table);
		table_put(&table, 0, STYLE_BOLD, doc_span(param, "name"));
		table_put(&table, 1, STYLE_PLAIN, doc_span(param, "type"));
		put_choices(&table, mp_get(param, "choices"));
		if (is_required)
			table_put(&table, 2, STYLE_YELLOW, span_of("required"));
		else
			table_put(&table, 2, STYLE_PLAIN, doc_span(param, "default"));
		table_put(&table, 3, STYLE_DIM, doc_span(param, "description"));
	}
	table_draw(&table, out);
	table_fini(&table);
}

static void
put_text(struct buf *out, const struct term *term, enum style style, struct span text)
{
	struct line line;

	if (text.len == 0)
		return;
	line_begin(&line, out, term);
	line_put(&line, style, text);
	line_end(&line);
}

static void
put_one(struct buf *out, const struct term *term, const msgpack_object *recipe)
{
	const msgpack_object *params = mp_get(recipe, "params");
	struct line line;

	put_text(out, term, STYLE_BOLD, doc_span(recipe, "title"));
	put_text(out, term, STYLE_PLAIN, doc_span(recipe, "description"));
	put_text(out, term, STYLE_DIM, doc_span(recipe, "path"));
	text_add(out, "\n");
	if (doc_count(params) > 0)
		put_params(out, term, params);
	line_begin(&line, out, term);
	line_add(&line, STYLE_CYAN, "reeve run ");
	line_put(&line, STYLE_CYAN, doc_span(recipe, "name"));
	for (size_t i = 0; i < doc_count(params); i++) {
		const msgpack_object *param = doc_at(params, i);
		bool is_secret = mp_bool(mp_get(param, "secret"), false);

		if (!mp_bool(mp_get(param, "required"), false))
			continue;
		line_add(&line, STYLE_CYAN, is_secret ? " --secret " : " ");
		line_put(&line, STYLE_CYAN, doc_span(param, "name"));
		line_add(&line, STYLE_CYAN, is_secret ? "" : "=...");
	}
	line_end(&line);
}

static const msgpack_object *
find(const msgpack_object *recipes, const char *name)
{
	for (size_t i = 0; i < doc_count(recipes); i++)
		if (mp_str_is(mp_get(doc_at(recipes, i), "name"), name))
			return doc_at(recipes, i);
	complain("`reeve recipes` lists them.", "there is no recipe \"%s\"", name);
	return NULL;
}

static int
print(const struct cli *cli, const msgpack_object *recipes, const char *name, bool is_json)
{
	const msgpack_object *shown = name ? find(recipes, name) : recipes;
	struct buf out;
	int status;

	if (!shown)
		return EXIT_NOT_FOUND;
	buf_init(&out, OUT_MAX);
	if (is_json)
		put_json(&out, shown);
	else if (name)
		put_one(&out, &cli->out, shown);
	else if (doc_count(recipes) > 0)
		put_list(&out, &cli->out, recipes);
	else
		complain(NULL, "no recipes are installed");
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}

static int
list_recipes(const struct cli *cli, const char *name, bool is_json)
{
	struct session session;
	struct mp_doc doc;
	struct buf list;
	int status = session_open(&session, false);

	if (status != 0)
		return status;
	buf_init(&list, OUT_MAX);
	status = recipes_collect(&session, &list);
	if (status == 0) {
		status = EXIT_FAILED;
		if (!buf_error(&list) && mp_parse(&doc, list.data, list.len, &client_limits) == 0) {
			status = print(cli, &doc.root, name, is_json);
			mp_free(&doc);
		}
	}
	buf_fini(&list);
	session_close(&session);
	return status;
}

static int
print_page(const struct cli *cli, void (*page)(struct buf *out))
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	page(&out);
	status = emit(&cli->out, &out, buf_error(&out) ? EXIT_FAILED : EXIT_OK);
	buf_fini(&out);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct args args;
	bool is_json = false, wants_keys = false;
	void (*page)(struct buf * out) = NULL;
	int key, status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while ((key = args_next(&args)) > 0) {
		is_json = is_json || key == KEY_JSON;
		wants_keys = wants_keys || key == KEY_KEYS;
		page = key == KEY_SCHEMA      ? recipe_schema
		       : key == KEY_REFERENCE ? recipe_reference
					      : page;
	}
	if (args.is_stopped)
		status = args.status;
	else if (page)
		status = args_no_words(&args) == 0 ? print_page(cli, page) : EXIT_USAGE;
	else if (wants_keys)
		status = args_no_words(&args) == 0 ? keylist_print(cli, is_json) : EXIT_USAGE;
	else if (args.nwords + args.nrest > 1)
		status = args_wrong(&args, "one recipe at a time");
	else
		status = list_recipes(cli, args.nwords > 0 ? args.words[0] : NULL, is_json);
	args_fini(&args);
	return status;
}

const struct verb verb_recipes = {
	.name = "recipes",
	.synopsis = "[--json] [RECIPE]\n[--json] --keys\n--reference | --schema",
	.summary = "list the recipes there are, one's parameters, or what a recipe may contain",
	.help = "The service's own, and yours from $XDG_CONFIG_HOME/reeve/recipes.",
	.options = options,
	.examples = "reeve recipes\nreeve recipes try-it\nreeve recipes --keys | less",
	.run = run,
};
