#include "ipc/walk.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	const char *bytes;
	size_t len;
};
#define S(text)          \
 {                       \
  text, sizeof(text) - 1 \
 }

/* One value of every kind the format has. */
static const struct sample samples[] = {
	S("\x00"),
	S("\x7f"),
	S("\xe0"),
	S("\xc0"),
	S("\xc2"),
	S("\xc3"),
	S("\x80"),
	S("\x90"),
	S("\xa0"),
	S("\x81\x01\x02"),
	S("\x92\x01\x02"),
	S("\xa3"
	  "abc"),
	S("\xc4\x02"
	  "ab"),
	S("\xc5\x00\x02"
	  "ab"),
	S("\xc6\x00\x00\x00\x02"
	  "ab"),
	S("\xc7\x02\x05"
	  "ab"),
	S("\xc8\x00\x02\x05"
	  "ab"),
	S("\xc9\x00\x00\x00\x02\x05"
	  "ab"),
	S("\xca\x00\x00\x00\x00"),
	S("\xcb\x00\x00\x00\x00\x00\x00\x00\x00"),
	S("\xcc\x01"),
	S("\xcd\x01\x01"),
	S("\xce\x01\x01\x01\x01"),
	S("\xcf\x01\x01\x01\x01\x01\x01\x01\x01"),
	S("\xd0\x01"),
	S("\xd1\x01\x01"),
	S("\xd2\x01\x01\x01\x01"),
	S("\xd3\x01\x01\x01\x01\x01\x01\x01\x01"),
	S("\xd4\x05"
	  "a"),
	S("\xd5\x05"
	  "ab"),
	S("\xd6\x05"
	  "abcd"),
	S("\xd7\x05"
	  "abcdefgh"),
	S("\xd8\x05"
	  "abcdefghijklmnop"),
	S("\xd9\x02"
	  "ab"),
	S("\xda\x00\x02"
	  "ab"),
	S("\xdb\x00\x00\x00\x02"
	  "ab"),
	S("\xdc\x00\x02\x01\x02"),
	S("\xdd\x00\x00\x00\x02\x01\x02"),
	S("\xde\x00\x01\x01\x02"),
	S("\xdf\x00\x00\x00\x01\x01\x02"),
	S("\x82\xa1"
	  "a\x93\x01\x90\x80\xa1"
	  "b\xc4\x01z"),
};
#define SAMPLES ((int)(sizeof samples / sizeof samples[0]))

START_TEST(a_value_of_every_kind_ends_where_it_ends)
{
	const struct sample *sample = &samples[_i];
	char padded[64];
	struct walk walk;
	size_t used = 0;

	ck_assert_int_eq(walk_whole(sample->bytes, sample->len, &walk_frame_limits), 0);
	memcpy(padded, sample->bytes, sample->len);
	memset(padded + sample->len, 0x55, sizeof padded - sample->len);
	walk_init(&walk, &walk_frame_limits);
	ck_assert_int_eq(walk_feed(&walk, padded, sizeof padded, &used), 1);
	ck_assert_uint_eq(used, sample->len);
}
END_TEST

START_TEST(fed_byte_by_byte_it_says_the_same)
{
	const struct sample *sample = &samples[_i];
	struct walk walk;

	walk_init(&walk, &walk_frame_limits);
	for (size_t i = 0; i < sample->len; i++) {
		size_t used = 0;
		int r = walk_feed(&walk, sample->bytes + i, 1, &used);

		ck_assert_int_eq(r, i + 1 == sample->len);
		ck_assert_uint_eq(used, 1);
	}
}
END_TEST

START_TEST(a_torn_value_is_refused)
{
	const struct sample *sample = &samples[_i];

	for (size_t len = 0; len < sample->len; len++)
		ck_assert_int_eq(walk_whole(sample->bytes, len, &walk_frame_limits), -EBADMSG);
}
END_TEST

START_TEST(trailing_bytes_are_refused)
{
	char longer[64];

	memcpy(longer, samples[_i].bytes, samples[_i].len);
	longer[samples[_i].len] = 0;
	ck_assert_int_eq(walk_whole(longer, samples[_i].len + 1, &walk_frame_limits), -EBADMSG);
}
END_TEST

START_TEST(the_reserved_byte_is_refused)
{
	ck_assert_int_eq(walk_whole("\xc1", 1, &walk_frame_limits), -EBADMSG);
	ck_assert_int_eq(walk_whole("\x92\x01\xc1", 3, &walk_frame_limits), -EBADMSG);
}
END_TEST

static int
feed(const char *bytes, size_t len, const struct walk_limits *limits)
{
	struct walk walk;
	size_t used;

	walk_init(&walk, limits);
	return walk_feed(&walk, bytes, len, &used);
}

START_TEST(a_length_that_cannot_follow_is_refused_at_its_head)
{
	ck_assert_int_eq(feed("\xdd\xff\xff\xff\xff", 5, &walk_store_limits), -EMSGSIZE);
	ck_assert_int_eq(feed("\xdf\xff\xff\xff\xff", 5, &walk_store_limits), -EMSGSIZE);
	ck_assert_int_eq(feed("\xdb\xff\xff\xff\xff", 5, &walk_store_limits), -EMSGSIZE);
	ck_assert_int_eq(feed("\xc6\xff\xff\xff\xff", 5, &walk_store_limits), -EMSGSIZE);
	ck_assert_int_eq(feed("\xc9\xff\xff\xff\xff", 5, &walk_store_limits), -EMSGSIZE);
	ck_assert_int_eq(feed("\xdc\xff\xff", 3, &walk_frame_limits), -EMSGSIZE);
}
END_TEST

START_TEST(what_containers_promise_together_is_limited)
{
	/* Each count alone would fit: [100, [100, ...]] with room for 150 more. */
	static const struct walk_limits few_items = { 8, 150, 10000 };
	static const struct walk_limits few_bytes = { 8, 10000, 150 };
	static const char nested[] = "\xdc\x00\x64\xdc\x00\x64";

	ck_assert_int_eq(feed(nested, 6, &few_items), -EMSGSIZE);
	ck_assert_int_eq(feed(nested, 6, &few_bytes), -EMSGSIZE);
	ck_assert_int_eq(feed(nested, 6, &walk_frame_limits), 0);
}
END_TEST

START_TEST(nesting_beyond_the_limit_is_refused)
{
	char nested[WALK_MAX_DEPTH + 1];

	memset(nested, 0x91, sizeof nested);
	nested[8] = 0x01;
	ck_assert_int_eq(walk_whole(nested, 9, &walk_frame_limits), 0);
	nested[8] = (char)0x90;
	ck_assert_int_eq(walk_whole(nested, 9, &walk_frame_limits), -EMSGSIZE);
	nested[8] = (char)0x91;
	nested[WALK_MAX_DEPTH] = 0x01;
	ck_assert_int_eq(walk_whole(nested, sizeof nested, &walk_store_limits), 0);
	nested[WALK_MAX_DEPTH] = (char)0x91;
	ck_assert_int_eq(walk_whole(nested, sizeof nested, &walk_store_limits), -EMSGSIZE);
}
END_TEST

START_TEST(the_limits_are_reached_but_not_passed)
{
	static const struct walk_limits limits = { 2, 3, 6 };

	ck_assert_int_eq(walk_whole("\x92\x01\x02", 3, &limits), 0);
	ck_assert_int_eq(walk_whole("\x93\x01\x02\x03", 4, &limits), -EMSGSIZE);
	ck_assert_int_eq(walk_whole("\xa5"
				    "abcde",
			     6, &limits),
	    0);
	ck_assert_int_eq(walk_whole("\xa6"
				    "abcdef",
			     7, &limits),
	    -EMSGSIZE);
	ck_assert_int_eq(feed("\xa6"
			      "abcdef",
			     7, &limits),
	    -EMSGSIZE);
	ck_assert_int_eq(
	    feed("\x92\xcf\x00\x00\x00\x00\x00\x00\x00\x00\x01", 11, &limits), -EMSGSIZE);
}
END_TEST

START_TEST(nothing_at_all_is_no_value)
{
	ck_assert_int_eq(walk_whole("", 0, &walk_frame_limits), -EBADMSG);
	ck_assert_int_eq(feed("", 0, &walk_frame_limits), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("walk");
	TCase *tests = tcase_create("walk");

	tcase_add_loop_test(tests, a_value_of_every_kind_ends_where_it_ends, 0, SAMPLES);
	tcase_add_loop_test(tests, fed_byte_by_byte_it_says_the_same, 0, SAMPLES);
	tcase_add_loop_test(tests, a_torn_value_is_refused, 0, SAMPLES);
	tcase_add_loop_test(tests, trailing_bytes_are_refused, 0, SAMPLES);
	tcase_add_test(tests, the_reserved_byte_is_refused);
	tcase_add_test(tests, a_length_that_cannot_follow_is_refused_at_its_head);
	tcase_add_test(tests, what_containers_promise_together_is_limited);
	tcase_add_test(tests, nesting_beyond_the_limit_is_refused);
	tcase_add_test(tests, the_limits_are_reached_but_not_passed);
	tcase_add_test(tests, nothing_at_all_is_no_value);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
