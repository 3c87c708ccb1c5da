/* The configuration of a service that runs: what is in force, and what a mistake does to it. */
#include "tests/integ/world.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A world whose service reads ROOT/reeve.yaml. */
static void
open_with(struct world *world, const char *name, const char *text)
{
	world_open(world, name);
	world_env(world, "REEVE_CONFIG_FILE", world_file(world, "reeve.yaml", text));
}

/* The row of KEY in `reeve config --json`. */
static json_t *
setting(struct world *world, const char *key)
{
	json_t *config = REEVE_JSON(world, 0, "config", "--json"), *row;
	size_t i;

	json_array_foreach(json_object_get(config, "keys"), i,
	    row) if (strcmp(doc_text(row, "key"), key) == 0) return row;
	ck_abort_msg("there is no key %s", key);
}

START_TEST(a_reload_takes_up_what_changed_and_says_what_takes_a_restart)
{
	const struct said *said;
	struct world world;

	open_with(&world, __func__, "grace: 3s\n");
	world_start(&world);
	ck_doc(setting(&world, "grace"), "value", "3s");
	ck_doc(setting(&world, "grace"), "line", "1");
	ck_doc(setting(&world, "slots"), "from", "flag");
	ck_doc(setting(&world, "keep_failed"), "from", "default");
	world_file(&world, "reeve.yaml", "# more\ngrace: 200ms\nspawn: fork\n");
	said = REEVE(&world, "config", "reload");
	ck_assert_int_eq(said->status, 0);
	ck_says(said->out, "changed: grace\n");
	ck_says(said->out, "not before a restart of the service: spawn\n");
	ck_doc(setting(&world, "grace"), "value", "200ms");
	ck_doc(setting(&world, "spawn"), "value", "auto");
	ck_doc(setting(&world, "spawn"), "waiting", "fork");
	ck_says(world_read(&world, "log"), "configuration: grace is 200ms now");
	world_stop(&world);
	world_start(&world);
	ck_doc(setting(&world, "spawn"), "value", "fork");
	ck_says(REEVE(&world, "doctor")->out, "fork");
	world_close(&world);
}
END_TEST

START_TEST(with_a_mistake_in_the_file_nothing_changes)
{
	const struct said *said;
	struct world world;
	uint64_t id;

	open_with(&world, __func__, "grace: 200ms\n");
	world_start(&world);
	id = SUBMIT(&world, "--", "sleep", "1000");
	world_until(&world, id, "status", "running");
	world_file(&world, "reeve.yaml", "grace: 1s\nslotz: 3\n");
	said = REEVE(&world, "config", "reload");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "reeve.yaml:2:1: unknown key \"slotz\" (did you mean \"slots\"?)");
	ck_says(said->err, "nothing has changed");
	ck_doc(setting(&world, "grace"), "value", "200ms");
	ck_says(world_read(&world, "log"), "it is not taken up; nothing has changed");
	ck_assert_int_eq(REEVE(&world, "doctor")->status, 1);
	/* Whoever takes over in the middle of it goes on with what was good. */
	world_kill_supervisor(&world);
	world_until(&world, id, "status", "running");
	ck_doc(setting(&world, "grace"), "value", "200ms");
	ck_says(doc_text(REEVE_JSON(&world, 0, "config", "--json"), "problem"), "slotz");
	/* A new service does not begin with a mistake. */
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	world_stop(&world);
	world_spawn(&world);
	ck_assert_int_eq(world_wait_keeper(&world), 2);
	world_file(&world, "reeve.yaml", "");
	world_start(&world);
	world_close(&world);
}
END_TEST

START_TEST(a_hangup_reloads_and_more_slots_are_given_out_at_once)
{
	struct world world;
	uint64_t first, second;

	open_with(&world, __func__, "slots: 1\n");
	world.slots = "";
	world_start(&world);
	first = SUBMIT(&world, "--", "sleep", "1000");
	second = SUBMIT(&world, "--", "sleep", "1000");
	world_until(&world, first, "status", "running");
	world_until(&world, second, "blocked_on.kind", "slot");
	world_file(&world, "reeve.yaml", "slots: 2\n");
	ck_assert_int_eq(kill(world.keeper, SIGHUP), 0);
	world_until(&world, second, "status", "running");
	world_close(&world);
}
END_TEST

START_TEST(the_doctor_says_when_there_is_no_file)
{
	struct world world;

	world_open(&world, __func__);
	world_env(&world, "REEVE_CONFIG_DIR", world.root);
	world_start(&world);
	ck_says(REEVE(&world, "doctor")->out, "reeve.yaml is not there, nor need it be\n");
	world_file(&world, "reeve.yaml", "grace: 1s\n");
	ck_says(REEVE(&world, "doctor")->out, "reeve.yaml\n");
	world_close(&world);
}
END_TEST

START_TEST(only_an_administrator_reloads)
{
	struct world world;

	if (geteuid() != 0)
		return;
	open_with(&world, __func__, "");
	world_start(&world);
	world.client_uid = WORLD_NOBODY;
	ck_assert_int_eq(REEVE(&world, "config")->status, 0);
	ck_assert_int_eq(REEVE(&world, "config", "reload")->status, 1);
	world.client_uid = world.service_uid;
	world_close(&world);
}
END_TEST

START_TEST(a_file_is_checked_without_a_service)
{
	const char *path;
	struct world world;

	world_open(&world, __func__);
	path = world_file(&world, "some.yaml", "keep_failed: 3d\nrecipes: [/srv/recipes]\n");
	ck_assert_int_eq(REEVE(&world, "config", "check", path)->status, 0);
	path = world_file(&world, "some.yaml", "keep_failed: 3 days\n");
	ck_assert_int_eq(REEVE(&world, "config", "check", path)->status, 1);
	ck_says(REEVE(&world, "config", "check", path)->err,
	    "some.yaml:1:14: keep_failed takes a duration");
	ck_doc(REEVE_JSON(&world, 1, "config", "check", "--json", path), "error.line", "1");
	ck_assert_int_eq(REEVE(&world, "config", "check", "/nowhere.yaml")->status, 1);
	ck_assert_int_eq(REEVE(&world, "config", "chekc")->status, 2);
	/* Why there is no service may well be that. */
	world_env(&world, "REEVE_CONFIG_FILE", path);
	ck_assert_int_eq(REEVE(&world, "doctor")->status, 6);
	ck_says(REEVE(&world, "doctor")->out, "some.yaml:1:14: keep_failed takes a duration");
	world_close(&world);
}
END_TEST

START_TEST(no_more_ended_tasks_are_kept_than_were_asked_for)
{
	struct world world;
	uint64_t kept;

	open_with(&world, __func__, "keep_tasks: 1\n");
	world_start(&world);
	kept = SUBMIT(&world, "--", "echo", "kept");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, kept))->status, 0);
	ck_assert_int_eq(REEVE(&world, "keep", world_word(&world, kept))->status, 0);
	for (int i = 0; i < 3; i++)
		REEVE(&world, "run", "--", "echo", "x");
	world_until_no_file(&world, "state/attempts", "2.1");
	world_until_no_file(&world, "state/attempts", "3.1");
	ck_assert_int_eq(REEVE(&world, "show", "2")->status, 7);
	ck_doc(world_show(&world, 4), "status", "completed");
	ck_doc(world_show(&world, kept), "status", "completed");
	world_close(&world);
}
END_TEST

START_TEST(the_logs_of_ended_tasks_take_no_more_than_was_asked_for)
{
	struct world world;

	open_with(&world, __func__, "keep_bytes: 1MiB\n");
	world_start(&world);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
		    REEVE(&world, "run", "--", "head", "-c", "900000", "/dev/zero")->status, 0);
	world_until_no_file(&world, "state/attempts", "1.1");
	ck_doc(world_show(&world, 2), "status", "completed");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = world_tcase(suite, "config");

	tcase_add_test(tcase, a_reload_takes_up_what_changed_and_says_what_takes_a_restart);
	tcase_add_test(tcase, with_a_mistake_in_the_file_nothing_changes);
	tcase_add_test(tcase, a_hangup_reloads_and_more_slots_are_given_out_at_once);
	tcase_add_test(tcase, the_doctor_says_when_there_is_no_file);
	tcase_add_test(tcase, only_an_administrator_reloads);
	tcase_add_test(tcase, a_file_is_checked_without_a_service);
	tcase_add_test(tcase, no_more_ended_tasks_are_kept_than_were_asked_for);
	tcase_add_test(tcase, the_logs_of_ended_tasks_take_no_more_than_was_asked_for);
	return world_main(suite);
}
