#include "tests/integ/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs a recipe of these lines to its end: the task's document. */
static json_t *
run(struct world *world, int status, const char *text)
{
	const char *path = world_file(world, "story.yaml", text);

	return REEVE_JSON(world, status, "run", "--json", path);
}

/* Steps write into DIR; what they did, in order, is there to read. */
#define HEAD "name: story\nparams:\n  dir: {type: path, required: true}\nsteps:\n"

static json_t *
run_in(struct world *world, int status, const char *text)
{
	char dir[2 * WORLD_PATH];
	const char *path = world_file(world, "story.yaml", text);

	snprintf(dir, sizeof dir, "dir=%s", world->root);
	return REEVE_JSON(world, status, "run", "--json", path, dir);
}

static uint64_t
submit_in(struct world *world, const char *text)
{
	char dir[2 * WORLD_PATH];
	const char *path = world_file(world, "story.yaml", text);

	snprintf(dir, sizeof dir, "dir=%s", world->root);
	return SUBMIT(world, path, dir);
}

START_TEST(outputs_of_a_step_reach_the_next_without_being_pasted)
{
	struct world world;
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	task = run(&world, 0,
	    "name: story\n"
	    "params:\n"
	    "  server-id: {default: \"a b; rm -rf /\"}\n"
	    "title: on ${server-id}\n"
	    "steps:\n"
	    "  - name: find\n"
	    "    outputs: [url]\n"
	    "    sh: echo 'url=$(touch evil) \"x\" `y`' >>$REEVE_OUTPUT\n"
	    "  - name: use\n"
	    "    run: [printf, '[%s][%s]\\n', '${steps.find.url}', '${server-id}']\n"
	    "  - name: shell\n"
	    "    env: {GIVEN: 'v=${steps.find.url}'}\n"
	    "    sh: echo \"<$OUT_FIND_URL|$PARAM_SERVER_ID|$GIVEN>\"; ls\n");
	ck_doc(task, "title", "on a b; rm -rf /");
	ck_doc(task, "outputs.find.url", "$(touch evil) \"x\" `y`");
	ck_assert_str_eq(REEVE(&world, "logs", "1")->out,
	    "[$(touch evil) \"x\" `y`][a b; rm -rf /]\n"
	    "<$(touch evil) \"x\" `y`|a b; rm -rf /|v=$(touch evil) \"x\" `y`>\n");
	ck_doc(task, "step.count", "3");
	world_close(&world);
}
END_TEST

START_TEST(an_undeclared_output_fails_its_step)
{
	struct world world;
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	task = run(&world, 1,
	    "name: story\nsteps:\n  - name: a\n    outputs: [url]\n"
	    "    sh: echo 'ulr=x' >>$REEVE_OUTPUT\n");
	ck_doc(task, "error.code", "undeclared_output");
	ck_says(doc_text(task, "error.message"), "ulr");
	world_close(&world);
}
END_TEST

START_TEST(what_is_already_done_is_not_done_again)
{
	struct world world;
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	task = run_in(&world, 0,
	    HEAD
	    "  - name: a\n    check: [test, -e, '${dir}/story.yaml']\n    run: [touch, '${dir}/a']\n"
	    "  - name: b\n    check: [test, -e, '${dir}/none']\n    run: [touch, '${dir}/b']\n");
	ck_doc(task, "steps.0.status", "already_done");
	ck_doc(task, "steps.1.status", "done");
	ck_assert_int_ne(access(world_path(&world, "a"), F_OK), 0);
	ck_assert_int_eq(access(world_path(&world, "b"), F_OK), 0);
	world_close(&world);
}
END_TEST

static const char undoing[] = HEAD
    "  - name: a\n    run: [touch, '${dir}/a']\n    undo: {sh: 'echo a >>$PARAM_DIR/undone; rm $PARAM_DIR/a'}\n"
    "  - name: b\n    sh: 'true'\n    undo: {sh: 'echo b >>$PARAM_DIR/undone; exit 5'}\n"
    "  - name: c\n    sh: 'while [ ! -e $PARAM_DIR/go ]; do sleep .02; done; exit 9'\n"
    "    undo: {sh: 'echo c >>$PARAM_DIR/undone'}\n"
    "  - name: d\n    sh: 'true'\n    undo: {sh: 'echo d >>$PARAM_DIR/undone'}\n";

START_TEST(a_failure_is_undone_in_reverse_and_the_rest_of_undo_runs_on)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "go", "");
	id = submit_in(&world, undoing);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 1);
	task = world_show(&world, id);
	ck_assert_str_eq(world_read(&world, "undone"), "c\nb\na\n");
	ck_doc(task, "error.exit_code", "9");
	ck_doc(task, "error.step", "3");
	ck_doc(task, "steps.0.status", "undone");
	ck_doc(task, "steps.3.status", "pending");
	ck_assert_int_ne(access(world_path(&world, "a"), F_OK), 0);
	world_close(&world);
}
END_TEST

START_TEST(a_cancel_is_undone_too)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit_in(&world, undoing);
	world_until(&world, id, "step.index", "3");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "undone"), "c\nb\na\n");
	ck_doc(world_show(&world, id), "status", "cancelled");
	ck_doc(world_show(&world, id), "steps.0.status", "undone");
	world_close(&world);
}
END_TEST

START_TEST(a_cancel_while_it_is_undone_says_what_and_how_to_end_that)
{
	struct world world;
	const struct said *said;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit_in(&world, HEAD
	    "  - {name: a, sh: 'true', undo: {sh: 'while [ ! -e $PARAM_DIR/go ]; do sleep .02; "
	    "done'}}\n  - {name: b, sh: 'exit 9'}\n");
	world_until(&world, id, "status", "undoing");
	said = REEVE(&world, "cancel", world_word(&world, id));
	ck_assert_int_eq(said->status, 1);
	ck_says(said->err, "is undoing its steps, now \"a\"");
	ck_says(said->err, "reeve cancel --force");
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 1);
	world_close(&world);
}
END_TEST

/* What was undone runs again; what was done and stays done does not. */
START_TEST(a_retry_goes_on_at_the_first_unfinished_step)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit_in(&world, HEAD
	    "  - name: a\n    sh: echo a $REEVE_ATTEMPT >>$PARAM_DIR/ran\n"
	    "  - name: b\n    sh: echo b $REEVE_ATTEMPT >>$PARAM_DIR/ran; test -e $PARAM_DIR/go\n"
	    "  - name: c\n    sh: echo c $REEVE_ATTEMPT >>$PARAM_DIR/ran\n");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 1);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "retry", world_word(&world, id))->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "ran"), "a 1\nb 1\nb 2\nc 2\n");
	world_close(&world);
}
END_TEST

START_TEST(a_step_is_tried_again_as_often_as_it_may_be)
{
	struct world world;
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	task = run_in(&world, 0,
	    HEAD "  - name: a\n    retry: {attempts: 3, delay: 10ms}\n"
		 "    sh: echo x >>$PARAM_DIR/tries; test $(wc -l <$PARAM_DIR/tries) = 3\n");
	ck_doc(task, "attempt", "1");
	ck_assert_str_eq(world_read(&world, "tries"), "x\nx\nx\n");
	task = run_in(&world, 1,
	    HEAD "  - name: a\n    retry: {attempts: 2, delay: 10ms}\n"
		 "    sh: echo x >>$PARAM_DIR/more; exit 4\n");
	ck_assert_str_eq(world_read(&world, "more"), "x\nx\nx\n");
	ck_doc(task, "error.exit_code", "4");
	world_close(&world);
}
END_TEST

START_TEST(a_step_that_takes_too_long_is_ended)
{
	struct world world;
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	task = run(&world, 1,
	    "name: story\nsteps:\n  - name: slow\n    timeout: 100ms\n"
	    "    sh: setsid sleep 1000 & sleep 1000\n");
	ck_doc(task, "error.code", "timed_out");
	ck_doc(task, "status", "failed");
	ck_assert_int_eq(world_alive(&world), 2);
	world_close(&world);
}
END_TEST

START_TEST(leftovers_of_one_step_cost_the_next_nothing)
{
	struct world world;
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	task = run(&world, 0,
	    "name: story\nsteps:\n"
	    "  - name: a\n    sh: setsid sleep 1000 & sleep 1000 & true\n"
	    "  - name: b\n    sh: echo still here\n");
	ck_doc(task, "steps.1.status", "done");
	ck_assert_str_eq(REEVE(&world, "logs", "--step", "b", "1")->out, "still here\n");
	ck_assert_int_eq(world_alive(&world), 2);
	world_close(&world);
}
END_TEST

START_TEST(a_step_of_another_language_reports_through_the_protocol)
{
	struct world world;
	char text[4 * WORLD_PATH];
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	snprintf(text, sizeof text,
	    "name: story\nsteps:\n  - name: python\n    outputs: [parts]\n"
	    "    retry: {attempts: 1, delay: 10ms}\n    run: [python3, %s, \"4\", \"2\"]\n",
	    world_source(&world, "tests/fake/step_python.py"));
	task = run(&world, 0, text);
	/* The second try went on from the first one's checkpoint. */
	ck_assert_msg(
	    strncmp(doc_text(task, "status"), "completed", 9) == 0, "%s", doc_text(task, "status"));
	ck_assert_int_ge((int)json_array_size(doc_at(task, "steps.0.steps")), 1);
	ck_doc(task, "steps.0.steps.0.status", "done");
	ck_doc(task, "outputs.python.parts", "4");
	world_close(&world);
}
END_TEST

START_TEST(percentages_of_a_plain_command_become_progress)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--", "sh", "-c",
	    "printf ' 10%%\\r'; printf ' 42%%\\r'; while [ ! -e go ]; do sleep .02; done; printf '\\r100%%\\n'");
	world_until(&world, id, "progress", "0.42");
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	world_close(&world);
}
END_TEST

START_TEST(a_mistake_is_told_with_line_column_and_what_was_meant)
{
	struct world world;
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	world_file(
	    &world, "r.yaml", "name: r\nsteps:\n  - name: a\n    run: [a]\n    tiemout: 3s\n");
	said = REEVE(&world, "run", "./r.yaml");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "r.yaml:5:5: unknown key \"tiemout\" (did you mean \"timeout\"?)");
	said = REEVE(&world, "check", "r.yaml");
	ck_assert_int_ne(said->status, 0);
	ck_says(said->err, "r.yaml:5:5: unknown key \"tiemout\" (did you mean \"timeout\"?)");
	world_file(&world, "p.yaml",
	    "name: p\nparams:\n  n: {type: int, required: true}\nsteps:\n"
	    "  - name: a\n    run: [echo, '${n}']\n");
	said = REEVE(&world, "run", "./p.yaml", "n=many");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "n");
	ck_assert_int_eq(REEVE(&world, "run", "./p.yaml")->status, 2);
	ck_assert_int_eq(REEVE(&world, "run", "./p.yaml", "n=1", "m=2")->status, 2);
	ck_assert_int_eq(REEVE(&world, "check", "p.yaml")->status, 0);
	world_close(&world);
}
END_TEST

START_TEST(an_interrupted_recipe_resumes_at_its_first_unfinished_step)
{
	struct world world;
	uint64_t id;
	json_t *task;

	world_open(&world, __func__);
	world_start(&world);
	id = submit_in(&world, "name: story\non_interrupt: resume\nparams:\n"
			       "  dir: {type: path, required: true}\nsteps:\n"
			       "  - name: a\n    sh: echo a $REEVE_ATTEMPT >>$PARAM_DIR/ran\n"
			       "  - name: b\n    sh: 'echo b $REEVE_ATTEMPT >>$PARAM_DIR/ran; "
			       "while [ ! -e $PARAM_DIR/go ]; do sleep .02; done'\n");
	world_until(&world, id, "step.index", "2");
	world_until_event(&world, id, "step_begin", 2);
	world_kill_all(&world);
	world_file(&world, "go", "");
	world_start(&world);
	task = world_until(&world, id, "status", "completed");
	ck_doc(task, "attempt", "2");
	ck_assert_int_eq((int)json_array_size(doc_at(task, "interruptions")), 1);
	ck_says(world_read(&world, "ran"), "a 1\nb");
	ck_assert_ptr_null(strstr(world_read(&world, "ran"), "a 2"));
	world_close(&world);
}
END_TEST

START_TEST(an_interrupted_recipe_that_stops_is_undone)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit_in(&world, undoing);
	world_until(&world, id, "step.index", "3");
	world_until_event(&world, id, "step_begin", 3);
	world_kill_all(&world);
	world_start(&world);
	world_until(&world, id, "status", "interrupted");
	ck_assert_str_eq(world_read(&world, "undone"), "c\nb\na\n");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipes");
	TCase *tcase = world_tcase(suite, "recipes");

	tcase_add_test(tcase, outputs_of_a_step_reach_the_next_without_being_pasted);
	tcase_add_test(tcase, an_undeclared_output_fails_its_step);
	tcase_add_test(tcase, what_is_already_done_is_not_done_again);
	tcase_add_test(tcase, a_failure_is_undone_in_reverse_and_the_rest_of_undo_runs_on);
	tcase_add_test(tcase, a_cancel_is_undone_too);
	tcase_add_test(tcase, a_cancel_while_it_is_undone_says_what_and_how_to_end_that);
	tcase_add_test(tcase, a_retry_goes_on_at_the_first_unfinished_step);
	tcase_add_test(tcase, a_step_is_tried_again_as_often_as_it_may_be);
	tcase_add_test(tcase, a_step_that_takes_too_long_is_ended);
	tcase_add_test(tcase, leftovers_of_one_step_cost_the_next_nothing);
	tcase_add_test(tcase, a_step_of_another_language_reports_through_the_protocol);
	tcase_add_test(tcase, percentages_of_a_plain_command_become_progress);
	tcase_add_test(tcase, a_mistake_is_told_with_line_column_and_what_was_meant);
	tcase_add_test(tcase, an_interrupted_recipe_resumes_at_its_first_unfinished_step);
	tcase_add_test(tcase, an_interrupted_recipe_that_stops_is_undone);
	return world_main(suite);
}
