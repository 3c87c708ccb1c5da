#include "ipc/frame.h"

#include "ipc/task.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

START_TEST(the_crc_agrees_with_rfc_3720)
{
	uint8_t data[32];

	memset(data, 0, sizeof data);
	ck_assert_uint_eq(crc32c(0, data, sizeof data), 0x8a9136aa);
	memset(data, 0xff, sizeof data);
	ck_assert_uint_eq(crc32c(0, data, sizeof data), 0x62a8ab43);
	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	ck_assert_uint_eq(crc32c(0, data, sizeof data), 0x46dd794e);
	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(31 - i);
	ck_assert_uint_eq(crc32c(0, data, sizeof data), 0x113fdb5c);
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
}
END_TEST

START_TEST(both_ways_to_the_crc_agree_at_every_length)
{
	uint8_t data[100];

	for (unsigned i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 37 + 11);
	for (size_t len = 0; len <= sizeof data; len++) {
		uint32_t whole = crc32c(0, data, len);

		ck_assert_uint_eq(crc32c_portable(0, data, len), whole);
		ck_assert_uint_eq(
		    crc32c(crc32c(0, data, len / 3), data + len / 3, len - len / 3), whole);
	}
}
END_TEST

static void
encode_two(struct buf *out)
{
	buf_init(out, (size_t)1 << 20);
	ck_assert_int_eq(journal_frame_encode(out, 7, "first", 5), 0);
	ck_assert_int_eq(journal_frame_encode(out, 8, "second", 6), 0);
}

START_TEST(journal_frames_come_back_in_order)
{
	struct buf out;
	struct journal_frame frame;

	encode_two(&out);
	ck_assert_int_eq(journal_frame_next(out.data, out.len, &frame), 1);
	ck_assert_uint_eq(frame.seq, 7);
	ck_assert_uint_eq(frame.used, JOURNAL_HEAD + 5);
	ck_assert_mem_eq(frame.body, "first", 5);
	buf_consume(&out, frame.used);
	ck_assert_int_eq(journal_frame_next(out.data, out.len, &frame), 1);
	ck_assert_uint_eq(frame.seq, 8);
	ck_assert_uint_eq(frame.len, 6);
	buf_consume(&out, frame.used);
	ck_assert_int_eq(journal_frame_next(out.data, out.len, &frame), 0);
	buf_fini(&out);
}
END_TEST

START_TEST(no_frame_of_one_attempt_has_the_number_of_anothers)
{
	static const struct {
		uint64_t task, attempt;
	} next[] = { { 7, 2 }, { 8, 1 }, { 8, 2 }, { 1, 7 }, { UINT32_MAX, 1 }, { 7, 40000 } };
	uint64_t first = journal_first_seq(7, 1);

	ck_assert_uint_gt(first, 0);
	for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
		uint64_t other = journal_first_seq(next[i].task, next[i].attempt);

		ck_assert_uint_ge(other > first ? other - first : first - other, 65536);
	}
}
END_TEST

START_TEST(a_torn_frame_asks_for_more)
{
	struct buf out;
	struct journal_frame frame;

	encode_two(&out);
	for (size_t len = 0; len < JOURNAL_HEAD + 5; len++)
		ck_assert_int_eq(journal_frame_next(out.data, len, &frame), 0);
	buf_fini(&out);
}
END_TEST

START_TEST(no_flipped_bit_of_a_frame_goes_unnoticed)
{
	struct buf out;
	struct journal_frame frame;

	encode_two(&out);
	for (size_t bit = 0; bit < (size_t)8 * (JOURNAL_HEAD + 5); bit++) {
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_ne(journal_frame_next(out.data, out.len, &frame), 1);
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(zeros_at_the_end_of_a_journal_are_no_frame_yet)
{
	static const uint8_t zeros[64];
	struct journal_frame frame;

	ck_assert_int_eq(journal_frame_next(zeros, sizeof zeros, &frame), 0);
}
END_TEST

START_TEST(a_body_may_be_as_long_as_the_limit_and_no_longer)
{
	static const uint8_t body[LIMIT_FRAME + 1];
	struct journal_frame frame;
	struct buf out;

	buf_init(&out, (size_t)1 << 20);
	ck_assert_int_eq(journal_frame_encode(&out, 1, body, sizeof body), -EMSGSIZE);
	ck_assert_int_eq(journal_frame_encode(&out, 1, body, 0), -EMSGSIZE);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(journal_frame_encode(&out, 1, body, LIMIT_FRAME), 0);
	ck_assert_int_eq(journal_frame_next(out.data, out.len, &frame), 1);
	ck_assert_uint_eq(frame.len, LIMIT_FRAME);
	out.data[0]++; /* one longer than the limit, refused before the rest has arrived */
	ck_assert_int_eq(journal_frame_next(out.data, 4, &frame), -EBADMSG);
	buf_fini(&out);
}
END_TEST

START_TEST(a_frame_that_does_not_fit_leaves_nothing_behind)
{
	struct buf out;

	buf_init(&out, JOURNAL_HEAD + 2);
	ck_assert_int_eq(journal_frame_encode(&out, 1, "abc", 3), -EMSGSIZE);
	ck_assert_uint_eq(out.len, 0);
	buf_fini(&out);
}
END_TEST

START_TEST(pipe_frames_come_back_in_order)
{
	struct buf out;
	struct pipe_frame frame;
	size_t begin;

	buf_init(&out, 1000);
	begin = pipe_frame_begin(&out);
	buf_add(&out, "one", 3);
	ck_assert_int_eq(pipe_frame_end(&out, begin, 7), 0);
	begin = pipe_frame_begin(&out);
	buf_add(&out, "three", 5);
	ck_assert_int_eq(pipe_frame_end(&out, begin, 100), 0);
	ck_assert_int_eq(pipe_frame_next(out.data, out.len, 100, &frame), 1);
	ck_assert_uint_eq(frame.len, 3);
	ck_assert_mem_eq(frame.body, "one", 3);
	buf_consume(&out, frame.used);
	ck_assert_int_eq(pipe_frame_next(out.data, out.len - 1, 100, &frame), 0);
	ck_assert_int_eq(pipe_frame_next(out.data, out.len, 100, &frame), 1);
	ck_assert_mem_eq(frame.body, "three", 5);
	buf_fini(&out);
}
END_TEST

START_TEST(a_refused_pipe_frame_is_taken_out_again)
{
	struct buf out;
	size_t begin;

	buf_init(&out, 1000);
	buf_add(&out, "before", 6);
	begin = pipe_frame_begin(&out);
	buf_add(&out, "too long", 8);
	ck_assert_int_eq(pipe_frame_end(&out, begin, 11), -EMSGSIZE);
	ck_assert_uint_eq(out.len, 6);
	begin = pipe_frame_begin(&out);
	ck_assert_int_eq(pipe_frame_end(&out, begin, 11), -EMSGSIZE);
	ck_assert_uint_eq(out.len, 6);
	buf_fini(&out);
}
END_TEST

START_TEST(an_impossible_pipe_length_is_refused_at_once)
{
	struct pipe_frame frame;

	ck_assert_int_eq(pipe_frame_next("\xff\xff\xff\xff", 4, LIMIT_FRAME, &frame), -EMSGSIZE);
	ck_assert_int_eq(pipe_frame_next("\0\0\0\0", 4, LIMIT_FRAME, &frame), -EMSGSIZE);
	ck_assert_int_eq(pipe_frame_next("\xff\xff\xff", 3, LIMIT_FRAME, &frame), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tests = tcase_create("frame");

	tcase_add_test(tests, the_crc_agrees_with_rfc_3720);
	tcase_add_test(tests, both_ways_to_the_crc_agree_at_every_length);
	tcase_add_test(tests, journal_frames_come_back_in_order);
	tcase_add_test(tests, no_frame_of_one_attempt_has_the_number_of_anothers);
	tcase_add_test(tests, a_torn_frame_asks_for_more);
	tcase_add_test(tests, no_flipped_bit_of_a_frame_goes_unnoticed);
	tcase_add_test(tests, zeros_at_the_end_of_a_journal_are_no_frame_yet);
	tcase_add_test(tests, a_body_may_be_as_long_as_the_limit_and_no_longer);
	tcase_add_test(tests, a_frame_that_does_not_fit_leaves_nothing_behind);
	tcase_add_test(tests, pipe_frames_come_back_in_order);
	tcase_add_test(tests, a_refused_pipe_frame_is_taken_out_again);
	tcase_add_test(tests, an_impossible_pipe_length_is_refused_at_once);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
