#include "ipc/decoder.h"

#include "ipc/task.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
decoder_problem(struct decoder *decoder, int error, const char *text)
{
	decoder->error.problem = text;
	return error;
}

int
decoder_excess(struct decoder *decoder, int error, const char *text, uint64_t given, uint64_t max)
{
	decoder->error.given = given;
	decoder->error.max = max;
	return decoder_problem(decoder, error, text);
}

void
decoder_where(struct decoder *decoder, const char *where)
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

void
decoder_where_index(struct decoder *decoder, size_t i)
{
	char index[24];

	snprintf(index, sizeof index, "[%zu]", i);
	decoder_where(decoder, index);
}

struct token
decoder_token(struct decoder *decoder)
{
	struct token token;

	decoder->at += token_read(decoder->at, &token);
	return token;
}

struct span
decoder_value(struct decoder *decoder)
{
	const uint8_t *begin = decoder->at;
	uint64_t left = 1;

	while (left > 0) {
		struct token token = decoder_token(decoder);

		decoder->at += token.payload;
		left += token.children - 1;
	}
	return (struct span){ begin, (size_t)(decoder->at - begin) };
}

/* ---- single values ----------------------------------------------------------- */

int
decoder_uint(struct decoder *decoder, uint64_t max, uint64_t *ret_value)
{
	struct token token = decoder_token(decoder);

	if (token.kind != TOKEN_UINT)
		return decoder_problem(decoder, -EBADMSG, "wrong type");
	if (max > 0 && token.uint > max)
		return decoder_excess(decoder, -EBADMSG, "out of range", token.uint, max);
	*ret_value = token.uint;
	return 0;
}

int
decoder_int(struct decoder *decoder, int64_t *ret_value)
{
	struct token token = decoder_token(decoder);

	if (token.kind == TOKEN_NEGATIVE) {
		*ret_value = token.negative;
		return 0;
	}
	if (token.kind != TOKEN_UINT)
		return decoder_problem(decoder, -EBADMSG, "wrong type");
	if (token.uint > INT64_MAX)
		return decoder_problem(decoder, -EBADMSG, "out of range");
	*ret_value = (int64_t)token.uint;
	return 0;
}

int
decoder_bool(struct decoder *decoder, bool *ret_value)
{
	struct token token = decoder_token(decoder);

	if (token.kind != TOKEN_BOOL)
		return decoder_problem(decoder, -EBADMSG, "wrong type");
	*ret_value = token.uint != 0;
	return 0;
}

int
decoder_enum(struct decoder *decoder, size_t max, int *ret_value)
{
	uint64_t value;
	int r;

	assert(max > 0 && max <= INT_MAX);
	r = decoder_uint(decoder, max, &value);
	if (r == 0)
		*ret_value = (int)value;
	return r;
}

int
decoder_double(struct decoder *decoder, double *ret_value)
{
	struct token token = decoder_token(decoder);

	if (token.kind == TOKEN_DOUBLE)
		*ret_value = isfinite(token.real) ? token.real : (double)NAN;
	else if (token.kind == TOKEN_UINT)
		*ret_value = (double)token.uint;
	else if (token.kind == TOKEN_NEGATIVE)
		*ret_value = (double)token.negative;
	else
		return decoder_problem(decoder, -EBADMSG, "wrong type");
	return 0;
}

static int
decode_str(struct decoder *decoder, size_t max, char **ret_text)
{
	struct token token = decoder_token(decoder);
	size_t len = (size_t)token.payload;
	char *text;

	if (token.kind != TOKEN_STR)
		return decoder_problem(decoder, -EBADMSG, "wrong type");
	if (len > max)
		return decoder_excess(decoder, -EMSGSIZE, "too long", len, max);
	if (memchr(decoder->at, '\0', len))
		return decoder_problem(decoder, -EBADMSG, "holds a NUL");
	text = malloc(len + 1);
	if (!text)
		return decoder_problem(decoder, -ENOMEM, "no memory");
	memcpy(text, decoder->at, len);
	text[len] = '\0';
	decoder->at += len;
	*ret_text = text;
	return 0;
}

/* An empty string is an absent one: that is what encoding makes of it. */
int
decoder_text(struct decoder *decoder, size_t max, char **ret_text)
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

int
decoder_blob(struct decoder *decoder, size_t max, struct blob *ret_blob)
{
	struct span value = decoder_value(decoder);

	if (value.len > max)
		return decoder_excess(decoder, -EMSGSIZE, "too long", value.len, max);
	if (blob_set(ret_blob, value.data, value.len) < 0)
		return decoder_problem(decoder, -ENOMEM, "no memory");
	return 0;
}

/* ---- containers --------------------------------------------------------------- */

int
decoder_count(struct decoder *decoder, enum token_kind kind, size_t max, size_t *ret_n)
{
	struct token token = decoder_token(decoder);
	uint64_t n = kind == TOKEN_MAP ? token.children / 2 : token.children;

	if (token.kind != kind)
		return decoder_problem(decoder, -EBADMSG, "wrong type");
	if (n > max)
		return decoder_excess(decoder, -EMSGSIZE, "too many", n, max);
	*ret_n = (size_t)n;
	return 0;
}

void *
decoder_room(struct decoder *decoder, size_t n, size_t size)
{
	void *v = calloc(n, size);

	if (!v)
		decoder_problem(decoder, -ENOMEM, "no memory");
	return v;
}

int
decoder_strs(struct decoder *decoder, size_t max, struct strs *strs)
{
	size_t n;
	int r = decoder_count(decoder, TOKEN_ARRAY, max, &n);

	if (r < 0 || n == 0)
		return r;
	strs->v = decoder_room(decoder, n, sizeof *strs->v);
	if (!strs->v)
		return -ENOMEM;
	for (; strs->n < n; strs->n++) {
		r = decode_str(decoder, LIMIT_TEXT, &strs->v[strs->n]);
		if (r < 0) {
			decoder_where_index(decoder, strs->n);
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
	const char **names;
	int r = 0;

	if (pairs->n < 2)
		return 0;
	names = decoder_room(decoder, pairs->n, sizeof *names);
	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < pairs->n; i++)
		names[i] = pairs->v[i].name;
	qsort(names, pairs->n, sizeof *names, compare_names);
	for (size_t i = 1; i < pairs->n && r == 0; i++) {
		if (strcmp(names[i - 1], names[i]) == 0) {
			r = decoder_problem(decoder, -EBADMSG, "given twice");
			decoder_where(decoder, names[i]);
		}
	}
	free(names);
	return r;
}

static int
decode_pair(struct decoder *decoder, struct pair *pair)
{
	int r = decode_str(decoder, LIMIT_TITLE, &pair->name);

	if (r == -EMSGSIZE)
		decoder->error.problem = "a name is too long";
	if (r < 0)
		return r;
	if (!pair->name[0])
		return decoder_problem(decoder, -EBADMSG, "empty name");
	r = decode_str(decoder, LIMIT_TEXT, &pair->value);
	if (r < 0)
		decoder_where(decoder, pair->name);
	return r;
}

int
decoder_pairs(struct decoder *decoder, size_t max, struct pairs *pairs)
{
	size_t n;
	int r = decoder_count(decoder, TOKEN_MAP, max, &n);

	if (r < 0 || n == 0)
		return r;
	pairs->v = decoder_room(decoder, n, sizeof *pairs->v);
	if (!pairs->v)
		return -ENOMEM;
	pairs->n = n; /* zeroed: pairs not reached are NULL and may be freed */
	for (size_t i = 0; i < n && r == 0; i++)
		r = decode_pair(decoder, &pairs->v[i]);
	return r < 0 ? r : refuse_equal_names(decoder, pairs);
}
