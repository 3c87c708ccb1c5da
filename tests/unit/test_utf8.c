#include "ipc/utf8.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

/* The length of what stands at the start of TEXT: negative when it is no character. */
static int
look_at(const char *text, size_t len)
{
	size_t used;
	bool whole = utf8_next((const uint8_t *)text, len, &used);

	return whole ? (int)used : -(int)used;
}
#define LOOK(text) look_at(text, sizeof(text) - 1)

START_TEST(characters_of_every_length_are_taken)
{
	ck_assert_int_eq(LOOK("a"), 1);
	ck_assert_int_eq(LOOK("\xc3\xa4"), 2);
	ck_assert_int_eq(LOOK("\xe2\x82\xac"), 3);
	ck_assert_int_eq(LOOK("\xf0\x9f\x98\x80"), 4);
	ck_assert_int_eq(LOOK("\xf4\x8f\xbf\xbf"), 4);
}
END_TEST

START_TEST(longer_forms_than_needed_are_refused)
{
	ck_assert_int_eq(LOOK("\xc0\xaf"), -1);
	ck_assert_int_eq(LOOK("\xc1\xbf"), -1);
	ck_assert_int_eq(LOOK("\xe0\x80\xaf"), -1);
	ck_assert_int_eq(LOOK("\xf0\x80\x80\xaf"), -1);
}
END_TEST

START_TEST(surrogates_and_what_is_beyond_unicode_are_refused)
{
	ck_assert_int_eq(LOOK("\xed\xa0\x80"), -1);
	ck_assert_int_eq(LOOK("\xed\x9f\xbf"), 3);
	ck_assert_int_eq(LOOK("\xf4\x90\x80\x80"), -1);
	ck_assert_int_eq(LOOK("\xf5\x80\x80\x80"), -1);
	ck_assert_int_eq(LOOK("\xff"), -1);
	ck_assert_int_eq(LOOK("\x80"), -1);
}
END_TEST

START_TEST(the_start_of_a_character_is_replaced_as_one)
{
	ck_assert_int_eq(LOOK("\xe2\x82"), -2);
	ck_assert_int_eq(LOOK("\xe2\x82x"), -2);
	ck_assert_int_eq(LOOK("\xf0\x9f\x98"), -3);
	ck_assert_int_eq(LOOK("\xc3"), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tests = tcase_create("utf8");

	tcase_add_test(tests, characters_of_every_length_are_taken);
	tcase_add_test(tests, longer_forms_than_needed_are_refused);
	tcase_add_test(tests, surrogates_and_what_is_beyond_unicode_are_refused);
	tcase_add_test(tests, the_start_of_a_character_is_replaced_as_one);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
