/* Reading what codec.h describes, field by field, out of bytes that were walked. */
#include "ipc/codec.h"

#include "ipc/decoder.h"
#include "ipc/token.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Unknown fields in one map that are told apart; a map with more is refused. */
enum {
	UNKNOWN_MAX = 32
};

static void *
member(void *obj, const struct codec_field *field)
{
	return (char *)obj + field->offset;
}

static int decode_map(struct decoder *decoder, const struct codec *codec, void *obj);

static int
decode_list(struct decoder *decoder, const struct codec_field *field, struct list *list)
{
	size_t n;
	int r = decoder_count(decoder, TOKEN_ARRAY, field->max, &n);

	if (r < 0 || n == 0)
		return r;
	list->v = decoder_room(decoder, n, field->sub->size);
	if (!list->v)
		return -ENOMEM;
	while (list->n < n) {
		void *element = (char *)list->v + list->n * field->sub->size;

		codec_init(field->sub, element);
		list->n++;
		r = decode_map(decoder, field->sub, element);
		if (r < 0) {
			decoder_where_index(decoder, list->n - 1);
			return r;
		}
	}
	return 0;
}

/* ---- maps ---------------------------------------------------------------------- */

static int
decode_value(struct decoder *decoder, const struct codec_field *field, void *value)
{
	switch (field->type) {
	case CODEC_UINT:
		return decoder_uint(decoder, field->max, value);
	case CODEC_INT:
		return decoder_int(decoder, value);
	case CODEC_BOOL:
		return decoder_bool(decoder, value);
	case CODEC_ENUM:
		return decoder_enum(decoder, field->max, value);
	case CODEC_DOUBLE:
		return decoder_double(decoder, value);
	case CODEC_STR:
		return decoder_text(decoder, field->max, value);
	case CODEC_BLOB:
		return decoder_blob(decoder, field->max, value);
	case CODEC_STRS:
		return decoder_strs(decoder, field->max, value);
	case CODEC_PAIRS:
		return decoder_pairs(decoder, field->max, value);
	case CODEC_STRUCT:
		return decode_map(decoder, field->sub, value);
	case CODEC_LIST:
		return decode_list(decoder, field, value);
	case CODEC_REST:
		break;
	}
	return decoder_problem(decoder, -EBADMSG, "unknown field");
}

/* One key of a map: a number, or a name (which points into the bytes). */
struct key {
	uint64_t number;
	const char *name;
	size_t len;
};

static int
take_key(struct decoder *decoder, const struct codec *codec, struct key *ret_key)
{
	struct token token = decoder_token(decoder);

	if (token.kind != (codec->by_name ? TOKEN_STR : TOKEN_UINT))
		return decoder_problem(decoder, -EBADMSG, "bad key");
	*ret_key = (struct key){ .number = token.uint };
	if (codec->by_name) {
		ret_key->name = (const char *)decoder->at;
		ret_key->len = (size_t)token.payload;
		decoder->at += token.payload;
	}
	return 0;
}

static bool
is_key(const struct codec_field *field, const struct key *key)
{
	if (field->type == CODEC_REST)
		return false;
	if (!key->name)
		return field->number == key->number;
	return strlen(field->name) == key->len && memcmp(field->name, key->name, key->len) == 0;
}

/* What one map's decoding has seen so far. */
struct map_state {
	uint64_t seen; /* a bit per field of the table */
	size_t next;   /* where the next key is looked for first: writers keep the table's order */
	size_t nunknown;
	struct key unknown[UNKNOWN_MAX];
	struct buf rest; /* their keys and values */
};

/* The field called KEY, or NULL. */
static const struct codec_field *
find_field(const struct codec *codec, const struct key *key, struct map_state *state)
{
	for (size_t i = 0; i < codec->nfields; i++) {
		size_t at = state->next + i;

		if (at >= codec->nfields)
			at -= codec->nfields;
		if (is_key(&codec->fields[at], key)) {
			state->next = at + 1;
			return &codec->fields[at];
		}
	}
	return NULL;
}

static void
prepend_key(struct decoder *decoder, const struct key *key)
{
	char text[sizeof decoder->error.field];

	if (key->name)
		snprintf(text, sizeof text, "%.*s", key->len < sizeof text ? (int)key->len : 80,
		    key->name);
	else
		snprintf(text, sizeof text, "#%llu", (unsigned long long)key->number);
	decoder_where(decoder, text);
}

static int
note_unknown(struct decoder *decoder, struct map_state *state, const struct key *key)
{
	if (state->nunknown == UNKNOWN_MAX)
		return decoder_problem(decoder, -EMSGSIZE, "too many unknown fields");
	for (size_t i = 0; i < state->nunknown; i++) {
		const struct key *other = &state->unknown[i];

		if (other->number == key->number && other->len == key->len &&
		    (!key->name || memcmp(other->name, key->name, key->len) == 0))
			return decoder_problem(decoder, -EBADMSG, "given twice");
	}
	state->unknown[state->nunknown++] = *key;
	return 0;
}

/* A field this build does not know, its key at BEGIN: refused, kept or skipped. */
static int
decode_unknown(struct decoder *decoder, const struct codec *codec, struct map_state *state,
    const struct key *key, const uint8_t *begin)
{
	int r;

	if (codec->strict)
		return decoder_problem(decoder, -EBADMSG, "unknown field");
	r = note_unknown(decoder, state, key);
	if (r < 0)
		return r;
	decoder_value(decoder);
	if (state->rest.max_bytes == 0)
		return 0;
	r = buf_add(&state->rest, begin, (size_t)(decoder->at - begin));
	return r < 0 ? decoder_problem(decoder, r, "too many unknown bytes") : 0;
}

static int
decode_known(struct decoder *decoder, const struct codec *codec, struct map_state *state,
    const struct codec_field *field, void *obj)
{
	uint64_t bit = UINT64_C(1) << (field - codec->fields);

	if (state->seen & bit)
		return decoder_problem(decoder, -EBADMSG, "given twice");
	state->seen |= bit;
	if (*decoder->at == 0xc0 && field->type != CODEC_BLOB) { /* nil: as if it were missing */
		decoder->at++;
		return 0;
	}
	return decode_value(decoder, field, member(obj, field));
}

static int
decode_field(struct decoder *decoder, const struct codec *codec, struct map_state *state, void *obj)
{
	const uint8_t *begin = decoder->at;
	const struct codec_field *field;
	struct key key = { .number = 0 };
	int r = take_key(decoder, codec, &key);

	if (r < 0)
		return r;
	field = find_field(codec, &key, state);
	if (field) {
		r = decode_known(decoder, codec, state, field, obj);
		if (r < 0)
			decoder_where(decoder, field->name);
	} else {
		r = decode_unknown(decoder, codec, state, &key, begin);
		if (r < 0)
			prepend_key(decoder, &key);
	}
	return r;
}

static const struct codec_field *
rest_field(const struct codec *codec)
{
	for (size_t i = 0; i < codec->nfields; i++)
		if (codec->fields[i].type == CODEC_REST)
			return &codec->fields[i];
	return NULL;
}

/* What was gathered becomes a map of its own. */
static int
keep_rest(struct decoder *decoder, struct map_state *state, struct blob *rest)
{
	struct buf map;
	msgpack_packer packer;

	if (state->nunknown == 0 || state->rest.max_bytes == 0)
		return 0;
	buf_init(&map, state->rest.len + TOKEN_HEAD_MAX);
	buf_packer(&map, &packer);
	msgpack_pack_map(&packer, state->nunknown);
	if (buf_add(&map, state->rest.data, state->rest.len) < 0) {
		buf_fini(&map);
		return decoder_problem(decoder, -ENOMEM, "no memory");
	}
	buf_take(&map, &rest->data, &rest->len);
	return 0;
}

/* OBJ is as codec_init left it; what was decoded stays in it on failure, for codec_free. */
static int
decode_map(struct decoder *decoder, const struct codec *codec, void *obj)
{
	const struct codec_field *rest = rest_field(codec);
	struct map_state state = { .seen = 0 };
	size_t n = 0;
	int r;

	assert(codec->nfields <= 64);
	r = decoder_count(decoder, TOKEN_MAP, SIZE_MAX, &n);
	buf_init(&state.rest, rest ? rest->max : 0);
	for (size_t i = 0; i < n && r == 0; i++)
		r = decode_field(decoder, codec, &state, obj);
	if (r == 0 && rest)
		r = keep_rest(decoder, &state, member(obj, rest));
	buf_fini(&state.rest);
	return r;
}

int
codec_decode(const struct codec *codec, const void *data, size_t len, void *ret_obj,
    struct codec_error *ret_error)
{
	struct decoder decoder = { .at = data };
	int r;

	codec_init(codec, ret_obj);
	r = walk_whole(data, len, codec->limits);
	if (r < 0)
		decoder_problem(
		    &decoder, r, r == -EMSGSIZE ? "too large" : "not one msgpack value");
	else
		r = decode_map(&decoder, codec, ret_obj);
	if (r < 0) {
		codec_free(codec, ret_obj);
		if (ret_error)
			*ret_error = decoder.error;
	}
	return r;
}
