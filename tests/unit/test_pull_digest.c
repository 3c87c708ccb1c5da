#include "worker/pull/digest.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

/* FIPS 180-4, the example "abc", and the empty message. */
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char none[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

START_TEST(pieces_make_the_digest_of_the_whole)
{
	struct digest digest;
	char text[DIGEST_TEXT];

	ck_assert_int_eq(digest_init(&digest), 0);
	ck_assert_int_eq(digest_hex(&digest, text), 0);
	ck_assert_str_eq(text, none);
	ck_assert_int_eq(digest_update(&digest, "a", 1), 0);
	ck_assert_int_eq(digest_hex(&digest, text), 0);
	ck_assert_str_ne(text, abc);
	ck_assert_int_eq(digest_update(&digest, "bc", 2), 0);
	ck_assert_int_eq(digest_hex(&digest, text), 0);
	ck_assert_str_eq(text, abc);
	ck_assert_int_eq(digest_restart(&digest), 0);
	ck_assert_int_eq(digest_hex(&digest, text), 0);
	ck_assert_str_eq(text, none);
	digest_fini(&digest);
	digest_fini(&digest);
}
END_TEST

START_TEST(a_written_digest_is_64_hex_digits)
{
	char text[DIGEST_TEXT] = "";

	ck_assert_int_eq(digest_parse("", text), -EINVAL);
	ck_assert_int_eq(digest_parse(abc + 1, text), -EINVAL);
	ck_assert_int_eq(digest_parse("sha256:", text), -EINVAL);
	ck_assert_int_eq(
	    digest_parse("xa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", text),
	    -EINVAL);
	ck_assert_int_eq(
	    digest_parse("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0", text),
	    -EINVAL);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(
	    digest_parse(
		"sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", text),
	    0);
	ck_assert_str_eq(text, abc);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull_digest");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, pieces_make_the_digest_of_the_whole);
	tcase_add_test(tests, a_written_digest_is_64_hex_digits);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
