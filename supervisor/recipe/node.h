/*
 * supervisor/recipe/node.h - YAML text as a small tree in which every value knows its place.
 *
 * libyaml's event parser behind a fence: what recipes have no use for and what makes YAML
 * dangerous is refused here (aliases, anchors, tags, directives, several documents, duplicate
 * keys, depth and sizes beyond the limits below). Knows nothing of recipes: keys.h does.
 */
#ifndef SUPERVISOR_RECIPE_NODE_H
#define SUPERVISOR_RECIPE_NODE_H

#include "supervisor/recipe/error.h"

enum {
	NODE_MAX_DEPTH = 16,
	NODE_MAX_NODES = 16 * 1024,
	NODE_MAX_KEYS = 256
};

enum node_kind {
	NODE_TEXT = 1,
	NODE_LIST,
	NODE_MAP
};

struct node {
	enum node_kind kind;
	struct mark at; /* where the value starts */
	char *text;     /* NODE_TEXT: as written, no NUL inside; owned */
	bool plain;     /* NODE_TEXT: written without quotes */
	char *key;      /* its name in the map it stands in, else NULL; owned */
	struct mark key_at;
	size_t index; /* its place among its siblings, from 0 */
	size_t count; /* children of a list or map */
	struct node *parent, *first, *last, *next;
};

/* 0 with *ret_root, a NODE_MAP, owned (NULL: empty, where SOURCE may be); -EINVAL with the error
 * told to SOURCE; -ENOMEM. */
int node_parse(const struct source *source, const char *text, size_t len, struct node **ret_root);
void node_free(struct node *root);

/* The value of KEY in MAP, or NULL. */
const struct node *node_get(const struct node *map, const char *key);

/* "steps[2].timeout", cut where it is longer than SIZE - 1 bytes. Returns FIELD. */
char *node_path(const struct node *node, char *field, size_t size);

/* Tells SOURCE what is wrong with NODE's value, or with its key. Always -EINVAL. */
int node_fail(const struct source *source, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int node_fail_key(const struct source *source, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
