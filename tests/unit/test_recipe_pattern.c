#include "supervisor/recipe/pattern.h"

#include <regex.h>

#include "tests/unit/recipe_kit.h"

static struct pattern *
compile(const char *ere)
{
	struct pattern *pattern = NULL;
	const char *problem = "out of memory";
	int r = pattern_new(ere, &pattern, &problem);

	ck_assert_msg(r == 0, "%s: %s", ere, problem);
	return pattern;
}

static bool
matches(const char *ere, const char *value)
{
	struct pattern *pattern = compile(ere);
	bool does = pattern_matches(pattern, value);

	pattern_free(pattern);
	return does;
}

static const char *const sound[] = { "abc", "a*", "a+b?c*", "(ab|c)+", "a|b|cd", "[a-c]+",
	"[^a-c]+", "[]a]+", "[^]a]*", "[a-]+", "a.c", "(a|ab)(c|bcd)(d*)", "a{2}", "a{2,}",
	"a{1,3}b", "(ab){2,3}", "(a*)*", "(a*)+b", "^ab$", "^(a|b)*$", "a\\.b", "\\[a\\]",
	"[[:digit:]]+", "[[:alpha:]_]+", "[[:space:]]", "[a-c[:digit:]]+", "(^a)", "(a|^b)c",
	"a?a?a?aaa", "((a|b)?c){2}", "x*$", "a$|b", "[.]", "[*+?]", "a{0,2}", "(a|b{2})*c?", "a**",
	"(a+|b)?" };

static const char *const values[] = { "", "a", "b", "c", "aa", "ab", "abc", "abcd", "abab",
	"ababab", "aaa", "aaaa", "aaaaaaa", "bb", "abbc", "cd", "bc", "acbc", "a.c", "a.b", "axb",
	"[a]", "]", "-a", "12", "a1b2", "_x", " ", "\t", "*", ".", "x", "xx", "aab", "b\n", "aabb",
	"bbbbc", "acac" };

START_TEST(it_agrees_with_the_system_about_whole_values)
{
	const char *ere = sound[_i];
	char whole[256];
	regex_t regex;

	snprintf(whole, sizeof whole, "^(%s)$", ere);
	ck_assert_int_eq(regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB), 0);
	for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
		bool expected = regexec(&regex, values[v], 0, NULL, 0) == 0;

		ck_assert_msg(matches(ere, values[v]) == expected, "%s on \"%s\": expected %d", ere,
		    values[v], expected);
	}
	regfree(&regex);
}
END_TEST

static const struct {
	const char *ere, *problem;
} unsound[] = {
	{ "", "a group or alternative is empty" },
	{ "a|", "a group or alternative is empty" },
	{ "()", "a group or alternative is empty" },
	{ "(a", "a ( has no )" },
	{ "a)", "a ) has no (" },
	{ "[a", "a [ has no ]" },
	{ "[", "a [ has no ]" },
	{ "[]", "a [ has no ]" },
	{ "[a-", "a [ has no ]" },
	{ "[z-a]", "a range in [] runs backwards" },
	{ "[[:digits:]]", "there is no such [:class:]" },
	{ "[[:alpha", "there is no such [:class:]" },
	{ "[[.a.]]", "[. .] and [= =] are not supported" },
	{ "*a", "there is nothing to repeat before * + ? or {" },
	{ "a|+", "there is nothing to repeat before * + ? or {" },
	{ "a{2", "{} wants {n}, {n,} or {n,m} with n <= m, from 1 to 255" },
	{ "a{,2}", "{} wants {n}, {n,} or {n,m} with n <= m, from 1 to 255" },
	{ "a{3,2}", "{} wants {n}, {n,} or {n,m} with n <= m, from 1 to 255" },
	{ "a{0}", "{} wants {n}, {n,} or {n,m} with n <= m, from 1 to 255" },
	{ "a{256}", "{} wants {n}, {n,} or {n,m} with n <= m, from 1 to 255" },
	{ "a{99999999999}", "{} wants {n}, {n,} or {n,m} with n <= m, from 1 to 255" },
	{ "\\", "it ends in a \\" },
	{ "\\d+",
	    "\\ before a letter or digit means nothing here (write [0-9], [[:space:]], ...)" },
	{ "(a)\\1",
	    "\\ before a letter or digit means nothing here (write [0-9], [[:space:]], ...)" },
	{ "a{255}{255}", "its repetitions are too large" },
	{ "((((a{9}){9}){9}){9}){9}", "its repetitions are too large" },
	{ "(((((a+)+){2,}){2,}){255,}){255,}", "its repetitions are too large" },
	{ "a++++++++++++++++++++++++++++++++++", "its repetitions are too large" },
};

START_TEST(what_it_cannot_use_is_refused_with_a_reason)
{
	struct pattern *pattern = NULL;
	const char *problem = NULL;

	ck_assert_int_eq(pattern_new(unsound[_i].ere, &pattern, &problem), -EINVAL);
	ck_assert_str_eq(problem, unsound[_i].problem);
	ck_assert_ptr_null(pattern);
}
END_TEST

START_TEST(characters_are_unicode)
{
	ck_assert(matches(".", "\xc3\xa4"));
	ck_assert(matches("...", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
	ck_assert(matches("[\xc3\xa0-\xc3\xbc]+", "\xc3\xa4\xc3\xb6"));
	ck_assert(!matches("[^\xc3\xa4]", "\xc3\xa4"));
	ck_assert(!matches("[a-z]+", "\xc3\xa4"));
	/* A byte that is none counts as one character that nothing names. */
	ck_assert(matches(".", "\xff"));
	ck_assert(matches("..", "\xe2\x82"));
	ck_assert(!matches("\xc3\xbf", "\xff"));
}
END_TEST

START_TEST(what_hurts_others_costs_what_was_said)
{
	struct pattern *pattern = compile("(a|a)*(a|aa)+(a*)*b");
	char *value = malloc(16385);

	ck_assert_ptr_nonnull(value);
	memset(value, 'a', 16384);
	value[16384] = '\0';
	ck_assert_uint_lt(pattern_cost(pattern, value), 1000000);
	ck_assert(!pattern_matches(pattern, value));
	free(value);
	pattern_free(pattern);
}
END_TEST

START_TEST(length_and_depth_have_limits)
{
	char ere[PATTERN_MAX_BYTES + 2];
	struct pattern *pattern = NULL;
	const char *problem = NULL;

	memset(ere, '(', sizeof ere - 1);
	ere[sizeof ere - 1] = '\0';
	ck_assert_int_eq(pattern_new(ere, &pattern, &problem), -EINVAL);
	ck_assert_str_eq(problem, "it is longer than 512 bytes");
	ere[PATTERN_MAX_BYTES] = '\0';
	ck_assert_int_eq(pattern_new(ere, &pattern, &problem), -EINVAL);
	ck_assert_str_eq(problem, "a group or alternative is empty");
	memset(ere, 'a', PATTERN_MAX_BYTES);
	pattern_free(compile(ere));
	memset(ere + 1, '?', PATTERN_MAX_BYTES - 1);
	pattern = compile(ere);
	ck_assert(pattern_matches(pattern, "a"));
	ck_assert(!pattern_matches(pattern, "aa"));
	pattern_free(pattern);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipe_pattern");
	TCase *pattern = tcase_create("pattern");

	tcase_add_loop_test(pattern, it_agrees_with_the_system_about_whole_values, 0,
	    sizeof sound / sizeof sound[0]);
	tcase_add_loop_test(pattern, what_it_cannot_use_is_refused_with_a_reason, 0,
	    sizeof unsound / sizeof unsound[0]);
	tcase_add_test(pattern, characters_are_unicode);
	tcase_add_test(pattern, what_hurts_others_costs_what_was_said);
	tcase_add_test(pattern, length_and_depth_have_limits);
	suite_add_tcase(suite, pattern);
	return run_suite(suite);
}
