#include "tests/integ/world.h"

#include <string.h>

#define WAIT_FOR(file) "echo " file " >>order; while [ ! -e " file ".go ]; do sleep .02; done"

START_TEST(slots_are_filled_in_the_order_of_submission)
{
	struct world world;
	json_t *task;
	uint64_t a, b, c, d;

	world_open(&world, __func__);
	world.slots = "2";
	world_start(&world);
	a = SUBMIT(&world, "--", "sh", "-c", WAIT_FOR("a"));
	b = SUBMIT(&world, "--", "sh", "-c", WAIT_FOR("b"));
	world_until(&world, a, "status", "running");
	world_until(&world, b, "status", "running");
	c = SUBMIT(&world, "--", "sh", "-c", WAIT_FOR("c"));
	d = SUBMIT(&world, "--", "sh", "-c", WAIT_FOR("d"));
	task = world_show(&world, c);
	ck_doc(task, "status", "queued");
	ck_doc(task, "blocked_on.kind", "slot");
	ck_has(task, "blocked_on.since");
	ck_assert(!json_is_null(doc_at(task, "blocked_on.holder")));
	world_file(&world, "b.go", "");
	world_until(&world, c, "status", "running");
	ck_doc(world_show(&world, d), "status", "queued");
	world_file(&world, "c.go", "");
	world_until(&world, d, "status", "running");
	world_file(&world, "a.go", "");
	world_file(&world, "d.go", "");
	ck_assert_int_eq(
	    REEVE(&world, "wait", world_word(&world, a), world_word(&world, d))->status, 0);
	ck_says(world_read(&world, "order"), "c\nd\n");
	world_close(&world);
}
END_TEST

START_TEST(a_cancel_of_a_running_task_lets_the_next_one_start)
{
	struct world world;
	uint64_t a, b;

	world_open(&world, __func__);
	world.slots = "1";
	world_start(&world);
	a = SUBMIT(&world, "--", "sleep", "1000");
	b = SUBMIT(&world, "--", "true");
	world_until(&world, a, "status", "running");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, a))->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, b))->status, 0);
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("slots");
	TCase *tcase = world_tcase(suite, "slots");

	tcase_add_test(tcase, slots_are_filled_in_the_order_of_submission);
	tcase_add_test(tcase, a_cancel_of_a_running_task_lets_the_next_one_start);
	return world_main(suite);
}
