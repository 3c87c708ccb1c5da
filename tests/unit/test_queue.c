#include "supervisor/queue.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

static struct queue queue;

static void
set_up(void)
{
	queue_init(&queue, 2);
}

static void
tear_down(void)
{
	queue_fini(&queue);
}

static void
submit(uint64_t id)
{
	ck_assert_int_eq(queue_add(&queue, queue_tail_order(id), id), 0);
}

static uint64_t
take(void)
{
	uint64_t id = queue_next(&queue);

	if (id)
		queue_remove(&queue, queue_tail_order(id), id);
	return id;
}

START_TEST(the_first_to_come_is_the_first_to_run)
{
	for (uint64_t id = 1; id <= 100; id++)
		submit(id);
	for (uint64_t id = 1; id <= 100; id++)
		ck_assert_uint_eq(take(), id);
	ck_assert_uint_eq(take(), 0);
}
END_TEST

START_TEST(nobody_starts_without_a_slot)
{
	submit(1);
	queue.used = 2;
	ck_assert_uint_eq(queue_next(&queue), 0);
	queue.used = 1;
	ck_assert_uint_eq(queue_next(&queue), 1);
	queue.slots = 0;
	ck_assert_uint_eq(queue_next(&queue), 0);
}
END_TEST

START_TEST(who_comes_back_stands_before_everybody)
{
	uint64_t order;

	submit(5);
	submit(6);
	order = queue_head_order(&queue);
	ck_assert_int_eq(queue_add(&queue, order, 9), 0);
	ck_assert_uint_eq(queue_next(&queue), 9);
	queue_remove(&queue, order, 9);
	ck_assert_uint_eq(queue_next(&queue), 5);
}
END_TEST

START_TEST(who_comes_back_to_an_empty_queue_stays_before_later_ones)
{
	uint64_t order = queue_head_order(&queue);

	ck_assert_int_eq(queue_add(&queue, order, 9), 0);
	submit(10);
	ck_assert_uint_eq(queue_next(&queue), 9);
}
END_TEST

START_TEST(who_leaves_from_the_middle_is_not_missed)
{
	submit(1);
	submit(2);
	submit(3);
	queue_remove(&queue, queue_tail_order(2), 2);
	queue_remove(&queue, queue_tail_order(7), 7);
	ck_assert_uint_eq(queue.n, 2);
	ck_assert_uint_eq(take(), 1);
	ck_assert_uint_eq(take(), 3);
}
END_TEST

START_TEST(a_place_is_taken_once)
{
	submit(1);
	submit(1);
	ck_assert_uint_eq(queue.n, 1);
}
END_TEST

START_TEST(a_random_crowd_is_served_in_order)
{
	uint64_t last = 0, order = 0, state = 88172645463325252u;

	for (int i = 0; i < 2000; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		ck_assert_int_eq(queue_add(&queue, state % 1000 + 1, state % 5000 + 1), 0);
	}
	while (queue.n > 0) {
		struct queue_place first = queue.places[queue.head];

		ck_assert(first.order > order || (first.order == order && first.id > last));
		order = first.order;
		last = first.id;
		queue_remove(&queue, first.order, first.id);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("queue");
	TCase *tests = tcase_create("queue");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_first_to_come_is_the_first_to_run);
	tcase_add_test(tests, nobody_starts_without_a_slot);
	tcase_add_test(tests, who_comes_back_stands_before_everybody);
	tcase_add_test(tests, who_comes_back_to_an_empty_queue_stays_before_later_ones);
	tcase_add_test(tests, who_leaves_from_the_middle_is_not_missed);
	tcase_add_test(tests, a_place_is_taken_once);
	tcase_add_test(tests, a_random_crowd_is_served_in_order);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
