/* Making, freeing and copying the structs that codec.h describes. */
#include "ipc/codec.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *
member(void *obj, const struct codec_field *field)
{
	return (char *)obj + field->offset;
}

void
codec_init(const struct codec *codec, void *obj)
{
	memset(obj, 0, codec->size);
	for (size_t i = 0; i < codec->nfields; i++) {
		const struct codec_field *field = &codec->fields[i];

		if (field->type == CODEC_DOUBLE)
			*(double *)member(obj, field) = (double)NAN;
		else if (field->type == CODEC_STRUCT)
			codec_init(field->sub, member(obj, field));
	}
}

static void
free_list(const struct codec *codec, struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		codec_free(codec, (char *)list->v + i * codec->size);
	free(list->v);
}

static void
free_value(const struct codec_field *field, void *value)
{
	switch (field->type) {
	case CODEC_STR:
		free(*(char **)value);
		break;
	case CODEC_BLOB:
	case CODEC_REST:
		blob_free(value);
		break;
	case CODEC_STRS:
		strs_free(value);
		break;
	case CODEC_PAIRS:
		pairs_free(value);
		break;
	case CODEC_STRUCT:
		codec_free(field->sub, value);
		break;
	case CODEC_LIST:
		free_list(field->sub, value);
		break;
	case CODEC_UINT:
	case CODEC_INT:
	case CODEC_BOOL:
	case CODEC_ENUM:
	case CODEC_DOUBLE:
		break;
	}
}

void
codec_free(const struct codec *codec, void *obj)
{
	for (size_t i = 0; i < codec->nfields; i++)
		free_value(&codec->fields[i], member(obj, &codec->fields[i]));
	codec_init(codec, obj);
}

/* ---- copying: the target is as codec_init left it, so that it can be freed at any moment ---- */

static int
copy_strs(const struct strs *from, struct strs *to)
{
	if (from->n == 0)
		return 0;
	to->v = calloc(from->n, sizeof *to->v);
	if (!to->v)
		return -ENOMEM;
	for (; to->n < from->n; to->n++)
		if (str_set(&to->v[to->n], from->v[to->n]) < 0)
			return -ENOMEM;
	return 0;
}

static int
copy_pairs(const struct pairs *from, struct pairs *to)
{
	if (from->n == 0)
		return 0;
	to->v = calloc(from->n, sizeof *to->v);
	if (!to->v)
		return -ENOMEM;
	to->n = from->n;
	for (size_t i = 0; i < from->n; i++)
		if (str_set(&to->v[i].name, from->v[i].name) < 0 ||
		    str_set(&to->v[i].value, from->v[i].value) < 0)
			return -ENOMEM;
	return 0;
}

static int copy_fields(const struct codec *codec, const void *from, void *to);

static int
copy_list(const struct codec *codec, const struct list *from, struct list *to)
{
	if (from->n == 0)
		return 0;
	to->v = calloc(from->n, codec->size);
	if (!to->v)
		return -ENOMEM;
	while (to->n < from->n) {
		size_t at = to->n * codec->size;

		codec_init(codec, (char *)to->v + at);
		to->n++;
		if (copy_fields(codec, (const char *)from->v + at, (char *)to->v + at) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
copy_blob(const struct blob *from, struct blob *to)
{
	return from->data ? blob_set(to, from->data, from->len) : 0;
}

static int
copy_value(const struct codec_field *field, const void *from, void *to)
{
	switch (field->type) {
	case CODEC_UINT:
	case CODEC_INT:
		memcpy(to, from, sizeof(uint64_t));
		return 0;
	case CODEC_BOOL:
		*(bool *)to = *(const bool *)from;
		return 0;
	case CODEC_ENUM:
		memcpy(to, from, sizeof(int));
		return 0;
	case CODEC_DOUBLE:
		memcpy(to, from, sizeof(double));
		return 0;
	case CODEC_STR:
		return str_set(to, *(const char *const *)from);
	case CODEC_BLOB:
	case CODEC_REST:
		return copy_blob(from, to);
	case CODEC_STRS:
		return copy_strs(from, to);
	case CODEC_PAIRS:
		return copy_pairs(from, to);
	case CODEC_STRUCT:
		return copy_fields(field->sub, from, to);
	case CODEC_LIST:
		return copy_list(field->sub, from, to);
	}
	return 0;
}

static int
copy_fields(const struct codec *codec, const void *from, void *to)
{
	for (size_t i = 0; i < codec->nfields; i++) {
		const struct codec_field *field = &codec->fields[i];
		int r = copy_value(field, (const char *)from + field->offset, member(to, field));

		if (r < 0)
			return r;
	}
	return 0;
}

int
codec_copy(const struct codec *codec, const void *obj, void *ret_obj)
{
	int r;

	codec_init(codec, ret_obj);
	r = copy_fields(codec, obj, ret_obj);
	if (r < 0)
		codec_free(codec, ret_obj);
	return r;
}
