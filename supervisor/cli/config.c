/* config: what the service is set to; checks a file; has it read again. */
#include "supervisor/config/config.h"
#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/session.h"
#include "supervisor/cli/table.h"
#include "supervisor/config/file.h"
#include "supervisor/config/page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUT_MAX = 256 * 1024
};
enum {
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_JSON, "json", NULL, "as JSON" },
	{ 0, NULL, NULL, NULL },
};

/* ---- what is in force ------------------------------------------------------------- */

enum {
	COLUMN_KEY,
	COLUMN_VALUE,
	COLUMN_FROM,
	COLUMN_NOTE,
	COLUMNS
};

static const struct table_column columns[COLUMNS] = {
	[COLUMN_KEY] = { .title = "KEY" },
	[COLUMN_VALUE] = { .title = "VALUE", .max_columns = 40 },
	[COLUMN_FROM] = { .title = "FROM" },
	[COLUMN_NOTE] = { .title = "NOTE", .rank = 1 },
};

static void
put_key(struct table *table, const msgpack_object *key)
{
	bool is_default = mp_str_is(mp_get(key, "from"), "default");
	struct span from = doc_span(key, "from"), waiting = doc_span(key, "waiting");
	uint64_t line = doc_uint(key, "line");

	table_row(table);
	table_put(table, COLUMN_KEY, STYLE_BOLD, doc_span(key, "key"));
	table_put(
	    table, COLUMN_VALUE, is_default ? STYLE_DIM : STYLE_PLAIN, doc_span(key, "value"));
	if (line > 0)
		table_add(table, COLUMN_FROM, STYLE_PLAIN, "line %llu", (unsigned long long)line);
	else
		table_put(table, COLUMN_FROM, is_default ? STYLE_DIM : STYLE_PLAIN, from);
	if (waiting.len > 0)
		table_add(table, COLUMN_NOTE, STYLE_YELLOW, "%.*s after a restart",
		    (int)(waiting.len < 256 ? waiting.len : 256), waiting.text);
}

static void
put_field(
    struct buf *out, const struct term *term, const char *name, enum style style, struct span text)
{
	struct line line;

	if (text.len == 0)
		return;
	line_begin(&line, out, term);
	line_add(&line, STYLE_DIM, "%-8s", name);
	line_put(&line, style, text);
	line_end(&line);
}

static int
print_values(const struct cli *cli, const msgpack_object *config)
{
	const msgpack_object *keys = mp_get(config, "keys");
	struct table table;
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	put_field(&out, &cli->out, "file", STYLE_PLAIN, doc_span(config, "file"));
	put_field(&out, &cli->out, "problem", STYLE_RED, doc_span(config, "problem"));
	put_field(&out, &cli->out, "state", STYLE_PLAIN, doc_span(config, "state_dir"));
	put_field(&out, &cli->out, "run", STYLE_PLAIN, doc_span(config, "run_dir"));
	text_add(&out, "\n");
	table_init(&table, &cli->out, columns, COLUMNS);
	for (size_t i = 0; i < doc_count(keys); i++)
		put_key(&table, doc_at(keys, i));
	if (table_draw(&table, &out) < 0)
		complain(NULL, "out of memory");
	table_fini(&table);
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}

static int
print_json(const struct cli *cli, const msgpack_object *result)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	json_write(&out, result, JSON_PRETTY);
	text_add(&out, "\n");
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}

/* "slots, grace" */
static void
put_names(struct buf *out, const char *before, const msgpack_object *names, const char *after)
{
	if (doc_count(names) == 0)
		return;
	text_add(out, "%s", before);
	for (size_t i = 0; i < doc_count(names); i++) {
		const msgpack_object *name = doc_at(names, i);

		text_add(out, "%s", i > 0 ? ", " : "");
		if (name->type == MSGPACK_OBJECT_STR)
			text_clean(out,
			    (struct span){ .text = name->via.str.ptr, .len = name->via.str.size },
			    TEXT_FIELD);
	}
	text_add(out, "%s\n", after);
}

static int
print_reloaded(const struct cli *cli, const msgpack_object *result)
{
	const msgpack_object *changed = mp_get(result, "changed");
	const msgpack_object *waiting = mp_get(result, "waiting");
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	if (doc_count(changed) == 0)
		text_add(&out, "read again; nothing has changed\n");
	put_names(&out, "changed: ", changed, "");
	put_names(&out, "not before a restart of the service: ", waiting, "");
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}

static int
ask(const struct cli *cli, const char *method, bool is_json,
    int (*print)(const struct cli *cli, const msgpack_object *result))
{
	struct client_reply reply;
	struct session session;
	struct request request;
	int status = session_open(&session, false);

	if (status != 0)
		return status;
	session_begin(&session, &request, method, 0);
	status = session_ask(&session, &request, &reply);
	if (status == 0) {
		status = is_json ? print_json(cli, &reply.body) : print(cli, &reply.body);
		client_reply_fini(&reply);
	}
	session_close(&session);
	return status;
}

/* ---- a file ------------------------------------------------------------------------ */

static void
put_error(struct buf *out, const struct recipe_error *error)
{
	text_add(out, "{\"line\":%u,\"column\":%u,\"field\":", error->line, error->column);
	json_write_string(out, error->field, strlen(error->field));
	text_add(out, ",\"message\":");
	json_write_string(out, error->message, strlen(error->message));
	text_add(out, "}");
}

/* What the file itself says, whatever is in this shell's environment. */
static int
check_file(const struct cli *cli, const char *path, bool is_named, bool is_json)
{
	const struct config_layers layers = {
		.file = path, .file_is_named = is_named, .file_is_trusted = true
	};
	struct recipe_error error;
	struct config config;
	struct buf out;
	int r = config_load(&config, &layers, NULL, &error), status;

	if (r == -ENOMEM) {
		complain(NULL, "out of memory");
		return EXIT_FAILED;
	}
	buf_init(&out, OUT_MAX);
	if (is_json) {
		text_add(&out, "{\"valid\":%s,\"error\":", r == 0 ? "true" : "false");
		if (r == 0)
			text_add(&out, "null");
		else
			put_error(&out, &error);
		text_add(&out, "}\n");
	} else if (r == 0) {
		text_clean(&out, span_of(path), TEXT_FIELD);
		text_add(&out, " is sound\n");
	} else {
		complain(NULL, "%s", error.message);
	}
	status = emit(&cli->out, &out, r == 0 ? EXIT_OK : EXIT_FAILED);
	buf_fini(&out);
	if (r == 0)
		config_fini(&config);
	return status;
}

static int
check(const struct cli *cli, const char *path, bool is_json)
{
	bool is_named = path != NULL;
	char *usual = path ? NULL : config_file_path(&is_named);
	int status = EXIT_FAILED;

	if (path || usual)
		status = check_file(cli, path ? path : usual, is_named, is_json);
	else
		complain(NULL, "out of memory");
	free(usual);
	return status;
}

static int
print_page(const struct cli *cli, void (*write_page)(struct buf *out))
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	write_page(&out);
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}

/* ---- the verb ---------------------------------------------------------------------- */

static int
act(const struct args *args, const struct cli *cli, bool is_json)
{
	const char *what = args->nwords > 0 ? args->words[0] : "";
	bool is_check = strcmp(what, "check") == 0;

	if (args->nrest > 0 || args->nwords > (is_check ? 2u : 1u))
		return args_wrong(args, "too many words");
	if (is_check)
		return check(cli, args->nwords > 1 ? args->words[1] : NULL, is_json);
	if (strcmp(what, "reload") == 0)
		return ask(cli, "reload", is_json, print_reloaded);
	if (strcmp(what, "reference") == 0)
		return print_page(cli, config_page);
	if (strcmp(what, "default") == 0)
		return print_page(cli, config_default_file);
	if (*what)
		return args_wrong(
		    args, "\"%s\" is none of check, reload, reference and default", what);
	return ask(cli, "config", is_json, print_values);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct args args;
	bool is_json = false;
	int status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while (args_next(&args) > 0)
		is_json = true;
	status = args.is_stopped ? args.status : act(&args, cli, is_json);
	args_fini(&args);
	return status;
}

const struct verb verb_config = {
	.name = "config",
	.synopsis = "[--json]\n[--json] check [FILE]\n[--json] reload\nreference\ndefault",
	.summary = "show the service's settings, check a file of them, have it read again",
	.help =
	    "Alone: every setting that is in force and where it comes from. check reads FILE, or the\n"
	    "usual one, as the service would, and needs none. reload makes the service take up what\n"
	    "was changed; when anything in the file is wrong nothing changes, and what is wrong is\n"
	    "said. reference prints every key there is, default a file with all of them commented\n"
	    "out.",
	.options = options,
	.examples = "reeve config\nreeve config check /etc/reeve/reeve.yaml\nreeve config reload\n"
		    "reeve config default >~/.config/reeve/reeve.yaml",
	.run = run,
};
