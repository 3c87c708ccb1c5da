/* Takes entries off a log. */
#include "ipc/logfile.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t head[LOG_ENTRY_HEAD];
	struct log_entry entry;
	size_t used;

	for (; log_entry_next(data, size, &entry, &used) == 1; data += used, size -= used) {
		REQUIRE(used <= size && used == LOG_ENTRY_HEAD + entry.len);
		REQUIRE(entry.text == (const char *)data + LOG_ENTRY_HEAD);
		REQUIRE(entry.len <= LOG_ENTRY_TEXT);
		log_entry_head(head, &entry);
		REQUIRE(memcmp(head, data, sizeof head) == 0);
	}
	return 0;
}
