/* How far a task is, how long it still takes, and why it does not move. */
#include "tests/integ/world.h"

#include <check.h>
#include <stdio.h>
#include <unistd.h>

static char where[2 * WORLD_PATH];

/* Submits a recipe of these lines; steps find the world's directory in $PARAM_DIR. */
static uint64_t
submit(struct world *world, const char *steps)
{
	char text[4096];

	snprintf(text, sizeof text, "name: story\nparams:\n  dir: {type: path}\n%s", steps);
	snprintf(where, sizeof where, "dir=%s", world->root);
	return SUBMIT(world, world_file(world, "story.yaml", text), where);
}

/* The second step takes a second and a half, and once there is `again` until there is `go`. */
#define TWO_STEPS                                                                               \
 "steps:\n  - {name: quick, weight: 9, sh: 'true'}\n  - name: slow\n    weight: 1\n    sh: |\n" \
 "      [ -e \"$PARAM_DIR/again\" ] || exec sleep 1.5\n"                                        \
 "      until [ -e \"$PARAM_DIR/go\" ]; do sleep .02; done\n"

START_TEST(a_later_run_knows_how_long_its_steps_take)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TWO_STEPS);
	task = world_until(&world, id, "steps.1.status", "running");
	ck_doc(task, "eta_s", "null");
	ck_assert_double_eq_tol(json_number_value(doc_at(task, "progress")), .9, 1e-6);
	world_until(&world, id, "status", "completed");
	world_file(&world, "again", "");
	id = submit(&world, TWO_STEPS);
	task = world_until(&world, id, "steps.1.status", "running");
	ck_assert_double_lt(json_number_value(doc_at(task, "progress")), .3);
	ck_doc(world_until(&world, id, "eta_s", "2"), "status", "running");
	/* longer than ever before: nobody knows */
	ck_doc(world_until(&world, id, "eta_s", "null"), "status", "running");
	world_file(&world, "go", "");
	ck_doc(world_until(&world, id, "status", "completed"), "progress", "1");
	world_close(&world);
}
END_TEST

START_TEST(the_percent_does_not_fall_when_the_supervisor_is_another)
{
	struct world world;
	double before;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TWO_STEPS);
	world_until(&world, id, "status", "completed");
	world_file(&world, "again", "");
	id = submit(&world, TWO_STEPS);
	before = json_number_value(
	    doc_at(world_until(&world, id, "steps.1.status", "running"), "progress"));
	for (int i = 0; i < 3; i++) {
		double after;

		world_kill_supervisor(&world);
		after = json_number_value(
		    doc_at(world_until(&world, id, "status", "running"), "progress"));
		ck_assert_double_eq_tol(after, before, 1e-6);
	}
	world_file(&world, "go", "");
	world_until(&world, id, "status", "completed");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("why");
	TCase *tests = world_tcase(suite, "why");

	tcase_add_test(tests, a_later_run_knows_how_long_its_steps_take);
	tcase_add_test(tests, the_percent_does_not_fall_when_the_supervisor_is_another);
	return world_main(suite);
}
