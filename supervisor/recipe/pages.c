#include "supervisor/recipe/pages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/json.h"
#include "supervisor/recipe/keys.h"

static void __attribute__((format(printf, 2, 3))) put(struct buf *out, const char *format, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return;
	buf_add(out, text, (size_t)n);
	free(text);
}

static void
put_text(struct buf *out, const char *text)
{
	json_write_string(out, text, strlen(text));
}

/* ---- the schema --------------------------------------------------------------------- */

/* Names of the maps in $defs. */
static const char *const defs[PLACE_MAX + 1] = {
	[PLACE_TOP] = "recipe",
	[PLACE_PARAM] = "param",
	[PLACE_STEP] = "step",
	[PLACE_PULL] = "pull",
	[PLACE_RETRY] = "retry",
	[PLACE_COMMAND] = "command",
	[PLACE_PROGRESS] = "progress",
	[PLACE_CONFIRM] = "confirm",
	[PLACE_FIELD] = "field",
};

/* What YAML takes for a number or a truth is a text to us. */
#define ANY_TEXT     "\"type\": [\"string\", \"number\", \"boolean\"]"
#define NAME_PATTERN "\"pattern\": \"^[a-z0-9][a-z0-9_-]*$\""
#define REF(def)     "\"$ref\": \"#/$defs/" def "\""

static void
put_choices(struct buf *out, const struct recipe_key *key)
{
	put(out, "\"enum\": [");
	for (size_t i = 0; key->choices[i]; i++) {
		put(out, "%s", i == 0 ? "" : ", ");
		put_text(out, key->choices[i]);
	}
	put(out, "]");
}

/* Maps of maps: parameters, fields. */
static void
put_named(struct buf *out, const char *def)
{
	put(out,
	    "\"type\": \"object\", \"propertyNames\": {" NAME_PATTERN
	    "}, \"additionalProperties\": {\"$ref\": \"#/$defs/%s\"}",
	    def);
}

static void
put_list(struct buf *out, const struct recipe_key *key, const char *item)
{
	put(out, "\"type\": \"array\", \"minItems\": 1, \"maxItems\": %llu, \"items\": {%s}",
	    (unsigned long long)key->max, item);
}

static void
put_scalar(struct buf *out, const struct recipe_key *key)
{
	switch ((int)key->type) {
	case KEY_NAME:
		put(out, "\"type\": [\"string\", \"integer\"], " NAME_PATTERN);
		break;
	case KEY_BOOL:
		put(out, "\"type\": \"boolean\"");
		break;
	case KEY_COUNT:
		put(out, "\"type\": \"integer\", \"minimum\": %llu, \"maximum\": %llu",
		    (unsigned long long)key->min, (unsigned long long)key->max);
		break;
	case KEY_NUMBER:
		put(out, "\"type\": \"number\", \"exclusiveMinimum\": 0, \"maximum\": %llu",
		    (unsigned long long)key->max);
		break;
	case KEY_DURATION:
		put(out, "\"type\": \"string\", \"pattern\": \"^[0-9]+(ms|s|m|h|d)$\"");
		break;
	case KEY_CHOICE:
	case KEY_WORD:
		put_choices(out, key);
		break;
	default:
		put(out, ANY_TEXT);
		break;
	}
}

/* What the value of KEY must look like, without the braces. */
static void
put_shape(struct buf *out, const struct recipe_key *key)
{
	switch ((int)key->type) {
	case KEY_TEXTS:
	case KEY_ARGV:
		put_list(out, key, ANY_TEXT);
		break;
	case KEY_NAMES:
		put_list(out, key, "\"type\": [\"string\", \"integer\"], " NAME_PATTERN);
		break;
	case KEY_ENV:
		put(out, "\"type\": \"object\", \"propertyNames\": {\"pattern\": "
			 "\"^[A-Za-z_][A-Za-z0-9_]*$\"}, \"additionalProperties\": {" ANY_TEXT "}");
		break;
	case KEY_MAP:
		put(out, "\"$ref\": \"#/$defs/%s\"", defs[key->inside]);
		break;
	case KEY_COMMAND:
		put(out,
		    "\"anyOf\": [{" REF(
			"command") "}, {" ANY_TEXT
				   "}, {\"type\": \"array\", \"minItems\": 1, \"items\": {" ANY_TEXT
				   "}}]");
		break;
	case KEY_PARAMS:
		put_named(out, defs[PLACE_PARAM]);
		break;
	case KEY_FIELDS:
		put_named(out, defs[PLACE_FIELD]);
		break;
	case KEY_STEPS:
		put_list(out, key, REF("step"));
		break;
	case KEY_DEDUPE:
		put(out,
		    "\"anyOf\": [{\"const\": \"none\"}, {\"type\": \"array\", \"items\": {" ANY_TEXT
		    "}}]");
		break;
	case KEY_PROGRESS:
		put(out, "\"anyOf\": [{" REF("progress") "}, {");
		put_choices(out, key);
		put(out, "}]");
		break;
	default:
		put_scalar(out, key);
		break;
	}
}

/* Which of several keys a map of PLACE needs one of. */
static void
put_alternatives(struct buf *out, enum key_place place)
{
	const char *const *words = recipe_key_alternatives(place);

	for (size_t i = 0; words && words[i]; i++)
		put(out, "%s{\"required\": [\"%s\"]}", i == 0 ? ",\n   \"oneOf\": [" : ", ",
		    words[i]);
	put(out, "%s", words ? "]" : "");
}

static void
put_property(struct buf *out, const struct recipe_key *key)
{
	put(out, "    ");
	put_text(out, key->name);
	put(out, ": {");
	put_shape(out, key);
	put(out, ",\n     \"description\": ");
	put_text(out, key->help);
	put(out, "}");
}

static void
put_place(struct buf *out, enum key_place place)
{
	size_t count, n = 0;
	const struct recipe_key *keys = recipe_keys(&count);

	put(out, "  \"%s\": {\n   \"type\": \"object\",\n   \"additionalProperties\": false",
	    defs[place]);
	for (size_t i = 0; i < count; i++)
		if (keys[i].place == place && keys[i].required)
			put(out, "%s\"%s\"", n++ == 0 ? ",\n   \"required\": [" : ", ",
			    keys[i].name);
	put(out, "%s", n > 0 ? "]" : "");
	put_alternatives(out, place);
	n = 0;
	for (size_t i = 0; i < count; i++) {
		if (keys[i].place != place)
			continue;
		put(out, n++ == 0 ? ",\n   \"properties\": {\n" : ",\n");
		put_property(out, &keys[i]);
	}
	put(out, "\n   }\n  }%s\n", place == PLACE_MAX ? "" : ",");
}

void
recipe_schema(struct buf *out)
{
	put(out, "{\n \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
		 " \"title\": \"A recipe of reeve\",\n \"$ref\": \"#/$defs/recipe\",\n"
		 " \"$defs\": {\n");
	for (int place = 1; place <= PLACE_MAX; place++)
		put_place(out, (enum key_place)place);
	put(out, " }\n}\n");
}

/* ---- the reference -------------------------------------------------------------------- */

/* What ${} means in it. */
static const char *
describe_refs(enum key_refs refs)
{
	switch (refs) {
	case REFS_PARAMS:
		return " May hold `${parameter}`.";
	case REFS_ALL:
		return " May hold `${parameter}` and `${steps.STEP.OUTPUT}`.";
	case REFS_NONE:
	case REFS_SHELL:
		break;
	}
	return "";
}

static void
put_entry(struct buf *out, const struct recipe_key *key)
{
	put(out, "\n### `%s`\n\n%s%s\n\n", key->name, key->help, describe_refs(key->refs));
	put(out, "It is %s", key_type_name(key->type));
	for (size_t i = 0; key->choices && key->choices[i]; i++)
		put(out, "%s`%s`", i == 0 ? ": " : ", ", key->choices[i]);
	if (key->required)
		put(out, "; it must be there");
	else if (key->fallback)
		put(out, "; without it: %s", key->fallback);
	put(out, ".\n\n```yaml\n%s: %s\n```\n", key->name, key->good);
}

void
recipe_reference(struct buf *out)
{
	size_t count;
	const struct recipe_key *keys = recipe_keys(&count);

	put(out,
	    "# Recipes\n\n"
	    "A recipe is a YAML file that names a kind of work: its parameters and its steps. "
	    "`reeve new NAME` writes one to begin with, `reeve check FILE` tells what is wrong with "
	    "it and what it would do, `reeve run --plan FILE` what of that is there already, and "
	    "`reeve run FILE name=value` runs it. [recipe.schema.json](recipe.schema.json) makes an "
	    "editor complete and check recipes: with the line "
	    "`# yaml-language-server: $schema=recipe.schema.json` in many of them.\n\n"
	    "`${name}` and `${steps.STEP.OUTPUT}` are filled in inside one argument, value or field "
	    "and never across arguments; `$${` is a plain `${`. Nothing is pasted into the text of "
	    "`sh`: there, parameter `server-id` is `$PARAM_SERVER_ID`, and output `url` of step "
	    "`find` is `$OUT_FIND_URL`.\n");
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || keys[i].place != keys[i - 1].place)
			put(out, "\n## In %s\n", key_place_name(keys[i].place));
		put_entry(out, &keys[i]);
	}
	put(out, "\nThis page is made from the table of keys: `reeve recipes --reference`.\n");
}

/* ---- one to begin with ------------------------------------------------------------------ */

enum {
	COLUMNS = 78
};

/* TEXT by whole words, each line behind INDENT and `# `. */
static void
put_comment(struct buf *out, int indent, const char *text)
{
	size_t room = COLUMNS - (size_t)indent;

	while (*text) {
		size_t len = strlen(text), end = len;

		if (len > room)
			for (end = room; end > 0 && text[end] != ' ';)
				end--;
		end = end > 0 ? end : len;
		put(out, "%*s# %.*s\n", indent, "", (int)end, text);
		text += end;
		text += strspn(text, " ");
	}
}

/* The keys of PLACE but for those that stand there already, as they would be written. */
static void
put_others(struct buf *out, enum key_place place, int indent, const char *there)
{
	size_t count;
	const struct recipe_key *keys = recipe_keys(&count);
	char word[64];

	for (size_t i = 0; i < count; i++) {
		snprintf(word, sizeof word, " %s ", keys[i].name);
		if (keys[i].place != place || strstr(there, word))
			continue;
		put_comment(out, indent, keys[i].help);
		put(out, "%*s#%s: %s\n", indent, "", keys[i].name, keys[i].good);
	}
}

void
recipe_start(struct buf *out, const char *name)
{
	put_comment(out, 0,
	    "A recipe: what it needs to know, and the steps that do it, in order. Every "
	    "other key stands here in comments with an example.");
	put_comment(out, 0,
	    "`reeve check` tells what is wrong with it, `reeve run --plan` what it "
	    "would do.");
	put(out, "name: %s\ntitle: 'Say hello to ${who}'\n\n", name);
	put_others(out, PLACE_TOP, 0, " name title params steps ");
	put(out, "\nparams:\n  who:\n    default: world\n    description: Whom to greet.\n");
	put_others(out, PLACE_PARAM, 4, " default description ");
	put(out, "\nsteps:\n  - name: hello\n    run: [echo, 'Hello, ${who}!']\n");
	put_others(out, PLACE_STEP, 4, " name run ");
}
