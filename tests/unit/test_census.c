#include "supervisor/census.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct census census;

static void
set_up(void)
{
	census_init(&census);
}

static void
tear_down(void)
{
	census_fini(&census);
}

static void
enter(pid_t pid, uint64_t start_ticks)
{
	ck_assert_int_eq(census_open(&census), 0);
	census_enter(&census, pid, start_ticks);
	census_close(&census);
}

START_TEST(who_entered_is_there_until_he_leaves)
{
	ck_assert(!census_has(&census, 7, 100));
	enter(7, 100);
	ck_assert(census_has(&census, 7, 100));
	ck_assert(!census_has(&census, 7, 101)); /* the same number, another process */
	ck_assert(!census_has(&census, 8, 100));
	census_leave(&census, 7, 101);
	ck_assert(census_has(&census, 7, 100));
	census_leave(&census, 7, 100);
	ck_assert(!census_has(&census, 7, 100));
	census_leave(&census, 7, 100);
}
END_TEST

START_TEST(many_come_and_go)
{
	for (pid_t pid = 1; pid <= 1000; pid++)
		enter(pid, (uint64_t)pid * 10);
	for (pid_t pid = 1; pid <= 1000; pid += 2)
		census_leave(&census, pid, (uint64_t)pid * 10);
	for (pid_t pid = 1; pid <= 1000; pid++)
		ck_assert(census_has(&census, pid, (uint64_t)pid * 10) == (pid % 2 == 0));
	ck_assert_uint_eq(census.n, 500);
}
END_TEST

static atomic_bool asking, answered;

static void *
ask(void *arg)
{
	(void)arg;
	atomic_store(&asking, true);
	ck_assert(census_has(&census, 7, 100));
	atomic_store(&answered, true);
	return NULL;
}

START_TEST(who_asks_during_a_spawn_waits_for_the_newborn)
{
	pthread_t thread;

	ck_assert_int_eq(census_open(&census), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, ask, NULL), 0);
	while (!atomic_load(&asking))
		;
	/* It is born, seen in /proc by the other thread, and only now has a name. */
	ck_assert(!atomic_load(&answered));
	census_enter(&census, 7, 100);
	ck_assert(!atomic_load(&answered));
	census_close(&census);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(atomic_load(&answered));
}
END_TEST

enum {
	TURNS = 20000
};

static void *
come_and_go(void *arg)
{
	pid_t pid = *(pid_t *)arg;

	for (uint64_t i = 0; i < TURNS; i++) {
		enter(pid, i);
		ck_assert(census_has(&census, pid, i));
		census_leave(&census, pid, i);
		ck_assert(!census_has(&census, pid, i));
	}
	return NULL;
}

START_TEST(two_threads_do_not_disturb_each_other)
{
	pid_t pids[2] = { 1, 2 };
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, &pids[i]), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(census.n, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("census");
	TCase *tests = tcase_create("census");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, who_entered_is_there_until_he_leaves);
	tcase_add_test(tests, many_come_and_go);
	tcase_add_test(tests, who_asks_during_a_spawn_waits_for_the_newborn);
	tcase_add_test(tests, two_threads_do_not_disturb_each_other);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
