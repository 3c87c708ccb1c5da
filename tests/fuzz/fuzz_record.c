/* Reads a value of the table of tasks: its head, what the indexes follow from it, its row. */
#include "store/record.h"

#include "store/index.h"
#include "tests/fuzz/fuzz.h"

/* The smallest element of a list is one byte, and the largest struct for it a step. */
enum {
	MULTIPLE = sizeof(struct record_step) + 64
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct store_tables tables = { .active = 2, .due = 3, .owner = 4 };
	struct index_entry entry;
	struct head head;
	size_t entries = 0;

	if (head_open(data, size, &head) < 0) {
		fuzz_codec(&record_codec, data, size, MULTIPLE);
		return 0;
	}
	REQUIRE(head.len <= size && head.len <= HEAD_MAX_BYTES);
	while (index_entry(&tables, 41, &head, entries, &entry))
		entries++;
	REQUIRE(entries == head.is_active + (head.expires_ms > 0) + head.nowners);
	fuzz_codec(&record_codec, data + head.len, size - head.len, MULTIPLE);
	return 0;
}
