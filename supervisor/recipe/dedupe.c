#include "supervisor/recipe/dedupe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash128;

/* Fowler, Noll, Vo: FNV-1a with the prime 2^88 + 0x13b. */
static hash128
hash_bytes(hash128 hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++) {
		hash ^= bytes[i];
		hash = (hash << 88) + hash * 0x13b;
	}
	return hash;
}

/* With its length, so that texts do not run into each other. A missing one differs from "". */
static hash128
hash_text(hash128 hash, const char *text)
{
	char length[24];
	int n = text ? snprintf(length, sizeof length, "%zu:", strlen(text))
		     : snprintf(length, sizeof length, "-:");

	hash = hash_bytes(hash, length, (size_t)n);
	return text ? hash_bytes(hash, text, strlen(text)) : hash;
}

static int
by_name(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* PAIRS (borrowed texts) become `KIND=HASH`. */
static int
hash_pairs(const char *kind, struct pair *pairs, size_t n, char **ret_key)
{
	hash128 hash = (hash128)UINT64_C(0x6c62272e07bb0142) << 64 | UINT64_C(0x62b821756295c58d);

	if (n > 0)
		qsort(pairs, n, sizeof *pairs, by_name);
	for (size_t i = 0; i < n; i++) {
		hash = hash_text(hash, pairs[i].name);
		hash = hash_text(hash, pairs[i].value);
	}
	if (asprintf(ret_key, "%s=%016" PRIx64 "%016" PRIx64, kind, (uint64_t)(hash >> 64),
		(uint64_t)hash) < 0)
		return -ENOMEM;
	return 0;
}

/* The recipe's own word `scope` is no parameter's name here. */
static char *
field_value(const struct recipe *recipe, const struct pairs *values, const char *field)
{
	if (strcmp(field, "scope") == 0)
		return recipe->spec.scope;
	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->v[i].name, field) == 0)
			return values->v[i].value;
	return NULL;
}

static int
hash_fields(const struct recipe *recipe, const struct pairs *values, char **ret_key)
{
	const struct strs *fields = &recipe->dedupe_fields;
	struct pair *pairs = calloc(fields->n, sizeof *pairs);
	int r;

	if (!pairs)
		return -ENOMEM;
	for (size_t i = 0; i < fields->n; i++)
		pairs[i] = (struct pair){ fields->v[i], field_value(recipe, values, fields->v[i]) };
	r = hash_pairs("fields", pairs, fields->n, ret_key);
	free(pairs);
	return r;
}

static int
hash_values(const struct pairs *values, char **ret_key)
{
	struct pair *pairs = calloc(values->n + 1, sizeof *pairs);
	int r;

	if (!pairs)
		return -ENOMEM;
	if (values->n > 0)
		memcpy(pairs, values->v, values->n * sizeof *pairs);
	r = hash_pairs("params", pairs, values->n, ret_key);
	free(pairs);
	return r;
}

int
dedupe_key(const struct recipe *recipe, const struct pairs *values, char **ret_key)
{
	switch (recipe->dedupe_mode) {
	case DEDUPE_NEVER:
		*ret_key = NULL;
		return 0;
	case DEDUPE_FIELDS:
		if (recipe->dedupe_fields.n > 0)
			return hash_fields(recipe, values, ret_key);
		*ret_key = strdup("any");
		return *ret_key ? 0 : -ENOMEM;
	case DEDUPE_DERIVED:
		if (!recipe->spec.scope)
			return hash_values(values, ret_key);
		return asprintf(ret_key, "scope=%s", recipe->spec.scope) < 0 ? -ENOMEM : 0;
	}
	return -EINVAL;
}
