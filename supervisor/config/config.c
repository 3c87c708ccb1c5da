#include "supervisor/config/config.h"

#include "ipc/clock.h"
#include "supervisor/config/file.h"
#include "supervisor/recipe/node.h"
#include "supervisor/recipe/suggest.h"
#include "supervisor/recipe/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
config_source_name(enum config_source source)
{
	static const char *const names[] = { [CONFIG_FROM_DEFAULT] = "default",
		[CONFIG_FROM_FILE] = "file",
		[CONFIG_FROM_ENV] = "environment",
		[CONFIG_FROM_FLAG] = "flag" };

	return source <= CONFIG_FROM_FLAG ? names[source] : "invalid";
}

size_t
config_key_index(const char *name)
{
	size_t i = 0;

	while (i < CONFIG_KEYS && strcmp(config_keys[i].name, name) != 0)
		i++;
	return i;
}

uint64_t
config_diff(const struct config *a, const struct config *b)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < CONFIG_KEYS; i++)
		if (strcmp(a->origins[i].text, b->origins[i].text) != 0)
			bits |= UINT64_C(1) << i;
	return bits;
}

void
config_fini(struct config *config)
{
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		free(config->origins[i].text);
	free(config->admin_group);
	strs_free(&config->recipes);
	*config = (struct config){ .slots = 0 };
}

/* ---- one value -------------------------------------------------------------------- */

static int
set_number(const struct config_key *key, const char *text, uint64_t *member)
{
	uint64_t number;
	char *end;
	int r = 0;

	if (key->word && strcmp(text, key->word) == 0) {
		*member = key->meaning;
		return 0;
	}
	if (key->type == CONFIG_DURATION)
		r = clock_parse_duration(text, &number);
	else if (key->type == CONFIG_BYTES)
		r = config_parse_bytes(text, &number);
	else {
		errno = 0;
		number = strtoull(text, &end, 10);
		r = *text < '0' || *text > '9' || *end != '\0' || errno != 0 ? -EINVAL : 0;
	}
	if (r < 0 || number < key->min || number > key->max)
		return -EINVAL;
	*member = number;
	return 0;
}

static int
set_choice(const struct config_key *key, const char *text, unsigned *member)
{
	for (unsigned i = 0; key->choices[i]; i++) {
		if (strcmp(key->choices[i], text) != 0)
			continue;
		*member = i + 1;
		return 0;
	}
	return -EINVAL;
}

static int
set_name(const struct config_key *key, const char *text, char **member)
{
	if (*text == '\0' || strlen(text) > key->max || strpbrk(text, " \t:,") ||
	    !value_is_line(text))
		return -EINVAL;
	return str_set(member, text);
}

/* Joined by colons, as in the environment. */
static int
set_paths(const struct config_key *key, const char *text, struct strs *member)
{
	int r = 0;

	strs_free(member);
	if (strcmp(text, key->word) == 0)
		return 0;
	while (r == 0 && *text) {
		size_t len = strcspn(text, ":");
		char *path = strndup(text, len);

		if (!path)
			return -ENOMEM;
		r = value_is_path(path) && member->n < key->max ? strs_add(member, path) : -EINVAL;
		free(path);
		text += len + (text[len] == ':');
	}
	return r;
}

/* 0, -EINVAL when TEXT is no value of KEY, -ENOMEM. */
static int
set_value(struct config *config, const struct config_key *key, const char *text)
{
	void *member = (char *)config + key->offset;

	switch (key->type) {
	case CONFIG_COUNT:
	case CONFIG_DURATION:
	case CONFIG_BYTES:
		return set_number(key, text, member);
	case CONFIG_CHOICE:
		return set_choice(key, text, member);
	case CONFIG_NAME:
		return set_name(key, text, member);
	case CONFIG_PATHS:
		return set_paths(key, text, member);
	}
	return -EINVAL;
}

/* "takes a whole number, 0 to 10000, or auto" */
static const char *
say_what_it_takes(const struct config_key *key, char text[static 256])
{
	char range[CONFIG_RANGE_TEXT];

	snprintf(text, 256, "takes %s%s %s", config_type_name(key->type),
	    key->type == CONFIG_CHOICE ? "" : ";", config_range(key, range));
	return text;
}

static int
take(struct config *config, size_t i, const char *text, struct config_origin origin)
{
	int r = set_value(config, &config_keys[i], text);

	if (r < 0)
		return r;
	origin.text = strdup(text);
	if (!origin.text)
		return -ENOMEM;
	free(config->origins[i].text);
	config->origins[i] = origin;
	return 0;
}

/* ---- the file ---------------------------------------------------------------------- */

static int
refuse_unknown(const struct source *source, const struct node *node)
{
	char near[SUGGEST_TEXT], quoted[QUOTE_TEXT];
	struct suggest suggest;

	suggest_init(&suggest, node->key);
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		suggest_offer(&suggest, config_keys[i].name);
	return node_fail_key(source, node, "unknown key %s%s", quote(node->key, quoted),
	    suggest_text(&suggest, near));
}

/* A list's texts joined by colons: *ret_text owned. -EINVAL when NODE is no such thing. */
static int
flatten(const struct node *node, char **ret_text)
{
	char *whole = NULL;
	size_t len;
	FILE *out;
	int r = 0;

	if (node->kind == NODE_TEXT) {
		*ret_text = strdup(node->text);
		return *ret_text ? 0 : -ENOMEM;
	}
	out = open_memstream(&whole, &len);
	if (!out)
		return -ENOMEM;
	for (const struct node *item = node->first; item; item = item->next) {
		if (item->kind != NODE_TEXT || strchr(item->text, ':') || *item->text == '\0')
			r = -EINVAL;
		else
			fprintf(out, "%s%s", item == node->first ? "" : ":", item->text);
	}
	if (fclose(out) != 0)
		r = -ENOMEM;
	if (r < 0 || len == 0) {
		free(whole);
		return r < 0 ? r : -EINVAL;
	}
	*ret_text = whole;
	return 0;
}

static int
take_node(struct config *config, const struct source *source, const struct node *node)
{
	size_t i = config_key_index(node->key);
	struct config_origin origin = { .source = CONFIG_FROM_FILE, .line = node->key_at.line };
	char what[256], *text = NULL;
	int r;

	if (i == CONFIG_KEYS)
		return refuse_unknown(source, node);
	r = node->kind == NODE_TEXT ||
		    (node->kind == NODE_LIST && config_keys[i].type == CONFIG_PATHS)
		? flatten(node, &text)
		: -EINVAL;
	if (r == 0)
		r = take(config, i, text, origin);
	free(text);
	return r == -EINVAL ? node_fail(source, node, "%s %s", node->key,
				  say_what_it_takes(&config_keys[i], what))
			    : r;
}

static int
take_file(struct config *config, const char *name, const char *text, struct recipe_error *error)
{
	struct source source = { .name = name, .error = error, .noun = "configuration" };
	struct node *root = NULL;
	int r = node_parse(&source, text, strlen(text), &root);

	for (const struct node *node = root ? root->first : NULL; r == 0 && node; node = node->next)
		r = take_node(config, &source, node);
	node_free(root);
	return r;
}

/* ---- the layers -------------------------------------------------------------------- */

static int
take_outer(struct config *config, size_t i, const char *text, enum config_source from,
    struct recipe_error *error)
{
	const struct config_key *key = &config_keys[i];
	const struct source source = { .error = error };
	char what[256], quoted[QUOTE_TEXT];
	int r = take(config, i, text, (struct config_origin){ .source = from });

	if (r != -EINVAL)
		return r;
	return error_set(&source, (struct mark){ 0, 0 }, key->name, "%s %s, not %s",
	    from == CONFIG_FROM_FLAG ? key->flag : key->env, say_what_it_takes(key, what),
	    quote(text, quoted));
}

void
config_layers_take_env(struct config_layers *layers)
{
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		const char *value = getenv(config_keys[i].env);

		layers->env[i] = value && *value ? value : NULL;
	}
}

static int
take_layers(struct config *config, const struct config_layers *layers, const char *text,
    struct recipe_error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < CONFIG_KEYS; i++)
		r = take(config, i, config_keys[i].fallback, (struct config_origin){ .line = 0 });
	if (r == 0)
		r = take_file(config, layers->file ? layers->file : "", text, error);
	for (size_t i = 0; r == 0 && i < CONFIG_KEYS; i++) {
		if (layers->env[i])
			r = take_outer(config, i, layers->env[i], CONFIG_FROM_ENV, error);
		if (r == 0 && layers->flags[i])
			r = take_outer(config, i, layers->flags[i], CONFIG_FROM_FLAG, error);
	}
	return r;
}

int
config_load(struct config *ret_config, const struct config_layers *layers, char **ret_text,
    struct recipe_error *ret_error)
{
	struct config config = { .slots = 0 };
	char *text = NULL;
	int r = config_file_read(layers, &text, ret_error);

	if (r == 0)
		r = take_layers(&config, layers, text, ret_error);
	if (r < 0) {
		config_fini(&config);
		free(text);
		return r;
	}
	*ret_config = config;
	if (ret_text)
		*ret_text = text;
	else
		free(text);
	return 0;
}
