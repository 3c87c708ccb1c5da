/* Walks a value, whole and in pieces, and compares the verdict with msgpack-c's. */
#include "ipc/walk.h"

#include "tests/fuzz/fuzz.h"

#include <msgpack.h>

/* Walks DATA in pieces of at most STRIDE bytes. */
static int
walk_in_pieces(const uint8_t *data, size_t size, size_t stride, size_t *ret_used)
{
	struct walk walk;
	int r = 0;

	*ret_used = 0;
	walk_init(&walk, &walk_frame_limits);
	while (r == 0 && *ret_used < size) {
		size_t left = size - *ret_used, used = 0;

		r = walk_feed(&walk, data + *ret_used, left < stride ? left : stride, &used);
		*ret_used += used;
	}
	return r;
}

/* What the walk let pass is safe to give to msgpack-c, and what it found torn is so there, too. */
static void
compare(const uint8_t *data, size_t size, int verdict)
{
	size_t off = 0, before = allocated_bytes();
	msgpack_zone zone;
	msgpack_object object;
	msgpack_unpack_return r;

	REQUIRE(msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE));
	r = msgpack_unpack((const char *)data, size, &off, &zone, &object);
	REQUIRE((r == MSGPACK_UNPACK_SUCCESS) == (verdict == 0));
	REQUIRE(allocated_bytes() <= before + 128 * size + (size_t)512 * 1024);
	msgpack_zone_destroy(&zone);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int verdict = walk_whole(data, size, &walk_frame_limits);
	size_t stride = size > 0 ? 1 + data[size - 1] % 7 : 1, used, used_whole;
	int whole = walk_in_pieces(data, size, SIZE_MAX, &used_whole);

	REQUIRE(walk_in_pieces(data, size, stride, &used) == whole);
	if (whole == 1)
		REQUIRE(used == used_whole);
	if (verdict == 0)
		REQUIRE(whole == 1 && used == size);
	if (verdict != -EMSGSIZE)
		compare(data, size, verdict);
	return 0;
}
