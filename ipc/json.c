#include "ipc/json.h"

#include "ipc/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Deeper than anything that was walked; for objects built by hand. */
enum {
	JSON_DEPTH = 32
};

struct writer {
	struct buf *out;
	enum json_style style;
};

static void
put(struct buf *out, const char *text)
{
	buf_add(out, text, strlen(text));
}

/* ---- strings ------------------------------------------------------------------ */

static void
put_escaped(struct buf *out, uint8_t byte)
{
	static const char letters[] = "btnvfr"; /* from 0x08 on; 0x0b has no short form in JSON */
	char text[8];

	if (byte == '"' || byte == '\\')
		snprintf(text, sizeof text, "\\%c", byte);
	else if (byte >= 0x08 && byte <= 0x0d && byte != 0x0b)
		snprintf(text, sizeof text, "\\%c", letters[byte - 0x08]);
	else
		snprintf(text, sizeof text, "\\u%04x", byte);
	put(out, text);
}

static bool
is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Bytes at AT that need no escape and no look at their neighbours. */
static size_t
plain_len(const uint8_t *at, size_t len)
{
	size_t n = 0;

	while (n < len && is_plain(at[n]))
		n++;
	return n;
}

/* One character that is not plain, or bytes that are none: how many were dealt with. */
static size_t
put_special(struct buf *out, const uint8_t *at, size_t len)
{
	size_t n;

	if (*at < 0x80) {
		put_escaped(out, *at);
		return 1;
	}
	if (utf8_next(at, len, &n))
		buf_add(out, at, n);
	else
		put(out, UTF8_REPLACEMENT);
	return n;
}

int
json_write_string(struct buf *out, const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t at = 0;

	put(out, "\"");
	while (at < len && !buf_error(out)) {
		size_t plain = plain_len(bytes + at, len - at);

		buf_add(out, bytes + at, plain);
		at += plain;
		if (at < len)
			at += put_special(out, bytes + at, len - at);
	}
	put(out, "\"");
	return buf_error(out);
}

/* ---- other scalars -------------------------------------------------------------- */

static void
put_base64(struct buf *out, const uint8_t *at, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	put(out, "\"");
	for (size_t i = 0; i < len && !buf_error(out); i += 3) {
		size_t left = len - i, n = left < 3 ? left : 3;
		uint32_t bits = (uint32_t)at[i] << 16;
		char group[4];

		if (left > 1)
			bits |= (uint32_t)at[i + 1] << 8;
		if (left > 2)
			bits |= at[i + 2];
		for (int digit = 0; digit < 4; digit++)
			group[digit] = digits[bits >> (18 - 6 * digit) & 63];
		memset(group + n + 1, '=', 3 - n);
		buf_add(out, group, sizeof group);
	}
	put(out, "\"");
}

/* The shortest text that reads back as VALUE; with a point whatever the locale. */
static void
put_double(struct buf *out, double value)
{
	char text[40], *comma;

	if (!isfinite(value)) {
		put(out, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	comma = strchr(text, ',');
	if (comma)
		*comma = '.';
	put(out, text);
}

static void
put_uint(struct buf *out, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, value);
	put(out, text);
}

static void
put_int(struct buf *out, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, value);
	put(out, text);
}

/* ---- containers ------------------------------------------------------------------ */

static void write_value(struct writer *writer, const msgpack_object *object, int depth);

static void
new_line(struct writer *writer, int depth)
{
	if (writer->style != JSON_PRETTY)
		return;
	put(writer->out, "\n");
	for (int i = 0; i < depth; i++)
		put(writer->out, "  ");
}

/* JSON knows strings only as keys: what is none is written as the string of its JSON. */
static void
write_key(struct writer *writer, const msgpack_object *key, int depth)
{
	struct buf text;
	struct writer inner = { &text, JSON_COMPACT };

	if (key->type == MSGPACK_OBJECT_STR || key->type == MSGPACK_OBJECT_BIN) {
		write_value(writer, key, depth);
		return;
	}
	buf_init(&text, writer->out->max_bytes);
	write_value(&inner, key, depth);
	if (buf_error(&text))
		writer->out->error = buf_error(&text);
	else
		json_write_string(writer->out, (const char *)text.data, text.len);
	buf_fini(&text);
}

static void
write_map(struct writer *writer, const msgpack_object_map *map, int depth)
{
	put(writer->out, "{");
	for (uint32_t i = 0; i < map->size && !buf_error(writer->out); i++) {
		if (i > 0)
			put(writer->out, ",");
		new_line(writer, depth + 1);
		write_key(writer, &map->ptr[i].key, depth + 1);
		put(writer->out, writer->style == JSON_PRETTY ? ": " : ":");
		write_value(writer, &map->ptr[i].val, depth + 1);
	}
	if (map->size > 0)
		new_line(writer, depth);
	put(writer->out, "}");
}

static void
write_array(struct writer *writer, const msgpack_object_array *array, int depth)
{
	put(writer->out, "[");
	for (uint32_t i = 0; i < array->size && !buf_error(writer->out); i++) {
		if (i > 0)
			put(writer->out, ",");
		new_line(writer, depth + 1);
		write_value(writer, &array->ptr[i], depth + 1);
	}
	if (array->size > 0)
		new_line(writer, depth);
	put(writer->out, "]");
}

static void
write_value(struct writer *writer, const msgpack_object *object, int depth)
{
	struct buf *out = writer->out;

	if (depth > JSON_DEPTH && !out->error)
		out->error = -EMSGSIZE;
	if (out->error)
		return;
	switch (object->type) {
	case MSGPACK_OBJECT_NIL:
	case MSGPACK_OBJECT_EXT:
		put(out, "null");
		break;
	case MSGPACK_OBJECT_BOOLEAN:
		put(out, object->via.boolean ? "true" : "false");
		break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		put_uint(out, object->via.u64);
		break;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		put_int(out, object->via.i64);
		break;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		put_double(out, object->via.f64);
		break;
	case MSGPACK_OBJECT_STR:
		json_write_string(out, object->via.str.ptr, object->via.str.size);
		break;
	case MSGPACK_OBJECT_BIN:
		put_base64(out, (const uint8_t *)object->via.bin.ptr, object->via.bin.size);
		break;
	case MSGPACK_OBJECT_ARRAY:
		write_array(writer, &object->via.array, depth);
		break;
	case MSGPACK_OBJECT_MAP:
		write_map(writer, &object->via.map, depth);
		break;
	}
}

int
json_write(struct buf *out, const msgpack_object *object, enum json_style style)
{
	struct writer writer = { out, style };

	write_value(&writer, object, 0);
	return buf_error(out);
}
