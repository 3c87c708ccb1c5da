#include "worker/pull/report.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

START_TEST(sizes_are_written_for_people)
{
	char text[REPORT_BYTES_TEXT];

	ck_assert_str_eq(report_format_bytes(0, text), "0 B");
	ck_assert_str_eq(report_format_bytes(999, text), "999 B");
	ck_assert_str_eq(report_format_bytes(1000, text), "1.0 kB");
	ck_assert_str_eq(report_format_bytes(999949, text), "999.9 kB");
	ck_assert_str_eq(report_format_bytes(999950, text), "1.0 MB");
	ck_assert_str_eq(report_format_bytes(40000000000, text), "40.0 GB");
	ck_assert_str_eq(report_format_bytes(UINT64_MAX, text), "18.4 EB");
}
END_TEST

START_TEST(a_steady_rate_is_told_as_it_is)
{
	double rate = 1e6;

	for (int i = 0; i < 100; i++)
		rate = report_smooth(rate, 250000, 0.25);
	ck_assert_double_eq_tol(rate, 1e6, 1);
}
END_TEST

START_TEST(a_rate_follows_a_change_without_jumping)
{
	double rate = report_smooth(1e6, 0, 0.25);

	ck_assert_double_gt(rate, 0.9e6);
	for (int i = 0; i < 200; i++)
		rate = report_smooth(rate, 0, 0.25);
	ck_assert_double_lt(rate, 100);
	/* One long window counts for what it is. */
	ck_assert_double_lt(report_smooth(1e6, 0, 60), 0.1e6);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull_report");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, sizes_are_written_for_people);
	tcase_add_test(tests, a_steady_rate_is_told_as_it_is);
	tcase_add_test(tests, a_rate_follows_a_change_without_jumping);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
