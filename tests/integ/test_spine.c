#include "tests/integ/world.h"

#include <stdio.h>
#include <string.h>

/* What is shown must be what the schema says. */
static void
check_schema(struct world *world, uint64_t id)
{
	const char *const words[] = { "-c",
		"import json, sys, jsonschema\n"
		"schema = json.load(open(sys.argv[1]))\n"
		"jsonschema.Draft202012Validator(schema).validate(json.load(sys.stdin))\n",
		world_source(world, "ipc/task.schema.json"), NULL };
	const struct said *shown = REEVE(world, "show", "--json", world_word(world, id));
	const struct said *said = world_exec(world, "python3", words, shown->out);

	ck_assert_msg(said->status == 0, "%s%s", shown->out, said->err);
}

START_TEST(a_command_runs_and_its_end_is_told)
{
	struct world world;
	const struct said *said;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--title", "say hello", "--label", "page=7", "--", "echo", "hello");
	said = REEVE(&world, "wait", world_word(&world, id));
	ck_assert_int_eq(said->status, 0);
	task = world_show(&world, id);
	ck_doc(task, "status", "completed");
	ck_doc(task, "title", "say hello");
	ck_doc(task, "labels.page", "7");
	ck_doc(task, "type", "command");
	ck_doc(task, "attempt", "1");
	ck_doc(task, "steps.0.status", "done");
	ck_doc(task, "steps.0.exit.code", "0");
	ck_doc(task, "progress", "1");
	ck_doc(task, "error", "null");
	ck_doc(task, "can.cancel", "never");
	ck_has(task, "outcome");
	ck_has(task, "ended_at");
	check_schema(&world, id);
	said = REEVE(&world, "logs", world_word(&world, id));
	ck_assert_int_eq(said->status, 0);
	ck_assert_str_eq(said->out, "hello\n");
	world_close(&world);
}
END_TEST

START_TEST(a_failure_names_step_code_and_last_lines)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	task =
	    REEVE_JSON(&world, 1, "run", "--json", "--", "sh", "-c", "echo it hurts >&2; exit 7");
	ck_doc(task, "status", "failed");
	ck_doc(task, "error.code", "step_failed");
	ck_doc(task, "error.exit_code", "7");
	ck_doc(task, "error.step", "1");
	ck_says(doc_text(task, "error.tail"), "it hurts");
	ck_doc(task, "can.retry", "true");
	id = (uint64_t)json_integer_value(doc_at(task, "id"));
	check_schema(&world, id);
	task = REEVE_JSON(&world, 1, "run", "--json", "--", "sh", "-c", "kill -SEGV $$");
	ck_doc(task, "error.signal", "11");
	task = REEVE_JSON(&world, 1, "run", "--json", "--", "no-such-program-anywhere");
	ck_doc(task, "error.code", "exec_failed");
	ck_doc(task, "error.exit_code", "127");
	task = REEVE_JSON(&world, 1, "run", "--json", "--", "/etc/passwd");
	ck_doc(task, "error.code", "exec_failed");
	ck_doc(task, "error.exit_code", "126");
	world_close(&world);
}
END_TEST

START_TEST(exit_statuses_are_those_of_the_contract)
{
	struct world world;
	uint64_t fails, sleeps;

	world_open(&world, __func__);
	world_start(&world);
	ck_assert_int_eq(REEVE(&world, "run", "--", "true")->status, 0);
	ck_assert_int_eq(REEVE(&world, "run", "--", "false")->status, 1);
	ck_assert_int_eq(REEVE(&world, "run")->status, 2);
	ck_assert_int_eq(REEVE(&world, "rnu")->status, 2);
	ck_assert_int_eq(REEVE(&world, "ls", "--nonsense")->status, 2);
	ck_assert_int_eq(REEVE(&world, "show", "4711")->status, 7);
	ck_assert_int_eq(REEVE(&world, "wait", "4711")->status, 7);
	fails = SUBMIT(&world, "--", "false");
	sleeps = SUBMIT(&world, "--", "sleep", "1000");
	ck_assert_int_eq(
	    REEVE(&world, "wait", "--timeout", "100ms", world_word(&world, sleeps))->status, 5);
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, fails))->status, 1);
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, sleeps))->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, sleeps))->status, 3);
	ck_assert_int_eq(
	    REEVE(&world, "wait", world_word(&world, sleeps), world_word(&world, fails))->status,
	    3);
	ck_assert_int_eq(
	    REEVE(&world, "wait", world_word(&world, fails), world_word(&world, sleeps))->status,
	    1);
	world_close(&world);
}
END_TEST

START_TEST(the_history_is_numbered_without_a_gap)
{
	struct world world;
	json_t *events, *event;
	uint64_t id;
	size_t i;
	json_int_t last = 0;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--", "true");
	REEVE(&world, "wait", world_word(&world, id));
	events = doc_at(world_events(&world, id), "events");
	ck_assert_int_gt((int)json_array_size(events), 5);
	json_array_foreach(events, i, event)
	{
		json_int_t seq = json_integer_value(doc_at(event, "0"));

		ck_assert(last == 0 || seq == last + 1);
		last = seq;
	}
	ck_doc(events, "0.1.event", "submitted");
	ck_doc(json_array_get(events, json_array_size(events) - 1), "1.event", "ended");
	world_close(&world);
}
END_TEST

START_TEST(a_log_is_followed_to_its_end)
{
	struct world world;
	const struct said *said;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--", "sh", "-c",
	    "echo one; echo two >&2; while [ ! -e go ]; do sleep .02; done; echo three");
	world_until(&world, id, "status", "running");
	world_file(&world, "go", "");
	said = REEVE(&world, "logs", "-f", world_word(&world, id));
	ck_assert_int_eq(said->status, 0);
	ck_says(said->out, "one\n");
	ck_says(said->out, "two\n");
	ck_says(said->out, "three\n");
	said = REEVE(&world, "logs", "--tail", "1", world_word(&world, id));
	ck_assert_int_eq((int)strcspn(said->out, "\n"), (int)strlen(said->out) - 1);
	said = REEVE(&world, "logs", "--json", "--tail", "1", world_word(&world, id));
	ck_says(said->out, "\"stream\":\"std");
	ck_says(said->out, "\"text\":\"");
	world_close(&world);
}
END_TEST

START_TEST(a_command_finds_the_surroundings_of_its_caller_and_no_more)
{
	static const char script[] =
	    "pwd; echo \"[$GIVEN|$TZ|$SECRET_OF_THE_CALLER|$REEVE_TASK|$HOME]\"; umask; cat; "
	    "ls -l /proc/$$/fd";
	struct world world;
	const char *out;
	char line[WORLD_PATH + 2];
	uint64_t id;

	world_open(&world, __func__);
	world_env(&world, "TZ", "Pacific/Auckland");
	world_env(&world, "SECRET_OF_THE_CALLER", "x");
	world_start(&world);
	id = SUBMIT(&world, "--env", "GIVEN=a b", "--", "sh", "-c", script);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	out = REEVE(&world, "logs", world_word(&world, id))->out;
	snprintf(line, sizeof line, "%s\n", world.root);
	ck_says(out, line);
	ck_says(out, "[a b|Pacific/Auckland||1|");
	ck_says(out, "0 -> /dev/null");
	ck_assert_msg(!strstr(out, ".mdb") && !strstr(out, "journal") && !strstr(out, " 6 -> "),
	    "it inherited: %s", out);
	world_close(&world);
}
END_TEST

START_TEST(what_ended_can_be_listed_kept_and_found_by_label)
{
	struct world world;
	json_t *list;
	uint64_t good, bad;

	world_open(&world, __func__);
	world_start(&world);
	good = SUBMIT(&world, "--label", "page=7", "--scope", "server-1", "--", "true");
	bad = SUBMIT(&world, "--label", "page=8", "--", "false");
	REEVE(&world, "wait", world_word(&world, good), world_word(&world, bad));
	list = REEVE_JSON(&world, 0, "ls", "--json");
	ck_assert_int_eq((int)json_array_size(list), 2);
	list = REEVE_JSON(&world, 0, "ls", "--json", "--failed");
	ck_assert_int_eq((int)json_array_size(list), 1);
	ck_doc(list, "0.id", world_word(&world, bad));
	list = REEVE_JSON(&world, 0, "ls", "--json", "--label", "page=7");
	ck_assert_int_eq((int)json_array_size(list), 1);
	ck_doc(list, "0.scope", "server-1");
	list = REEVE_JSON(&world, 0, "ls", "--json", "--active");
	ck_assert_int_eq((int)json_array_size(list), 0);
	ck_assert_int_eq(REEVE(&world, "keep", world_word(&world, bad))->status, 0);
	ck_doc(world_show(&world, bad), "keep", "true");
	ck_doc(world_show(&world, bad), "expires_at", "null");
	world_close(&world);
}
END_TEST

START_TEST(a_failed_task_is_tried_again_under_its_id)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--", "test", "-e", "now");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 1);
	world_file(&world, "now", "");
	ck_assert_int_eq(REEVE(&world, "retry", world_word(&world, id))->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_doc(world_show(&world, id), "attempt", "2");
	ck_doc(world_show(&world, id), "error", "null");
	ck_assert_int_eq(REEVE(&world, "retry", world_word(&world, id))->status, 1);
	world_close(&world);
}
END_TEST

START_TEST(a_second_service_of_the_same_state_is_refused)
{
	struct world world;
	const struct said *said;
	const char *words[] = { "--state-dir", world.state, "--run-dir", world.rundir, NULL };
	char path[2 * WORLD_PATH];

	world_open(&world, __func__);
	world_start(&world);
	snprintf(path, sizeof path, "%s/reeved", world.bin);
	said = world_exec(&world, path, words, NULL);
	ck_assert_int_eq(said->status, 1);
	ck_says(said->err, "already running");
	ck_says(said->err, world_word(&world, (uint64_t)world.keeper));
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spine");
	TCase *tcase = world_tcase(suite, "spine");

	tcase_add_test(tcase, a_command_runs_and_its_end_is_told);
	tcase_add_test(tcase, a_failure_names_step_code_and_last_lines);
	tcase_add_test(tcase, exit_statuses_are_those_of_the_contract);
	tcase_add_test(tcase, the_history_is_numbered_without_a_gap);
	tcase_add_test(tcase, a_log_is_followed_to_its_end);
	tcase_add_test(tcase, a_command_finds_the_surroundings_of_its_caller_and_no_more);
	tcase_add_test(tcase, what_ended_can_be_listed_kept_and_found_by_label);
	tcase_add_test(tcase, a_failed_task_is_tried_again_under_its_id);
	tcase_add_test(tcase, a_second_service_of_the_same_state_is_refused);
	return world_main(suite);
}
