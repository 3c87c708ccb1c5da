#include "tests/unit/suite.h"
#include "worker/lockwait.h"

#include <check.h>
#include <stdio.h>

/* As Linux writes it: 812 holds what 900 waits for, an open file description what 901 does. */
static const char locks[] = "1: POSIX  ADVISORY  WRITE 812 fe:00:1234 0 EOF\n"
			    "1: -> POSIX  ADVISORY  WRITE 900 fe:00:1234 0 EOF\n"
			    "2: FLOCK  ADVISORY  WRITE 77 00:1a:55 0 EOF\n"
			    "3: OFDLCK ADVISORY  WRITE -1 fe:00:99 0 EOF\n"
			    "3:  -> POSIX  ADVISORY  READ  901 fe:00:99 0 EOF\n"
			    "4: FLOCK  ADVISORY  WRITE 902 fe:00:7 0 EOF";

static struct lockwait
wait_of(pid_t pid)
{
	struct kin kin = { .n = 1 };
	struct lockwait wait;

	kin.v[0].pid = pid;
	ck_assert(lockwait_parse(locks, &kin, &wait));
	return wait;
}

START_TEST(who_waits_is_behind_who_holds)
{
	struct lockwait wait = wait_of(900);

	ck_assert_int_eq(wait.holder, 812);
	ck_assert_int_eq(wait.waiter, 900);
	ck_assert_uint_eq(wait.inode, 1234);
}
END_TEST

START_TEST(a_holder_without_a_number_is_unknown)
{
	struct lockwait wait = wait_of(901);

	ck_assert_int_eq(wait.holder, 0);
	ck_assert_uint_eq(wait.inode, 99);
}
END_TEST

START_TEST(who_holds_a_lock_does_not_wait_for_it)
{
	struct kin kin = { .n = 2 };
	struct lockwait wait;

	kin.v[0].pid = 812;
	kin.v[1].pid = 902;
	ck_assert(!lockwait_parse(locks, &kin, &wait));
}
END_TEST

START_TEST(what_is_no_list_of_locks_says_nothing)
{
	static const char *const texts[] = { "", "\n", "x", "1", "1:", "1: ->", "1: -> POSIX",
		"1: -> POSIX A W 900", "1: -> POSIX A W 900 fe:00",
		": -> POSIX A W 900 a:b:1\n\n" };
	struct kin kin = { .n = 1 };
	struct lockwait wait;

	kin.v[0].pid = 900;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0] - 1; i++)
		ck_assert_msg(!lockwait_parse(texts[i], &kin, &wait), "%s", texts[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lockwait");
	TCase *tests = tcase_create("lockwait");

	tcase_add_test(tests, who_waits_is_behind_who_holds);
	tcase_add_test(tests, a_holder_without_a_number_is_unknown);
	tcase_add_test(tests, who_holds_a_lock_does_not_wait_for_it);
	tcase_add_test(tests, what_is_no_list_of_locks_says_nothing);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
