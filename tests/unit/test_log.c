#include "ipc/log.h"

#include "ipc/fd.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int reader = -1, saved_stderr = -1;
static char said[4096];

static void
set_up(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	reader = fds[0];
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	fd_close(&fds[1]);
	log_init("reeved", LOG_LEVEL_INFO);
}

static void
tear_down(void)
{
	ck_assert_int_eq(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	fd_close(&saved_stderr);
	fd_close(&reader);
}

/* What was written since. */
static const char *
read_said(void)
{
	ssize_t n = read(reader, said, sizeof said - 1);

	said[n > 0 ? n : 0] = '\0';
	return said;
}

/* TEXT as a line of LEVEL. */
static const char *
line(const char *level, const char *text)
{
	static char whole[4096];

	snprintf(whole, sizeof whole, "reeved[%d] %s: %s\n", (int)getpid(), level, text);
	return whole;
}

START_TEST(a_line_says_who_and_how_bad)
{
	log_error("task %d: %s", 7, "lost");
	ck_assert_str_eq(read_said(), line("error", "task 7: lost"));
	log_warn("w");
	ck_assert_str_eq(read_said(), line("warn", "w"));
	log_info("i");
	ck_assert_str_eq(read_said(), line("info", "i"));
}
END_TEST

START_TEST(what_is_below_the_level_is_not_said)
{
	log_debug("d");
	ck_assert_str_eq(read_said(), "");
	log_init("reeved", LOG_LEVEL_DEBUG);
	ck_assert_int_eq(log_level_current(), LOG_LEVEL_DEBUG);
	log_debug("d");
	ck_assert_str_eq(read_said(), line("debug", "d"));
	log_init("reeved", LOG_LEVEL_ERROR);
	log_warn("w");
	log_info("i");
	ck_assert_str_eq(read_said(), "");
}
END_TEST

START_TEST(nobody_forges_a_second_line_or_drives_a_terminal)
{
	log_info("%s", "a\nreeved[1] error: forged\r\033[2J\x7f\tb\xc3\xa4");
	ck_assert_str_eq(read_said(), line("info", "a reeved[1] error: forged  [2J  b\xc3\xa4"));
}
END_TEST

START_TEST(a_long_line_is_cut_and_ended)
{
	char text[3000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_info("%s", text);
	read_said();
	ck_assert_uint_lt(strlen(said), 1025);
	ck_assert_uint_gt(strlen(said), 1000);
	ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}
END_TEST

START_TEST(saying_something_leaves_errno_alone)
{
	errno = ENOSPC;
	log_info("x");
	ck_assert_int_eq(errno, ENOSPC);
	fd_close(&reader);
	signal(SIGPIPE, SIG_IGN);
	log_info("to nobody");
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

START_TEST(levels_have_names)
{
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
		ck_assert_int_eq(
		    log_level_parse(log_level_name((enum log_level)level)), (enum log_level)level);
	ck_assert_int_eq(log_level_parse("loud"), 0);
	ck_assert_int_eq(log_level_parse(""), 0);
	ck_assert_str_eq(log_level_name((enum log_level)9), "invalid");
	ck_assert_str_eq(log_level_name((enum log_level)0), "invalid");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("log");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_line_says_who_and_how_bad);
	tcase_add_test(tests, what_is_below_the_level_is_not_said);
	tcase_add_test(tests, nobody_forges_a_second_line_or_drives_a_terminal);
	tcase_add_test(tests, a_long_line_is_cut_and_ended);
	tcase_add_test(tests, saying_something_leaves_errno_alone);
	tcase_add_test(tests, levels_have_names);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
