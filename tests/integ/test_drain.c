/* Draining and planned ends: nothing new is taken, what runs is finished or stopped on purpose. */
#include "tests/integ/world.h"

#include <string.h>
#include <unistd.h>

static void
open_world(struct world *world, const char *name)
{
	world_open(world, name);
	world_file(world, "boot_id", "11111111-2222-3333-4444-555555555555\n");
	world_env(world, "REEVE_BOOT_ID_FILE", world_path(world, "boot_id"));
	world->slots = "1";
	world_start(world);
}

/* A task that runs until ROOT/go is there; joined by key "work". */
static uint64_t
start_work(struct world *world)
{
	uint64_t id = SUBMIT(world, "--key", "work", "--", "sh", "-c",
	    "while [ ! -e \"$1\" ]; do sleep .02; done", "sh", world_path(world, "go"));

	world_until(world, id, "status", "running");
	return id;
}

static void
is_drained(struct world *world)
{
	const struct said *said = REEVE(world, "run", "--detach", "--", "true");

	ck_assert_int_eq(said->status, 6);
	ck_says(said->err, "the service is being drained and takes nothing new");
}

START_TEST(what_runs_is_finished_and_nothing_else_is_begun)
{
	const struct said *said;
	struct world world;
	uint64_t runs, waits, ended;

	open_world(&world, __func__);
	ended = SUBMIT(&world, "--", "false");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, ended))->status, 1);
	runs = start_work(&world);
	waits = SUBMIT(&world, "--", "true");
	said = REEVE(&world, "drain");
	ck_assert_int_eq(said->status, 0);
	ck_assert_str_eq(
	    said->out, "draining: nothing new is taken; 1 running (2), 1 in the queue\n");
	is_drained(&world);
	ck_assert_int_eq(REEVE(&world, "retry", world_word(&world, ended))->status, 6);
	ck_assert_uint_eq(SUBMIT(&world, "--key", "work", "--", "true"), runs); /* joins */
	ck_doc(world_show(&world, waits), "blocked_on.kind", "drain");
	ck_assert_int_eq(REEVE(&world, "drain", "--timeout", "0.1")->status, 5);
	world_file(&world, "go", "");
	said = REEVE(&world, "drain", "--wait");
	ck_assert_int_eq(said->status, 0);
	ck_says(said->out, "0 running, 1 in the queue\n");
	ck_doc(world_show(&world, runs), "status", "completed");
	ck_doc(world_show(&world, waits), "status", "queued");
	ck_assert_int_eq(REEVE(&world, "drain", "--off")->status, 0);
	world_until(&world, waits, "status", "completed");
	world_close(&world);
}
END_TEST

START_TEST(it_holds_over_a_restart_but_not_over_a_reboot)
{
	struct world world;
	uint64_t waits;

	open_world(&world, __func__);
	start_work(&world);
	waits = SUBMIT(&world, "--", "true");
	ck_assert_int_eq(REEVE(&world, "drain")->status, 0);
	world_kill_supervisor(&world);
	world_wait_served(&world);
	is_drained(&world);
	world_stop(&world);
	world_start(&world);
	is_drained(&world);
	ck_doc(REEVE_JSON(&world, 0, "drain", "--json"), "draining", "true");
	ck_doc(world_show(&world, waits), "status", "queued");
	world_kill_all(&world);
	world_file(&world, "boot_id", "99999999-2222-3333-4444-555555555555\n");
	world_start(&world);
	world_until(&world, waits, "status", "completed");
	world_close(&world);
}
END_TEST

START_TEST(only_an_administrator_drains)
{
	struct world world;

	if (geteuid() != 0)
		return;
	open_world(&world, __func__);
	world.client_uid = WORLD_NOBODY;
	ck_assert_int_eq(REEVE(&world, "drain")->status, 1);
	world.client_uid = world.service_uid;
	ck_assert_int_eq(REEVE(&world, "run", "--", "true")->status, 0);
	world_close(&world);
}
END_TEST

/* ---- suspending ------------------------------------------------------------------------ */

static const char *
text(struct world *world, json_t *string)
{
	json_array_append_new(world->docs, string);
	return json_string_value(string);
}

START_TEST(a_step_that_must_not_be_stopped_is_waited_for)
{
	struct world world;
	uint64_t id;
	json_t *task;

	open_world(&world, __func__);
	id = SUBMIT(&world,
	    world_file(&world, "work.yaml",
		"on_interrupt: resume\n"
		"params: {go: {type: path}}\n"
		"steps:\n"
		"  - {name: flash, cancel: never, sh: 'echo x >>\"$PARAM_GO.ran\"; "
		"while [ ! -e \"$PARAM_GO\" ]; do sleep .02; done'}\n"
		"  - {name: next, sh: 'echo next'}\n"),
	    text(&world, json_sprintf("go=%s", world_path(&world, "go"))));
	world_until(&world, id, "steps.0.status", "running");
	world_until_file(&world, "go.ran");
	ck_assert_int_eq(REEVE(&world, "shutdown", "--suspend", "--tasks")->status, 2);
	world_file(&world, "later",
	    "#!/bin/sh\nreeve=$1; shift\n\"$reeve\" shutdown --suspend &\n"
	    "until \"$reeve\" events 1 | grep -q obeyed; do sleep .02; done\n: >\"$1\"\nwait $!\n");
	ck_assert_int_eq(world_exec(&world, "/bin/sh",
			     (const char *const[]){ world_path(&world, "later"),
				 text(&world, json_sprintf("%s/reeve", world.bin)),
				 world_path(&world, "go"), NULL },
			     NULL)
			     ->status,
	    0);
	ck_assert_int_eq(world_wait_keeper(&world), 0);
	world_start(&world);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	task = world_show(&world, id);
	ck_doc(task, "attempt", "2");
	ck_doc(task, "interruptions.0.code", "suspended");
	ck_assert_str_eq(world_read(&world, "go.ran"), "x\n");
	world_close(&world);
}
END_TEST

START_TEST(a_command_that_is_not_to_be_resumed_ends_interrupted)
{
	struct world world;
	uint64_t id;

	open_world(&world, __func__);
	id = start_work(&world);
	ck_assert_int_eq(REEVE(&world, "shutdown", "--suspend")->status, 0);
	ck_assert_int_eq(world_wait_keeper(&world), 0);
	world_start(&world);
	/* An ad-hoc command is not to be resumed. */
	ck_doc(world_show(&world, id), "status", "interrupted");
	ck_says(doc_text(world_show(&world, id), "outcome"), "about to go down");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("drain");
	TCase *tcase = world_tcase(suite, "drain");

	tcase_add_test(tcase, what_runs_is_finished_and_nothing_else_is_begun);
	tcase_add_test(tcase, it_holds_over_a_restart_but_not_over_a_reboot);
	tcase_add_test(tcase, only_an_administrator_drains);
	tcase_add_test(tcase, a_step_that_must_not_be_stopped_is_waited_for);
	tcase_add_test(tcase, a_command_that_is_not_to_be_resumed_ends_interrupted);
	return world_main(suite);
}
