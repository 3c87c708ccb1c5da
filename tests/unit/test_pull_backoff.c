#include "worker/pull/backoff.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

START_TEST(waits_double_up_to_a_minute)
{
	ck_assert_uint_eq(backoff_ms(1, 1000, 0), 1000);
	ck_assert_uint_eq(backoff_ms(2, 1000, 0), 2000);
	ck_assert_uint_eq(backoff_ms(6, 1000, 0), 32000);
	ck_assert_uint_eq(backoff_ms(7, 1000, 0), BACKOFF_MAX_MS);
	ck_assert_uint_eq(backoff_ms(4000000000u, 1000, 0), BACKOFF_MAX_MS);
	ck_assert_uint_eq(backoff_ms(1, UINT64_MAX, 0), BACKOFF_MAX_MS);
	ck_assert_uint_eq(backoff_ms(4000000000u, 0, 0), 0);
}
END_TEST

START_TEST(chance_takes_off_up_to_a_half)
{
	uint64_t before = 2000;

	ck_assert_uint_eq(backoff_ms(2, 1000, UINT32_MAX), 1000);
	for (uint64_t random = 0; random <= UINT32_MAX; random += UINT32_MAX / 50) {
		uint64_t delay_ms = backoff_ms(2, 1000, (uint32_t)random);

		ck_assert_uint_le(delay_ms, before);
		ck_assert_uint_ge(delay_ms, 1000);
		before = delay_ms;
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull_backoff");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, waits_double_up_to_a_minute);
	tcase_add_test(tests, chance_takes_off_up_to_a_half);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
