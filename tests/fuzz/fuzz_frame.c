/* Takes journal frames and pipe frames off a stream of bytes. */
#include "ipc/frame.h"

#include "ipc/task.h"
#include "tests/fuzz/fuzz.h"

static void
read_journal(const uint8_t *data, size_t size)
{
	struct journal_frame frame;
	struct buf again;

	for (; journal_frame_next(data, size, &frame) == 1;
	     data += frame.used, size -= frame.used) {
		REQUIRE(frame.used <= size && frame.body + frame.len == data + frame.used);
		REQUIRE(frame.len > 0 && frame.len <= LIMIT_FRAME);
		buf_init(&again, JOURNAL_HEAD + LIMIT_FRAME);
		REQUIRE(journal_frame_encode(&again, frame.seq, frame.body, frame.len) == 0);
		REQUIRE(again.len == frame.used && memcmp(again.data, data, again.len) == 0);
		buf_fini(&again);
	}
}

/* Seals DATA as the body of a frame: fuzzing alone seldom finds a crc. */
static void
seal(const uint8_t *data, size_t size)
{
	struct journal_frame frame;
	struct buf sealed;

	buf_init(&sealed, JOURNAL_HEAD + LIMIT_FRAME);
	if (journal_frame_encode(&sealed, size, data, size) == 0) {
		REQUIRE(journal_frame_next(sealed.data, sealed.len, &frame) == 1);
		REQUIRE(frame.seq == size && frame.len == size);
		REQUIRE(memcmp(frame.body, data, size) == 0);
		sealed.data[JOURNAL_HEAD + data[0] % size] ^= 0x10;
		REQUIRE(journal_frame_next(sealed.data, sealed.len, &frame) == -EBADMSG);
	}
	buf_fini(&sealed);
}

static void
read_pipe(const uint8_t *data, size_t size, size_t max_bytes)
{
	struct pipe_frame frame;

	for (; pipe_frame_next(data, size, max_bytes, &frame) == 1;
	     data += frame.used, size -= frame.used) {
		REQUIRE(frame.used <= size && frame.body + frame.len == data + frame.used);
		REQUIRE(frame.len > 0 && frame.len <= max_bytes);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_journal(data, size);
	read_pipe(data, size, 16);
	read_pipe(data, size, LIMIT_FRAME);
	seal(data, size);
	return 0;
}
