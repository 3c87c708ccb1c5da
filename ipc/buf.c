#include "ipc/buf.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUF_FIRST_ROOM = 256
};

void
buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){ .max_bytes = max_bytes };
}

void
buf_fini(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max_bytes);
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->error = 0;
}

uint8_t *
buf_reserve(struct buf *buf, size_t len)
{
	size_t room = buf->room ? buf->room : BUF_FIRST_ROOM;
	uint8_t *data;

	if (buf->error)
		return NULL;
	if (len > buf->max_bytes - buf->len) {
		buf->error = -EMSGSIZE;
		return NULL;
	}
	if (buf->data && len <= buf->room - buf->len)
		return buf->data + buf->len;
	while (room < buf->len + len)
		room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
	if (room > buf->max_bytes)
		room = buf->max_bytes;
	data = realloc(buf->data, room);
	if (!data) {
		buf->error = -ENOMEM;
		return NULL;
	}
	buf->data = data;
	buf->room = room;
	return data + buf->len;
}

int
buf_add(struct buf *buf, const void *data, size_t len)
{
	uint8_t *to;

	if (len == 0)
		return buf->error;
	to = buf_reserve(buf, len);
	if (!to)
		return buf->error;
	memcpy(to, data, len);
	buf->len += len;
	return 0;
}

void
buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len -= len;
	if (buf->len > 0 && len > 0)
		memmove(buf->data, buf->data + len, buf->len);
}

int
buf_error(const struct buf *buf)
{
	return buf->error;
}

void
buf_take(struct buf *buf, uint8_t **ret_data, size_t *ret_len)
{
	*ret_data = buf->data;
	*ret_len = buf->len;
	buf_init(buf, buf->max_bytes);
}

static int
packer_write(void *arg, const char *data, size_t len)
{
	return buf_add(arg, data, len);
}

void
buf_packer(struct buf *buf, msgpack_packer *ret_packer)
{
	msgpack_packer_init(ret_packer, buf, packer_write);
}

/* What packing returns is what buf_error() says at the end: it need not be asked each time. */
void
pack_str(msgpack_packer *packer, const char *text)
{
	if (text)
		msgpack_pack_str_with_body(packer, text, strlen(text));
	else
		msgpack_pack_nil(packer);
}

void
pack_kv_str(msgpack_packer *packer, const char *key, const char *value)
{
	pack_str(packer, key);
	pack_str(packer, value);
}

void
pack_kv_uint(msgpack_packer *packer, const char *key, uint64_t value)
{
	pack_str(packer, key);
	msgpack_pack_uint64(packer, value);
}

void
pack_kv_int(msgpack_packer *packer, const char *key, int64_t value)
{
	pack_str(packer, key);
	msgpack_pack_int64(packer, value);
}

void
pack_kv_bool(msgpack_packer *packer, const char *key, bool value)
{
	pack_str(packer, key);
	if (value)
		msgpack_pack_true(packer);
	else
		msgpack_pack_false(packer);
}

void
pack_kv_double(msgpack_packer *packer, const char *key, double value)
{
	pack_str(packer, key);
	if (isnan(value))
		msgpack_pack_nil(packer);
	else
		msgpack_pack_double(packer, value);
}

void
pack_kv_nil(msgpack_packer *packer, const char *key)
{
	pack_str(packer, key);
	msgpack_pack_nil(packer);
}
