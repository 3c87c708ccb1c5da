/* The containers that codec.h describes: lists of strings, pairs, blobs, lists of structs. */
#include "ipc/codec.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * *V, an array of N elements of SIZE bytes, gets room for one more. 0 or -ENOMEM.
 * Exact: an array may have been made by anybody, with no room to spare.
 */
static int
grow(void **v, size_t n, size_t size)
{
	void *grown;

	if (n >= SIZE_MAX / 2 / size)
		return -ENOMEM;
	grown = realloc(*v, (n + 1) * size);
	if (!grown)
		return -ENOMEM;
	*v = grown;
	return 0;
}

int
strs_add(struct strs *strs, const char *text)
{
	void *v = strs->v;
	char *copy = strdup(text);

	if (!copy || grow(&v, strs->n, sizeof *strs->v) < 0) {
		free(copy);
		return -ENOMEM;
	}
	strs->v = v;
	strs->v[strs->n++] = copy;
	return 0;
}

void
strs_free(struct strs *strs)
{
	for (size_t i = 0; i < strs->n; i++)
		free(strs->v[i]);
	free(strs->v);
	*strs = (struct strs){ .v = NULL };
}

static struct pair *
find_pair(const struct pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->v[i].name, name) == 0)
			return &pairs->v[i];
	return NULL;
}

static int
add_pair(struct pairs *pairs, const char *name, const char *value)
{
	void *v = pairs->v;
	struct pair pair = { strdup(name), strdup(value) };

	if (!pair.name || !pair.value || grow(&v, pairs->n, sizeof *pairs->v) < 0) {
		free(pair.name);
		free(pair.value);
		return -ENOMEM;
	}
	pairs->v = v;
	pairs->v[pairs->n++] = pair;
	return 0;
}

int
pairs_set(struct pairs *pairs, const char *name, const char *value)
{
	struct pair *pair = find_pair(pairs, name);

	return pair ? str_set(&pair->value, value) : add_pair(pairs, name, value);
}

const char *
pairs_get(const struct pairs *pairs, const char *name)
{
	const struct pair *pair = find_pair(pairs, name);

	return pair ? pair->value : NULL;
}

size_t
pairs_bytes(const struct pairs *pairs)
{
	size_t bytes = 0;

	for (size_t i = 0; i < pairs->n; i++)
		bytes += strlen(pairs->v[i].name) + strlen(pairs->v[i].value);
	return bytes;
}

void
pairs_free(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		free(pairs->v[i].name);
		free(pairs->v[i].value);
	}
	free(pairs->v);
	*pairs = (struct pairs){ .v = NULL };
}

int
blob_set(struct blob *blob, const void *data, size_t len)
{
	uint8_t *copy = NULL;

	if (len > 0) {
		copy = malloc(len);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, data, len);
	}
	free(blob->data);
	*blob = (struct blob){ copy, len };
	return 0;
}

void
blob_free(struct blob *blob)
{
	free(blob->data);
	*blob = (struct blob){ .data = NULL };
}

void *
list_add(struct list *list, const struct codec *codec)
{
	void *element;

	if (grow(&list->v, list->n, codec->size) < 0)
		return NULL;
	element = (char *)list->v + list->n * codec->size;
	codec_init(codec, element);
	list->n++;
	return element;
}

int
str_set(char **member, const char *text)
{
	char *copy = NULL;

	if (text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
	}
	free(*member);
	*member = copy;
	return 0;
}
