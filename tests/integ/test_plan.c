/* `run --plan`: what is to be done, what is there, and that nothing changes. */
#include "tests/integ/world.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char recipe[] =
    "name: plan\n"
    "title: 'Set up ${dir}'\n"
    "params: {dir: {type: path}, token: {secret: true}}\n"
    "steps:\n"
    "  - {name: there, check: [test, -e, '${dir}/there'], sh: 'touch \"$PARAM_DIR/ran\"'}\n"
    "  - {name: missing, check: {sh: 'test -e \"$PARAM_DIR/missing\"'}, run: [touch, '${dir}/ran']}\n"
    "  - {name: always, sh: 'echo url=x >>$REEVE_OUTPUT', outputs: [url]}\n"
    "  - {name: later, check: [test, '${steps.always.url}'], sh: x}\n"
    "  - {name: later-sh, check: 'test \"$OUT_ALWAYS_URL\"', sh: x}\n"
    "  - {name: slow, check: {sh: 'sleep 1000 & sleep 1000', timeout: 50ms}, sh: x}\n"
    "  - {name: empty, check: 'test -z \"$(ls -A)\"', sh: x}\n"
    "  - {name: secret, check: 'test \"$PARAM_TOKEN$KEY\" = hush-hush', env: {KEY: '-${token}'}, sh: x}\n"
    "  - {name: no-such, check: [no-such-program-at-all], sh: x}\n";

static const char *const plans[][2] = { { "there", "already_done" }, { "missing", "to_do" },
	{ "always", "to_do" }, { "later", "unknown" }, { "later-sh", "unknown" },
	{ "slow", "unknown" }, { "empty", "already_done" }, { "secret", "already_done" },
	{ "no-such", "to_do" } };

static int
leftovers(struct world *world)
{
	DIR *dir = opendir(world->root);
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir)))
		n += strncmp(entry->d_name, "reeve-plan", 10) == 0;
	closedir(dir);
	return n;
}

START_TEST(a_plan_says_what_is_there_and_changes_nothing)
{
	struct world world;
	char dir[WORLD_PATH + 8];
	const struct said *said;
	json_error_t error;
	json_t *plan;

	world_open(&world, __func__);
	world_env(&world, "TMPDIR", world.root);
	world_file(&world, "there", "");
	snprintf(dir, sizeof dir, "dir=%s", world.root);
	said = world_exec(&world, NULL,
	    (const char *const[]){ "run", "--plan", "--json", "--secret", "token",
		world_file(&world, "plan.yaml", recipe), dir, NULL },
	    "hush");
	ck_assert_msg(said->status == 0, "%s", said->err); /* and no service was there */
	plan = json_loads(said->out, 0, &error);
	ck_assert_ptr_nonnull(plan);
	for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
		json_t *step = json_array_get(json_object_get(plan, "steps"), i);

		ck_doc(step, "name", plans[i][0]);
		ck_doc(step, "plan", plans[i][1]);
	}
	json_decref(plan);
	said = REEVE(&world, "run", "--plan", world_path(&world, "plan.yaml"), dir);
	ck_says(said->out, "there  is there already");
	ck_says(said->out, "missing  is to be done");
	ck_assert_int_eq(access(world_path(&world, "ran"), F_OK), -1);
	ck_assert_int_eq(leftovers(&world), 0);
	ck_assert_int_eq(world_alive(&world), 0);
	world_close(&world);
}
END_TEST

START_TEST(a_recipe_of_the_service_is_planned_by_its_name)
{
	struct world world;
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	said = REEVE(&world, "run", "--plan", "no-such-recipe");
	ck_assert_int_eq(said->status, 7);
	said = REEVE(&world, "run", "--plan", "try-it", "nonsense=1");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "unknown parameter \"nonsense\"");
	said = REEVE(&world, "run", "--plan", "--", "true");
	ck_assert_int_eq(said->status, 2);
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--all", "--json")), 0);
	world_close(&world);
}
END_TEST

START_TEST(a_new_recipe_is_sound_and_never_written_over)
{
	struct world world;
	const char *path;
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	path = world_path(&world, "greet");
	said = REEVE(&world, "new", path);
	ck_assert_msg(said->status == 0, "%s", said->err);
	ck_says(said->out, "greet.yaml is written");
	path = world_path(&world, "greet.yaml");
	ck_assert_int_eq(REEVE(&world, "check", path)->status, 0);
	ck_assert_int_eq(REEVE(&world, "run", path, "who=tests")->status, 0);
	said = REEVE(&world, "new", path);
	ck_assert_int_eq(said->status, 1);
	ck_says(said->err, "File exists");
	ck_assert_int_eq(REEVE(&world, "new", "Not A Name")->status, 2);
	ck_assert_int_eq(REEVE(&world, "new")->status, 2);
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = world_tcase(suite, "plan");

	tcase_add_test(tcase, a_plan_says_what_is_there_and_changes_nothing);
	tcase_add_test(tcase, a_recipe_of_the_service_is_planned_by_its_name);
	tcase_add_test(tcase, a_new_recipe_is_sound_and_never_written_over);
	return world_main(suite);
}
