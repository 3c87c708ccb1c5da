/* Programs that cannot be started: told as what they are, with what to do. */
#include "tests/unit/worker_world.h"

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

START_TEST(a_program_that_is_not_there_is_127)
{
	const struct fact *end;

	strs_add(&world_step(&w, "bad")->cmd.argv, "no-such-program");
	w.brief.spec.steps.v[0].retry_attempts = 3;
	ck_assert_int_eq(world_run(&w), 0);
	end = world_fact(&w, FACT_END, 1);
	ck_assert_str_eq(end->code, "exec_failed");
	ck_assert_int_eq(end->exit.code, 127);
	ck_assert_str_eq(end->message, "no-such-program: command not found");
	ck_assert_uint_eq(world_count(&w, FACT_STEP_RETRY), 0); /* it would fail the same way */
}
END_TEST

START_TEST(a_missing_interpreter_is_thought_of)
{
	static const char script[] = "#!/no/such/interpreter\n";
	char path[sizeof w.dir + 8];

	snprintf(path, sizeof path, "%s/script", w.dir);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, script, strlen(script), 0755, false), 0);
	strs_add(&world_step(&w, "bad")->cmd.argv, path);
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_ptr_nonnull(
	    strstr(world_fact(&w, FACT_END, 1)->message, "interpreter or loader"));
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->exit.code, 127);
}
END_TEST

/* What a browser saved in the place of a program must not run as commands. */
START_TEST(a_script_that_names_no_interpreter_is_told_what_it_lacks)
{
	static const char script[] = "touch ran\n";
	char path[sizeof w.dir + 8];
	const struct fact *end;

	snprintf(path, sizeof path, "%s/script", w.dir);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, script, strlen(script), 0755, false), 0);
	strs_add(&world_step(&w, "bad")->cmd.argv, path);
	ck_assert_int_eq(world_run(&w), 0);
	end = world_fact(&w, FACT_END, 1);
	ck_assert_str_eq(end->code, "exec_failed");
	ck_assert_int_eq(end->exit.code, 126);
	ck_assert_ptr_nonnull(strstr(end->message, path));
	ck_assert_ptr_nonnull(strstr(end->message, "needs a first line like #!/bin/sh"));
	ck_assert_int_eq(faccessat(w.dir_fd, "work/ran", F_OK, 0), -1);
}
END_TEST

static const struct {
	const char *program, *message;
} no_programs[] = {
	{ "/etc/passwd", "/etc/passwd: it may not be executed (chmod +x makes a file executable)" },
	{ "/tmp", "/tmp: it is a directory, not a program" },
};

START_TEST(a_program_that_may_not_be_run_is_126)
{
	const struct fact *end;

	strs_add(&world_step(&w, "bad")->cmd.argv, no_programs[_i].program);
	ck_assert_int_eq(world_run(&w), 0);
	end = world_fact(&w, FACT_END, 1);
	ck_assert_str_eq(end->code, "exec_failed");
	ck_assert_int_eq(end->exit.code, 126);
	ck_assert_str_eq(end->message, no_programs[_i].message);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_named)
{
	str_set(&world_sh(&w, "bad", "true")->cwd, "/no/where");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "exec_failed");
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->message,
	    "cannot enter the directory /no/where: No such file or directory");
}
END_TEST

/* 20,000 bytes. */
int
main(void)
{
	Suite *suite = suite_create("runner_exec");
	TCase *tests = tcase_create("exec");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_program_that_is_not_there_is_127);
	tcase_add_test(tests, a_missing_interpreter_is_thought_of);
	tcase_add_test(tests, a_script_that_names_no_interpreter_is_told_what_it_lacks);
	tcase_add_loop_test(tests, a_program_that_may_not_be_run_is_126, 0, 2);
	tcase_add_test(tests, a_directory_that_is_not_there_is_named);
	suite_add_tcase(suite, tests);
	return world_main(suite);
}
