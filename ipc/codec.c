#include "ipc/codec.h"

#include "ipc/task.h"
#include "ipc/token.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const void *
member(const void *obj, const struct codec_field *field)
{
	return (const char *)obj + field->offset;
}

static const void *
element(const struct list *list, size_t i, const struct codec *codec)
{
	return (const char *)list->v + i * codec->size;
}

/* ---- what is left out ------------------------------------------------------- */

static bool is_empty(const struct codec *codec, const void *obj);

static bool
is_absent(const struct codec_field *field, const void *value)
{
	switch (field->type) {
	case CODEC_UINT:
		return *(const uint64_t *)value == 0;
	case CODEC_INT:
		return *(const int64_t *)value == 0;
	case CODEC_BOOL:
		return !*(const bool *)value;
	case CODEC_ENUM:
		return *(const int *)value == 0;
	case CODEC_DOUBLE:
		return !isfinite(*(const double *)value);
	case CODEC_STR: {
		const char *const *text = value;

		return !*text || !**text;
	}
	case CODEC_BLOB:
		return !((const struct blob *)value)->data;
	case CODEC_STRS:
		return ((const struct strs *)value)->n == 0;
	case CODEC_PAIRS:
		return ((const struct pairs *)value)->n == 0;
	case CODEC_STRUCT:
		return is_empty(field->sub, value);
	case CODEC_LIST:
		return ((const struct list *)value)->n == 0;
	case CODEC_REST:
		return true; /* its pairs stand beside the fields */
	}
	return true;
}

static const struct blob *
rest_of(const struct codec *codec, const void *obj)
{
	for (size_t i = 0; i < codec->nfields; i++)
		if (codec->fields[i].type == CODEC_REST)
			return member(obj, &codec->fields[i]);
	return NULL;
}

/* Pairs kept in REST, and the bytes of its head. */
static size_t
rest_count(const struct blob *rest, size_t *ret_head)
{
	struct token token;

	*ret_head = 0;
	if (!rest || !rest->data)
		return 0;
	*ret_head = token_read(rest->data, &token);
	return (size_t)token.children / 2;
}

/* A bit for each field that is not left out. */
static uint64_t
present_fields(const struct codec *codec, const void *obj)
{
	uint64_t present = 0;

	assert(codec->nfields <= 64);
	for (size_t i = 0; i < codec->nfields; i++)
		if (!is_absent(&codec->fields[i], member(obj, &codec->fields[i])))
			present |= UINT64_C(1) << i;
	return present;
}

static bool
is_empty(const struct codec *codec, const void *obj)
{
	const struct blob *rest = rest_of(codec, obj);

	return present_fields(codec, obj) == 0 && (!rest || !rest->data);
}

/* ---- encoding ---------------------------------------------------------------- */

struct encoder {
	msgpack_packer packer;
	struct buf *out;
};

static void encode_map(struct encoder *encoder, const struct codec *codec, const void *obj);

/* What decoding would refuse is refused here, where somebody can still do something about it. */
static void
refuse(struct encoder *encoder)
{
	if (!encoder->out->error)
		encoder->out->error = -EMSGSIZE;
}

static void
encode_str(struct encoder *encoder, const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len > max)
		refuse(encoder);
	msgpack_pack_str_with_body(&encoder->packer, text, len);
}

static void
encode_uint(struct encoder *encoder, uint64_t value, size_t max)
{
	if (max > 0 && value > max)
		refuse(encoder);
	msgpack_pack_uint64(&encoder->packer, value);
}

static void
encode_strs(struct encoder *encoder, const struct strs *strs, size_t max)
{
	if (strs->n > max)
		refuse(encoder);
	msgpack_pack_array(&encoder->packer, strs->n);
	for (size_t i = 0; i < strs->n && !encoder->out->error; i++)
		encode_str(encoder, strs->v[i], LIMIT_TEXT);
}

/* True when the name of pair I is empty or stands before it, too. At most a few hundred pairs. */
static bool
is_bad_name(const struct pairs *pairs, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(pairs->v[j].name, pairs->v[i].name) == 0)
			return true;
	return !pairs->v[i].name[0];
}

static void
encode_pairs(struct encoder *encoder, const struct pairs *pairs, size_t max)
{
	if (pairs->n > max)
		refuse(encoder);
	msgpack_pack_map(&encoder->packer, pairs->n);
	for (size_t i = 0; i < pairs->n && !encoder->out->error; i++) {
		if (is_bad_name(pairs, i))
			refuse(encoder);
		encode_str(encoder, pairs->v[i].name, LIMIT_TITLE);
		encode_str(encoder, pairs->v[i].value, LIMIT_TEXT);
	}
}

static void
encode_blob(struct encoder *encoder, const struct blob *blob, size_t max)
{
	if (blob->len > max)
		refuse(encoder);
	buf_add(encoder->out, blob->data, blob->len);
}

static void
encode_list(struct encoder *encoder, const struct list *list, const struct codec_field *field)
{
	if (list->n > field->max)
		refuse(encoder);
	msgpack_pack_array(&encoder->packer, list->n);
	for (size_t i = 0; i < list->n && !encoder->out->error; i++)
		encode_map(encoder, field->sub, element(list, i, field->sub));
}

static void
encode_value(struct encoder *encoder, const struct codec_field *field, const void *value)
{
	switch (field->type) {
	case CODEC_UINT:
		encode_uint(encoder, *(const uint64_t *)value, field->max);
		break;
	case CODEC_INT:
		msgpack_pack_int64(&encoder->packer, *(const int64_t *)value);
		break;
	case CODEC_BOOL:
		msgpack_pack_true(&encoder->packer); /* false is left out */
		break;
	case CODEC_ENUM:
		encode_uint(encoder, (uint64_t) * (const int *)value, field->max);
		break;
	case CODEC_DOUBLE:
		msgpack_pack_double(&encoder->packer, *(const double *)value);
		break;
	case CODEC_STR:
		encode_str(encoder, *(const char *const *)value, field->max);
		break;
	case CODEC_BLOB:
		encode_blob(encoder, value, field->max);
		break;
	case CODEC_STRS:
		encode_strs(encoder, value, field->max);
		break;
	case CODEC_PAIRS:
		encode_pairs(encoder, value, field->max);
		break;
	case CODEC_STRUCT:
		encode_map(encoder, field->sub, value);
		break;
	case CODEC_LIST:
		encode_list(encoder, value, field);
		break;
	case CODEC_REST:
		break;
	}
}

static void
encode_map(struct encoder *encoder, const struct codec *codec, const void *obj)
{
	const struct blob *rest = rest_of(codec, obj);
	uint64_t present = present_fields(codec, obj);
	size_t rest_head, nrest = rest_count(rest, &rest_head);

	msgpack_pack_map(&encoder->packer, (size_t)__builtin_popcountll(present) + nrest);
	for (size_t i = 0; i < codec->nfields && !encoder->out->error; i++) {
		const struct codec_field *field = &codec->fields[i];

		if (!(present >> i & 1))
			continue;
		if (codec->by_name)
			pack_str(&encoder->packer, field->name);
		else
			msgpack_pack_uint32(&encoder->packer, field->number);
		encode_value(encoder, field, member(obj, field));
	}
	if (rest && rest->data)
		buf_add(encoder->out, rest->data + rest_head, rest->len - rest_head);
}

int
codec_encode(const struct codec *codec, const void *obj, struct buf *out)
{
	struct encoder encoder = { .out = out };
	size_t begin = out->len;

	buf_packer(out, &encoder.packer);
	encode_map(&encoder, codec, obj);
	/* Limits on the whole, and blobs that are not one value each. */
	if (!out->error)
		out->error = walk_whole(out->data + begin, out->len - begin, codec->limits);
	return out->error;
}
