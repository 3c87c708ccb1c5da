#include "tests/integ/world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char recipe[] = "name: install\n"
			     "params:\n"
			     "  server: {required: true}\n"
			     "  note: {default: none}\n"
			     "scope: ${server}\n"
			     "steps:\n"
			     "  - name: wait\n"
			     "    run: [sleep, \"1000\"]\n";

/* The reply to a submission of ROOT/install.yaml with two parameters. */
static json_t *
submit(struct world *world, const char *server, const char *note)
{
	return REEVE_JSON(world, 0, "run", "--detach", "--json", "./install.yaml", server, note);
}

START_TEST(a_recipe_joins_on_its_scope_and_says_what_differs)
{
	struct world world;
	json_t *reply, *task;

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "install.yaml", recipe);
	reply = submit(&world, "server=one", "note=a");
	ck_doc(reply, "joined", "false");
	reply = submit(&world, "server=one", "note=b");
	ck_doc(reply, "joined", "true");
	ck_doc(reply, "id", "1");
	task = world_show(&world, 1);
	ck_doc(task, "joined", "1"); /* the same person */
	ck_doc(task, "scope", "one");
	ck_says(REEVE(&world, "run", "--detach", "./install.yaml", "server=one", "note=b")->err,
	    "note");
	reply = submit(&world, "server=two", "note=a");
	ck_doc(reply, "joined", "false");
	world_close(&world);
}
END_TEST

START_TEST(without_a_scope_all_parameters_count)
{
	struct world world;
	json_t *reply;

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "w.yaml",
	    "name: w\nparams:\n  a: {default: x}\nsteps:\n"
	    "  - name: wait\n    run: [sleep, \"1000\"]\n");
	REEVE(&world, "run", "--detach", "./w.yaml");
	reply = REEVE_JSON(&world, 0, "run", "--detach", "--json", "./w.yaml", "a=x");
	ck_doc(reply, "joined", "true");
	reply = REEVE_JSON(&world, 0, "run", "--detach", "--json", "./w.yaml", "a=y");
	ck_doc(reply, "joined", "false");
	world_close(&world);
}
END_TEST

START_TEST(a_recipe_may_name_other_fields_or_never_join)
{
	struct world world;
	json_t *reply;

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "d.yaml",
	    "name: d\ndedupe: [b]\nparams:\n  a: {default: x}\n"
	    "  b: {default: x}\nsteps:\n"
	    "  - name: wait\n    run: [sleep, \"1000\"]\n");
	REEVE(&world, "run", "--detach", "./d.yaml", "a=1", "b=1");
	reply = REEVE_JSON(&world, 0, "run", "--detach", "--json", "./d.yaml", "a=2", "b=1");
	ck_doc(reply, "joined", "true");
	reply = REEVE_JSON(&world, 0, "run", "--detach", "--json", "./d.yaml", "a=1", "b=2");
	ck_doc(reply, "joined", "false");
	world_file(&world, "n.yaml",
	    "name: n\ndedupe: none\nsteps:\n"
	    "  - name: wait\n    run: [sleep, \"1000\"]\n");
	REEVE(&world, "run", "--detach", "./n.yaml");
	reply = REEVE_JSON(&world, 0, "run", "--detach", "--json", "./n.yaml");
	ck_doc(reply, "joined", "false");
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
	reply =
	    REEVE_JSON(&world, 0, "run", "--detach", "--json", "--key", "nightly", "--", "true");
	ck_doc(reply, "joined", "false");
	world_close(&world);
}
END_TEST

/* Fails without ROOT/go, and else waits. */
static const char moody[] = "name: moody\n"
			    "params:\n"
			    "  server: {required: true}\n"
			    "  go: {required: true}\n"
			    "scope: ${server}\n"
			    "steps:\n"
			    "  - name: wait\n"
			    "    sh: 'test -e \"$PARAM_GO\" && exec sleep 1000'\n";

START_TEST(a_retry_does_not_run_beside_the_same_work)
{
	struct world world;
	const struct said *said;
	char go[WORLD_PATH + 8];

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "moody.yaml", moody);
	snprintf(go, sizeof go, "go=%s/go", world.root);
	ck_assert_int_eq(REEVE(&world, "run", "./moody.yaml", "server=one", go)->status, 1);
	world_file(&world, "go", "");
	ck_assert_int_eq(
	    REEVE(&world, "run", "--detach", "./moody.yaml", "server=one", go)->status, 0);
	world_until(&world, 2, "status", "running");
	said = REEVE(&world, "retry", "1");
	ck_assert_int_eq(said->status, 1);
	ck_says(said->err, "task 2");
	ck_doc(world_show(&world, 1), "status", "failed");
	ck_doc(world_show(&world, 1), "attempt", "1");
	/* Other work is none of its business; and once the other has ended it may. */
	REEVE(&world, "run", "--detach", "./moody.yaml", "server=two", go);
	REEVE(&world, "cancel", "2");
	ck_assert_int_eq(REEVE(&world, "retry", "1")->status, 0);
	world_until(&world, 1, "status", "running");
	/* Then it is the one that is joined, and the other has to wait. */
	said = REEVE(&world, "retry", "2");
	ck_assert_int_eq(said->status, 1);
	ck_says(said->err, "task 1");
	ck_doc(REEVE_JSON(&world, 0, "run", "--detach", "--json", "./moody.yaml", "server=one", go),
	    "id", "1");
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

int
main(void)
{
	Suite *suite = suite_create("joining");
	TCase *tcase = world_tcase(suite, "joining");

	tcase_add_test(tcase, a_recipe_joins_on_its_scope_and_says_what_differs);
	tcase_add_test(tcase, without_a_scope_all_parameters_count);
	tcase_add_test(tcase, a_recipe_may_name_other_fields_or_never_join);
	tcase_add_test(tcase, a_key_joins_what_is_active_and_only_that);
	tcase_add_test(tcase, a_retry_does_not_run_beside_the_same_work);
	tcase_add_test(tcase, a_request_that_is_sent_twice_makes_one_task);
	return world_main(suite);
}
