#include "ipc/token.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

static struct token
read_head(const char *head, size_t len)
{
	struct token token;

	ck_assert_uint_eq(token_head_len((uint8_t)head[0]), len);
	ck_assert_uint_eq(token_read((const uint8_t *)head, &token), len);
	return token;
}
#define READ(text) read_head(text, sizeof(text) - 1)

START_TEST(numbers_that_are_not_negative_are_unsigned_however_written)
{
	const struct token sevens[] = { READ("\x07"), READ("\xcc\x07"), READ("\xcd\x00\x07"),
		READ("\xce\x00\x00\x00\x07"), READ("\xcf\x00\x00\x00\x00\x00\x00\x00\x07"),
		READ("\xd0\x07"), READ("\xd1\x00\x07"), READ("\xd2\x00\x00\x00\x07"),
		READ("\xd3\x00\x00\x00\x00\x00\x00\x00\x07") };

	for (size_t i = 0; i < sizeof sevens / sizeof sevens[0]; i++) {
		ck_assert_int_eq(sevens[i].kind, TOKEN_UINT);
		ck_assert_uint_eq(sevens[i].uint, 7);
	}
	ck_assert_uint_eq(READ("\xcf\xff\xff\xff\xff\xff\xff\xff\xff").uint, UINT64_MAX);
}
END_TEST

START_TEST(negative_numbers_keep_their_sign)
{
	const struct token tokens[] = { READ("\xfe"), READ("\xd0\xfe"), READ("\xd1\xff\xfe"),
		READ("\xd2\xff\xff\xff\xfe"), READ("\xd3\xff\xff\xff\xff\xff\xff\xff\xfe") };

	for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
		ck_assert_int_eq(tokens[i].kind, TOKEN_NEGATIVE);
		ck_assert_int_eq(tokens[i].negative, -2);
	}
	ck_assert_int_eq(READ("\xe0").negative, -32);
	ck_assert(READ("\xd3\x80\x00\x00\x00\x00\x00\x00\x00").negative == INT64_MIN);
}
END_TEST

START_TEST(both_widths_of_floats_are_read)
{
	ck_assert_double_eq(READ("\xca\x3f\x00\x00\x00").real, 0.5);
	ck_assert_double_eq(READ("\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00").real, 0.5);
}
END_TEST

START_TEST(payloads_and_children_are_counted)
{
	ck_assert_uint_eq(READ("\xbf").payload, 31);
	ck_assert_uint_eq(READ("\xda\x01\x02").payload, 0x102);
	ck_assert_uint_eq(READ("\xc6\x01\x02\x03\x04").payload, 0x1020304);
	ck_assert_uint_eq(READ("\xd4").payload, 2);
	ck_assert_uint_eq(READ("\xd8").payload, 17);
	ck_assert_uint_eq(READ("\xc7\x03").payload, 4);
	ck_assert_uint_eq(READ("\xc9\xff\xff\xff\xff").payload, UINT64_C(0x100000000));
	ck_assert_uint_eq(READ("\x8f").children, 30);
	ck_assert_uint_eq(READ("\x9f").children, 15);
	ck_assert_uint_eq(READ("\xdf\xff\xff\xff\xff").children, UINT64_C(0x1fffffffe));
	ck_assert_uint_eq(READ("\xdc\x01\x00").children, 256);
}
END_TEST

START_TEST(only_one_byte_is_reserved)
{
	for (unsigned first = 0; first < 256; first++)
		ck_assert_int_eq(token_head_len((uint8_t)first) == 0, first == 0xc1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("token");
	TCase *tests = tcase_create("token");

	tcase_add_test(tests, numbers_that_are_not_negative_are_unsigned_however_written);
	tcase_add_test(tests, negative_numbers_keep_their_sign);
	tcase_add_test(tests, both_widths_of_floats_are_read);
	tcase_add_test(tests, payloads_and_children_are_counted);
	tcase_add_test(tests, only_one_byte_is_reserved);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
