/* Decodes what a step says. */
#include "ipc/msg.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_codec(&step_msg_codec, data, size, 16);
	return 0;
}
