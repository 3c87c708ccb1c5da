#include "worker/progress.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	bool redrawn;
	double fraction; /* -1: nothing is believed */
} lines[] = {
	{ "10%", true, 0.10 },
	{ "Receiving objects:  45% (450/1000), 2.1 MiB | 1 MiB/s", true, 0.45 },
	{ " 33.3% [####      ]", true, 0.333 },
	{ "7 of it, 12/48", true, 0.25 },
	{ "[ 42%] Building C object x.o", false, 0.42 },
	{ "100% done", false, 1.0 },
	{ "Progress: 55%", false, 0.55 },
	{ "[3/12] compiling", false, 0.25 },
	{ "(1/2) step", false, 0.5 },
	{ "/dev/sda1 90% /home", false, -1 },
	{ "cpu at 90% of what it was, waiting", false, -1 },
	{ "25/11/2026 started", true, -1 },
	{ "3/4 cup of sugar", false, -1 },
	{ "/usr/lib/1/2", true, -1 },
	{ "150%", true, -1 },
	{ "9/3", true, -1 },
	{ "0/0", true, -1 },
	{ "12345678901%", true, -1 },
	{ "v1.5% better", true, -1 },
	{ "%", true, -1 },
	{ "", true, -1 },
	{ "no number at all", true, -1 },
};

START_TEST(a_line_is_believed_only_where_it_is_a_bar)
{
	double fraction =
	    progress_in_line(lines[_i].text, strlen(lines[_i].text), lines[_i].redrawn);

	if (lines[_i].fraction < 0)
		ck_assert_msg(isnan(fraction), "\"%s\" gave %f", lines[_i].text, fraction);
	else
		ck_assert_msg(fabs(fraction - lines[_i].fraction) < 1e-9, "\"%s\" gave %f",
		    lines[_i].text, fraction);
}
END_TEST

static bool
feed(struct progress *progress, const char *text)
{
	return progress_feed(progress, text, strlen(text));
}

START_TEST(the_fraction_never_falls)
{
	struct progress progress;

	progress_init(&progress);
	ck_assert(feed(&progress, "10%\r60%\r"));
	ck_assert(!feed(&progress, "20%\r"));
	ck_assert_double_eq(progress.fraction, 0.6);
	ck_assert(feed(&progress, "61%\r"));
}
END_TEST

START_TEST(pieces_are_read_as_the_whole)
{
	static const char text[] = "a 10%\rb 2";
	struct progress progress;

	progress_init(&progress);
	for (size_t i = 0; i < sizeof text - 1; i++)
		progress_feed(&progress, &text[i], 1);
	ck_assert_double_eq(progress.fraction, 0.1);
	ck_assert(feed(&progress, "0%\r"));
	ck_assert_double_eq(progress.fraction, 0.2);
}
END_TEST

START_TEST(a_line_that_does_not_end_costs_no_memory_and_says_nothing)
{
	struct progress progress;

	progress_init(&progress);
	for (int i = 0; i < 100000; i++)
		ck_assert(!feed(&progress, "50% "));
	ck_assert(!feed(&progress, "\r"));
	ck_assert(isnan(progress.fraction));
	ck_assert(feed(&progress, "50%\r"));
}
END_TEST

START_TEST(a_windows_line_end_is_no_redrawing)
{
	struct progress progress;

	progress_init(&progress);
	ck_assert(!feed(&progress, "used 90% of it\r\n"));
	ck_assert(feed(&progress, "now 90% of it\r"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("progress");
	TCase *tests = tcase_create("bars");

	tcase_add_loop_test(tests, a_line_is_believed_only_where_it_is_a_bar, 0,
	    (int)(sizeof lines / sizeof lines[0]));
	tcase_add_test(tests, the_fraction_never_falls);
	tcase_add_test(tests, pieces_are_read_as_the_whole);
	tcase_add_test(tests, a_line_that_does_not_end_costs_no_memory_and_says_nothing);
	tcase_add_test(tests, a_windows_line_end_is_no_redrawing);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
