#include "supervisor/recipe/node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "ipc/utf8.h"

struct reader {
	const struct source *source;
	yaml_parser_t yaml;
	struct node *root; /* owned */
	struct node *open; /* the innermost list or map still open */
	char *key;         /* read, and waiting for its value; owned */
	struct mark key_at;
	size_t depth, nodes, documents;
};

void
node_free(struct node *root)
{
	struct node *node = root, *up;

	while (node) {
		if (node->first) {
			up = node->first;
			node->first = up->next;
			node = up;
			continue;
		}
		up = node == root ? NULL : node->parent;
		free(node->text);
		free(node->key);
		free(node);
		node = up;
	}
}

const struct node *
node_get(const struct node *map, const char *key)
{
	for (const struct node *node = map->first; node; node = node->next)
		if (node->key && strcmp(node->key, key) == 0)
			return node;
	return NULL;
}

char *
node_path(const struct node *node, char *field, size_t size)
{
	const struct node *chain[NODE_MAX_DEPTH + 1] = { NULL };
	size_t depth = 0, used = 0;

	field[0] = '\0';
	for (; node && node->parent && depth <= NODE_MAX_DEPTH; node = node->parent)
		chain[depth++] = node;
	while (depth-- > 0 && used < size) {
		int n;

		if (chain[depth]->key)
			n = snprintf(field + used, size - used, "%s%s", used > 0 ? "." : "",
			    chain[depth]->key);
		else
			n = snprintf(field + used, size - used, "[%zu]", chain[depth]->index);
		used += n > 0 ? (size_t)n : 0;
	}
	return field;
}

static int
fail_at(const struct source *source, struct mark at, const struct node *node, const char *message)
{
	char field[sizeof source->error->field];

	return error_set(source, at, node_path(node, field, sizeof field), "%s", message);
}

int
node_fail(const struct source *source, const struct node *node, const char *format, ...)
{
	char message[sizeof source->error->message];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return fail_at(source, node->at, node, message);
}

int
node_fail_key(const struct source *source, const struct node *node, const char *format, ...)
{
	char message[sizeof source->error->message];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return fail_at(source, node->key ? node->key_at : node->at, node, message);
}

static struct mark
mark_of(yaml_mark_t at)
{
	return (struct mark){ (uint32_t)at.line + 1, (uint32_t)at.column + 1 };
}

static const char *
noun(const struct source *source)
{
	return source->noun ? source->noun : "recipe";
}

static int
refuse(const struct reader *reader, const yaml_event_t *event, const char *what)
{
	return error_set(reader->source, mark_of(event->start_mark), "", "%s", what);
}

static bool
awaits_key(const struct reader *reader)
{
	return reader->open && reader->open->kind == NODE_MAP && !reader->key;
}

/* Adds a node for EVENT to what is open. Borrowed from the tree, or NULL. */
static struct node *
add_node(struct reader *reader, const yaml_event_t *event, enum node_kind kind)
{
	struct node *node = calloc(1, sizeof *node), *open = reader->open;

	if (!node)
		return NULL;
	reader->nodes++;
	node->kind = kind;
	node->at = mark_of(event->start_mark);
	node->parent = open;
	node->key = reader->key;
	node->key_at = reader->key_at;
	reader->key = NULL;
	if (!open) {
		reader->root = node;
	} else {
		node->index = open->count++;
		if (open->last)
			open->last->next = node;
		else
			open->first = node;
		open->last = node;
	}
	return node;
}

static int
on_key(struct reader *reader, const yaml_event_t *event, char *text)
{
	char quoted[QUOTE_TEXT];
	const struct node *first = node_get(reader->open, text);

	if (first) {
		struct mark at = mark_of(event->start_mark);

		return error_set(reader->source, at, text,
		    "duplicate key %s (first given in line %u)", quote(text, quoted),
		    first->key_at.line);
	}
	if (reader->open->count >= NODE_MAX_KEYS)
		return refuse(reader, event, "too many keys in one map (256 are the limit)");
	reader->key = strdup(text);
	reader->key_at = mark_of(event->start_mark);
	return reader->key ? 0 : -ENOMEM;
}

static int
on_scalar(struct reader *reader, yaml_event_t *event)
{
	char *text = (char *)event->data.scalar.value;
	struct node *node;

	if (event->data.scalar.anchor)
		return refuse(reader, event, "anchors (&) are not allowed");
	if (event->data.scalar.tag)
		return refuse(reader, event, "tags (!) are not allowed");
	if (strlen(text) != event->data.scalar.length)
		return refuse(reader, event, "a text must not contain a zero byte");
	if (awaits_key(reader))
		return on_key(reader, event, text);
	node = add_node(reader, event, NODE_TEXT);
	if (!node)
		return -ENOMEM;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	/* The tree outlives the event: its text moves over. */
	node->text = text;
	event->data.scalar.value = NULL;
	return 0;
}

static int
on_open(struct reader *reader, const yaml_event_t *event, enum node_kind kind)
{
	bool is_map = kind == NODE_MAP;
	struct node *node;

	if (is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor)
		return refuse(reader, event, "anchors (&) are not allowed");
	if (is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag)
		return refuse(reader, event, "tags (!) are not allowed");
	if (awaits_key(reader))
		return refuse(reader, event, "a key must be a word, not a list or a map");
	if (reader->depth >= NODE_MAX_DEPTH)
		return refuse(reader, event, "nested too deeply (16 levels are the limit)");
	node = add_node(reader, event, kind);
	if (!node)
		return -ENOMEM;
	reader->depth++;
	reader->open = node;
	return 0;
}

/* Returns 1 at the end of the stream. */
static int
on_event(struct reader *reader, yaml_event_t *event)
{
	if (reader->nodes >= NODE_MAX_NODES)
		return refuse(reader, event, "too many values (16,384 are the limit)");
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (reader->documents++ > 0)
			return refuse(
			    reader, event, "it is to be one document; here another begins");
		return 0;
	case YAML_ALIAS_EVENT:
		return refuse(
		    reader, event, "aliases (*) are not allowed; quote a text that begins with *");
	case YAML_SCALAR_EVENT:
		return on_scalar(reader, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(reader, event, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return on_open(reader, event, NODE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		reader->open = reader->open->parent;
		reader->depth--;
		return 0;
	case YAML_STREAM_END_EVENT:
		return 1;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	return 0;
}

/* Where byte OFFSET of TEXT stands. */
static struct mark
mark_at(const char *text, size_t offset)
{
	struct mark at = { 1, 1 };

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			at.line++;
			at.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			at.column++;
		}
	}
	return at;
}

/* What libyaml would take too long for, or report without its place. */
static int
check_bytes(const struct source *source, const char *text, size_t len)
{
	size_t step = 0;

	if (len > LIMIT_RECIPE)
		return error_set(source, (struct mark){ 1, 1 }, "", "a %s is at most %d KiB",
		    noun(source), LIMIT_RECIPE / 1024);
	for (size_t i = 0; i < len; i += step) {
		unsigned char c = (unsigned char)text[i];
		const char *problem = NULL;

		if (!utf8_next((const uint8_t *)text + i, len - i, &step))
			problem = "not valid UTF-8";
		else if (c == 0)
			problem = "a zero byte is not allowed";
		else if ((c < ' ' && !strchr("\t\r\n", c)) || c == 0x7f)
			problem = "control characters are not allowed";
		else if (c == '%' && (i == 0 || text[i - 1] == '\n' || text[i - 1] == '\r'))
			problem = "directives (%) are not allowed";
		if (problem)
			return error_set(source, mark_at(text, i), "", "%s", problem);
	}
	return 0;
}

/* True when LINE (from 1) of TEXT is indented with a tab. */
static bool
tab_indents(const char *text, size_t len, uint32_t line)
{
	size_t i = 0;

	for (; i < len && line > 1; i++)
		line -= text[i] == '\n';
	while (i < len && text[i] == ' ')
		i++;
	return i < len && text[i] == '\t';
}

static int
fail_syntax(const struct reader *reader, const char *text, size_t len)
{
	const yaml_parser_t *yaml = &reader->yaml;
	const char *problem = yaml->problem ? yaml->problem : "not valid YAML";
	struct mark at = mark_of(yaml->problem_mark);

	if (yaml->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (yaml->error == YAML_READER_ERROR)
		at = mark_at(text, yaml->problem_offset < len ? yaml->problem_offset : len);
	else if (yaml->error == YAML_SCANNER_ERROR && tab_indents(text, len, at.line))
		return error_set(reader->source, at, "", "a tab cannot indent: YAML wants spaces");
	if (yaml->context)
		return error_set(reader->source, at, "", "%s (%s)", problem, yaml->context);
	return error_set(reader->source, at, "", "%s", problem);
}

static int
read_events(struct reader *reader, const char *text, size_t len)
{
	yaml_event_t event;
	int r = 0;

	while (r == 0) {
		if (!yaml_parser_parse(&reader->yaml, &event))
			return fail_syntax(reader, text, len);
		r = on_event(reader, &event);
		yaml_event_delete(&event);
	}
	return r < 0 ? r : 0;
}

int
node_parse(const struct source *source, const char *text, size_t len, struct node **ret_root)
{
	struct reader reader = { .source = source };
	int r;

	r = check_bytes(source, text, len);
	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&reader.yaml))
		return -ENOMEM;
	yaml_parser_set_encoding(&reader.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.yaml, (const unsigned char *)text, len);
	r = read_events(&reader, text, len);
	if (r == 0 && !reader.root && !source->noun)
		r = error_set(source, (struct mark){ 1, 1 }, "", "the recipe is empty");
	else if (r == 0 && reader.root && reader.root->kind != NODE_MAP)
		r = node_fail(source, reader.root, "a %s is a map of keys%s", noun(source),
		    source->noun ? "" : ", such as `steps:`");
	if (r == 0) {
		*ret_root = reader.root;
		reader.root = NULL;
	}
	node_free(reader.root);
	free(reader.key);
	yaml_parser_delete(&reader.yaml);
	return r;
}
