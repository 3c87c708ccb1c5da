#include "supervisor/guests.h"

#include "tests/unit/suite.h"

#include <check.h>

START_TEST(a_user_is_one_guest_whatever_he_opens)
{
	struct guests guests = { 0 };
	struct guest *one = guests_enter(&guests, 1000), *other = guests_enter(&guests, 1001);

	ck_assert_ptr_ne(one, other);
	ck_assert_ptr_eq(guests_enter(&guests, 1000), one);
	ck_assert_uint_eq(one->nconns, 2);
	guests_leave(&guests, one);
	ck_assert_uint_eq(one->nconns, 1);
	guests_leave(&guests, one);
	ck_assert_ptr_eq(guests.first, other);
	guests_leave(&guests, other);
	ck_assert_ptr_null(guests.first);
}
END_TEST

START_TEST(time_is_that_of_one_turn)
{
	struct guests guests = { 0 };
	struct guest *one = guests_enter(&guests, 1000), *other = guests_enter(&guests, 1001);

	guests_turn(&guests);
	guests_use(&guests, one, GUEST_TURN_NS - 1);
	ck_assert(!guests_had_turn(&guests, one));
	guests_use(&guests, one, 1);
	ck_assert(guests_had_turn(&guests, one));
	ck_assert(!guests_had_turn(&guests, other));
	guests_turn(&guests);
	ck_assert(!guests_had_turn(&guests, one));
	guests_use(&guests, one, 1);
	ck_assert(!guests_had_turn(&guests, one));
	guests_use(&guests, NULL, 1);
	guests_leave(&guests, one);
	guests_leave(&guests, other);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("guests");
	TCase *tests = tcase_create("guests");

	tcase_add_test(tests, a_user_is_one_guest_whatever_he_opens);
	tcase_add_test(tests, time_is_that_of_one_turn);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
