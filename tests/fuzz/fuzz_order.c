/* Decodes an order. */
#include "ipc/msg.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_codec(&order_codec, data, size, 64);
	return 0;
}
