/* tests/unit/recipe_examples.h - a recipe around one key's example. */
#ifndef TESTS_UNIT_RECIPE_EXAMPLES_H
#define TESTS_UNIT_RECIPE_EXAMPLES_H

#include <stdio.h>

#include "supervisor/recipe/keys.h"
#include "tests/unit/recipe_kit.h"

static inline bool
kit_is_key(const struct recipe_key *key, enum key_place place, const char *name)
{
	return key->place == place && strcmp(key->name, name) == 0;
}

/* `, NAME: REST` inside a flow map, unless KEY is that one and is written by itself. */
static inline const char *
kit_unless(const struct recipe_key *key, const char *name, const char *text)
{
	return strcmp(key->name, name) == 0 ? "" : text;
}

/* A sound recipe but for KEY, which stands where it belongs and has VALUE. */
static inline void
kit_write_recipe(const struct recipe_key *key, const char *value, char *text, size_t size)
{
	char param[2048] = "default: x", step[4096] = "name: two, sh: x", top[2048] = "";
	const char *name = key->name;

	if (key->place == PLACE_TOP)
		snprintf(top, sizeof top, "%s: %s\n", name, value);
	if (key->place == PLACE_PARAM)
		snprintf(param, sizeof param, "%s: %s", name, value);
	if (key->place == PLACE_STEP)
		snprintf(step, sizeof step, "%s%s%s: %s", kit_unless(key, "name", "name: two, "),
		    strstr("run sh pull confirm", name) ? "" : "sh: x, ", name, value);
	if (key->place == PLACE_PULL)
		snprintf(step, sizeof step, "name: two, pull: {%s%s%s: %s}",
		    kit_unless(key, "url", "url: 'http://x/', "), kit_unless(key, "to", "to: x, "),
		    name, value);
	if (key->place == PLACE_RETRY)
		snprintf(step, sizeof step, "name: two, sh: x, retry: {%s%s: %s}",
		    kit_unless(key, "attempts", "attempts: 2, "), name, value);
	if (key->place == PLACE_COMMAND)
		snprintf(step, sizeof step, "name: two, sh: x, undo: {%s%s: %s}",
		    strstr("run sh", name) ? "" : "sh: x, ", name, value);
	if (key->place == PLACE_PROGRESS)
		snprintf(step, sizeof step, "name: two, sh: x, progress: {%s%s%s: %s}",
		    kit_unless(key, "file", "file: x, "), kit_unless(key, "size", "size: 1, "),
		    name, value);
	if (key->place == PLACE_CONFIRM)
		snprintf(step, sizeof step, "name: two, confirm: {%s%s%s%s: %s}",
		    kit_unless(key, "text", "text: x, "),
		    strcmp(name, "default") == 0 ? "after: 1h, " : "",
		    strcmp(name, "after") == 0 ? "default: no, " : "", name, value);
	if (key->place == PLACE_FIELD)
		snprintf(step, sizeof step,
		    "name: two, confirm: {text: x, fields: {why: {%s%s: %s}}}",
		    strcmp(name, "choices") == 0 ? "type: choice, " : "", name, value);
	snprintf(text, size, "%s", top);
	if (!kit_is_key(key, PLACE_TOP, "params"))
		snprintf(
		    text + strlen(text), size - strlen(text), "params: {model: {%s}}\n", param);
	if (!kit_is_key(key, PLACE_TOP, "steps"))
		snprintf(text + strlen(text), size - strlen(text),
		    "steps: [{name: find, sh: x, outputs: [url]}, {%s}]\n", step);
}

#endif
