#include "tests/unit/worker_world.h"

#include <math.h>

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

/* Runs what the world holds and waits until the step says FRACTION. */
static void
wait_for_fraction(double fraction)
{
	world_start(&w);
	while (!(w.news.fraction >= fraction)) {
		struct pollfd poll_news = { .fd = w.news_fd, .events = POLLIN };

		ck_assert_int_eq(poll(&poll_news, 1, 10 * 1000), 1);
		world_read_news(&w);
	}
}

static void
let_go_on(void)
{
	char path[sizeof w.work + 8];

	snprintf(path, sizeof path, "%s/go", w.work);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, "", 0, 0644, false), 0);
	ck_assert_int_eq(world_wait(&w), 0);
}

START_TEST(bars_of_a_plain_command_become_progress)
{
	world_sh(&w, "bar", "printf '10%%\\r50%%\\r'; while [ ! -e go ]; do sleep .02; done");
	wait_for_fraction(0.5);
	ck_assert_double_eq(w.news.progress, 0.5);
	let_go_on();
}
END_TEST

START_TEST(a_program_that_says_all_is_done_has_still_to_end)
{
	world_sh(&w, "bar", "printf '100%%\\r'; while [ ! -e go ]; do sleep .02; done");
	wait_for_fraction(0.99);
	ck_assert_double_eq(w.news.progress, 0.99);
	let_go_on();
}
END_TEST

START_TEST(a_file_that_grows_becomes_progress_and_what_stood_there_does_not)
{
	struct spec_step *step = world_sh(
	    &w, "copy", "head -c 400 /dev/zero >sub/file; while [ ! -e go ]; do sleep .02; done");
	char path[sizeof w.work + 16];

	snprintf(path, sizeof path, "%s/sub", w.work);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/sub/file", w.work);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, "0123456789", 10, 0644, false), 0);
	step->progress.kind = PROGRESS_FILE;
	str_set(&step->progress.file, "sub/file");
	str_set(&step->progress.size, "1000");
	wait_for_fraction(0.4);
	ck_assert_double_eq(w.news.fraction, 0.4);
	ck_assert_uint_eq(w.news.bytes_total, 1000);
	let_go_on();
}
END_TEST

START_TEST(lines_are_compared_with_those_of_last_time)
{
	struct spec_step *step =
	    world_sh(&w, "talk", "echo 99%; echo two; while [ ! -e go ]; do sleep .02; done");

	step->progress.kind = PROGRESS_LINES;
	w.brief.steps = (struct brief_steps){ calloc(1, sizeof *w.brief.steps.v), 1 };
	w.brief.steps.v[0].lines = 8;
	wait_for_fraction(0.25);
	ck_assert_double_eq(w.news.fraction, 0.25);
	let_go_on();
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_END, 1)->count, 2);
}
END_TEST

START_TEST(bars_are_not_read_where_the_recipe_says_so)
{
	world_sh(&w, "bar", "printf '50%%\\r'")->progress.kind = PROGRESS_NONE;
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert(isnan(w.news.fraction));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("runner_progress");
	TCase *tests = tcase_create("steps");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, bars_of_a_plain_command_become_progress);
	tcase_add_test(tests, a_program_that_says_all_is_done_has_still_to_end);
	tcase_add_test(tests, a_file_that_grows_becomes_progress_and_what_stood_there_does_not);
	tcase_add_test(tests, lines_are_compared_with_those_of_last_time);
	tcase_add_test(tests, bars_are_not_read_where_the_recipe_says_so);
	suite_add_tcase(suite, tests);
	return world_main(suite);
}
