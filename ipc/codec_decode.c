/* Reading what codec.h describes out of bytes that were walked: lengths are known to be true. */
#include "ipc/codec.h"

#include "ipc/task.h"
#include "ipc/token.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Unknown fields in one map that are told apart; a map with more is refused. */
enum {
	UNKNOWN_MAX = 32
};

struct decoder {
	const uint8_t *at; /* the next value */
	struct codec_error error;
};

static void *
member(void *obj, const struct codec_field *field)
{
	return (char *)obj + field->offset;
}

static int
problem(struct decoder *decoder, int error, const char *text)
{
	decoder->error.problem = text;
	return error;
}

/* On the way out of a failure: WHERE goes in front of the path so far. What does not fit is cut. */
static void
prepend(struct decoder *decoder, const char *where)
{
	char *field = decoder->error.field;
	const size_t max = sizeof decoder->error.field - 1;
	size_t dot = field[0] && field[0] != '[' ? 1 : 0;
	size_t front = strnlen(where, max - dot);
	size_t back = strnlen(field, max - dot - front);

	memmove(field + front + dot, field, back);
	memcpy(field, where, front);
	if (dot)
		field[front] = '.';
	field[front + dot + back] = '\0';
}

static void
prepend_index(struct decoder *decoder, size_t i)
{
	char index[24];

	snprintf(index, sizeof index, "[%zu]", i);
	prepend(decoder, index);
}

static struct token
take_token(struct decoder *decoder)
{
	struct token token;

	decoder->at += token_read(decoder->at, &token);
	return token;
}

/* The bytes of the next value, whatever it is. */
static struct blob
take_value(struct decoder *decoder)
{
	uint8_t *begin = (uint8_t *)(uintptr_t)decoder->at; /* only read */
	uint64_t left = 1;

	while (left > 0) {
		struct token token = take_token(decoder);

		decoder->at += token.payload;
		left += token.children - 1;
	}
	return (struct blob){ begin, (size_t)(decoder->at - begin) };
}

/* ---- single values ----------------------------------------------------------- */

static int
decode_uint(struct decoder *decoder, uint64_t max, uint64_t *ret_value)
{
	struct token token = take_token(decoder);

	if (token.kind != TOKEN_UINT)
		return problem(decoder, -EBADMSG, "wrong type");
	if (max > 0 && token.uint > max)
		return problem(decoder, -EBADMSG, "out of range");
	*ret_value = token.uint;
	return 0;
}

static int
decode_int(struct decoder *decoder, int64_t *ret_value)
{
	struct token token = take_token(decoder);

	if (token.kind == TOKEN_NEGATIVE) {
		*ret_value = token.negative;
		return 0;
	}
	if (token.kind != TOKEN_UINT)
		return problem(decoder, -EBADMSG, "wrong type");
	if (token.uint > INT64_MAX)
		return problem(decoder, -EBADMSG, "out of range");
	*ret_value = (int64_t)token.uint;
	return 0;
}

static int
decode_bool(struct decoder *decoder, bool *ret_value)
{
	struct token token = take_token(decoder);

	if (token.kind != TOKEN_BOOL)
		return problem(decoder, -EBADMSG, "wrong type");
	*ret_value = token.uint != 0;
	return 0;
}

static int
decode_enum(struct decoder *decoder, size_t max, int *ret_value)
{
	uint64_t value;
	int r;

	assert(max > 0 && max <= INT_MAX);
	r = decode_uint(decoder, max, &value);
	if (r == 0)
		*ret_value = (int)value;
	return r;
}

static int
decode_double(struct decoder *decoder, double *ret_value)
{
	struct token token = take_token(decoder);

	if (token.kind == TOKEN_DOUBLE)
		*ret_value = isfinite(token.real) ? token.real : (double)NAN;
	else if (token.kind == TOKEN_UINT)
		*ret_value = (double)token.uint;
	else if (token.kind == TOKEN_NEGATIVE)
		*ret_value = (double)token.negative;
	else
		return problem(decoder, -EBADMSG, "wrong type");
	return 0;
}

static int
decode_str(struct decoder *decoder, size_t max, char **ret_text)
{
	struct token token = take_token(decoder);
	size_t len = (size_t)token.payload;
	char *text;

	if (token.kind != TOKEN_STR)
		return problem(decoder, -EBADMSG, "wrong type");
	if (len > max)
		return problem(decoder, -EMSGSIZE, "too long");
	if (memchr(decoder->at, '\0', len))
		return problem(decoder, -EBADMSG, "holds a NUL");
	text = malloc(len + 1);
	if (!text)
		return problem(decoder, -ENOMEM, "no memory");
	memcpy(text, decoder->at, len);
	text[len] = '\0';
	decoder->at += len;
	*ret_text = text;
	return 0;
}

/* An empty string is an absent one: that is what encoding makes of it. */
static int
decode_text(struct decoder *decoder, size_t max, char **ret_text)
{
	int r;

	if (*decoder->at == 0xa0) {
		decoder->at++;
		return 0;
	}
	r = decode_str(decoder, max, ret_text);
	if (r == 0 && !**ret_text) {
		free(*ret_text);
		*ret_text = NULL;
	}
	return r;
}

static int
decode_blob(struct decoder *decoder, size_t max, struct blob *ret_blob)
{
	struct blob value = take_value(decoder);

	if (value.len > max)
		return problem(decoder, -EMSGSIZE, "too long");
	if (blob_set(ret_blob, value.data, value.len) < 0)
		return problem(decoder, -ENOMEM, "no memory");
	return 0;
}

/* ---- containers --------------------------------------------------------------- */

/* The head of a container of KIND: its number of items or pairs, at most MAX. */
static int
take_count(struct decoder *decoder, enum token_kind kind, size_t max, size_t *ret_n)
{
	struct token token = take_token(decoder);
	uint64_t n = kind == TOKEN_MAP ? token.children / 2 : token.children;

	if (token.kind != kind)
		return problem(decoder, -EBADMSG, "wrong type");
	if (n > max)
		return problem(decoder, -EMSGSIZE, "too many");
	*ret_n = (size_t)n;
	return 0;
}

/* *RET_V becomes room for N elements, zeroed; N = 0 leaves it NULL. */
static int
take_room(struct decoder *decoder, size_t n, size_t size, void *ret_v)
{
	void *v;

	if (n == 0)
		return 0;
	v = calloc(n, size);
	if (!v)
		return problem(decoder, -ENOMEM, "no memory");
	memcpy(ret_v, &v, sizeof v);
	return 0;
}

static int
decode_strs(struct decoder *decoder, size_t max, struct strs *strs)
{
	size_t n;
	int r = take_count(decoder, TOKEN_ARRAY, max, &n);

	if (r == 0)
		r = take_room(decoder, n, sizeof *strs->v, &strs->v);
	if (r < 0)
		return r;
	for (; strs->n < n; strs->n++) {
		r = decode_str(decoder, LIMIT_TEXT, &strs->v[strs->n]);
		if (r < 0) {
			prepend_index(decoder, strs->n);
			return r;
		}
	}
	return 0;
}

static int
compare_names(const void *left, const void *right)
{
	const char *const *a = left, *const *b = right;

	return strcmp(*a, *b);
}

static int
refuse_equal_names(struct decoder *decoder, const struct pairs *pairs)
{
	const char **names = NULL;
	int r;

	if (pairs->n < 2)
		return 0;
	r = take_room(decoder, pairs->n, sizeof *names, &names);
	if (r < 0)
		return r;
	for (size_t i = 0; i < pairs->n; i++)
		names[i] = pairs->v[i].name;
	qsort(names, pairs->n, sizeof *names, compare_names);
	for (size_t i = 1; i < pairs->n && r == 0; i++) {
		if (strcmp(names[i - 1], names[i]) == 0) {
			r = problem(decoder, -EBADMSG, "given twice");
			prepend(decoder, names[i]);
		}
	}
	free(names);
	return r;
}

static int
decode_pair(struct decoder *decoder, struct pair *pair)
{
	int r = decode_str(decoder, LIMIT_TITLE, &pair->name);

	if (r < 0)
		return r;
	if (!pair->name[0])
		return problem(decoder, -EBADMSG, "empty name");
	r = decode_str(decoder, LIMIT_TEXT, &pair->value);
	if (r < 0)
		prepend(decoder, pair->name);
	return r;
}

static int
decode_pairs(struct decoder *decoder, size_t max, struct pairs *pairs)
{
	size_t n;
	int r = take_count(decoder, TOKEN_MAP, max, &n);

	if (r == 0)
		r = take_room(decoder, n, sizeof *pairs->v, &pairs->v);
	if (r < 0)
		return r;
	pairs->n = n; /* zeroed: pairs not reached are NULL and may be freed */
	for (size_t i = 0; i < n && r == 0; i++)
		r = decode_pair(decoder, &pairs->v[i]);
	return r < 0 ? r : refuse_equal_names(decoder, pairs);
}

static int decode_map(struct decoder *decoder, const struct codec *codec, void *obj);

static int
decode_list(struct decoder *decoder, const struct codec_field *field, struct list *list)
{
	size_t n;
	int r = take_count(decoder, TOKEN_ARRAY, field->max, &n);

	if (r == 0)
		r = take_room(decoder, n, field->sub->size, &list->v);
	if (r < 0)
		return r;
	while (list->n < n) {
		void *element = (char *)list->v + list->n * field->sub->size;

		codec_init(field->sub, element);
		list->n++;
		r = decode_map(decoder, field->sub, element);
		if (r < 0) {
			prepend_index(decoder, list->n - 1);
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
		return decode_uint(decoder, field->max, value);
	case CODEC_INT:
		return decode_int(decoder, value);
	case CODEC_BOOL:
		return decode_bool(decoder, value);
	case CODEC_ENUM:
		return decode_enum(decoder, field->max, value);
	case CODEC_DOUBLE:
		return decode_double(decoder, value);
	case CODEC_STR:
		return decode_text(decoder, field->max, value);
	case CODEC_BLOB:
		return decode_blob(decoder, field->max, value);
	case CODEC_STRS:
		return decode_strs(decoder, field->max, value);
	case CODEC_PAIRS:
		return decode_pairs(decoder, field->max, value);
	case CODEC_STRUCT:
		return decode_map(decoder, field->sub, value);
	case CODEC_LIST:
		return decode_list(decoder, field, value);
	case CODEC_REST:
		break;
	}
	return problem(decoder, -EBADMSG, "unknown field");
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
	struct token token = take_token(decoder);

	if (token.kind != (codec->by_name ? TOKEN_STR : TOKEN_UINT))
		return problem(decoder, -EBADMSG, "bad key");
	*ret_key = (struct key){ .number = token.uint };
	if (codec->by_name) {
		ret_key->name = (const char *)decoder->at;
		ret_key->len = (size_t)token.payload;
		decoder->at += token.payload;
	}
	return 0;
}

static bool
is_key(const struct codec *codec, const struct codec_field *field, const struct key *key)
{
	if (field->type == CODEC_REST)
		return false;
	if (!codec->by_name)
		return field->number == key->number;
	return strncmp(field->name, key->name, key->len) == 0 && !field->name[key->len];
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
		if (is_key(codec, &codec->fields[at], key)) {
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
	prepend(decoder, text);
}

static int
note_unknown(struct decoder *decoder, struct map_state *state, const struct key *key)
{
	if (state->nunknown == UNKNOWN_MAX)
		return problem(decoder, -EMSGSIZE, "too many unknown fields");
	for (size_t i = 0; i < state->nunknown; i++) {
		const struct key *other = &state->unknown[i];

		if (other->number == key->number && other->len == key->len &&
		    (!key->name || memcmp(other->name, key->name, key->len) == 0))
			return problem(decoder, -EBADMSG, "given twice");
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
		return problem(decoder, -EBADMSG, "unknown field");
	r = note_unknown(decoder, state, key);
	if (r < 0)
		return r;
	take_value(decoder);
	if (state->rest.max_bytes == 0)
		return 0;
	r = buf_add(&state->rest, begin, (size_t)(decoder->at - begin));
	return r < 0 ? problem(decoder, r, "too many unknown bytes") : 0;
}

static int
decode_known(struct decoder *decoder, const struct codec *codec, struct map_state *state,
    const struct codec_field *field, void *obj)
{
	uint64_t bit = UINT64_C(1) << (field - codec->fields);

	if (state->seen & bit)
		return problem(decoder, -EBADMSG, "given twice");
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
	struct key key;
	int r = take_key(decoder, codec, &key);

	if (r < 0)
		return r;
	field = find_field(codec, &key, state);
	if (field) {
		r = decode_known(decoder, codec, state, field, obj);
		if (r < 0)
			prepend(decoder, field->name);
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
		return problem(decoder, -ENOMEM, "no memory");
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
	r = take_count(decoder, TOKEN_MAP, SIZE_MAX, &n);
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
		problem(&decoder, r, r == -EMSGSIZE ? "too large" : "not one msgpack value");
	else
		r = decode_map(&decoder, codec, ret_obj);
	if (r < 0) {
		codec_free(codec, ret_obj);
		if (ret_error)
			*ret_error = decoder.error;
	}
	return r;
}
