#include "ipc/rpc.h"

#include "ipc/walk.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	int exit_status;
} errors[] = {
#define X(sym, num, name_, status) [sym] = { .name = name_, .exit_status = status },
	RPC_ERRORS(X)
#undef X
};
#define ERROR_COUNT (sizeof errors / sizeof errors[0])

/* Takes the values of a message apart, one after the other. */
struct cursor {
	const uint8_t *data;
	size_t len;
};

static int
next_value(struct cursor *cursor, struct rpc_slice *ret_slice)
{
	/* None: the message was walked already, by the limits that hold for its sender. */
	static const struct walk_limits limits = { WALK_MAX_DEPTH, UINT32_MAX, SIZE_MAX };
	struct walk walk;
	size_t used = 0;

	walk_init(&walk, &limits);
	if (walk_feed(&walk, cursor->data, cursor->len, &used) != 1)
		return -EBADMSG;
	*ret_slice = (struct rpc_slice){ cursor->data, used };
	cursor->data += used;
	cursor->len -= used;
	return 0;
}

/* The N bytes behind a type byte, big-endian; the walk has seen that they are there. */
static uint64_t
big_endian(const uint8_t *data, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | data[i];
	return value;
}

/* Any integer from 0 to UINT32_MAX, in whichever of its encodings a peer chose. */
static int
next_uint32(struct cursor *cursor, uint32_t *ret_value)
{
	struct rpc_slice slice;
	uint64_t value;
	bool is_signed;

	if (next_value(cursor, &slice) != 0)
		return -EBADMSG;
	if (slice.data[0] > 0x7f && (slice.data[0] < 0xcc || slice.data[0] > 0xd3))
		return -EBADMSG;
	is_signed = slice.data[0] >= 0xd0 && slice.data[0] <= 0xd3;
	if (is_signed && slice.data[1] & 0x80)
		return -EBADMSG;
	value = slice.len == 1 ? slice.data[0] : big_endian(slice.data + 1, slice.len - 1);
	if (value > UINT32_MAX)
		return -EBADMSG;
	*ret_value = (uint32_t)value;
	return 0;
}

static int
next_method(struct cursor *cursor, char *ret_text, size_t room)
{
	struct rpc_slice slice;
	size_t head;

	if (next_value(cursor, &slice) != 0)
		return -EBADMSG;
	if ((slice.data[0] & 0xe0) == 0xa0)
		head = 1;
	else if (slice.data[0] >= 0xd9 && slice.data[0] <= 0xdb)
		head = 1 + (size_t)(1 << (slice.data[0] - 0xd9));
	else
		return -EBADMSG;
	slice.data += head;
	slice.len -= head;
	if (slice.len == 0 || slice.len >= room || memchr(slice.data, '\0', slice.len))
		return -EBADMSG;
	memcpy(ret_text, slice.data, slice.len);
	ret_text[slice.len] = '\0';
	return 0;
}

static bool
is_map(struct rpc_slice slice)
{
	return (slice.data[0] & 0xf0) == 0x80 || slice.data[0] == 0xde || slice.data[0] == 0xdf;
}

static bool
is_nil(struct rpc_slice slice)
{
	return slice.data[0] == 0xc0;
}

/* Stock clients send a list of arguments: one that is empty or holds the map is as good. */
static int
next_params(struct cursor *cursor, struct rpc_slice *ret_slice)
{
	static const uint8_t empty_map[] = { 0x80 };
	struct rpc_slice slice;

	if (next_value(cursor, &slice) != 0)
		return -EBADMSG;
	if (slice.data[0] == 0x90)
		slice = (struct rpc_slice){ empty_map, sizeof empty_map };
	else if (slice.data[0] == 0x91)
		slice = (struct rpc_slice){ slice.data + 1, slice.len - 1 };
	if (!is_map(slice))
		return -EBADMSG;
	*ret_slice = slice;
	return 0;
}

static int
parse_request(struct cursor *cursor, struct rpc_msg *msg)
{
	if (next_uint32(cursor, &msg->id) != 0 ||
	    next_method(cursor, msg->method, sizeof msg->method) != 0)
		return -EBADMSG;
	return next_params(cursor, &msg->params);
}

static int
parse_response(struct cursor *cursor, struct rpc_msg *msg)
{
	if (next_uint32(cursor, &msg->id) != 0 || next_value(cursor, &msg->error) != 0 ||
	    next_value(cursor, &msg->result) != 0)
		return -EBADMSG;
	return is_nil(msg->error) || is_map(msg->error) ? 0 : -EBADMSG;
}

static int
parse_notification(struct cursor *cursor, struct rpc_msg *msg)
{
	if (next_method(cursor, msg->method, sizeof msg->method) != 0)
		return -EBADMSG;
	return next_value(cursor, &msg->params);
}

int
rpc_parse(const void *data, size_t len, struct rpc_msg *ret_msg)
{
	struct cursor cursor = { data, len };
	struct rpc_msg msg = { 0 };
	uint32_t type;
	int r;

	if (len < 2 || (cursor.data[0] & 0xf0) != 0x90)
		return -EBADMSG;
	uint8_t count = cursor.data[0] & 0x0f;
	cursor.data++;
	cursor.len--;
	if (next_uint32(&cursor, &type) != 0)
		return -EBADMSG;
	msg.type = (enum rpc_type)type;
	if (type == RPC_REQUEST && count == 4)
		r = parse_request(&cursor, &msg);
	else if (type == RPC_RESPONSE && count == 4)
		r = parse_response(&cursor, &msg);
	else if (type == RPC_NOTIFICATION && count == 3)
		r = parse_notification(&cursor, &msg);
	else
		return -EBADMSG;
	if (r != 0 || cursor.len != 0)
		return -EBADMSG;
	*ret_msg = msg;
	return 0;
}

static void
begin(msgpack_packer *packer, struct buf *out, enum rpc_type type, size_t values)
{
	buf_packer(out, packer);
	msgpack_pack_array(packer, values);
	msgpack_pack_int(packer, (int)type);
}

int
rpc_begin_request(struct buf *out, uint32_t id, const char *method)
{
	msgpack_packer packer;

	begin(&packer, out, RPC_REQUEST, 4);
	msgpack_pack_uint32(&packer, id);
	pack_str(&packer, method);
	return buf_error(out);
}

int
rpc_begin_result(struct buf *out, uint32_t id)
{
	msgpack_packer packer;

	begin(&packer, out, RPC_RESPONSE, 4);
	msgpack_pack_uint32(&packer, id);
	msgpack_pack_nil(&packer);
	return buf_error(out);
}

int
rpc_begin_notification(struct buf *out, const char *method)
{
	msgpack_packer packer;

	begin(&packer, out, RPC_NOTIFICATION, 3);
	pack_str(&packer, method);
	return buf_error(out);
}

const char *
rpc_error_name(enum rpc_error error)
{
	return error > 0 && error < ERROR_COUNT ? errors[error].name : "invalid";
}

int
rpc_error_exit_status(const char *name)
{
	for (size_t i = 1; i < ERROR_COUNT; i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].exit_status;
	return 1;
}

int
rpc_put_error(
    struct buf *out, uint32_t id, enum rpc_error error, const char *field, const char *message)
{
	msgpack_packer packer;

	begin(&packer, out, RPC_RESPONSE, 4);
	msgpack_pack_uint32(&packer, id);
	msgpack_pack_map(&packer, field ? 3 : 2);
	pack_kv_str(&packer, "code", rpc_error_name(error));
	pack_kv_str(&packer, "message", message);
	if (field)
		pack_kv_str(&packer, "field", field);
	msgpack_pack_nil(&packer);
	return buf_error(out);
}
