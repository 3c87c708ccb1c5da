#include "worker/pull/http.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

START_TEST(numbers_are_digits_and_nothing_else)
{
	static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "1.0", "0x1", "1,2",
		"18446744073709551615", "18446744073709551616", "99999999999999999999999" };
	uint64_t number = 7;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(http_parse_number(bad[i], &number) == -EINVAL, "%s", bad[i]);
	ck_assert_uint_eq(number, 7);
	ck_assert_int_eq(http_parse_number("0", &number), 0);
	ck_assert_uint_eq(number, 0);
	ck_assert_int_eq(http_parse_number("18446744073709551614", &number), 0);
	ck_assert_uint_eq(number, UINT64_MAX - 1);
}
END_TEST

START_TEST(a_content_range_is_read)
{
	struct http_range range;

	ck_assert_int_eq(http_parse_content_range("bytes 5-9/10", &range), 0);
	ck_assert_uint_eq(range.first, 5);
	ck_assert_uint_eq(range.last, 9);
	ck_assert_uint_eq(range.total, 10);
	ck_assert_int_eq(http_parse_content_range("Bytes 0-0/*", &range), 0);
	ck_assert_uint_eq(range.total, HTTP_UNKNOWN);
	ck_assert_int_eq(http_parse_content_range("bytes */10", &range), 0);
	ck_assert_uint_eq(range.first, HTTP_UNKNOWN);
	ck_assert_uint_eq(range.total, 10);
}
END_TEST

START_TEST(a_content_range_that_makes_no_sense_is_refused)
{
	static const char *const bad[] = { "", "bytes", "bytes ", "bytes 5-9", "bytes 5-9/",
		"bytes 9-5/10", "bytes 5-10/10", "bytes 5-9/10 ", "bytes 5-/10", "bytes -5/10",
		"bytes */*", "bytes *", "items 5-9/10", "bytes=5-9/10", "bytes 5-9/-10",
		"bytes 5-99999999999999999999/*" };
	struct http_range range;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(http_parse_content_range(bad[i], &range) == -EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(retry_after_is_seconds_or_a_date)
{
	uint64_t ms = 7;

	ck_assert_int_eq(http_parse_retry_after("120", 0, &ms), 0);
	ck_assert_uint_eq(ms, 120000);
	ck_assert_int_eq(http_parse_retry_after("18446744073709551614", 0, &ms), 0);
	ck_assert_uint_eq(ms, UINT64_MAX);
	/* RFC 9110, 5.6.7: this is 784111777 */
	ck_assert_int_eq(
	    http_parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111767, &ms), 0);
	ck_assert_uint_eq(ms, 10000);
	ck_assert_int_eq(
	    http_parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111999, &ms), 0);
	ck_assert_uint_eq(ms, 0);
	ck_assert_int_eq(http_parse_retry_after("", 0, &ms), -EINVAL);
	ck_assert_int_eq(http_parse_retry_after("soon", 0, &ms), -EINVAL);
}
END_TEST

START_TEST(only_a_strong_etag_proves_sameness)
{
	ck_assert(http_is_strong_etag("\"abc\""));
	ck_assert(http_is_strong_etag("\"\""));
	ck_assert(!http_is_strong_etag("W/\"abc\""));
	ck_assert(!http_is_strong_etag("abc"));
	ck_assert(!http_is_strong_etag("\""));
	ck_assert(!http_is_strong_etag(""));
}
END_TEST

START_TEST(a_date_of_this_very_second_proves_nothing)
{
	const char *early = "Sun, 06 Nov 1994 08:49:36 GMT";
	const char *late = "Sun, 06 Nov 1994 08:49:37 GMT";

	ck_assert(http_is_strong_date(early, late));
	ck_assert(!http_is_strong_date(late, late));
	ck_assert(!http_is_strong_date(late, early));
	ck_assert(!http_is_strong_date("", late));
	ck_assert(!http_is_strong_date(early, ""));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull_http");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, numbers_are_digits_and_nothing_else);
	tcase_add_test(tests, a_content_range_is_read);
	tcase_add_test(tests, a_content_range_that_makes_no_sense_is_refused);
	tcase_add_test(tests, retry_after_is_seconds_or_a_date);
	tcase_add_test(tests, only_a_strong_etag_proves_sameness);
	tcase_add_test(tests, a_date_of_this_very_second_proves_nothing);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
