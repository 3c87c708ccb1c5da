#include "ipc/walk.h"

#include "ipc/token.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

const struct walk_limits walk_frame_limits = { 8, 4096, (size_t)64 * 1024 };
const struct walk_limits walk_rpc_limits = { 8, 4096, (size_t)1024 * 1024 };
const struct walk_limits walk_store_limits = { WALK_MAX_DEPTH, 65536, (size_t)4 * 1024 * 1024 };

void
walk_init(struct walk *walk, const struct walk_limits *limits)
{
	*walk = (struct walk){ .limits = limits };
}

/* Values the open containers wait for, but for the one being read: each is at least one byte. */
static uint64_t
promised(const struct walk *walk)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < walk->depth; i++)
		sum += walk->left[i];
	return walk->depth > 0 ? sum - 1 : 0;
}

/* True when the value just completed was the last: containers that end with it are closed. */
static bool
close_value(struct walk *walk)
{
	while (walk->depth > 0) {
		if (--walk->left[walk->depth - 1] > 0)
			return false;
		walk->depth--;
	}
	return true;
}

/* The head in walk->head is whole: 1 when its value is complete with it, 0, -EMSGSIZE. */
static int
open_value(struct walk *walk)
{
	const struct walk_limits *limits = walk->limits;
	struct token token;
	uint64_t to_come;

	token_read(walk->head, &token);
	walk->head_len = 0;
	walk->items++; /* within the limit: a container's items were checked with its head */
	if (token.payload > 0) {
		if (token.payload > limits->max_bytes - walk->pos)
			return -EMSGSIZE;
		walk->skip = (size_t)token.payload;
		return 0;
	}
	if (token.kind != TOKEN_ARRAY && token.kind != TOKEN_MAP)
		return 1;
	if (walk->depth >= limits->max_depth || walk->depth >= WALK_MAX_DEPTH)
		return -EMSGSIZE;
	if (token.children == 0)
		return 1;
	to_come = token.children + promised(walk);
	if (to_come > limits->max_items - walk->items || to_come > limits->max_bytes - walk->pos)
		return -EMSGSIZE;
	walk->left[walk->depth++] = (uint32_t)token.children;
	return 0;
}

/* Takes as much of the payload as there is: bytes taken. */
static size_t
skip_payload(struct walk *walk, size_t len)
{
	size_t part = len < walk->skip ? len : walk->skip;

	walk->skip -= part;
	walk->pos += part;
	return part;
}

/* Takes as much of a head as there is: bytes taken, or -EMSGSIZE, -EBADMSG. */
static int
take_head(struct walk *walk, const uint8_t *at, size_t len)
{
	size_t whole = token_head_len(walk->head_len > 0 ? walk->head[0] : at[0]);
	size_t part;

	if (whole == 0)
		return -EBADMSG;
	part = whole - walk->head_len;
	if (part > walk->limits->max_bytes - walk->pos)
		return -EMSGSIZE;
	if (part > len)
		part = len;
	memcpy(walk->head + walk->head_len, at, part);
	walk->head_len = (uint8_t)(walk->head_len + part);
	walk->pos += part;
	return (int)part;
}

/* One step at AT: 1 when a value has become complete, 0, or -errno; *USED grows by what it took. */
static int
walk_step(struct walk *walk, const uint8_t *at, size_t len, size_t *used)
{
	int r;

	if (walk->skip > 0) {
		*used += skip_payload(walk, len);
		return walk->skip == 0;
	}
	r = take_head(walk, at, len);
	if (r < 0)
		return r;
	*used += (size_t)r;
	return walk->head_len == token_head_len(walk->head[0]) ? open_value(walk) : 0;
}

int
walk_feed(struct walk *walk, const void *data, size_t len, size_t *ret_used)
{
	const uint8_t *bytes = data;
	size_t used = 0;

	while (used < len) {
		int r = walk_step(walk, bytes + used, len - used, &used);

		if (r < 0)
			return r;
		if (r > 0 && close_value(walk)) {
			*ret_used = used;
			return 1;
		}
	}
	*ret_used = used;
	return 0;
}

int
walk_whole(const void *data, size_t len, const struct walk_limits *limits)
{
	struct walk walk;
	size_t used;
	int r;

	if (len > limits->max_bytes)
		return -EMSGSIZE;
	walk_init(&walk, limits);
	r = walk_feed(&walk, data, len, &used);
	if (r < 0)
		return r;
	return r == 1 && used == len ? 0 : -EBADMSG;
}
