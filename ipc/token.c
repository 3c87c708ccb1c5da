#include "ipc/token.h"

#include <string.h>

size_t
token_head_len(uint8_t first)
{
	/* 0xc0 to 0xdf; what lies below and above is one byte long. */
	static const uint8_t lens[32] = {
		1, 0, 1, 1, 2, 3, 5, 2, /* nil, reserved, false, true, bin 8/16/32, ext 8 */
		3, 5, 5, 9, 2, 3, 5, 9, /* ext 16/32, float 32/64, uint 8/16/32/64 */
		2, 3, 5, 9, 1, 1, 1, 1, /* int 8/16/32/64, fixext 1/2/4/8 */
		1, 2, 3, 5, 3, 5, 3, 5, /* fixext 16, str 8/16/32, array 16/32, map 16/32 */
	};

	return first >= 0xc0 && first < 0xe0 ? lens[first - 0xc0] : 1;
}

static uint64_t
big_endian(const uint8_t *at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | at[i];
	return value;
}

static void
set_int(struct token *token, int64_t value)
{
	if (value >= 0) {
		token->kind = TOKEN_UINT;
		token->uint = (uint64_t)value;
	} else {
		token->kind = TOKEN_NEGATIVE;
		token->negative = value;
	}
}

/* The low LEN bytes of VALUE as a number in two's complement. */
static int64_t
sign_extended(uint64_t value, size_t len)
{
	switch (len) {
	case 1:
		return (int8_t)value;
	case 2:
		return (int16_t)value;
	case 4:
		return (int32_t)value;
	default:
		return (int64_t)value;
	}
}

static void
set_float(struct token *token, uint64_t bits, size_t len)
{
	uint32_t bits32 = (uint32_t)bits;
	float single;

	token->kind = TOKEN_DOUBLE;
	if (len == sizeof single) {
		memcpy(&single, &bits32, sizeof single);
		token->real = (double)single;
	} else {
		memcpy(&token->real, &bits, sizeof token->real);
	}
}

static void
set_payload(struct token *token, enum token_kind kind, uint64_t payload)
{
	token->kind = kind;
	token->payload = payload;
}

static void
set_children(struct token *token, enum token_kind kind, uint64_t children)
{
	token->kind = kind;
	token->children = children;
}

/* 0x00 to 0xbf and 0xe0 to 0xff: everything is in the first byte. */
static void
read_fixed(uint8_t first, struct token *token)
{
	if (first < 0x80)
		set_int(token, first);
	else if (first < 0x90)
		set_children(token, TOKEN_MAP, 2 * (uint64_t)(first & 0x0f));
	else if (first < 0xa0)
		set_children(token, TOKEN_ARRAY, first & 0x0f);
	else if (first < 0xc0)
		set_payload(token, TOKEN_STR, first & 0x1f);
	else
		set_int(token, (int64_t)first - 0x100);
}

/* 0xc0 to 0xdf; VALUE is the number in the LEN bytes behind the first. */
static void
read_typed(uint8_t first, uint64_t value, size_t len, struct token *token)
{
	if (first == 0xc0) {
		token->kind = TOKEN_NIL;
	} else if (first < 0xc4) {
		token->kind = TOKEN_BOOL;
		token->uint = first & 1;
	} else if (first < 0xc7) {
		set_payload(token, TOKEN_BIN, value);
	} else if (first < 0xca) {
		set_payload(token, TOKEN_EXT, value + 1);
	} else if (first < 0xcc) {
		set_float(token, value, len);
	} else if (first < 0xd0) {
		token->kind = TOKEN_UINT;
		token->uint = value;
	} else if (first < 0xd4) {
		set_int(token, sign_extended(value, len));
	} else if (first < 0xd9) {
		set_payload(token, TOKEN_EXT, (UINT64_C(1) << (first - 0xd4)) + 1);
	} else if (first < 0xdc) {
		set_payload(token, TOKEN_STR, value);
	} else if (first < 0xde) {
		set_children(token, TOKEN_ARRAY, value);
	} else {
		set_children(token, TOKEN_MAP, 2 * value);
	}
}

size_t
token_read(const uint8_t *head, struct token *ret_token)
{
	size_t len = token_head_len(head[0]);

	*ret_token = (struct token){ .kind = TOKEN_NIL };
	if (head[0] < 0xc0 || head[0] >= 0xe0)
		read_fixed(head[0], ret_token);
	else
		read_typed(head[0], big_endian(head + 1, len - 1), len - 1, ret_token);
	return len;
}
