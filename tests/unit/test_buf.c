#include "ipc/buf.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

START_TEST(bytes_come_back_in_order)
{
	struct buf buf;
	char expected[5000];

	buf_init(&buf, sizeof expected);
	for (size_t i = 0; i < sizeof expected; i++) {
		expected[i] = (char)('a' + i % 26);
		ck_assert_int_eq(buf_add(&buf, &expected[i], 1), 0);
	}
	ck_assert_uint_eq(buf.len, sizeof expected);
	ck_assert_mem_eq(buf.data, expected, sizeof expected);
	buf_fini(&buf);
}
END_TEST

START_TEST(it_never_grows_beyond_its_maximum)
{
	struct buf buf;

	buf_init(&buf, 300);
	ck_assert_int_eq(buf_add(&buf, "0123456789", 10), 0);
	ck_assert_ptr_nonnull(buf_reserve(&buf, 290));
	ck_assert_uint_le(buf.room, 300);
	ck_assert_ptr_null(buf_reserve(&buf, 291));
	ck_assert_int_eq(buf_error(&buf), -EMSGSIZE);
	buf_fini(&buf);
}
END_TEST

START_TEST(a_huge_length_does_not_wrap_around)
{
	struct buf buf;

	buf_init(&buf, SIZE_MAX - 1);
	ck_assert_int_eq(buf_add(&buf, "x", 1), 0);
	ck_assert_ptr_null(buf_reserve(&buf, SIZE_MAX));
	ck_assert_int_eq(buf_error(&buf), -EMSGSIZE);
	ck_assert_uint_eq(buf.len, 1);
	buf_fini(&buf);
}
END_TEST

START_TEST(the_first_failure_sticks_until_it_is_cleared)
{
	struct buf buf;

	buf_init(&buf, 4);
	ck_assert_int_eq(buf_add(&buf, "12345", 5), -EMSGSIZE);
	ck_assert_int_eq(buf_add(&buf, "1", 1), -EMSGSIZE);
	ck_assert_int_eq(buf_add(&buf, "", 0), -EMSGSIZE);
	buf_clear(&buf);
	ck_assert_int_eq(buf_error(&buf), 0);
	ck_assert_int_eq(buf_add(&buf, "1234", 4), 0);
	buf_fini(&buf);
}
END_TEST

START_TEST(consuming_leaves_the_rest_at_the_front)
{
	struct buf buf;

	buf_init(&buf, 100);
	buf_add(&buf, "headtail", 8);
	buf_consume(&buf, 4);
	ck_assert_uint_eq(buf.len, 4);
	ck_assert_mem_eq(buf.data, "tail", 4);
	buf_consume(&buf, 4);
	ck_assert_uint_eq(buf.len, 0);
	buf_consume(&buf, 0);
	buf_fini(&buf);
}
END_TEST

START_TEST(taken_bytes_belong_to_the_taker)
{
	struct buf buf;
	uint8_t *data;
	size_t len;

	buf_init(&buf, 100);
	buf_add(&buf, "mine", 4);
	buf_take(&buf, &data, &len);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(data, "mine", 4);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_int_eq(buf_add(&buf, "next", 4), 0);
	buf_fini(&buf);
	free(data);
}
END_TEST

START_TEST(shorthands_pack_what_they_say)
{
	static const char expected[] = "\xa1s\xa1x\xa1n\xc0\xa1u\x07\xa1i\xff\xa1t\xc3\xa1"
				       "f\xc2\xa1q\xc0\xa1z\xc0";
	struct buf buf;
	msgpack_packer packer;

	buf_init(&buf, 100);
	buf_packer(&buf, &packer);
	pack_kv_str(&packer, "s", "x");
	pack_kv_str(&packer, "n", NULL);
	pack_kv_uint(&packer, "u", 7);
	pack_kv_int(&packer, "i", -1);
	pack_kv_bool(&packer, "t", true);
	pack_kv_bool(&packer, "f", false);
	pack_kv_double(&packer, "q", (double)NAN);
	pack_kv_nil(&packer, "z");
	ck_assert_int_eq(buf_error(&buf), 0);
	ck_assert_uint_eq(buf.len, sizeof expected - 1);
	ck_assert_mem_eq(buf.data, expected, buf.len);
	buf_fini(&buf);
}
END_TEST

START_TEST(packing_into_a_full_buffer_is_noticed_at_the_end)
{
	struct buf buf;
	msgpack_packer packer;

	buf_init(&buf, 8);
	buf_packer(&buf, &packer);
	for (int i = 0; i < 5; i++)
		pack_kv_uint(&packer, "key", 1);
	ck_assert_int_eq(buf_error(&buf), -EMSGSIZE);
	ck_assert_uint_le(buf.len, 8);
	buf_fini(&buf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tests = tcase_create("buf");

	tcase_add_test(tests, bytes_come_back_in_order);
	tcase_add_test(tests, it_never_grows_beyond_its_maximum);
	tcase_add_test(tests, a_huge_length_does_not_wrap_around);
	tcase_add_test(tests, the_first_failure_sticks_until_it_is_cleared);
	tcase_add_test(tests, consuming_leaves_the_rest_at_the_front);
	tcase_add_test(tests, taken_bytes_belong_to_the_taker);
	tcase_add_test(tests, shorthands_pack_what_they_say);
	tcase_add_test(tests, packing_into_a_full_buffer_is_noticed_at_the_end);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
