/* `reeve run`, and what is seen of a task while it runs. */
#include "tests/unit/cli_kit.h"
#include "tests/unit/suite.h"

static const struct script running[] = {
	{ "submit", NULL, "{\"id\":41,\"status\":\"queued\",\"joined\":false,\"differs\":[]}",
	    NULL },
	{ "watch", NULL, WATCHED("running"), EVENT("completed") },
	{ "show", NULL, TASK("running"), NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(a_detached_run_prints_the_id_alone)
{
	ck_assert_int_eq(reeve(running, "run --detach --title x -- make -j4 --silent"), EXIT_OK);
	ck_assert_str_eq(out, "41\n");
	ck_assert_str_eq(err, "");
	was_asked(0, "\"command\":[\"make\",\"-j4\",\"--silent\"]");
	was_asked(0, "\"title\":\"x\"");
	was_asked(0, "\"umask\":");
	was_asked(0, "\"env\":{\"");
}
END_TEST

START_TEST(a_detached_run_says_more_as_json)
{
	ck_assert_int_eq(reeve(running, "run --detach --json -- true"), EXIT_OK);
	has(out, "\"id\": 41");
	has(out, "\"joined\": false");
}
END_TEST

START_TEST(a_run_ends_with_its_task)
{
	ck_assert_int_eq(reeve(running, "run -- true"), EXIT_OK);
	has(out, "task 41 completed");
}
END_TEST

#define ENTRY(text) \
 "{\"offset\":0,\"ts\":1790000000123,\"step\":1,\"stream\":\"stdout\",\"text\":\"" text "\"}"
#define LOG(entries) \
 "{\"attempt\":1,\"entries\":[" entries "],\"next\":40,\"at_end\":true,\"live\":false}"
#define TEN                                                                            \
 ENTRY("a")                                                                            \
 "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("e") "," ENTRY("f") "," ENTRY( \
     "g") "," ENTRY("h") "," ENTRY("i") "," ENTRY("last")

static const struct written {
	const char *log;
	bool at_terminal;
	const char *has, *has_not;
} written[] = {
	{ LOG(ENTRY("first") "," TEN), true, "  its last lines:\n  \xe2\x94\x82 a\n", "first" },
	{ LOG(ENTRY("first") "," TEN), true, "reeve logs 41", "first" },
	{ LOG(TEN), true, "  it wrote:\n  \xe2\x94\x82 a\n", "logs 41" },
	{ LOG(TEN), false, "reeve logs 41 ", "last" },
	{ LOG(""), true, "completed", "wrote" },
	{ LOG(""), false, "completed", "logs" },
};

START_TEST(what_a_command_wrote_is_shown_at_a_terminal_and_pointed_at_elsewhere)
{
	const struct written *row = &written[_i];
	struct script lines[4];

	lines[0] = running[0];
	lines[1] = running[1];
	lines[2] = (struct script){ .method = "log", .answer = row->log };
	lines[3] = (struct script){ .method = NULL };
	at_terminal = row->at_terminal;
	ck_assert_int_eq(reeve(lines, "run -- true"), EXIT_OK);
	has(out, row->has);
	ck_assert_ptr_null(strstr(out, row->has_not));
}
END_TEST

START_TEST(a_run_as_json_prints_the_task_alone)
{
	ck_assert_int_eq(reeve(running, "run --json -- true"), EXIT_OK);
	has(out, "\"status\": \"completed\"");
	ck_assert_int_eq(out[0], '{');
}
END_TEST

START_TEST(the_environment_is_what_was_asked_for)
{
	setenv("SECRET_OF_MINE", "hidden", 1);
	setenv("LC_TEST", "lc", 1);
	setenv("WANTED", "given on", 1);
	ck_assert_int_eq(
	    reeve(running, "run --detach --env A=b=c --env WANTED --env NOT_SET -- true"), EXIT_OK);
	was_asked(0, "\"A\":\"b=c\"");
	was_asked(0, "\"WANTED\":\"given on\"");
	was_asked(0, "\"LC_TEST\":\"lc\"");
	ck_assert_ptr_null(strstr(asked[0], "hidden"));
	ck_assert_ptr_null(strstr(asked[0], "NOT_SET"));
	ck_assert_ptr_null(strstr(asked[0], "HOME"));
}
END_TEST

static const struct script joining[] = {
	{ "submit", NULL, "{\"id\":9,\"status\":\"running\",\"joined\":true,\"differs\":[\"url\"]}",
	    NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(a_run_that_joined_says_so)
{
	ck_assert_int_eq(reeve(joining, "run --detach recipe url=b"), EXIT_OK);
	ck_assert_str_eq(out, "9\n");
	has(err, "joined task 9");
	has(err, "another value for url");
	was_asked(0, "\"recipe\":\"recipe\"");
	was_asked(0, "\"params\":{\"url\":\"b\"}");
}
END_TEST

static const struct script knows_no_recipe[] = {
	{ "submit", "not_found", "there is no recipe", NULL },
	{ "recipes", NULL, "{\"recipes\":[{\"name\":\"try-it\"}]}", NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(an_unknown_recipe_is_told_its_neighbour)
{
	ck_assert_int_eq(reeve(knows_no_recipe, "run tri-it"), EXIT_NOT_FOUND);
	has(err, "there is no recipe \"tri-it\" (did you mean \"try-it\"?)");
	has(err, "reeve run -- tri-it");
}
END_TEST

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

START_TEST(a_recipe_of_ones_own_is_sent_as_text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/reeve/recipes", canned.dir);
	ck_assert_int_eq(fd_mkdir_all(path, 0700), 0);
	setenv("XDG_CONFIG_HOME", canned.dir, 1);
	snprintf(path, sizeof path, "%s/reeve/recipes/mine.yaml", canned.dir);
	write_file(path, "steps: []\n");
	/* The script refuses text as well: what was sent is what counts. */
	ck_assert_int_eq(reeve(knows_no_recipe, "run mine a=1"), EXIT_NOT_FOUND);
	was_asked(0, "\"recipe\":\"mine\"");
	was_asked(1, "\"text\":\"steps: []\\n\",\"name\":\"mine.yaml\"");
	was_asked(1, "\"params\":{\"a\":\"1\"}");
	snprintf(path, sizeof path, "%s/reeve", canned.dir);
	fd_remove_tree(AT_FDCWD, path);
}
END_TEST

START_TEST(a_file_is_sent_as_text)
{
	char path[256], line[300];

	snprintf(path, sizeof path, "%s/w.yaml", canned.dir);
	write_file(path, "name: w\n");
	snprintf(line, sizeof line, "run --detach %s", path);
	ck_assert_int_eq(reeve(running, line), EXIT_OK);
	was_asked(0, "\"text\":\"name: w\\n\",\"name\":\"w.yaml\"");
	unlink(path);
}
END_TEST

START_TEST(a_watch_as_json_is_a_line_each)
{
	ck_assert_int_eq(reeve(running, "watch --json 41"), EXIT_OK);
	has(out, "{\"seq\":null,\"event\":{\"event\":\"standing\"");
	has(out, "\n{\"seq\":2,\"event\":{\"event\":\"ended\"},\"task\":{\"id\":41,");
}
END_TEST

static const struct script half_known[] = {
	{ "watch", NULL, WATCHED("running"), EVENT("completed") },
	{ "show", "not_found", "there is no task 7", NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(a_watch_tells_in_its_stream_what_is_not_there)
{
	ck_assert_int_eq(reeve(half_known, "watch --json 7 41"), EXIT_NOT_FOUND);
	has(err, "there is no task 7");
	has(out, "{\"seq\":null,\"event\":{\"event\":\"missing\",\"ts\":\"");
	has(out, ",\"task\":7},\"task\":null}\n");
	has(out, "\n{\"seq\":2,\"event\":{\"event\":\"ended\"},\"task\":{\"id\":41,");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_run");
	TCase *tcase = tcase_create("run");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_detached_run_prints_the_id_alone);
	tcase_add_test(tcase, a_detached_run_says_more_as_json);
	tcase_add_test(tcase, a_run_ends_with_its_task);
	tcase_add_loop_test(tcase,
	    what_a_command_wrote_is_shown_at_a_terminal_and_pointed_at_elsewhere, 0,
	    sizeof written / sizeof written[0]);
	tcase_add_test(tcase, a_run_as_json_prints_the_task_alone);
	tcase_add_test(tcase, the_environment_is_what_was_asked_for);
	tcase_add_test(tcase, a_run_that_joined_says_so);
	tcase_add_test(tcase, an_unknown_recipe_is_told_its_neighbour);
	tcase_add_test(tcase, a_recipe_of_ones_own_is_sent_as_text);
	tcase_add_test(tcase, a_file_is_sent_as_text);
	tcase_add_test(tcase, a_watch_as_json_is_a_line_each);
	tcase_add_test(tcase, a_watch_tells_in_its_stream_what_is_not_there);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
