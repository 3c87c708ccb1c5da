#include "tests/integ/world.h"

#include <string.h>
#include <unistd.h>

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
	goes = SUBMIT(&world, "--", "echo", "something");
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

START_TEST(a_recipe_says_how_long_its_tasks_stay)
{
	struct world world;
	uint64_t goes, stays;

	world_open(&world, __func__);
	world_env(&world, "REEVE_KEEP_COMPLETED", "300ms");
	world_start(&world);
	stays = SUBMIT(&world,
	    world_file(&world, "long.yaml", "keep: 1h\nsteps: [{name: say, run: [echo, x]}]\n"));
	world_until(&world, stays, "status", "completed");
	goes = SUBMIT(&world, world_file(&world, "short.yaml",
				  "keep: 200ms\nsteps: [{name: fail, sh: 'echo x; false'}]\n"));
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, goes))->status, 1);
	world_until_no_file(&world, "state/attempts", "2.1");
	ck_assert_int_eq(REEVE(&world, "show", world_word(&world, goes))->status, 7);
	ck_doc(world_show(&world, stays), "status", "completed");
	world_close(&world);
}
END_TEST

/* Its owner may have put millions of files there. */
START_TEST(however_long_it_takes_to_remove_a_task_others_are_started)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	world_point(&world, "retention.remove", "sleep:5000*1");
	id = SUBMIT(&world, world_file(&world, "short.yaml",
				"keep: 1ms\nsteps: [{name: say, sh: 'echo >file'}]\n"));
	world_until_no_file(&world, "points", "retention.remove"); /* it is at it */
	ck_assert_int_eq(REEVE(&world, "show", world_word(&world, id))->status, 7);
	ck_assert_int_eq(REEVE(&world, "run", "--", "true")->status, 0);
	ck_assert_int_eq(access(world_path(&world, "state/work/1/file"), F_OK), 0);
	world_until_no_file(&world, "state/work", "1");
	world_close(&world);
}
END_TEST

START_TEST(what_is_not_yet_old_stays_over_a_restart)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--", "echo", "remember");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_has(world_show(&world, id), "expires_at");
	world_stop(&world);
	world_start(&world);
	ck_doc(world_show(&world, id), "status", "completed");
	ck_assert_str_eq(REEVE(&world, "logs", world_word(&world, id))->out, "remember\n");
	ck_assert_int_eq(REEVE(&world, "keep", world_word(&world, id))->status, 0);
	ck_doc(world_show(&world, id), "expires_at", "null");
	ck_assert_int_eq(REEVE(&world, "keep", "--off", world_word(&world, id))->status, 0);
	ck_has(world_show(&world, id), "expires_at");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("retention");
	TCase *tcase = world_tcase(suite, "retention");

	tcase_add_test(tcase, what_ended_goes_when_its_time_has_come_and_what_is_kept_stays);
	tcase_add_test(tcase, a_recipe_says_how_long_its_tasks_stay);
	tcase_add_test(tcase, however_long_it_takes_to_remove_a_task_others_are_started);
	tcase_add_test(tcase, what_is_not_yet_old_stays_over_a_restart);
	return world_main(suite);
}
