#include "supervisor/recipe/leaf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/clock.h"
#include "ipc/codec.h"
#include "supervisor/recipe/value.h"

static const char *
kind_name(const struct node *node)
{
	static const char *const names[] = { "", "a text", "a list", "a map" };

	return names[node->kind];
}

int
leaf_want(const struct source *source, const struct recipe_key *key, const struct node *node,
    enum node_kind kind)
{
	if (node->kind == kind)
		return 0;
	if (node->kind == NODE_TEXT && node->plain && node->text[0] == '\0')
		return node_fail(source, node, "\"%s\" has no value: it takes %s", key->name,
		    key_type_name(key->type));
	return node_fail(source, node, "\"%s\" takes %s, not %s", key->name,
	    key_type_name(key->type), kind_name(node));
}

/* A text: a value of its own, or an item of a list or map of texts. */
static int
want_text(const struct source *source, const struct recipe_key *key, const struct node *node)
{
	bool is_item = node->parent->kind == NODE_LIST || strcmp(node->key, key->name) != 0;

	if (node->kind != NODE_TEXT && is_item)
		return node_fail(source, node,
		    "\"%s\" takes texts; this is %s (quote a text that looks "
		    "like one)",
		    key->name, kind_name(node));
	if (node->kind != NODE_TEXT)
		return leaf_want(source, key, node, NODE_TEXT);
	if (!node->plain || node->text[0] != '\0')
		return 0;
	if (is_item)
		return node_fail(source, node,
		    "\"%s\": there is no text here (\"\" is an empty one)", key->name);
	return node_fail(source, node, "\"%s\" has no value", key->name);
}

static int
read_text(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	const char *problem;
	int r;

	r = want_text(source, key, node);
	if (r < 0)
		return r;
	problem = value_problem(key, node->text);
	if (problem)
		return node_fail(source, node, "\"%s\" %s", key->name, problem);
	return str_set(member, node->text);
}

static int
read_bool(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	char quoted[QUOTE_TEXT];
	int r;

	r = want_text(source, key, node);
	if (r < 0)
		return r;
	if (!value_is_bool(node->text))
		return node_fail(source, node, "\"%s\" takes true or false, not %s", key->name,
		    quote(node->text, quoted));
	*(bool *)member = strcmp(node->text, "true") == 0;
	return 0;
}

static int
read_count(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	char quoted[QUOTE_TEXT];
	uint64_t number = 0;
	int r;

	r = want_text(source, key, node);
	if (r < 0)
		return r;
	if (value_is_bytes(node->text))
		number = strtoull(node->text, NULL, 10);
	if (number < key->min || number > key->max)
		return node_fail(source, node,
		    "\"%s\" takes a whole number from %llu to %llu, not %s", key->name,
		    (unsigned long long)key->min, (unsigned long long)key->max,
		    quote(node->text, quoted));
	*(uint64_t *)member = number;
	return 0;
}

static int
read_number(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	char quoted[QUOTE_TEXT], *end = NULL;
	double number = 0;
	int r;

	r = want_text(source, key, node);
	if (r < 0)
		return r;
	if (strspn(node->text, "0123456789.") == strlen(node->text))
		number = strtod(node->text, &end);
	if (!end || *end != '\0' || !(number > 0) || number > (double)key->max)
		return node_fail(source, node,
		    "\"%s\" takes a number above 0 and up to %llu, not %s", key->name,
		    (unsigned long long)key->max, quote(node->text, quoted));
	*(double *)member = number;
	return 0;
}

static int
read_duration(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	char quoted[QUOTE_TEXT], limit[CLOCK_TEXT];
	uint64_t ms = 0;
	int r;

	r = want_text(source, key, node);
	if (r < 0)
		return r;
	if (clock_parse_duration(node->text, &ms) < 0)
		return node_fail(source, node, "\"%s\" takes %s, not %s", key->name,
		    key_type_name(key->type), quote(node->text, quoted));
	if (ms < key->min || ms > key->max)
		return node_fail(source, node, "\"%s\" must be above 0 and at most %s", key->name,
		    clock_format_duration(key->max, limit));
	*(uint64_t *)member = ms;
	return 0;
}

/* "now, after or never" */
static void
list_words(const char *const *words, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; words[i] && used < size; i++) {
		const char *before = i == 0 ? "" : words[i + 1] ? ", " : " or ";

		used += (size_t)snprintf(text + used, size - used, "%s%s", before, words[i]);
	}
}

static int
read_choice(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	char quoted[QUOTE_TEXT], words[128];
	int r;

	r = want_text(source, key, node);
	if (r < 0)
		return r;
	for (int i = 0; key->choices[i]; i++) {
		if (strcmp(key->choices[i], node->text) == 0) {
			*(int *)member = i + 1;
			return 0;
		}
	}
	list_words(key->choices, words, sizeof words);
	return node_fail(
	    source, node, "\"%s\" takes %s, not %s", key->name, words, quote(node->text, quoted));
}

static int
read_word(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	int choice = 0, r = read_choice(source, key, node, &choice);

	return r < 0 ? r : str_set(member, node->text);
}

int
leaf_want_items(const struct source *source, const struct recipe_key *key, const struct node *node,
    enum node_kind kind, size_t min)
{
	int r;

	r = leaf_want(source, key, node, kind);
	if (r < 0)
		return r;
	if (node->count < min)
		return node_fail(source, node, "\"%s\" is empty", key->name);
	if (node->count > key->max)
		return node_fail(source, node, "\"%s\" has more than %llu entries", key->name,
		    (unsigned long long)key->max);
	return 0;
}

static int
read_texts(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	struct strs *strs = member;
	int r;

	r = leaf_want_items(source, key, node, NODE_LIST, 1);
	for (const struct node *item = node->first; r == 0 && item; item = item->next) {
		r = want_text(source, key, item);
		if (r == 0 && strlen(item->text) > LIMIT_TEXT)
			r = node_fail(source, item, "a text in \"%s\" is at most %d KiB long",
			    key->name, LIMIT_TEXT / 1024);
		if (r == 0)
			r = strs_add(strs, item->text);
	}
	return r;
}

static int
read_argv(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	int r;

	r = read_texts(source, key, node, member);
	if (r == 0 && node->first->text[0] == '\0')
		return node_fail(source, node->first,
		    "\"%s\" has no program: its first text is empty", key->name);
	return r;
}

static int
read_names(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	char quoted[QUOTE_TEXT];
	struct strs *names = member;
	int r;

	r = leaf_want_items(source, key, node, NODE_LIST, 1);
	for (const struct node *item = node->first; r == 0 && item; item = item->next) {
		r = want_text(source, key, item);
		if (r < 0)
			break;
		if (!value_is_name(item->text))
			return node_fail(source, item,
			    "%s in \"%s\" is not a name of a-z 0-9 _ - that "
			    "begins with a letter or digit",
			    quote(item->text, quoted), key->name);
		for (size_t i = 0; i < names->n; i++)
			if (strcmp(names->v[i], item->text) == 0)
				return node_fail(source, item, "%s is twice in \"%s\"",
				    quote(item->text, quoted), key->name);
		r = strs_add(names, item->text);
	}
	return r;
}

static int
read_env(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	char quoted[QUOTE_TEXT];
	int r;

	r = leaf_want_items(source, key, node, NODE_MAP, 0);
	for (const struct node *item = node->first; r == 0 && item; item = item->next) {
		r = want_text(source, key, item);
		if (r < 0)
			break;
		if (!value_is_env_name(item->key) || strlen(item->key) > LIMIT_NAME)
			return node_fail_key(
			    source, item, "%s is not a variable's name", quote(item->key, quoted));
		if (strncmp(item->key, "REEVE_", 6) == 0)
			return node_fail_key(source, item,
			    "%s: names that begin with REEVE_ are taken", quote(item->key, quoted));
		if (strlen(item->text) > LIMIT_TEXT)
			return node_fail(source, item,
			    "the value of a variable is at most %d KiB long", LIMIT_TEXT / 1024);
		r = pairs_set(member, item->key, item->text);
	}
	return r;
}

typedef int (*read_fn)(const struct source *source, const struct recipe_key *key,
    const struct node *node, void *member);

static const read_fn readers[KEY_TYPE_MAX + 1] = {
	[KEY_LINE] = read_text,
	[KEY_TEXT] = read_text,
	[KEY_NAME] = read_text,
	[KEY_URL] = read_text,
	[KEY_SHA256] = read_text,
	[KEY_BYTES] = read_text,
	[KEY_BOOL] = read_bool,
	[KEY_COUNT] = read_count,
	[KEY_NUMBER] = read_number,
	[KEY_DURATION] = read_duration,
	[KEY_CHOICE] = read_choice,
	[KEY_WORD] = read_word,
	[KEY_TEXTS] = read_texts,
	[KEY_ARGV] = read_argv,
	[KEY_NAMES] = read_names,
	[KEY_ENV] = read_env,
};

int
leaf_read(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member)
{
	assert(readers[key->type]);
	return readers[key->type](source, key, node, member);
}
