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

static const char other[] = "name: other\nsteps:\n  - name: a\n    run: [\"true\"]\n";

START_TEST(a_key_joins_what_is_active_and_only_that)
{
	struct world world;
	json_t *reply;
	const struct said *said;
	uint64_t first;

	world_open(&world, __func__);
	world_start(&world);
	first = SUBMIT(&world, "--key", "nightly", "--", "sleep", "1000");
	reply = REEVE_JSON(
	    &world, 0, "run", "--detach", "--json", "--key", "nightly", "--", "sleep", "1000");
	ck_doc(reply, "joined", "true");
	ck_doc(reply, "id", world_word(&world, first));
	said = REEVE(
	    &world, "run", "--detach", "--key", "nightly", world_file(&world, "other.yaml", other));
	ck_assert_int_eq(said->status, 1);
	ck_says(said->err, world_word(&world, first));
	reply = REEVE_JSON(&world, 0, "run", "--detach", "--json", "--", "sleep", "1000");
	ck_doc(reply, "joined", "false");
	REEVE(&world, "cancel", world_word(&world, first));
	reply = REEVE_JSON(
	    &world, 0, "run", "--detach", "--json", "--key", "nightly", "--", "sleep", "1");
	ck_doc(reply, "joined", "false");
	world_close(&world);
}
END_TEST

static const char recipe[] = "name: install\n"
			     "params:\n"
			     "  server: {required: true}\n"
			     "  note: {default: none}\n"
			     "scope: ${server}\n"
			     "steps:\n"
			     "  - name: wait\n"
			     "    run: [sleep, \"1000\"]\n";

START_TEST(a_recipe_joins_on_its_scope_and_says_what_differs)
{
	struct world world;
	json_t *reply, *task;
	const char *path;

	world_open(&world, __func__);
	world_start(&world);
	path = world_file(&world, "install.yaml", recipe);
	reply = REEVE_JSON(&world, 0, "run", "--detach", "--json", path, "server=one");
	ck_doc(reply, "joined", "false");
	reply =
	    REEVE_JSON(&world, 0, "run", "--detach", "--json", path, "server=one", "note=other");
	ck_doc(reply, "joined", "true");
	ck_doc(reply, "id", "1");
	task = world_show(&world, 1);
	ck_doc(task, "joined", "1"); /* the same person */
	ck_doc(task, "scope", "one");
	reply = REEVE_JSON(&world, 0, "run", "--detach", "--json", path, "server=two");
	ck_doc(reply, "joined", "false");
	world_close(&world);
}
END_TEST

START_TEST(a_request_that_is_sent_twice_makes_one_task)
{
	struct world world;
	uint64_t id;

	/* The supervisor dies after its commit and before its answer: the client asks again. */
	world_open(&world, __func__);
	world_start(&world);
	world_point(&world, "commit.after", "kill*1");
	id = SUBMIT(&world, "--", "true");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_says(world_read(&world, "log"), "signal 9");
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--json", "--all")), 1);
	world_close(&world);
}
END_TEST

START_TEST(what_ended_goes_when_its_time_has_come_and_what_is_kept_stays)
{
	struct world world;
	uint64_t goes, stays, failed;

	world_open(&world, __func__);
	world_env(&world, "REEVE_KEEP_COMPLETED", "300ms");
	world_start(&world);
	stays = SUBMIT(&world, "--", "true");
	world_until(&world, stays, "status", "completed");
	ck_assert_int_eq(REEVE(&world, "keep", world_word(&world, stays))->status, 0);
	failed = SUBMIT(&world, "--", "false");
	goes = SUBMIT(&world, "--", "true");
	world_until(&world, failed, "status", "failed");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, goes))->status, 0);
	world_until_no_file(&world, "state/attempts", "3.1");
	ck_assert_int_eq(REEVE(&world, "show", world_word(&world, goes))->status, 7);
	ck_doc(world_show(&world, stays), "status", "completed");
	ck_doc(world_show(&world, failed), "status", "failed");
	/* Its number is not given again, not even by the next service. */
	world_stop(&world);
	world_start(&world);
	ck_assert_uint_gt(SUBMIT(&world, "--", "true"), goes);
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
	tcase_add_test(tcase, a_key_joins_what_is_active_and_only_that);
	tcase_add_test(tcase, a_recipe_joins_on_its_scope_and_says_what_differs);
	tcase_add_test(tcase, a_request_that_is_sent_twice_makes_one_task);
	tcase_add_test(tcase, what_ended_goes_when_its_time_has_come_and_what_is_kept_stays);
	return world_main(suite);
}
