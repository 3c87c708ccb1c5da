#include "tests/unit/worker_world.h"

#include "ipc/clock.h"

static struct world w;
static struct output output;
static struct mask mask;

static void
setup(void)
{
	world_init(&w);
	output_init(&output, w.attempts_fd, "41.1", &mask);
	output_begin(&output, 2);
}

static void
teardown(void)
{
	output_fini(&output);
	world_fini(&w);
}

static void
feed(const char *text)
{
	output_feed(&output, LOG_STREAM_OUT, text, strlen(text));
}

static void
assert_log(const char *text)
{
	char *log = world_log(&w);

	ck_assert_str_eq(log, text);
	free(log);
}

START_TEST(nothing_said_makes_no_file)
{
	output_end(&output);
	ck_assert_int_eq(faccessat(w.attempts_fd, "41.1/log.0", F_OK, 0), -1);
}
END_TEST

START_TEST(lines_are_kept_as_they_were)
{
	feed("one\ntw");
	feed("o\n\nfour");
	output_end(&output);
	assert_log("one\ntwo\n\nfour\n");
}
END_TEST

START_TEST(streams_do_not_mix_within_a_line)
{
	feed("out ");
	output_feed(&output, LOG_STREAM_ERR, "err\n", 4);
	feed("more\n");
	assert_log("err\nout more\n");
}
END_TEST

START_TEST(versions_of_a_bar_are_not_kept_but_the_last)
{
	feed("get 10%\rget 20%\r");
	feed("get 100%\n");
	assert_log("get 100%\n");
}
END_TEST

START_TEST(versions_of_which_only_numbers_and_marks_are_new_are_not_kept_but_the_first_and_last)
{
	feed("found 1 file |\rfound 2 files /\rfound 3 files -\rfound 4 files \\\rfound all\n");
	assert_log("found 1 file |\rfound 2 files /\rfound all\n");
}
END_TEST

START_TEST(text_that_is_drawn_over_but_no_bar_is_kept)
{
	feed("first\rsecond\n");
	assert_log("first\rsecond\n");
}
END_TEST

START_TEST(windows_line_ends_are_line_ends)
{
	feed("one\r\ntwo\r");
	feed("\n");
	assert_log("one\ntwo\n");
}
END_TEST

START_TEST(a_long_line_is_cut_into_pieces_and_is_one_line_still)
{
	char *text = malloc(100001);

	memset(text, 'x', 100000);
	text[100000] = '\0';
	feed(text);
	feed("\n");
	text = realloc(text, 100002);
	text[100000] = '\n';
	text[100001] = '\0';
	assert_log(text);
	free(text);
}
END_TEST

START_TEST(a_prompt_without_an_end_is_shown_after_a_second)
{
	uint64_t now_ms;

	feed("Password: ");
	now_ms = clock_boot_ms();
	ck_assert_int_gt(output_flush_old(&output, now_ms), 0);
	ck_assert_uint_eq(output.end, 0);
	ck_assert_int_eq(output_flush_old(&output, now_ms + 1001), -1);
	ck_assert_uint_gt(output.end, 0);
	feed("thanks\n");
	assert_log("Password: thanks\n");
}
END_TEST

START_TEST(the_first_and_the_last_segments_are_kept_and_the_gap_is_counted)
{
	uint64_t end, dropped;
	char line[1024];

	memset(line, 'y', sizeof line - 1);
	line[sizeof line - 1] = '\n';
	for (int i = 0; i < 16 * 1024; i++)
		output_feed(&output, LOG_STREAM_OUT, line, sizeof line);
	output_end(&output);
	ck_assert_int_eq(logfile_extent(output.dir_fd, &end, &dropped), 0);
	ck_assert_uint_eq(end, output.end);
	ck_assert_uint_eq(end, (uint64_t)16 * 1024 * (sizeof line - 1 + LOG_ENTRY_HEAD));
	/* 1,009 of these lines fit a segment; 9 were dropped, and the heads are not the command's
	 */
	ck_assert_uint_eq(dropped, (uint64_t)9 * 1009 * sizeof line);
	ck_assert_int_eq(faccessat(w.attempts_fd, "41.1/log.1", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(w.attempts_fd, "41.1/log.2", F_OK, 0), -1);
	for (int i = 0; i < 8; i++) {
		static const int kept[] = { 0, 1, 11, 12, 13, 14, 15, 16 };
		char name[32];
		struct stat st;

		snprintf(name, sizeof name, "log.%d", kept[i]);
		ck_assert_int_eq(fstatat(output.dir_fd, name, &st, 0), 0);
		ck_assert_int_le(st.st_size, LOG_SEGMENT_BYTES);
	}
}
END_TEST

START_TEST(a_full_disk_costs_output_and_the_gap_says_how_much)
{
	static const char long_line[] =
	    "a line that is much too long for the room that is left on this disk, which is 200 "
	    "bytes in all, and it goes on for a while, as lines do that are written by programs, "
	    "on and on\n";
	struct rlimit limit = { 200, RLIM_INFINITY };
	uint64_t end, dropped;

	signal(SIGXFSZ, SIG_IGN);
	feed("kept\n");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	feed(long_line);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	feed("again\n");
	assert_log("kept\nagain\n");
	ck_assert_int_eq(logfile_extent(output.dir_fd, &end, &dropped), 0);
	ck_assert_uint_eq(end, output.end);
	ck_assert_uint_eq(dropped, sizeof long_line - 1);
}
END_TEST

START_TEST(the_tail_is_the_last_lines_and_no_more)
{
	char *tail;

	for (int i = 0; i < 10000; i++) {
		char line[32];

		snprintf(line, sizeof line, "line %d\n", i);
		feed(line);
	}
	tail = output_tail(&output);
	ck_assert_uint_le(strlen(tail), LIMIT_TAIL);
	ck_assert_uint_gt(strlen(tail), LIMIT_TAIL - 32);
	ck_assert_int_eq(strncmp(tail, "line ", 5), 0);
	ck_assert_str_eq(strrchr(tail, '\n'), "\nline 9999");
	free(tail);
	output_begin(&output, 3);
	ck_assert_ptr_null(output_tail(&output));
}
END_TEST

START_TEST(zero_bytes_do_not_cut_the_tail)
{
	char *tail;

	output_feed(&output, LOG_STREAM_OUT, "a\0b\n", 4);
	tail = output_tail(&output);
	ck_assert_str_eq(tail, "a?b");
	free(tail);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("output");
	TCase *tests = tcase_create("log");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, nothing_said_makes_no_file);
	tcase_add_test(tests, lines_are_kept_as_they_were);
	tcase_add_test(tests, streams_do_not_mix_within_a_line);
	tcase_add_test(tests, versions_of_a_bar_are_not_kept_but_the_last);
	tcase_add_test(tests,
	    versions_of_which_only_numbers_and_marks_are_new_are_not_kept_but_the_first_and_last);
	tcase_add_test(tests, text_that_is_drawn_over_but_no_bar_is_kept);
	tcase_add_test(tests, windows_line_ends_are_line_ends);
	tcase_add_test(tests, a_long_line_is_cut_into_pieces_and_is_one_line_still);
	tcase_add_test(tests, a_prompt_without_an_end_is_shown_after_a_second);
	tcase_add_test(tests, the_first_and_the_last_segments_are_kept_and_the_gap_is_counted);
	tcase_add_test(tests, a_full_disk_costs_output_and_the_gap_says_how_much);
	tcase_add_test(tests, the_tail_is_the_last_lines_and_no_more);
	tcase_add_test(tests, zero_bytes_do_not_cut_the_tail);
	suite_add_tcase(suite, tests);
	return world_main(suite);
}
