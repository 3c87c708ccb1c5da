#include "supervisor/cli/keylist.h"

#include "ipc/json.h"
#include "supervisor/recipe/keys.h"

#include <string.h>

enum {
	OUT_MAX = 256 * 1024,
	TEXT_COLUMN = 17,
	FILE_COLUMNS = 80 /* for a pipe: whoever reads it has a terminal */
};

/* ---- for people ------------------------------------------------------------------- */

/* Its type, what leaving it out means, an example. */
static void
describe(const struct recipe_key *key, struct buf *out)
{
	text_add(out, "%s", key_type_name(key->type));
	for (size_t i = 0; key->choices && key->choices[i]; i++)
		text_add(out, "%s%s", i == 0 ? ": " : ", ", key->choices[i]);
	if (key->required)
		text_add(out, "; required");
	else if (key->fallback)
		text_add(out, "; else %s", key->fallback);
	text_add(out, "; for example %s: %s", key->name, key->good);
	buf_add(out, "", 1);
}

static void
put_key(struct buf *out, const struct term *term, const struct recipe_key *key)
{
	struct buf about;
	struct line line;

	buf_init(&about, OUT_MAX);
	describe(key, &about);
	line_begin(&line, out, term);
	line_add(&line, STYLE_BOLD, "  %s", key->name);
	line_wrap(&line, STYLE_PLAIN, TEXT_COLUMN, span_of(key->help));
	if (!buf_error(&about))
		line_wrap(&line, STYLE_DIM, TEXT_COLUMN, span_of((const char *)about.data));
	buf_fini(&about);
}

static void
put_text(struct buf *out, const struct term *term)
{
	struct term page = *term;
	size_t n;
	const struct recipe_key *keys = recipe_keys(&n);

	if (page.columns == 0)
		page.columns = FILE_COLUMNS;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || keys[i].place != keys[i - 1].place)
			text_add(
			    out, "%sIn %s:\n", i == 0 ? "" : "\n", key_place_name(keys[i].place));
		put_key(out, &page, &keys[i]);
	}
}

/* ---- for scripts ------------------------------------------------------------------ */

static void
put_member(struct buf *out, const char *key, const char *value)
{
	text_add(out, ",\"%s\":", key);
	if (value)
		json_write_string(out, value, strlen(value));
	else
		text_add(out, "null");
}

static void
put_json_key(struct buf *out, const struct recipe_key *key)
{
	text_add(out, "{\"key\":");
	json_write_string(out, key->name, strlen(key->name));
	put_member(out, "in", key_place_name(key->place));
	put_member(out, "type", key_type_name(key->type));
	text_add(out, ",\"required\":%s,\"choices\":[", key->required ? "true" : "false");
	for (size_t i = 0; key->choices && key->choices[i]; i++) {
		text_add(out, i == 0 ? "" : ",");
		json_write_string(out, key->choices[i], strlen(key->choices[i]));
	}
	text_add(out, "]");
	put_member(out, "default", key->fallback);
	put_member(out, "help", key->help);
	put_member(out, "example", key->good);
	text_add(out, "}");
}

static void
put_json(struct buf *out)
{
	size_t n;
	const struct recipe_key *keys = recipe_keys(&n);

	for (size_t i = 0; i < n; i++) {
		text_add(out, i == 0 ? "[" : ",\n");
		put_json_key(out, &keys[i]);
	}
	text_add(out, "]\n");
}

int
keylist_print(const struct cli *cli, bool is_json)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	if (is_json)
		put_json(&out);
	else
		put_text(&out, &cli->out);
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}
