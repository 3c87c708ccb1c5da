/* Decodes a brief, and in it a spec. */
#include "ipc/spec.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_codec(&brief_codec, data, size, 512);
	return 0;
}
