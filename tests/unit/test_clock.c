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

static const uint64_t NOW_MS = 1764083045678;

START_TEST(since_is_a_duration_or_a_date)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {
		{ "10m", 1764082445678 },
		{ "99999999d", 0 },
		{ "2025-11-25", 1764028800000 },
		{ "2025-11-25T15:04", 1764083040000 },
		{ "2025-11-25T15:04Z", 1764083040000 },
		{ "2025-11-25T15:04:05", 1764083045000 },
		{ "2025-11-25T15:04:05Z", 1764083045000 },
		{ "2025-11-25t15:04:05z", 1764083045000 },
		{ "2025-11-25 15:04:05", 1764083045000 },
		{ "2025-11-25T15:04:05.6", 1764083045600 },
		{ "2025-11-25T15:04:05.678Z", 1764083045678 },
		{ "2025-11-25T15:04:05.678999999999999999999999Z", 1764083045678 },
		{ "2025-11-25T17:04:05+02:00", 1764083045000 },
		{ "2025-11-25T17:04+02:00", 1764083040000 },
		{ "2025-11-26T00:49:05.678+09:45", 1764083045678 },
		{ "2025-11-25T07:04:05-08:00", 1764083045000 },
		{ "1969-12-31T23:00:00-01:00", 0 },
		{ "2024-02-29", 1709164800000 },
		{ "2016-12-31T23:59:60Z", 1483228800000 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t ms = 1;

		ck_assert_msg(clock_parse_since(cases[i].text, NOW_MS, &ms) == 0,
		    "\"%s\" is refused", cases[i].text);
		ck_assert_msg(
		    ms == cases[i].ms, "\"%s\" is %llu", cases[i].text, (unsigned long long)ms);
	}
}
END_TEST

START_TEST(what_is_neither_duration_nor_date_is_refused)
{
	static const char *const cases[] = { "", "1969-12-31", "1970-01-01T00:00:00+00:01",
		"yesterday", "2025-11-25 noon", "2025-02-30", "2025-13-01", "2025-11",
		"2025-11-25T", "2025-11-25T15", "2025-11-25T15:04:", "2025-11-25T15:04:05.",
		"2025-11-25T15:04.5", "2025-11-25T15:04:05.Z", "2025-11-25T24:00",
		"2025-11-25T15:04:05 Z", "2025-11-25T15:04:05Zulu", "2025-11-25T15:04:05+02",
		"2025-11-25T15:04:05+02:60", "2025-11-25T15:04:05+-2:00",
		"2025-11-25T15:04:05+02:00Z", "2025-11-25+02:00" };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t ms = 77;

		ck_assert_msg(clock_parse_since(cases[i], NOW_MS, &ms) == -EINVAL,
		    "\"%s\" was read", cases[i]);
		ck_assert_uint_eq(ms, 77);
	}
}
END_TEST

START_TEST(since_reads_every_stamp_that_is_written)
{
	for (uint64_t ms = 1; ms < UINT64_C(253402300799999); ms = ms * 3 + 7) {
		uint64_t back;

		ck_assert_int_eq(clock_parse_since(clock_format(ms, text), NOW_MS, &back), 0);
		ck_assert_uint_eq(back, ms);
	}
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
	tcase_add_test(tests, what_is_neither_duration_nor_date_is_refused);
	tcase_add_test(tests, since_reads_every_stamp_that_is_written);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
