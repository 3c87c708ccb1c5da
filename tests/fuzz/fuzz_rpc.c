/* Takes a message of the control socket apart, as the supervisor does: walked first. */
#include "ipc/rpc.h"

#include "ipc/walk.h"
#include "tests/fuzz/fuzz.h"

/* A slice that is there is one whole value inside DATA; or, for [], an empty map of rpc.c's own. */
static void
check_slice(const struct rpc_slice *slice, const uint8_t *data, size_t size)
{
	if (!slice->data || (slice->len == 1 && slice->data[0] == 0x80))
		return;
	REQUIRE(slice->data >= data && slice->data + slice->len <= data + size);
	REQUIRE(walk_whole(slice->data, slice->len, &walk_rpc_limits) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_msg msg;
	size_t before = allocated_bytes();

	memset(&msg, 0, sizeof msg);
	if (walk_whole(data, size, &walk_rpc_limits) < 0 || rpc_parse(data, size, &msg) < 0)
		return 0;
	REQUIRE(allocated_bytes() == before);
	check_slice(&msg.params, data, size);
	check_slice(&msg.error, data, size);
	check_slice(&msg.result, data, size);
	REQUIRE(memchr(msg.method, '\0', sizeof msg.method));
	return 0;
}
