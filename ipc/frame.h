/*
 * ipc/frame.h - the two envelopes msgpack travels in.
 *
 * Journal frame: u32 len | u32 crc32c | u64 seq | body. Little-endian; len counts
 * the body, the crc covers seq and body. One write() each, by one writer.
 * Pipe frame:    u32 len | body. Little-endian. At most PIPE_BUF in all where it must
 * be atomic (news, orders), else LIMIT_FRAME (step protocol).
 *
 * ipc/PROTOCOL.md holds example bytes that a test checks.
 */
#ifndef IPC_FRAME_H
#define IPC_FRAME_H

#include "ipc/buf.h"

enum {
	JOURNAL_HEAD = 16,
	PIPE_HEAD = 4
};

/* CRC-32C (Castagnoli), as in RFC 3720 B.4, of DATA; CRC is 0 or the value so far. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same without the processor's instruction. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

/*
 * The number of the first frame of ATTEMPT of TASK; each further one is one more. A journal is
 * written over the last attempt's, and a machine that loses its power may leave any mix of the two
 * on the disk: no frame of one has a number that the other waits for.
 */
uint64_t journal_first_seq(uint64_t task, uint64_t attempt);

/* Appends a journal frame around BODY. 0, -EMSGSIZE (body > LIMIT_FRAME), -ENOMEM. */
int journal_frame_encode(struct buf *out, uint64_t seq, const void *body, size_t len);

struct journal_frame {
	uint64_t seq;
	const uint8_t *body; /* points into the bytes given */
	size_t len;
	size_t used; /* bytes of the whole frame */
};

/*
 * The frame at the start of DATA. 1: whole and right. 0: more bytes are needed, or its length is 0:
 * none was written here yet. -EBADMSG: the length is impossible or the crc is wrong (a torn or
 * damaged frame).
 */
int journal_frame_next(const void *data, size_t len, struct journal_frame *ret_frame);

/*
 * Starts a pipe frame in OUT and returns its offset; pipe_frame_end fills in the length. There
 * MAX_BYTES counts the whole frame: PIPE_BUF makes it atomic. A frame that is refused (-EMSGSIZE:
 * too large or without a body; or buf_error) is taken out of OUT again.
 */
size_t pipe_frame_begin(struct buf *out);
int pipe_frame_end(struct buf *out, size_t begin, size_t max_bytes);

struct pipe_frame {
	const uint8_t *body;
	size_t len;
	size_t used;
};

/* As journal_frame_next; -EMSGSIZE when the body's length is over MAX_BYTES or 0. */
int pipe_frame_next(const void *data, size_t len, size_t max_bytes, struct pipe_frame *ret_frame);

#endif
