#include "ipc/frame.h"

#include "ipc/le.h"
#include "ipc/task.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* ---- crc --------------------------------------------------------------------- */

/* Four bits at a time: small, and only for processors without the instruction. */
static uint32_t
crc_by_table(uint32_t crc, const uint8_t *at, size_t len)
{
	static const uint32_t table[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6,
		0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };

	for (size_t i = 0; i < len; i++) {
		crc ^= at[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

#ifdef __x86_64__
# include <nmmintrin.h>
# if __has_include(<sys/platform/x86.h>)
#  include <sys/platform/x86.h>
# endif

__attribute__((target("sse4.2"))) static uint32_t
crc_by_processor(uint32_t crc, const uint8_t *at, size_t len)
{
	uint64_t crc64 = crc, word;

	for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
		memcpy(&word, at, sizeof word);
		crc64 = _mm_crc32_u64(crc64, word);
	}
	crc = (uint32_t)crc64;
	for (; len > 0; at++, len--)
		crc = _mm_crc32_u8(crc, *at);
	return crc;
}

/* The C library has asked the processor already. To ask again, as the compiler's own answer does at
 * the start of each program, costs a virtual machine more than all that a worker writes. */
static bool
has_instruction(void)
{
# if __has_include(<sys/platform/x86.h>)
	return CPU_FEATURE_ACTIVE(SSE4_2);
# else
	return __builtin_cpu_supports("sse4.2");
# endif
}

static uint32_t
crc_update(uint32_t crc, const uint8_t *at, size_t len)
{
	return has_instruction() ? crc_by_processor(crc, at, len) : crc_by_table(crc, at, len);
}
#else
# define crc_update crc_by_table
#endif

uint32_t
crc32c(uint32_t crc, const void *data, size_t len)
{
	return ~crc_update(~crc, data, len);
}

uint32_t
crc32c_portable(uint32_t crc, const void *data, size_t len)
{
	return ~crc_by_table(~crc, data, len);
}

/* ---- journal frames -------------------------------------------------------------- */

uint64_t
journal_first_seq(uint64_t task, uint64_t attempt)
{
	return (task << 32) + (attempt << 16) + 1;
}

int
journal_frame_encode(struct buf *out, uint64_t seq, const void *body, size_t len)
{
	uint8_t head[JOURNAL_HEAD];
	size_t begin = out->len;

	if (len == 0 || len > LIMIT_FRAME)
		return -EMSGSIZE;
	put_le(head, len, 4);
	put_le(head + 8, seq, 8);
	put_le(head + 4, crc32c(crc32c(0, head + 8, 8), body, len), 4);
	buf_add(out, head, sizeof head);
	if (buf_add(out, body, len) < 0)
		out->len = begin;
	return buf_error(out);
}

int
journal_frame_next(const void *data, size_t len, struct journal_frame *ret_frame)
{
	const uint8_t *head = data;
	size_t body_len;

	if (len < 4)
		return 0;
	body_len = (size_t)get_le(head, 4);
	if (body_len > LIMIT_FRAME)
		return -EBADMSG;
	if (body_len == 0 || len < JOURNAL_HEAD + body_len)
		return 0;
	if (crc32c(0, head + 8, 8 + body_len) != get_le(head + 4, 4))
		return -EBADMSG;
	*ret_frame = (struct journal_frame){ .seq = get_le(head + 8, 8),
		.body = head + JOURNAL_HEAD,
		.len = body_len,
		.used = JOURNAL_HEAD + body_len };
	return 1;
}

/* ---- pipe frames ------------------------------------------------------------------ */

size_t
pipe_frame_begin(struct buf *out)
{
	static const uint8_t head[PIPE_HEAD];
	size_t begin = out->len;

	buf_add(out, head, sizeof head);
	return begin;
}

int
pipe_frame_end(struct buf *out, size_t begin, size_t max_bytes)
{
	int r = buf_error(out);

	if (r == 0 && (out->len - begin > max_bytes || out->len - begin <= PIPE_HEAD))
		r = -EMSGSIZE;
	if (r == 0)
		put_le(out->data + begin, out->len - begin - PIPE_HEAD, PIPE_HEAD);
	else
		out->len = begin;
	return r;
}

int
pipe_frame_next(const void *data, size_t len, size_t max_bytes, struct pipe_frame *ret_frame)
{
	const uint8_t *head = data;
	size_t body_len;

	if (len < PIPE_HEAD)
		return 0;
	body_len = (size_t)get_le(head, PIPE_HEAD);
	if (body_len == 0 || body_len > max_bytes)
		return -EMSGSIZE;
	if (len < PIPE_HEAD + body_len)
		return 0;
	*ret_frame = (struct pipe_frame){
		.body = head + PIPE_HEAD, .len = body_len, .used = PIPE_HEAD + body_len
	};
	return 1;
}
