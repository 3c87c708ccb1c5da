#include "tests/unit/worker_world.h"

enum {
	NOBODY = 65534
};

static struct world w;

static void
setup(void)
{
	world_init(&w);
}

static void
teardown(void)
{
	world_fini(&w);
}

static void
assert_log(const char *text)
{
	char *log = world_log(&w);

	ck_assert_str_eq(log, text);
	free(log);
}

/* What a root service does for a task of an ordinary user. Without root it is ourselves. */
static void
run_as_nobody(void)
{
	static const uint8_t groups[] = { 0x91, 0xcd, 0xff, 0xfe }; /* [65534] */

	if (geteuid() != 0)
		return;
	w.brief.change_user = true;
	w.brief.uid = NOBODY;
	w.brief.gid = NOBODY;
	blob_set(&w.brief.groups, groups, sizeof groups);
	ck_assert_int_eq(chmod(w.dir, 0711), 0);
	ck_assert_int_eq(chown(w.work, NOBODY, NOBODY), 0);
}

START_TEST(a_command_runs_as_its_user_with_his_groups_alone)
{
	char expected[64];

	run_as_nobody();
	world_sh(&w, "who", "echo $(id -u) $(id -g)");
	ck_assert_int_eq(world_run(&w), 0);
	snprintf(expected, sizeof expected, "%u %u\n", geteuid() ? geteuid() : (unsigned)NOBODY,
	    geteuid() ? getegid() : (unsigned)NOBODY);
	assert_log(expected);
}
END_TEST

START_TEST(the_journal_the_log_and_the_orders_are_out_of_reach)
{
	run_as_nobody();
	w.brief.grace_ms = 1000;
	world_sh(&w, "spy",
	    "for f in ../journal ../brief ../orders; do "
	    "test $(id -u) = 0 || { cat $f >/dev/null 2>&1 && echo read $f; }; done; "
	    "ls -l /proc/$PPID/fd >/dev/null 2>&1 && test $(id -u) = 65534 && echo looked; true");
	ck_assert_int_eq(world_run(&w), 0);
	if (geteuid() == 0)
		assert_log("");
}
END_TEST

START_TEST(stdout_and_stderr_can_be_opened_by_name)
{
	run_as_nobody();
	world_sh(&w, "names", "echo out >/proc/self/fd/1; echo err >/proc/self/fd/2");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(outputs_can_be_written_by_another_user)
{
	run_as_nobody();
	strs_add(&world_sh(&w, "find", "echo url=x >>$REEVE_OUTPUT")->outputs, "url");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_OUTPUT, 1)->text, "x");
	ck_assert_int_eq(faccessat(w.dir_fd, "work/.reeve-output", F_OK, 0), -1);
}
END_TEST

START_TEST(a_link_to_somebody_elses_file_is_not_read_as_outputs)
{
	run_as_nobody();
	ck_assert_int_eq(close(openat(w.dir_fd, "secret", O_CREAT | O_WRONLY, 0644)), 0);
	strs_add(
	    &world_sh(&w, "find",
		"rm $REEVE_OUTPUT; ln ../secret $REEVE_OUTPUT || ln -s ../secret $REEVE_OUTPUT")
		 ->outputs,
	    "url");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "bad_output");
}
END_TEST

/* Its other name may be anywhere: a file that is also something else is nobody's outputs. */
START_TEST(an_output_file_with_a_second_name_is_not_read)
{
	run_as_nobody();
	strs_add(
	    &world_sh(&w, "find", "echo url=x >mine; ln -f mine $REEVE_OUTPUT")->outputs, "url");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "bad_output");
}
END_TEST

START_TEST(words_stay_words)
{
	struct spec_step *step = world_step(&w, "print");

	strs_add(&step->cmd.argv, "printf");
	strs_add(&step->cmd.argv, "<%s>\n");
	strs_add(&step->cmd.argv, "$(id) `id` ; *");
	strs_add(&step->cmd.argv, "$${literal}");
	strs_add(&step->cmd.argv, "");
	ck_assert_int_eq(world_run(&w), 0);
	assert_log("<$(id) `id` ; *>\n<${literal}>\n<>\n");
}
END_TEST

START_TEST(a_program_is_found_by_the_path_of_the_step)
{
	struct spec_step *step;

	ck_assert_int_eq(symlinkat("/bin/echo", w.dir_fd, "work/my-echo"), 0);
	step = world_step(&w, "find");
	strs_add(&step->cmd.argv, "my-echo");
	strs_add(&step->cmd.argv, "found");
	pairs_set(&step->env, "PATH", "/nowhere:.");
	ck_assert_int_eq(world_run(&w), 0);
	assert_log("found\n");
}
END_TEST

START_TEST(a_directory_that_was_swapped_is_not_entered)
{
	struct stat st;

	ck_assert_int_eq(stat(w.work, &st), 0);
	w.brief.workdir_dev = st.st_dev;
	w.brief.workdir_ino = st.st_ino + 1;
	world_sh(&w, "bad", "true");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "exec_failed");
}
END_TEST

START_TEST(a_relative_directory_is_below_the_tasks)
{
	ck_assert_int_eq(mkdirat(w.dir_fd, "work/sub", 0755), 0);
	str_set(&world_sh(&w, "where", "basename $PWD")->cwd, "sub");
	ck_assert_int_eq(world_run(&w), 0);
	assert_log("sub\n");
}
END_TEST

START_TEST(a_pull_that_is_not_installed_says_so)
{
	struct spec_step *step = world_step(&w, "pull");

	step->kind = STEP_KIND_PULL;
	str_set(&step->pull.url, "http://127.0.0.1:1/x");
	str_set(&step->pull.to, "x");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "exec_failed");
	ck_assert_ptr_nonnull(strstr(world_fact(&w, FACT_END, 1)->message, "reeve-pull"));
}
END_TEST

START_TEST(a_step_has_a_session_of_its_own)
{
	world_sh(&w, "look", "test $(ps -o sid= -p $$) = $$ && echo own");
	ck_assert_int_eq(world_run(&w), 0);
	assert_log("own\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tests = tcase_create("surroundings");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, a_command_runs_as_its_user_with_his_groups_alone);
	tcase_add_test(tests, the_journal_the_log_and_the_orders_are_out_of_reach);
	tcase_add_test(tests, stdout_and_stderr_can_be_opened_by_name);
	tcase_add_test(tests, outputs_can_be_written_by_another_user);
	tcase_add_test(tests, a_link_to_somebody_elses_file_is_not_read_as_outputs);
	tcase_add_test(tests, an_output_file_with_a_second_name_is_not_read);
	tcase_add_test(tests, words_stay_words);
	tcase_add_test(tests, a_program_is_found_by_the_path_of_the_step);
	tcase_add_test(tests, a_directory_that_was_swapped_is_not_entered);
	tcase_add_test(tests, a_relative_directory_is_below_the_tasks);
	tcase_add_test(tests, a_pull_that_is_not_installed_says_so);
	tcase_add_test(tests, a_step_has_a_session_of_its_own);
	suite_add_tcase(suite, tests);
	return world_main(suite);
}
