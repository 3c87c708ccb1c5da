#include "ipc/clock.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

static char text[CLOCK_TEXT];

START_TEST(the_clocks_go_forward_and_agree)
{
	uint64_t ns = clock_boot_ns(), ms = clock_boot_ms();

	ck_assert_uint_le(ns / 1000000, ms);
	ck_assert_uint_le(ms, clock_boot_ms());
	ck_assert_uint_gt(clock_wall_ms(), UINT64_C(1700000000000));
}
END_TEST

START_TEST(stamps_are_rfc_3339_in_utc)
{
	setenv("TZ", "Asia/Tokyo", 1);
	ck_assert_str_eq(clock_format(0, text), "1970-01-01T00:00:00.000Z");
	ck_assert_str_eq(clock_format(1764083045678, text), "2025-11-25T15:04:05.678Z");
	ck_assert_str_eq(clock_format(951782400005, text), "2000-02-29T00:00:00.005Z");
	ck_assert_str_eq(clock_format(253402300799999, text), "9999-12-31T23:59:59.999Z");
	ck_assert_str_eq(clock_format(253402300800000, text), "9999-12-31T23:59:59.999Z");
	ck_assert_str_eq(clock_format(UINT64_MAX, text), "9999-12-31T23:59:59.999Z");
}
END_TEST

START_TEST(durations_are_read)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = { { "0s", 0 }, { "500ms", 500 }, { "30s", 30000 }, { "10m", 600000 },
		{ "2h", 7200000 }, { "7d", 604800000 }, { "18446744073709551615ms", UINT64_MAX } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t ms = 1;

		ck_assert_int_eq(clock_parse_duration(cases[i].text, &ms), 0);
		ck_assert_uint_eq(ms, cases[i].ms);
	}
}
END_TEST

START_TEST(what_is_no_duration_is_refused)
{
	static const char *const cases[] = { "", "s", "-1s", "+1s", " 1s", "1", "1 s", "1x", "1s ",
		"1.5s", "1S", "0x1s", "18446744073709551615s", "18446744073709551616ms",
		"99999999999999999999999d" };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t ms = 77;

		ck_assert_msg(
		    clock_parse_duration(cases[i], &ms) == -EINVAL, "\"%s\" was read", cases[i]);
		ck_assert_uint_eq(ms, 77);
	}
}
END_TEST

START_TEST(durations_are_written_for_people)
{
	ck_assert_str_eq(clock_format_duration(0, text), "0.0 s");
	ck_assert_str_eq(clock_format_duration(1234, text), "1.2 s");
	ck_assert_str_eq(clock_format_duration(59949, text), "59.9 s");
	ck_assert_str_eq(clock_format_duration(59999, text), "59.9 s");
	ck_assert_str_eq(clock_format_duration(60000, text), "1 min 00 s");
	ck_assert_str_eq(clock_format_duration(184000, text), "3 min 04 s");
	ck_assert_str_eq(clock_format_duration(7500000, text), "2 h 05 min");
	ck_assert_str_eq(clock_format_duration(172800000, text), "2 days");
	ck_assert_str_eq(clock_format_duration(UINT64_MAX, text), "213503982334 days");
}
END_TEST

START_TEST(since_is_a_duration_or_a_date)
{
	const uint64_t now = 1764083045678;
	uint64_t ms;

	ck_assert_int_eq(clock_parse_since("10m", now, &ms), 0);
	ck_assert_uint_eq(ms, now - 600000);
	ck_assert_int_eq(clock_parse_since("99999999d", now, &ms), 0);
	ck_assert_uint_eq(ms, 0);
	ck_assert_int_eq(clock_parse_since("2025-11-25", now, &ms), 0);
	ck_assert_uint_eq(ms, 1764028800000);
	ck_assert_int_eq(clock_parse_since("2025-11-25T15:04", now, &ms), 0);
	ck_assert_uint_eq(ms, 1764083040000);
	ck_assert_int_eq(clock_parse_since("2025-11-25T15:04:05Z", now, &ms), 0);
	ck_assert_uint_eq(ms, 1764083045000);
	ck_assert_int_eq(clock_parse_since("1969-12-31", now, &ms), -EINVAL);
	ck_assert_int_eq(clock_parse_since("yesterday", now, &ms), -EINVAL);
	ck_assert_int_eq(clock_parse_since("2025-11-25 noon", now, &ms), -EINVAL);
	ck_assert_int_eq(clock_parse_since("", now, &ms), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tests = tcase_create("clock");

	tcase_add_test(tests, the_clocks_go_forward_and_agree);
	tcase_add_test(tests, stamps_are_rfc_3339_in_utc);
	tcase_add_test(tests, durations_are_read);
	tcase_add_test(tests, what_is_no_duration_is_refused);
	tcase_add_test(tests, durations_are_written_for_people);
	tcase_add_test(tests, since_is_a_duration_or_a_date);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
