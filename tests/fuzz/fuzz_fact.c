/* Decodes a fact, as it stands in a journal or in the store. */
#include "ipc/msg.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_codec(&fact_codec, data, size, 64);
	return 0;
}
