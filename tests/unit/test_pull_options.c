#include "worker/pull/options.h"

#include "tests/unit/suite.h"
#include "worker/pull/http.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEX "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"

static struct options options;
static struct failure failure;

static int
parse(const char *const words[])
{
	char *argv[16];
	int argc = 0;
	int r;

	for (; words[argc]; argc++)
		argv[argc] = strdup(words[argc]);
	argv[argc] = NULL;
	r = options_parse(argc, argv, &options, &failure);
	/* url and to are borrowed: what the tests look at afterwards is copied or static */
	if (r == 0 && options.url)
		ck_assert_str_eq(options.url, "http://x/y");
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return r;
}
#define PARSE(...) parse((const char *const[]){ "reeve-pull", __VA_ARGS__, NULL })

START_TEST(what_is_not_said_has_a_sane_value)
{
	ck_assert_int_eq(PARSE("--url", "http://x/y", "--to", "z"), 0);
	ck_assert(!options.has_sha256);
	ck_assert_uint_eq(options.size, HTTP_UNKNOWN);
	ck_assert_uint_eq(options.retries, 8);
	ck_assert_uint_eq(options.retry_delay_ms, 1000);
	ck_assert_uint_eq(options.stall_ms, 30000);
}
END_TEST

START_TEST(every_option_is_taken)
{
	ck_assert_int_eq(PARSE("--url=http://x/y", "--to=z", "--sha256", HEX, "--size", "12",
			     "--retries", "0", "--retry-delay", "50ms", "--stall", "2s"),
	    0);
	ck_assert(options.has_sha256);
	ck_assert_int_eq(options.sha256[0], 'b');
	ck_assert_uint_eq(options.size, 12);
	ck_assert_uint_eq(options.retries, 0);
	ck_assert_uint_eq(options.retry_delay_ms, 50);
	ck_assert_uint_eq(options.stall_ms, 2000);
}
END_TEST

START_TEST(a_mistake_names_the_option)
{
	static const struct {
		const char *option, *value, *said;
	} mistakes[] = {
		{ "--sha256", "abc", "--sha256" },
		{ "--size", "-1", "--size" },
		{ "--size", "1M", "--size" },
		{ "--retries", "1001", "--retries" },
		{ "--retry-delay", "soon", "--retry-delay" },
		{ "--stall", "0s", "--stall" },
		{ "--hurl", "x", "--hurl" },
		{ "extra", "word", "extra" },
		{ "--to", "", "--to" },
	};

	ck_assert_int_eq(
	    PARSE("--url", "http://x/y", "--to", "z", mistakes[_i].option, mistakes[_i].value),
	    -EINVAL);
	ck_assert_int_eq((int)failure.exit, PULL_USAGE);
	ck_assert_msg(strstr(failure.text, mistakes[_i].said) != NULL, "%s", failure.text);
}
END_TEST

START_TEST(url_and_target_are_needed)
{
	ck_assert_int_eq(PARSE("--url", "http://x/y"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "--to"));
	ck_assert_int_eq(PARSE("--to", "z"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "--url"));
	ck_assert_int_eq(PARSE("--url"), -EINVAL);
	ck_assert_int_eq(PARSE("--help"), 0);
	ck_assert(options.wants_help);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull_options");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, what_is_not_said_has_a_sane_value);
	tcase_add_test(tests, every_option_is_taken);
	tcase_add_loop_test(tests, a_mistake_names_the_option, 0, 9);
	tcase_add_test(tests, url_and_target_are_needed);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
