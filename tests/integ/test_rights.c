#include "tests/integ/world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two ordinary users of a machine's service; without root there is but one, and no story. */
enum {
	SOMEBODY = WORLD_NOBODY,
	ELSE = 4242
};

#define WHOAMI "id -u; id -g; id -G; echo \"$HOME $USER\"; umask"

START_TEST(an_ordinary_users_command_runs_as_that_user)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	world.client_uid = SOMEBODY;
	id = SUBMIT(&world, "--", "sh", "-c", WHOAMI);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_says(REEVE(&world, "logs", world_word(&world, id))->out, "65534\n65534\n65534\n");
	ck_says(REEVE(&world, "logs", world_word(&world, id))->out, "nobody");
	ck_doc(world_show(&world, id), "owner", "unix:nobody");
	ck_doc(world_show(&world, id), "owner_uid", "65534");
	world_close(&world);
}
END_TEST

START_TEST(what_belongs_to_others_does_not_exist)
{
	struct world world;
	const struct said *theirs, *none;
	const char *word;
	uint64_t id;
	static const char *const verbs[] = { "show", "logs", "events", "cancel", "retry", "keep",
		"wait" };

	world_open(&world, __func__);
	world_start(&world);
	world.client_uid = SOMEBODY;
	id = SUBMIT(&world, "--", "sleep", "1000");
	word = world_word(&world, id);
	world_until(&world, id, "status", "running");
	world.client_uid = ELSE;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		theirs = REEVE(&world, verbs[i], word);
		none = REEVE(&world, verbs[i], "999");
		ck_assert_msg(theirs->status == 7, "%s: exit %d", verbs[i], theirs->status);
		ck_assert_int_eq(none->status, 7);
	}
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--json", "--all")), 0);
	ck_assert_int_eq(REEVE(&world, "shutdown")->status, 1);
	world.client_uid = 0; /* an administrator sees all, and may cancel */
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--json")), 1);
	ck_assert_int_eq(REEVE(&world, "cancel", word)->status, 0);
	ck_says(doc_text(world_show(&world, id), "outcome"), "root");
	world_close(&world);
}
END_TEST

START_TEST(the_same_key_of_two_users_is_two_tasks)
{
	struct world world;
	uint64_t mine, theirs;

	world_open(&world, __func__);
	world_start(&world);
	world.client_uid = SOMEBODY;
	mine = SUBMIT(&world, "--key", "k", "--", "sleep", "1000");
	world.client_uid = ELSE;
	theirs = SUBMIT(&world, "--key", "k", "--", "sleep", "1000");
	ck_assert_uint_ne(mine, theirs);
	world_close(&world);
}
END_TEST

START_TEST(one_user_s_tasks_do_not_fill_the_service)
{
	struct world world;
	const struct said *refused;
	uint64_t first;

	world_open(&world, __func__);
	world_env(&world, "REEVE_USER_TASKS", "2");
	world_start(&world);
	world.client_uid = SOMEBODY;
	first = SUBMIT(&world, "--key", "k", "--", "sleep", "1000");
	SUBMIT(&world, "--", "sleep", "1000");
	refused = REEVE(&world, "run", "--detach", "--", "true");
	ck_assert_int_ne(refused->status, 0);
	ck_says(refused->err, "you have 2 tasks that have not ended");
	/* He may join what is there, others and administrators start theirs, and so does he later.
	 */
	ck_assert_uint_eq(SUBMIT(&world, "--key", "k", "--", "sleep", "1000"), first);
	world.client_uid = ELSE;
	SUBMIT(&world, "--", "true");
	world.client_uid = getuid();
	for (int i = 0; i < 3; i++)
		SUBMIT(&world, "--", "true");
	world.client_uid = SOMEBODY;
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, first))->status, 0);
	SUBMIT(&world, "--", "true");
	world_close(&world);
}
END_TEST

START_TEST(a_users_recipe_that_claims_root_is_refused)
{
	struct world world;
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	world_file(
	    &world, "evil.yaml", "name: evil\nrun_as: root\nsteps:\n  - name: a\n    run: [id]\n");
	world.client_uid = SOMEBODY;
	said = REEVE(&world, "run", "./evil.yaml");
	ck_assert_int_eq(said->status, 1);
	ck_says(said->err, "run_as");
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--json", "--all")), 0);
	world_close(&world);
}
END_TEST

START_TEST(a_users_recipe_never_passes_for_the_systems)
{
	struct world world;
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "backup.yaml", "name: backup\nsteps:\n  - name: a\n    run: [id, -u]\n");
	world.client_uid = SOMEBODY;
	task = REEVE_JSON(&world, 0, "run", "--json", "./backup.yaml");
	ck_doc(task, "type", "~nobody/backup");
	ck_assert_str_eq(REEVE(&world, "logs", doc_text(task, "id"))->out, "65534\n");
	world_close(&world);
}
END_TEST

START_TEST(a_step_of_another_user_cannot_open_journal_log_or_pipes)
{
	struct world world;
	uint64_t id;
	const char *out;
	char script[8 * WORLD_PATH];

	world_open(&world, __func__);
	world_start(&world);
	world.client_uid = SOMEBODY;
	snprintf(script, sizeof script,
	    "for f in %s/attempts/*/* %s/journals/* %s/attempts %s/store/data.mdb %s/run/*.news %s/run/*.orders "
	    "/proc/$PPID/fd/3 /proc/$PPID/mem; do (exec 9<$f) 2>/dev/null && echo opened $f; done; "
	    "kill -STOP $PPID 2>/dev/null && echo stopped it; echo tried",
	    world.state, world.state, world.state, world.state, world.root, world.root);
	id = SUBMIT(&world, "--", "sh", "-c", script);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	out = REEVE(&world, "logs", world_word(&world, id))->out;
	ck_assert_str_eq(out, "tried\n");
	world_close(&world);
}
END_TEST

START_TEST(a_directory_the_user_may_not_enter_is_not_entered_for_him)
{
	struct world world;
	const char *words[] = { "-c", "", NULL };
	char script[4 * WORLD_PATH];
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	ck_assert_int_eq(mkdir(world_path(&world, "closed"), 0700), 0);
	/* The caller holds the directory open from better times. */
	snprintf(script, sizeof script,
	    "cd %s/closed && exec setpriv --reuid=65534 --regid=65534 "
	    "--clear-groups %s/reeve run -- touch was-here",
	    world.root, world.bin);
	words[1] = script;
	said = world_exec(&world, "/bin/sh", words, NULL);
	ck_assert_int_ne(said->status, 0);
	ck_assert_int_ne(access(world_path(&world, "closed/was-here"), F_OK), 0);
	world_close(&world);
}
END_TEST

START_TEST(one_ordinary_user_runs_a_service_of_his_own)
{
	struct world world;
	struct stat info;
	uint64_t id;

	world_open(&world, __func__);
	world.service_uid = world.client_uid = geteuid() == 0 ? SOMEBODY : geteuid();
	world_start(&world);
	id = SUBMIT(&world, "--", "sh", "-c", "id -u");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_int_eq((int)strtoul(REEVE(&world, "logs", world_word(&world, id))->out, NULL, 10),
	    (int)world.client_uid);
	ck_assert_int_eq(stat(world.socket, &info), 0);
	ck_assert_int_eq((int)(info.st_mode & 0777), 0600);
	id = SUBMIT(&world, "--", "sh", "-c", "setsid sleep 1000 & sleep 1000");
	world_until(&world, id, "status", "running");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rights");
	TCase *tcase = world_tcase(suite, "rights");

	tcase_add_test(tcase, one_ordinary_user_runs_a_service_of_his_own);
	if (geteuid() == 0) {
		tcase_add_test(tcase, an_ordinary_users_command_runs_as_that_user);
		tcase_add_test(tcase, what_belongs_to_others_does_not_exist);
		tcase_add_test(tcase, the_same_key_of_two_users_is_two_tasks);
		tcase_add_test(tcase, one_user_s_tasks_do_not_fill_the_service);
		tcase_add_test(tcase, a_users_recipe_that_claims_root_is_refused);
		tcase_add_test(tcase, a_users_recipe_never_passes_for_the_systems);
		tcase_add_test(tcase, a_step_of_another_user_cannot_open_journal_log_or_pipes);
		tcase_add_test(tcase, a_directory_the_user_may_not_enter_is_not_entered_for_him);
	}
	return world_main(suite);
}
