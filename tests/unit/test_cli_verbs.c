/* Help, mistakes, and every verb but run (test_cli_run.c). */
#include "ipc/task.h"
#include "tests/unit/cli_kit.h"
#include "tests/unit/suite.h"

/* ---- help and mistakes -------------------------------------------------------------- */

START_TEST(every_verb_explains_itself_with_examples)
{
	static const struct script nothing[] = { { NULL, NULL, NULL, NULL } };

	for (const struct verb *const *verb = verbs; *verb; verb++) {
		char line[64];

		ck_assert_int_eq(ftruncate(out_fd, 0), 0);
		ck_assert_int_eq(lseek(out_fd, 0, SEEK_SET), 0);
		snprintf(line, sizeof line, "%s --help", (*verb)->name);
		ck_assert_int_eq(reeve(nothing, line), EXIT_OK);
		snprintf(line, sizeof line, "reeve %s", (*verb)->name);
		has(out, line);
		has(out, "Examples:\n  ");
	}
	ck_assert_int_eq(atomic_load(&canned.calls), 0);
}
END_TEST

static void
fits(const char *text, const char *what)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		ck_assert_msg(len < 80, "%s: \"%.*s\"", what, (int)len, line);
		line += len + (line[len] == '\n');
	}
}

START_TEST(help_fits_a_terminal_of_80_columns)
{
	struct cli cli = { 0 };

	term_init(&cli.out, out_fd);
	for (const struct verb *const *verb = verbs; *verb; verb++) {
		ck_assert_int_eq(ftruncate(out_fd, 0), 0);
		ck_assert_int_eq(lseek(out_fd, 0, SEEK_SET), 0);
		ck_assert_int_eq(verb_help(&cli, *verb), EXIT_OK);
		read_back(out_fd, out, sizeof out);
		fits(out, (*verb)->name);
	}
	ck_assert_int_eq(ftruncate(out_fd, 0), 0);
	ck_assert_int_eq(lseek(out_fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(verbs_help(&cli, true), EXIT_OK);
	read_back(out_fd, out, sizeof out);
	fits(out, "help");
}
END_TEST

static const struct {
	const char *line, *says;
} mistakes[] = {
	{ "ls --nope", "unknown option --nope\n" },
	{ "ls --actve", "unknown option --actve (did you mean \"active\"?)" },
	{ "ls -q", "unknown option -q" },
	{ "ls --limit", "--limit needs a value" },
	{ "ls --limit=0", "--limit \"0\": expected a number from 1" },
	{ "ls --active=yes", "--active takes no value" },
	{ "ls extra", "unexpected \"extra\"" },
	{ "ls --status runing", "there is no status \"runing\" (did you mean \"running\"?)" },
	{ "ls --since yesterday", "--since \"yesterday\"" },
	{ "ls --label x", "label \"x\": expected name=value" },
	{ "show", "which task?" },
	{ "show 1 2", "one task at a time" },
	{ "show -1", "unknown option -1" },
	{ "show forty", "\"forty\" is no task's id" },
	{ "show 99999999999999999999", "is no task's id" },
	{ "wait --timeout soon 1", "--timeout \"soon\"" },
	{ "wait", "which task?" },
	{ "cancel", "which task?" },
	{ "cancel --all 1", "unexpected \"1\"" },
	{ "run", "which recipe" },
	{ "run --", "which command" },
	{ "run recipe -- true", "not both" },
	{ "run recipe novalue",
	    "parameter \"novalue\": expected name=value; a command goes behind `--`" },
	{ "run Not_a_name:", "recipe: \"Not_a_name:\" is no recipe's name" },
	{ "run recipe a=1 a=2", "parameter \"a=2\" is given twice" },
	{ "run --label x recipe", "label \"x\"" },
	{ "run ./nowhere.yaml", "./nowhere.yaml: No such file" },
	{ "check", "which file?" },
	{ "recipes --keys try-it", "unexpected \"try-it\"" },
	{ "shutdown now", "unexpected \"now\"" },
};

START_TEST(a_mistake_is_named_and_nothing_is_done)
{
	static const struct script nothing[] = { { NULL, NULL, NULL, NULL } };

	ck_assert_int_eq(reeve(nothing, mistakes[_i].line), EXIT_USAGE);
	has(err, "reeve: ");
	has(err, mistakes[_i].says);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(atomic_load(&canned.calls), 0);
}
END_TEST

START_TEST(help_wins_over_what_would_be_done)
{
	static const struct script nothing[] = { { NULL, NULL, NULL, NULL } };

	ck_assert_int_eq(reeve(nothing, "cancel --all --help"), EXIT_OK);
	ck_assert_int_eq(reeve(nothing, "shutdown --tasks --help"), EXIT_OK);
	ck_assert_int_eq(atomic_load(&canned.calls), 0);
}
END_TEST

START_TEST(every_state_there_is_can_be_asked_for)
{
	static const struct script nothing[] = { { NULL, NULL, NULL, NULL } };

	ck_assert_int_eq(reeve(nothing, "ls --help"), EXIT_OK);
#define X(sym, num, name, end, worker, slot) has(out, " " name);
	TASK_STATES(X)
#undef X
}
END_TEST

START_TEST(every_status_of_a_wait_is_told_apart)
{
	static const struct script nothing[] = { { NULL, NULL, NULL, NULL } };
	static const int statuses[] = { EXIT_OK, EXIT_FAILED, EXIT_CANCELLED, EXIT_INTERRUPTED,
		EXIT_TIMED_OUT, EXIT_NO_SUPERVISOR, EXIT_NOT_FOUND };
	char begin[8];

	ck_assert_int_eq(reeve(nothing, "wait --help"), EXIT_OK);
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		snprintf(begin, sizeof begin, "\n  %d  ", statuses[i]);
		has(out, begin);
	}
	snprintf(begin, sizeof begin, "(%d with", EXIT_WARNINGS);
	has(out, begin);
}
END_TEST

START_TEST(an_unknown_verb_is_told_its_neighbour)
{
	ck_assert_ptr_null(verb_find("cancle"));
	ck_assert_int_eq(verb_unknown("cancle"), EXIT_USAGE);
	read_back(err_fd, err, sizeof err);
	has(err, "there is no verb \"cancle\" (did you mean \"cancel\"?)");
}
END_TEST

/* ---- the others ---------------------------------------------------------------------- */

static const struct script listing[] = {
	{ "list", NULL,
	    "{\"tasks\":[{\"id\":42,\"title\":\"copy\",\"status\":\"running\",\"progress\":0.5,"
	    "\"step\":{\"index\":2,\"count\":3,\"name\":\"fetch\"},\"steps\":[]},"
	    "{\"id\":41,\"title\":\"a\\u001b[31mb\",\"status\":\"failed\",\"outcome\":\"no "
	    "route\"}],\"next\":null}",
	    NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(ls_shows_a_table)
{
	ck_assert_int_eq(reeve(listing, "ls --status running,failed --scope s --limit 7"), EXIT_OK);
	has(out, "id  status");
	has(out, "42  \xe2\x97\x8f running  copy  ");
	has(out, " 50 %  2/3 fetch\n");
	has(out, "41  \xe2\x9c\x97 failed   ab ");
	has(out, "no route\n");
	was_asked(0, "\"states\":[\"running\",\"failed\"]");
	was_asked(0, "\"scope\":\"s\"");
	was_asked(0, "\"limit\":7");
}
END_TEST

START_TEST(an_owner_is_named_as_people_are)
{
	ck_assert_int_eq(reeve(listing, "ls --owner ada"), EXIT_OK);
	was_asked(0, "\"owner\":\"unix:ada\"");
	ck_assert_int_eq(reeve(listing, "ls --owner unix:ada"), EXIT_OK);
	was_asked(1, "\"owner\":\"unix:ada\"");
}
END_TEST

START_TEST(ls_as_json_is_an_array)
{
	json_t *json;

	ck_assert_int_eq(reeve(listing, "ls --json"), EXIT_OK);
	json = json_loads(out, 0, NULL);
	ck_assert(json_is_array(json));
	ck_assert_uint_eq(json_array_size(json), 2);
	json_decref(json);
}
END_TEST

static const struct script empty[] = {
	{ "list", NULL, "{\"tasks\":[],\"next\":null}", NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(an_empty_list_is_an_empty_array)
{
	ck_assert_int_eq(reeve(empty, "ls --json"), EXIT_OK);
	ck_assert_str_eq(out, "[]\n");
}
END_TEST

static const struct script hidden[] = {
	{ "show", "not_found", "there is no task 41", NULL },
	{ "log", "not_found", "there is no task 41", NULL },
	{ "events", "not_found", "there is no task 41", NULL },
	{ "cancel", "not_found", "there is no task 41", NULL },
	{ "retry", "not_found", "there is no task 41", NULL },
	{ "keep", "not_found", "there is no task 41", NULL },
	{ "watch", NULL, "{\"epoch\":\"a\",\"seq\":1,\"reset\":false,\"tasks\":[]}", NULL },
	{ NULL, NULL, NULL, NULL },
};
static const char *const by_id[] = { "show 41", "logs 41", "events 41", "cancel 41", "retry 41",
	"keep 41", "wait 41", "watch 41", "watch --json 41" };

START_TEST(a_task_that_is_not_there_gives_status_7)
{
	ck_assert_int_eq(reeve(hidden, by_id[_i]), EXIT_NOT_FOUND);
	has(err, "reeve: there is no task 41");
	ck_assert_str_eq(out, "");
}
END_TEST

static const struct script logged[] = {
	{ "show", NULL,
	    "{\"id\":41,\"status\":\"failed\",\"steps\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
	    NULL },
	{ "log", NULL,
	    "{\"attempt\":1,\"entries\":["
	    "{\"offset\":0,\"ts\":1790000000123,\"step\":1,\"stream\":\"stdout\",\"more\":true,"
	    "\"text\":\"be\"},"
	    "{\"offset\":9,\"ts\":1790000000124,\"step\":1,\"stream\":\"stderr\",\"more\":false,"
	    "\"text\":\"oh\"},"
	    "{\"offset\":20,\"ts\":1790000000125,\"step\":1,\"stream\":\"stdout\",\"more\":false,"
	    "\"text\":\"gin\"},"
	    "{\"offset\":30,\"ts\":1790000000126,\"step\":2,\"stream\":\"stdout\",\"more\":false,"
	    "\"text\":\"end\\u001b[2J\"}],"
	    "\"next\":40,\"at_end\":true,\"dropped\":0,\"live\":false}",
	    NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(a_log_is_put_together_line_by_line)
{
	ck_assert_int_eq(reeve(logged, "logs 41"), EXIT_OK);
	/* A pipe gets what was written, raw. */
	ck_assert_str_eq(out, "oh\nbegin\nend\033[2J\n");
}
END_TEST

START_TEST(a_log_as_json_is_a_line_each)
{
	ck_assert_int_eq(reeve(logged, "logs --json --tail 1 41"), EXIT_OK);
	ck_assert_str_eq(out, "{\"ts\":\"2026-09-21T14:13:20.126Z\",\"step\":2,\"stream\":"
			      "\"stdout\",\"text\":\"end\\u001b[2J\"}\n");
}
END_TEST

START_TEST(a_step_is_found_by_name_or_number)
{
	ck_assert_int_eq(reeve(logged, "logs --step b 41"), EXIT_OK);
	was_asked(1, "\"step\":2");
	ck_assert_int_eq(reeve(logged, "logs --step 1 41"), EXIT_OK);
	was_asked(3, "\"step\":1");
	ck_assert_int_eq(reeve(logged, "logs --step c 41"), EXIT_USAGE);
	has(err, "task 41 has no step \"c\"");
}
END_TEST

/* A service of the build before does not know the newest one. */
START_TEST(a_shutdown_asks_for_nothing_that_was_not_wished)
{
	static const struct script nothing[] = { { NULL, NULL, NULL, NULL } };

	ck_assert_int_eq(reeve(nothing, "shutdown --restart"), EXIT_USAGE);
	was_asked(0, "shutdown {\"restart\":true}");
	ck_assert_int_eq(reeve(nothing, "shutdown"), EXIT_USAGE);
	was_asked(1, "shutdown {}");
}
END_TEST

static const struct script cancelling[] = {
	{ "cancel", NULL,
	    "{\"accepted\":true,\"durable\":false,\"left\":false,\"status\":\"cancelling\"}",
	    NULL },
	{ "show", NULL, TASK("cancelling"), NULL },
	{ "watch", NULL, WATCHED("cancelling"),
	    "{\"seq\":2,\"event\":{\"event\":\"ended\"},\"task\":{\"id\":41,\"status\":"
	    "\"cancelled\",\"receipt\":{\"signalled\":1,\"killed\":0,\"escaped\":[],\"survivors\":[],"
	    "\"method\":\"walk\",\"duration_ms\":5}}}" },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(a_cancel_waits_and_shows_its_receipt)
{
	ck_assert_int_eq(reeve(cancelling, "cancel --force 41"), EXIT_OK);
	has(out, "task 41 cancelled");
	has(out, "nothing survived");
	was_asked(0, "{\"id\":41,\"force\":true,\"abandon\":false}");
}
END_TEST

START_TEST(a_cancel_need_not_wait)
{
	ck_assert_int_eq(reeve(cancelling, "cancel --no-wait 41"), EXIT_OK);
	ck_assert_uint_eq(nasked, 1);
}
END_TEST

static const struct script too_late[] = {
	{ "cancel", "refused", "task 41: it has ended", NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(a_refused_cancel_gives_status_1)
{
	ck_assert_int_eq(reeve(too_late, "cancel 41"), EXIT_FAILED);
	has(err, "it has ended");
}
END_TEST

static const struct script beaten[] = {
	{ "cancel", NULL,
	    "{\"accepted\":true,\"durable\":true,\"left\":false,\"status\":\"cancelling\"}", NULL },
	{ "show", NULL, TASK("completed"), NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(a_cancel_that_came_too_late_gives_status_1)
{
	ck_assert_int_eq(reeve(beaten, "cancel 41"), EXIT_FAILED);
	has(out, "task 41 completed");
}
END_TEST

static const struct script never_ending[] = {
	{ "show", NULL, TASK("running"), NULL },
	{ "watch", NULL, WATCHED("running"), NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(a_wait_gives_up_in_time)
{
	ck_assert_int_eq(reeve(never_ending, "wait --timeout 0.02 41"), EXIT_TIMED_OUT);
	has(err, "waited for 20 ms: task 41 has not ended yet: running");
	ck_assert_int_eq(reeve(never_ending, "wait --timeout 0 41"), EXIT_TIMED_OUT);
}
END_TEST

static const struct script eventful[] = {
	{ "events", NULL,
	    "{\"epoch\":\"a\",\"events\":[[5,{\"event\":\"submitted\",\"ts\":"
	    "\"2026-09-21T14:13:20.000Z\",\"task\":41,\"text\":\"unix:ada\"}],[6,{\"event\":"
	    "\"started\",\"ts\":\"2026-09-21T14:13:20.000Z\",\"task\":41}],[7,{\"event\":"
	    "\"step_end\",\"ts\":\"2026-09-21T14:13:20.000Z\",\"task\":41,\"step\":1,"
	    "\"name\":\"make\",\"status\":\"done\"}]],\"more\":false}",
	    NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(events_are_listed)
{
	ck_assert_int_eq(reeve(eventful, "events 41"), EXIT_OK);
	has(out, "submitted     unix:ada\n");
	has(out, "started\n"); /* and no blanks behind it */
	has(out, "step_end      step 1  make  done\n");
	ck_assert_int_eq(reeve(eventful, "events --json 41"), EXIT_OK);
	has(out, "{\"seq\":5,\"event\":{\"event\":\"submitted\"");
}
END_TEST

static const struct script sick[] = {
	{ "doctor", NULL,
	    "{\"checks\":[{\"name\":\"disk\",\"status\":\"fail\",\"text\":\"full\",\"fix\":\"make "
	    "room\"}]}",
	    NULL },
	{ NULL, NULL, NULL, NULL },
};

START_TEST(a_failed_check_gives_status_1)
{
	ck_assert_int_eq(reeve(sick, "doctor"), EXIT_FAILED);
	has(out, "disk");
	has(out, "make room");
}
END_TEST

START_TEST(without_a_service_the_doctor_says_how_to_start_one)
{
	setenv("REEVE_SOCKET", "/nowhere/control.sock", 1);
	ck_assert_int_eq(reeve(sick, "doctor"), EXIT_NO_SUPERVISOR);
	has(out, "there is no socket");
	has(out, "start");
	ck_assert_int_eq(reeve(sick, "version"), EXIT_OK);
	has(out, "no service at /nowhere/control.sock");
	ck_assert_int_eq(reeve(sick, "ls"), EXIT_NO_SUPERVISOR);
	has(err, "no supervisor at /nowhere/control.sock: there is no socket\n");
}
END_TEST

static void
add(TCase *tcase, const TTest *test, int n)
{
	tcase_add_loop_test(tcase, test, 0, n);
}

int
main(void)
{
	Suite *suite = suite_create("cli_verbs");
	TCase *tcase = tcase_create("verbs");

	tcase_add_checked_fixture(tcase, setup, teardown);
	add(tcase, every_verb_explains_itself_with_examples, 1);
	add(tcase, help_fits_a_terminal_of_80_columns, 1);
	add(tcase, a_mistake_is_named_and_nothing_is_done, sizeof mistakes / sizeof mistakes[0]);
	add(tcase, help_wins_over_what_would_be_done, 1);
	add(tcase, every_state_there_is_can_be_asked_for, 1);
	add(tcase, every_status_of_a_wait_is_told_apart, 1);
	add(tcase, an_unknown_verb_is_told_its_neighbour, 1);
	add(tcase, ls_shows_a_table, 1);
	add(tcase, an_owner_is_named_as_people_are, 1);
	add(tcase, ls_as_json_is_an_array, 1);
	add(tcase, an_empty_list_is_an_empty_array, 1);
	add(tcase, a_task_that_is_not_there_gives_status_7, sizeof by_id / sizeof by_id[0]);
	add(tcase, a_log_is_put_together_line_by_line, 1);
	add(tcase, a_log_as_json_is_a_line_each, 1);
	add(tcase, a_step_is_found_by_name_or_number, 1);
	add(tcase, a_shutdown_asks_for_nothing_that_was_not_wished, 1);
	add(tcase, a_cancel_waits_and_shows_its_receipt, 1);
	add(tcase, a_cancel_need_not_wait, 1);
	add(tcase, a_refused_cancel_gives_status_1, 1);
	add(tcase, a_cancel_that_came_too_late_gives_status_1, 1);
	add(tcase, a_wait_gives_up_in_time, 1);
	add(tcase, events_are_listed, 1);
	add(tcase, a_failed_check_gives_status_1, 1);
	add(tcase, without_a_service_the_doctor_says_how_to_start_one, 1);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
