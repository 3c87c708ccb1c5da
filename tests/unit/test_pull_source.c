#include "worker/pull/source.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

START_TEST(a_password_is_kept_out_of_what_is_shown)
{
	struct source source;

	ck_assert_int_eq(source_parse("https://joe:s%40cret@example.org/a?b=c#d", &source), 0);
	ck_assert_str_eq(source.url, "https://example.org/a?b=c");
	ck_assert_str_eq(source.origin, "https://example.org:443");
	ck_assert_str_eq(source.user, "joe");
	ck_assert_str_eq(source.password, "s@cret");
	ck_assert(source.is_secure);
	source_free(&source);
	source_free(&source);
}
END_TEST

START_TEST(only_http_and_https_are_sources)
{
	static const struct {
		const char *url;
		int error;
	} bad[] = {
		{ "", -EINVAL },
		{ "example.org/x", -EINVAL },
		{ "https://", -EINVAL },
		{ "http://exa mple.org/", -EINVAL },
		{ "http://example.org/a\nb", -EINVAL },
		{ "http://example.org/\033[2J", -EINVAL },
		{ "ftp://example.org/x", -EPROTONOSUPPORT },
		{ "file:///etc/passwd", -EPROTONOSUPPORT },
		{ "gopher://example.org/x", -EPROTONOSUPPORT },
		{ "nonsense://example.org/x", -EPROTONOSUPPORT },
	};
	struct source source;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(source_parse(bad[i].url, &source) == bad[i].error, "%s", bad[i].url);
	ck_assert_int_eq(source_parse("http://127.0.0.1:8080", &source), 0);
	ck_assert_str_eq(source.origin, "http://127.0.0.1:8080");
	ck_assert(!source.is_secure);
	ck_assert_ptr_null(source.user);
	source_free(&source);
}
END_TEST

START_TEST(a_password_goes_to_its_own_host_only)
{
	static const struct {
		const char *location, *url;
		bool keeps_password;
	} redirects[] = {
		{ "other", "https://example.org/dir/other", true },
		{ "/other", "https://example.org/other", true },
		{ "?q=1", "https://example.org/dir/file?q=1", true },
		{ "https://example.org:443/x", "https://example.org:443/x", true },
		{ "https://example.org:8443/x", "https://example.org:8443/x", false },
		{ "https://cdn.example.org/x", "https://cdn.example.org/x", false },
		{ "//elsewhere.org/x", "https://elsewhere.org/x", false },
		{ "https://mallory:x@elsewhere.org/x", "https://elsewhere.org/x", false },
		{ "https://mallory:x@example.org/x", "https://example.org/x", true },
	};
	struct source from, to;

	ck_assert_int_eq(source_parse("https://joe:secret@example.org/dir/file", &from), 0);
	ck_assert_int_eq(source_follow(&from, redirects[_i].location, &to), 0);
	ck_assert_str_eq(to.url, redirects[_i].url);
	ck_assert_pstr_eq(to.user, redirects[_i].keeps_password ? "joe" : NULL);
	ck_assert_pstr_eq(to.password, redirects[_i].keeps_password ? "secret" : NULL);
	source_free(&to);
	source_free(&from);
}
END_TEST

START_TEST(a_redirect_never_leaves_https)
{
	struct source from, to = { 0 };

	ck_assert_int_eq(source_parse("https://example.org/file", &from), 0);
	ck_assert_int_eq(source_follow(&from, "http://example.org/file", &to), -EPERM);
	ck_assert_int_eq(source_follow(&from, "HTTP://example.org/file", &to), -EPERM);
	ck_assert_int_eq(source_follow(&from, "file:///etc/passwd", &to), -EPROTONOSUPPORT);
	ck_assert_ptr_null(to.url);
	source_free(&from);
	ck_assert_int_eq(source_parse("http://example.org/file", &from), 0);
	ck_assert_int_eq(source_follow(&from, "https://example.org/file", &to), 0);
	source_free(&from);
	ck_assert_int_eq(source_follow(&to, "http://example.org/file", &from), -EPERM);
	source_free(&to);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull_source");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, a_password_is_kept_out_of_what_is_shown);
	tcase_add_test(tests, only_http_and_https_are_sources);
	tcase_add_loop_test(tests, a_password_goes_to_its_own_host_only, 0, 9);
	tcase_add_test(tests, a_redirect_never_leaves_https);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
