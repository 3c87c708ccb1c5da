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
	{ "Receiving objects:  45% (450/1000), 2.1 MiB | 1 MiB/s", true, 0.05 + 0.45 * 0.75 },
	{ " 33.3% [####      ]", true, 0.333 },
	{ "7 of it, 12/48", true, 0.25 },
	{ "[ 42%] Building C object x.o", false, 0.42 },
	{ "100% done", false, PROGRESS_MOST },
	{ "Progress: 55%", false, 0.55 },
	{ "[3/12] compiling", false, 0.25 },
	{ "(1/2) step", false, 0.5 },
	{ "/dev/sda1 90% /home", false, -1 },
	{ "300MB of 1.2GB", true, 0.25 },
	{ "0.5/2.0 MB 1 MB/s", true, 0.25 },
	{ "Step 3 of 12", false, 0.25 },
	{ "step 3/12", false, 0.25 },
	{ "(3 of 12) done", false, 0.25 },
	{ "\x1b[32m25\x1b[0m%", true, 0.25 },
	{ "one and 3 of 12", false, -1 },
	{ "1.5/2", true, -1 },
	{ "1MB/2", true, -1 },
	{ "5 of 3", true, -1 },
	{ "[2/x]", false, -1 },
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

/* As if it came alone, read by anybody. */
static double
fraction_of(const char *text, bool redrawn)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	progress_feed(&progress, 0, text, strlen(text));
	progress_feed(&progress, 0, redrawn ? "\rx" : "\n", redrawn ? 2 : 1);
	return progress.fraction;
}

START_TEST(a_line_is_believed_only_where_it_is_a_bar)
{
	double fraction = fraction_of(lines[_i].text, lines[_i].redrawn);

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
	return progress_feed(progress, 0, text, strlen(text));
}

START_TEST(the_fraction_never_falls)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	ck_assert(feed(&progress, "10%\r60%\rx"));
	ck_assert(!feed(&progress, "20%\rx"));
	ck_assert_double_eq(progress.fraction, 0.6);
	ck_assert(feed(&progress, "\r61%\rx"));
}
END_TEST

START_TEST(what_ends_in_a_carriage_return_is_read_at_once)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	ck_assert(!feed(&progress, "10%\r"));
	ck_assert(progress_settle(&progress));
	ck_assert_double_eq(progress.fraction, 0.1);
}
END_TEST

START_TEST(what_begins_with_a_carriage_return_is_read_at_once_but_for_numbers_that_may_go_on)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	feed(&progress, "10%\r");
	ck_assert(progress_settle(&progress));
	ck_assert(!progress_settle(&progress));
	feed(&progress, "20%");
	ck_assert(progress_settle(&progress));
	ck_assert_double_eq(progress.fraction, 0.2);
	progress_init(&progress, PROGRESS_AUTO);
	feed(&progress, "\r1/200\r1/1");
	ck_assert(!progress_settle(&progress));
	ck_assert(feed(&progress, "00\rx"));
	ck_assert_double_eq(progress.fraction, 0.01);
}
END_TEST

START_TEST(a_line_that_does_not_end_costs_no_memory_and_says_nothing)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	for (int i = 0; i < 100000; i++)
		ck_assert(!feed(&progress, "50% "));
	ck_assert(!feed(&progress, "\rx"));
	ck_assert(isnan(progress.fraction));
	ck_assert(feed(&progress, "\r50%\rx"));
}
END_TEST

START_TEST(a_windows_line_end_is_no_redrawing)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	ck_assert(!feed(&progress, "used 90% of it\r"));
	ck_assert(!feed(&progress, "\n"));
	ck_assert(feed(&progress, "now 90% of it\rx"));
}
END_TEST

START_TEST(a_cursor_that_moves_ends_a_version_and_colours_do_not)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	ck_assert(feed(&progress, "writing 3/12\b\b\b\b"));
	ck_assert_double_eq(progress.fraction, 0.25);
	ck_assert(feed(&progress, "a \x1b[1mhalf\x1b[0m: 50% of it\x1b[1G"));
	ck_assert_double_eq(progress.fraction, 0.5);
}
END_TEST

START_TEST(who_says_it_by_osc_is_believed_above_all_bars)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	ck_assert(feed(&progress, "\x1b]9;4;1;30\x07"));
	ck_assert(!feed(&progress, "90%\rx"));
	ck_assert(!feed(&progress, "\x1b]9;4;3;0\x1b\\\x1b]9;4;0;0\x07\x1b]9;4;1;101\x07"));
	ck_assert(!feed(&progress, "\x1b]9;4;1;31\n"));
	ck_assert(feed(&progress, "\x1b]9;4;4;32\x1b\\"));
	ck_assert_double_eq(progress.fraction, 0.32);
}
END_TEST

START_TEST(only_the_chosen_reader_is_asked)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_COUNT);
	ck_assert(!feed(&progress, "50%\r\x1b]9;4;1;30\x07"));
	ck_assert(feed(&progress, "1/4\rx"));
	progress_init(&progress, PROGRESS_PERCENT);
	ck_assert(!feed(&progress, "1/4\rx"));
}
END_TEST

START_TEST(the_more_particular_reader_is_believed)
{
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	ck_assert(feed(&progress, "5%\rx"));
	feed(&progress, "\rReceiving objects:  20% (2/10)\rx");
	ck_assert_double_eq_tol(progress.fraction, 0.2, 1e-9);
	ck_assert(!feed(&progress, "\r99%\rx"));
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
	tcase_add_test(tests, what_ends_in_a_carriage_return_is_read_at_once);
	tcase_add_test(tests,
	    what_begins_with_a_carriage_return_is_read_at_once_but_for_numbers_that_may_go_on);
	tcase_add_test(tests, a_line_that_does_not_end_costs_no_memory_and_says_nothing);
	tcase_add_test(tests, a_windows_line_end_is_no_redrawing);
	tcase_add_test(tests, a_cursor_that_moves_ends_a_version_and_colours_do_not);
	tcase_add_test(tests, who_says_it_by_osc_is_believed_above_all_bars);
	tcase_add_test(tests, only_the_chosen_reader_is_asked);
	tcase_add_test(tests, the_more_particular_reader_is_believed);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
