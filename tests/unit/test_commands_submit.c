#include "tests/unit/commands_kit.h"

#include <pwd.h>
#include <sched.h>

static const char recipe[] = "\"name: moody\\nparams:\\n  note: {default: x}\\nsteps:\\n"
			     "  - name: s\\n    run: [\\\"true\\\"]\\n\"";
static const char as_root[] = "\"name: moody\\nrun_as: root\\nsteps:\\n"
			      "  - name: s\\n    run: [id]\\n\"";

/* PARAMS with the text of a recipe in place of %s. */
static void
submit_text(uint64_t seed, const char *params, const char *text)
{
	char whole[2048], *at;

	snprintf(whole, sizeof whole, "%s", params);
	at = strstr(whole, "%s");
	ck_assert_ptr_nonnull(at);
	snprintf(at, sizeof whole - (size_t)(at - whole), "%s%s", text, strstr(params, "%s") + 2);
	submit(seed, whole, -1);
}

START_TEST(what_is_wrong_is_told_with_its_field)
{
	static const struct {
		const char *params, *field;
	} wrongs[] = { { "{}", "recipe" }, { "{\"command\": [], \"title\": \"t\"}", "recipe" },
		{ "{\"command\": [\"a\"], \"text\": \"b\"}", "recipe" },
		{ "{\"command\": [\"\"]}", "command" },
		{ "{\"command\": [\"a\"], \"params\": {\"p\": \"v\"}}", "params" },
		{ "{\"command\": [\"a\"], \"env\": {\"\": \"v\"}}", "env" },
		{ "{\"command\": [\"a\"], \"env\": {\"A=B\": \"v\"}}", "env" },
		{ "{\"command\": [\"a\"], \"umask\": 512}", "umask" },
		{ "{\"command\": [\"a\"], \"run_as\": \"root\"}", "run_as" },
		{ "{\"command\": [\"a\"]}", "cwd" } };

	for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
		submit(i, wrongs[i].params, -1);
		is_refused("invalid", wrongs[i].field);
	}
	ask("submit", "{\"command\": [\"a\"]}");
	is_refused("invalid", "token");
	ask("submit", "{\"token\": \"sixteen letters!\", \"command\": [\"a\"]}");
	is_refused("invalid", "token"); /* bytes, not letters */
	ck_assert_uint_eq(supervisor.roster.ntasks, 0);
}
END_TEST

START_TEST(a_command_starts_in_a_directory_that_is_passed)
{
	int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	struct store_bytes spec;
	struct brief brief;

	submit(1, "{\"command\": [\"true\"]}", file);
	is_refused("invalid", "cwd");
	fd_close(&file);
	submit(2, "{\"command\": [\"true\"], \"env\": {\"A\": \"b\"}, \"umask\": 63}",
	    supervisor.attempts_fd);
	says("{\"id\":101,\"status\":\"queued\",\"joined\":false,\"differs\":[]}");
	ck_assert_int_eq(store_get_spec(store, FIRST_ID, &spec), 0);
	ck_assert_int_eq(codec_decode(&brief_codec, spec.data, spec.len, &brief, NULL), 0);
	ck_assert_str_eq(brief.workdir, world_path("attempts"));
	ck_assert_str_eq(pairs_get(&brief.env, "A"), "b");
	ck_assert_uint_eq(brief.umask, 63);
	ck_assert_uint_eq(brief.uid, getuid());
	codec_free(&brief_codec, &brief);
	store_bytes_free(&spec);
}
END_TEST

START_TEST(the_same_token_gets_the_same_task)
{
	submit_command(1);
	submit_command(1);
	says("{\"id\":101,");
	submit_command(2);
	says("{\"id\":102,");
	ask("cancel", "{\"id\": 101}");
	submit_command(3);
	submit_command(1); /* it is in the store alone by now */
	says("{\"id\":101,\"status\":\"cancelled\"");
}
END_TEST

START_TEST(a_key_joins_the_same_work_and_conflicts_with_other)
{
	submit(1, "{\"command\": [\"true\"], \"key\": \"k\"}", supervisor.attempts_fd);
	says("\"joined\":false");
	submit(2, "{\"command\": [\"true\"], \"key\": \"k\", \"title\": \"other\"}",
	    supervisor.attempts_fd);
	says("{\"id\":101,\"status\":\"queued\",\"joined\":true,\"differs\":[\"title\"]}");
	submit_text(3, "{\"key\": \"k\", \"text\": %s}", recipe);
	is_refused("conflict", "key");
	ck_assert_ptr_nonnull(strstr(said, "task 101"));
}
END_TEST

START_TEST(a_recipe_s_text_is_checked_and_frozen)
{
	submit_text(1, "{\"params\": {\"note\": \"y\"}, \"text\": %s}", recipe);
	says("{\"id\":101,");
	ask("show", "{\"id\": 101}");
	says("\"type\":\"moody\"");
	submit_text(2, "{\"params\": {\"nope\": \"y\"}, \"text\": %s}", recipe);
	ck_assert(failed);
	ck_assert_ptr_nonnull(strstr(said, "nope"));
	submit_text(3, "{\"name\": \"bad.yaml\", \"text\": %s}", "\"name: [\"");
	is_refused("invalid", "recipe");
	ck_assert_ptr_nonnull(strstr(said, "bad.yaml:"));
}
END_TEST

START_TEST(a_user_s_own_recipe_does_not_pass_for_the_system_s)
{
	const struct passwd *account = getpwuid(getuid());
	char type[128];

	come_back(false);
	submit_text(1, "{\"text\": %s}", recipe);
	ask("show", "{\"id\": 101}");
	snprintf(type, sizeof type, "\"type\":\"~%s/moody\"", account->pw_name);
	says(type);
	submit_text(2, "{\"text\": %s}", as_root);
	is_refused("refused", "run_as");
	come_back(true);
	submit_text(3, "{\"text\": %s}", as_root); /* text is nobody's file */
	is_refused("refused", "run_as");
}
END_TEST

START_TEST(a_recipe_is_found_by_its_name_and_by_nothing_else)
{
	static const char text[] = "name: known\nsteps:\n  - name: s\n    run: [\"true\"]\n";
	char path[sizeof world_dir + 32];

	snprintf(path, sizeof path, "%s/recipes/known.yaml", world_dir);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, text, sizeof text - 1, 0644, false), 0);
	submit(1, "{\"recipe\": \"known\"}", -1);
	says("{\"id\":101,");
	submit(2, "{\"recipe\": \"unknown\"}", -1);
	is_refused("not_found", "recipe");
	submit(3, "{\"recipe\": \"../recipes/known\"}", -1);
	is_refused("invalid", "recipe");
	submit(4, "{\"recipe\": \"/etc/passwd\"}", -1);
	is_refused("invalid", "recipe");
}
END_TEST

START_TEST(a_full_disk_takes_no_new_work_and_says_so)
{
	world_arm("store.put", "errno:ENOSPC");
	submit(1, "{\"command\": [\"true\"]}", supervisor.attempts_fd);
	is_refused("full", NULL);
	ask("list", "{}");
	says("\"tasks\":[]");
	while (committer_is_full(&supervisor.committer)) /* it looks for room by itself */
		sched_yield();
	submit(2, "{\"command\": [\"true\"]}", supervisor.attempts_fd);
	says("\"status\":\"queued\"");
}
END_TEST

int
main(void)
{
	TCase *tests = tests_of("submit");

	tcase_add_test(tests, what_is_wrong_is_told_with_its_field);
	tcase_add_test(tests, a_command_starts_in_a_directory_that_is_passed);
	tcase_add_test(tests, the_same_token_gets_the_same_task);
	tcase_add_test(tests, a_key_joins_the_same_work_and_conflicts_with_other);
	tcase_add_test(tests, a_recipe_s_text_is_checked_and_frozen);
	tcase_add_test(tests, a_user_s_own_recipe_does_not_pass_for_the_system_s);
	tcase_add_test(tests, a_recipe_is_found_by_its_name_and_by_nothing_else);
	tcase_add_test(tests, a_full_disk_takes_no_new_work_and_says_so);
	return world_run(suite_create("commands submit"), &tests, 1);
}
