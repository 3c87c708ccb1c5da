#include "ipc/mp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
mp_parse(struct mp_doc *doc, const void *data, size_t len, const struct walk_limits *limits)
{
	size_t off = 0;
	int r = walk_whole(data, len, limits);

	if (r < 0)
		return r;
	if (!msgpack_zone_init(&doc->zone, MSGPACK_ZONE_CHUNK_SIZE))
		return -ENOMEM;
	switch (msgpack_unpack(data, len, &off, &doc->zone, &doc->root)) {
	case MSGPACK_UNPACK_SUCCESS:
		return 0;
	case MSGPACK_UNPACK_NOMEM_ERROR:
		r = -ENOMEM;
		break;
	case MSGPACK_UNPACK_EXTRA_BYTES:
	case MSGPACK_UNPACK_CONTINUE:
	case MSGPACK_UNPACK_PARSE_ERROR:
		r = -EBADMSG;
		break;
	}
	msgpack_zone_destroy(&doc->zone);
	return r;
}

void
mp_free(struct mp_doc *doc)
{
	msgpack_zone_destroy(&doc->zone);
	doc->root.type = MSGPACK_OBJECT_NIL;
}

const msgpack_object *
mp_get(const msgpack_object *map, const char *key)
{
	if (!map || map->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->via.map.size; i++)
		if (mp_str_is(&map->via.map.ptr[i].key, key))
			return &map->via.map.ptr[i].val;
	return NULL;
}

uint64_t
mp_uint(const msgpack_object *value, uint64_t otherwise)
{
	return value && value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? value->via.u64 : otherwise;
}

double
mp_double(const msgpack_object *value, double otherwise)
{
	if (!value)
		return otherwise;
	if (value->type == MSGPACK_OBJECT_FLOAT64 || value->type == MSGPACK_OBJECT_FLOAT32)
		return value->via.f64;
	if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		return (double)value->via.u64;
	if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return (double)value->via.i64;
	return otherwise;
}

bool
mp_bool(const msgpack_object *value, bool otherwise)
{
	return value && value->type == MSGPACK_OBJECT_BOOLEAN ? value->via.boolean : otherwise;
}

bool
mp_is_nil(const msgpack_object *value)
{
	return !value || value->type == MSGPACK_OBJECT_NIL;
}

bool
mp_str_is(const msgpack_object *value, const char *text)
{
	size_t len = strlen(text);

	return value && value->type == MSGPACK_OBJECT_STR && value->via.str.size == len &&
	       memcmp(value->via.str.ptr, text, len) == 0;
}

char *
mp_str_dup(const msgpack_object *value)
{
	if (!value || value->type != MSGPACK_OBJECT_STR)
		return NULL;
	return strndup(value->via.str.ptr, value->via.str.size);
}
