/*
 * ipc/walk.h - checks msgpack bytes against limits before anything decodes them.
 *
 * Iterative and resumable: it keeps no copy of the bytes, allocates nothing, and
 * never reads one twice, so a stream fed byte by byte costs what one piece does.
 * A count is refused as soon as it is larger than what could still follow.
 * msgpack-c 4.0 allocates from a length field before it has seen the items;
 * nothing from outside reaches it unwalked.
 */
#ifndef IPC_WALK_H
#define IPC_WALK_H

#include <stddef.h>
#include <stdint.h>

enum {
	WALK_MAX_DEPTH = 16
};

struct walk_limits {
	uint32_t max_depth; /* containers inside each other, <= WALK_MAX_DEPTH */
	uint32_t max_items; /* values of every kind, containers included */
	size_t max_bytes;   /* of the whole message */
};

/* For frames, RPC messages and stored records. */
extern const struct walk_limits walk_frame_limits; /* depth 8, 4,096 items, 64 KiB */
extern const struct walk_limits walk_rpc_limits;   /* depth 8, 4,096 items, 1 MiB */
extern const struct walk_limits walk_store_limits; /* depth 16, 65,536 items, 4 MiB */

struct walk {
	const struct walk_limits *limits;
	size_t pos;     /* bytes walked so far */
	size_t skip;    /* payload bytes still to come */
	uint32_t items; /* values seen */
	uint32_t depth;
	uint32_t left[WALK_MAX_DEPTH]; /* values still to come, per open container */
	uint8_t head[9];               /* a type byte and the part of its length that has arrived */
	uint8_t head_len;
};

void walk_init(struct walk *walk, const struct walk_limits *limits);

/*
 * Feeds the next LEN bytes. Returns 1 when exactly one value is complete (*ret_used
 * tells how many of these bytes belong to it), 0 when more is needed, -EMSGSIZE
 * beyond a limit, -EBADMSG for the reserved byte 0xc1.
 */
int walk_feed(struct walk *walk, const void *data, size_t len, size_t *ret_used);

/* One whole value and nothing behind it: 0, -EMSGSIZE, or -EBADMSG (torn, trailing, reserved). */
int walk_whole(const void *data, size_t len, const struct walk_limits *limits);

#endif
