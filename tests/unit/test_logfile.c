#include "ipc/logfile.h"

#include "ipc/buf.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ROOM = 64 * 1024
};

static char root[] = "/tmp/reeve-logfile-XXXXXX";
static int dir = -1;
static uint8_t room[ROOM];
static uint8_t dropped_before; /* in the heads of segments */

static void
make_root(void)
{
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Once, unchecked: it runs when a test has failed, too. */
static void
remove_root(void)
{
	nftw(root, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

/* Each test writes into a directory of its own. */
static void
make_dir(void)
{
	char path[sizeof root + sizeof "/XXXXXX"];

	snprintf(path, sizeof path, "%s/XXXXXX", root);
	ck_assert_ptr_nonnull(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
}

static void
add_entry(struct buf *segment, uint64_t ts_ms, const char *text)
{
	struct log_entry entry = { .ts_ms = ts_ms,
		.step = 3,
		.stream = LOG_STREAM_ERR,
		.text = text,
		.len = strlen(text) };
	uint8_t head[LOG_ENTRY_HEAD];

	log_entry_head(head, &entry);
	buf_add(segment, head, sizeof head);
	ck_assert_int_eq(buf_add(segment, text, entry.len), 0);
}

static void
begin_segment(struct buf *segment, uint64_t offset)
{
	uint8_t bytes[16] = { 0 };

	buf_init(segment, LOG_SEGMENT_BYTES);
	buf_add(segment, "REEVELOG", 8);
	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(offset >> (8 * i));
	bytes[8] = dropped_before;
	buf_add(segment, bytes, sizeof bytes);
}

static void
end_segment(struct buf *segment, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, segment->data, segment->len), (ssize_t)segment->len);
	close(fd);
	buf_fini(segment);
}

/* Writes segment NAME: entries of 20 bytes with the texts "NNNN" from FIRST to LAST. */
static void
write_segment(const char *name, uint64_t offset, unsigned first, unsigned last)
{
	struct buf segment;
	char text[16];

	begin_segment(&segment, offset);
	for (unsigned i = first; i <= last; i++) {
		snprintf(text, sizeof text, "%04u", i);
		add_entry(&segment, i, text);
	}
	end_segment(&segment, name);
}

/* Reads from FROM: the number in the first entry's text; its offset and the end of what was read.
 */
static unsigned
read_from(uint64_t from, uint64_t *ret_offset, uint64_t *ret_next)
{
	ssize_t n = logfile_read(dir, from, room, sizeof room, ret_offset);
	struct log_entry entry;
	size_t used;

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(log_entry_next(room, (size_t)n, &entry, &used), 1);
	*ret_next = *ret_offset + (uint64_t)n;
	return (unsigned)strtoul(entry.text, NULL, 10);
}

static void
check_end(uint64_t from)
{
	uint64_t offset = 1;

	ck_assert_int_eq(logfile_read(dir, from, room, sizeof room, &offset), 0);
	ck_assert_uint_eq(offset, from);
}

static void
check_extent(uint64_t expected_end, uint64_t expected_dropped)
{
	uint64_t end = 1, dropped = 1;

	ck_assert_int_eq(logfile_extent(dir, &end, &dropped), 0);
	ck_assert_uint_eq(end, expected_end);
	ck_assert_uint_eq(dropped, expected_dropped);
}

START_TEST(an_entry_comes_back_as_written)
{
	static const char text[5] = { 'h', 'e', 'l', 'l', 'o' };
	struct log_entry entry = { .ts_ms = UINT64_C(0x0102030405060708),
		.step = 0x1234,
		.stream = LOG_STREAM_REEVE,
		.flags = 1,
		.len = sizeof text };
	uint8_t bytes[LOG_ENTRY_HEAD + sizeof text];
	struct log_entry back;
	size_t used;

	log_entry_head(bytes, &entry);
	memcpy(bytes + LOG_ENTRY_HEAD, text, sizeof text);
	ck_assert_mem_eq(
	    bytes, "\x05\0\0\0\x03\x01\x34\x12\x08\x07\x06\x05\x04\x03\x02\x01", LOG_ENTRY_HEAD);
	for (size_t len = 0; len < sizeof bytes; len++)
		ck_assert_int_eq(log_entry_next(bytes, len, &back, &used), 0);
	ck_assert_int_eq(log_entry_next(bytes, sizeof bytes, &back, &used), 1);
	ck_assert_uint_eq(used, sizeof bytes);
	ck_assert_uint_eq(back.ts_ms, entry.ts_ms);
	ck_assert_uint_eq(back.step, entry.step);
	ck_assert_uint_eq(back.stream, LOG_STREAM_REEVE);
	ck_assert_uint_eq(back.flags, LOG_FLAG_MORE);
	ck_assert_mem_eq(back.text, text, sizeof text);
}
END_TEST

START_TEST(an_impossible_entry_is_refused)
{
	struct log_entry entry;
	size_t used;

	ck_assert_int_eq(
	    log_entry_next("\xff\xff\xff\xff\x01\0\0\0\0\0\0\0\0\0\0\0", 16, &entry, &used),
	    -EBADMSG);
	ck_assert_int_eq(
	    log_entry_next("\0\0\0\0\x00\0\0\0\0\0\0\0\0\0\0\0", 16, &entry, &used), -EBADMSG);
	ck_assert_int_eq(
	    log_entry_next("\0\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0", 16, &entry, &used), -EBADMSG);
}
END_TEST

START_TEST(streams_have_names)
{
	ck_assert_str_eq(log_stream_name(LOG_STREAM_OUT), "stdout");
	ck_assert_str_eq(log_stream_name(LOG_STREAM_ERR), "stderr");
	ck_assert_str_eq(log_stream_name(LOG_STREAM_REEVE), "reeve");
	ck_assert_str_eq(log_stream_name((enum log_stream)0), "invalid");
}
END_TEST

START_TEST(no_log_at_all_is_an_empty_one)
{
	check_extent(0, 0);
	check_end(0);
	check_end(UINT64_MAX);
}
END_TEST

START_TEST(segments_are_read_in_order)
{
	uint64_t offset, next = 0;

	write_segment("log.0", 0, 0, 9);
	write_segment("log.1", 200, 10, 19);
	write_segment("log.10", 400, 20, 29);
	check_extent(600, 0);
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(read_from(next, &offset, &next), 10 * i);
		ck_assert_uint_eq(offset, 200 * i);
	}
	check_end(next);
}
END_TEST

START_TEST(reading_starts_at_an_entry_wherever_one_asks)
{
	uint64_t offset, next;

	write_segment("log.0", 0, 0, 9);
	for (uint64_t from = 0; from <= 180; from++) {
		ck_assert_uint_eq(read_from(from, &offset, &next), (from + 19) / 20);
		ck_assert_uint_eq(offset, (from + 19) / 20 * 20);
		ck_assert_uint_eq(next, 200);
	}
	check_end(181);
}
END_TEST

START_TEST(what_was_dropped_is_a_gap)
{
	uint64_t offset, next;

	write_segment("log.0", 0, 0, 9);
	dropped_before = 200; /* of 40 entries, without their own heads */
	write_segment("log.5", 1000, 50, 59);
	check_extent(1200, 200);
	ck_assert_uint_eq(read_from(200, &offset, &next), 50);
	ck_assert_uint_eq(offset, 1000);
	ck_assert_uint_eq(read_from(600, &offset, &next), 50);
}
END_TEST

START_TEST(output_is_what_commands_wrote_texts_and_line_ends)
{
	struct log_entry entry = { .stream = LOG_STREAM_OUT, .len = 5 };

	ck_assert_uint_eq(log_entry_output(&entry), 6);
	entry.flags = LOG_FLAG_MORE;
	ck_assert_uint_eq(log_entry_output(&entry), 5);
	entry.stream = LOG_STREAM_REEVE;
	ck_assert_uint_eq(log_entry_output(&entry), 0);
}
END_TEST

START_TEST(a_segment_larger_than_the_room_comes_in_whole_pieces)
{
	uint64_t offset, next = 0;
	unsigned pieces = 0;

	write_segment("log.0", 0, 0, 9999);
	while (next < UINT64_C(200000)) {
		uint64_t from = next;

		ck_assert_uint_eq(read_from(from, &offset, &next), from / 20);
		ck_assert_uint_eq(offset, from);
		ck_assert_uint_eq((next - offset) % 20, 0);
		pieces++;
	}
	ck_assert_uint_eq(pieces, 4);
	check_end(next);
}
END_TEST

START_TEST(a_torn_last_entry_is_not_there)
{
	uint64_t offset, next;
	struct buf segment;

	begin_segment(&segment, 0);
	add_entry(&segment, 1, "0001");
	add_entry(&segment, 2, "0002");
	segment.len -= 3;
	end_segment(&segment, "log.0");
	check_extent(20, 0);
	ck_assert_uint_eq(read_from(0, &offset, &next), 1);
	ck_assert_uint_eq(next, 20);
	check_end(20);
	write_segment("log.1", 40, 2, 2); /* a later segment goes on behind it */
	ck_assert_uint_eq(read_from(20, &offset, &next), 2);
	ck_assert_uint_eq(offset, 40);
}
END_TEST

START_TEST(damage_costs_the_rest_of_its_segment_only)
{
	uint64_t offset, next;
	struct buf segment;

	begin_segment(&segment, 0);
	add_entry(&segment, 1, "0001");
	add_entry(&segment, 2, "0002");
	segment.data[LOG_SEGMENT_HEAD + 20 + 4] = 0;
	end_segment(&segment, "log.0");
	write_segment("log.1", 40, 3, 3);
	ck_assert_uint_eq(read_from(0, &offset, &next), 1);
	ck_assert_uint_eq(next, 20);
	ck_assert_uint_eq(read_from(next, &offset, &next), 3);
}
END_TEST

START_TEST(what_is_no_segment_is_passed_over)
{
	struct buf other;

	write_segment("log.x", 0, 1, 1);
	write_segment("log.", 0, 1, 1);
	write_segment("log.1x", 0, 1, 1);
	write_segment("brief", 0, 1, 1);
	buf_init(&other, 100);
	buf_add(&other, "REEVELO", 7);
	end_segment(&other, "log.0");
	buf_add(&other, "NOTALOG!\0\0\0\0\0\0\0\0", 16);
	end_segment(&other, "log.1");
	ck_assert_int_eq(symlinkat("log.x", dir, "log.2"), 0);
	ck_assert_int_eq(mkdirat(dir, "log.3", 0700), 0);
	ck_assert_int_eq(logfile_read(dir, 0, room, sizeof room, &(uint64_t){ 0 }), 0);
	check_extent(0, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("logfile");
	TCase *tests = tcase_create("logfile");

	tcase_add_unchecked_fixture(tests, make_root, remove_root);
	tcase_add_checked_fixture(tests, make_dir, NULL);
	tcase_add_test(tests, an_entry_comes_back_as_written);
	tcase_add_test(tests, an_impossible_entry_is_refused);
	tcase_add_test(tests, streams_have_names);
	tcase_add_test(tests, no_log_at_all_is_an_empty_one);
	tcase_add_test(tests, segments_are_read_in_order);
	tcase_add_test(tests, reading_starts_at_an_entry_wherever_one_asks);
	tcase_add_test(tests, what_was_dropped_is_a_gap);
	tcase_add_test(tests, output_is_what_commands_wrote_texts_and_line_ends);
	tcase_add_test(tests, a_segment_larger_than_the_room_comes_in_whole_pieces);
	tcase_add_test(tests, a_torn_last_entry_is_not_there);
	tcase_add_test(tests, damage_costs_the_rest_of_its_segment_only);
	tcase_add_test(tests, what_is_no_segment_is_passed_over);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
