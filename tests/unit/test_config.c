#include "supervisor/config.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

static struct config config;

/* Parses the flags after the two that are always needed; -1 as an end. */
static int
parse(const char *const *flags)
{
	char *argv[16] = { (char[]){ "reeve-supervisor" } };
	int argc = 1, r;

	for (; *flags; flags++)
		argv[argc++] = (char *)(uintptr_t)*flags;
	optind = 0; /* getopt(3): start afresh */
	opterr = 0;
	r = config_parse(&config, argc, argv);
	return r;
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })
#define PLACES     "--state-dir", "/s", "--run-dir", "/r"

static void
set_up(void)
{
	unsetenv("REEVE_GRACE");
	unsetenv("REEVE_KEEP_COMPLETED");
	unsetenv("REEVE_KEEP_REST");
}

START_TEST(what_is_not_said_has_a_default)
{
	ck_assert_int_eq(PARSE(PLACES), 0);
	ck_assert_str_eq(config.state_dir, "/s");
	ck_assert_str_eq(config.run_dir, "/r");
	ck_assert_uint_ge(config.slots, 4);
	ck_assert_int_eq(config.log_level, LOG_LEVEL_INFO);
	ck_assert_uint_eq(config.grace_ms, 10000);
	ck_assert_uint_eq(config.keep_completed_ms, 3600000);
	ck_assert_uint_eq(config.keep_rest_ms, 604800000);
	ck_assert(config.change_user == (geteuid() == 0));
}
END_TEST

START_TEST(what_is_said_counts)
{
	ck_assert_int_eq(PARSE(PLACES, "--slots", "0", "--log-level", "debug"), 0);
	ck_assert_uint_eq(config.slots, 0);
	ck_assert_int_eq(config.log_level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(PARSE(PLACES, "--slots=10000"), 0);
	ck_assert_uint_eq(config.slots, 10000);
}
END_TEST

START_TEST(the_environment_sets_durations)
{
	setenv("REEVE_GRACE", "250ms", 1);
	setenv("REEVE_KEEP_COMPLETED", "2d", 1);
	setenv("REEVE_KEEP_REST", "0s", 1);
	ck_assert_int_eq(PARSE(PLACES), 0);
	ck_assert_uint_eq(config.grace_ms, 250);
	ck_assert_uint_eq(config.keep_completed_ms, 172800000);
	ck_assert_uint_eq(config.keep_rest_ms, 0);
	setenv("REEVE_GRACE", "soon", 1);
	ck_assert_int_eq(PARSE(PLACES), -EINVAL);
}
END_TEST

START_TEST(nonsense_is_refused)
{
	ck_assert_int_eq(PARSE("--run-dir", "/r"), -EINVAL);
	ck_assert_int_eq(PARSE("--state-dir", "/s"), -EINVAL);
	ck_assert_int_eq(PARSE("--state-dir", "s", "--run-dir", "/r"), -EINVAL);
	ck_assert_int_eq(PARSE("--state-dir", "", "--run-dir", "/r"), -EINVAL);
	ck_assert_int_eq(PARSE(PLACES, "--slots", "-1"), -EINVAL);
	ck_assert_int_eq(PARSE(PLACES, "--slots", "10001"), -EINVAL);
	ck_assert_int_eq(PARSE(PLACES, "--slots", "4x"), -EINVAL);
	ck_assert_int_eq(PARSE(PLACES, "--slots", ""), -EINVAL);
	ck_assert_int_eq(PARSE(PLACES, "--slots", " 4"), -EINVAL);
	ck_assert_int_eq(PARSE(PLACES, "--slots"), -EINVAL);
	ck_assert_int_eq(PARSE(PLACES, "--log-level", "loud"), -EINVAL);
	ck_assert_int_eq(PARSE(PLACES, "--colour"), -EINVAL);
	ck_assert_int_eq(PARSE(PLACES, "and", "more"), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, what_is_not_said_has_a_default);
	tcase_add_test(tests, what_is_said_counts);
	tcase_add_test(tests, the_environment_sets_durations);
	tcase_add_test(tests, nonsense_is_refused);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
