#include "ipc/expand.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ARG is a NULL-terminated list of names and values. */
static const char *
look_up(const char *reference, void *arg)
{
	for (const char *const *pair = arg; pair[0]; pair += 2)
		if (strcmp(pair[0], reference) == 0)
			return pair[1];
	return NULL;
}

static const char *pairs[] = { "name", "value", "empty", "", "steps.find.url", "http://x", "dollar",
	"$", "two", "$$", "evil", "${steps.find.url}", "escape", "$${name}", "brace", "{name}",
	"price", "$5", NULL };

struct expansion {
	const char *text, *result;
};

static void
check_expansion(const char *text, enum expand_mode mode, const char *expected)
{
	char *result = NULL, *missing = NULL;

	ck_assert_msg(expand(text, mode, look_up, pairs, &result, &missing) == 0, "%s", text);
	ck_assert_str_eq(result, expected);
	ck_assert_ptr_null(missing);
	free(result);
}

static const struct expansion all[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "${name}", "value" },
	{ "a${name}b${name}c", "avaluebvaluec" },
	{ "${empty}", "" },
	{ "${steps.find.url}/x", "http://x/x" },
	{ "$${name}", "${name}" },
	{ "$$${name}", "$${name}" },
	{ "$", "$" },
	{ "$name", "$name" },
	{ "$$", "$$" },
	{ "a$", "a$" },
	{ "{name}", "{name}" },
	{ "}", "}" },
	{ "${$}", "$" },
	{ "${$}${name}", "$value" },
	{ "${$}{name}", "${name}" },
	{ "${evil}", "${steps.find.url}" },
	{ "$ {name}", "$ {name}" },
};
#define ALL ((int)(sizeof all / sizeof all[0]))

START_TEST(references_are_replaced_and_nothing_else)
{
	check_expansion(all[_i].text, EXPAND_ALL, all[_i].result);
}
END_TEST

/* Expanded for parameters first, then for steps: the results of the two passes together. */
static const struct expansion twice[] = {
	{ "${name}-${steps.find.url}", "value-http://x" },
	{ "$${name}", "${name}" },
	{ "${evil}", "${steps.find.url}" },
	{ "${dollar}{name}", "${name}" },
	{ "${dollar}${steps.find.url}", "$http://x" },
	{ "${dollar}${brace}", "${name}" },
	{ "${dollar}$${name}", "$${name}" },
	{ "${two}{name}", "$${name}" },
	{ "${two}${two}", "$$$$" },
	{ "${escape}", "$${name}" },
	{ "${price}", "$5" },
	{ "${dollar}", "$" },
	{ "${$}${name}", "$value" },
	{ "${two}${steps.find.url}${dollar}", "$$http://x$" },
};
#define TWICE ((int)(sizeof twice / sizeof twice[0]))

START_TEST(a_value_is_never_taken_for_a_reference)
{
	char *once = NULL, *missing = NULL;

	ck_assert_int_eq(expand(twice[_i].text, EXPAND_PARAMS, look_up, pairs, &once, &missing), 0);
	check_expansion(once, EXPAND_ALL, twice[_i].result);
	free(once);
}
END_TEST

START_TEST(the_first_pass_leaves_steps_and_escapes_alone)
{
	check_expansion("${steps.find.url} $${x} ${name} ${$}", EXPAND_PARAMS,
	    "${steps.find.url} $${x} value ${$}");
}
END_TEST

START_TEST(a_quoted_word_comes_back_as_it_was)
{
	static const char *const words[] = { "", "plain", "${name}", "$${name}", "$", "$$", "$$$${",
		"a$b", "${", "${}", "${$}", "{$}", "$${$}$" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		char *quoted = expand_quote(words[i]);

		ck_assert_ptr_nonnull(quoted);
		check_expansion(quoted, EXPAND_ALL, words[i]);
		free(quoted);
	}
}
END_TEST

START_TEST(what_is_missing_is_named)
{
	char *result = NULL, *missing = NULL;

	ck_assert_int_eq(
	    expand("a${nobody}", EXPAND_ALL, look_up, pairs, &result, &missing), -ENOENT);
	ck_assert_str_eq(missing, "nobody");
	ck_assert_ptr_null(result);
	free(missing);
}
END_TEST

START_TEST(an_open_or_empty_reference_is_refused)
{
	static const char *const texts[] = { "${", "a${name", "${}", "${name}${" };
	char *result = NULL, *missing = NULL;
	struct strs references;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char *text = strdup(texts[i]); /* where a read beyond its end is noticed */

		ck_assert_ptr_nonnull(text);
		ck_assert_int_eq(
		    expand(text, EXPAND_ALL, look_up, pairs, &result, &missing), -EINVAL);
		ck_assert_int_eq(
		    expand(text, EXPAND_PARAMS, look_up, pairs, &result, &missing), -EINVAL);
		ck_assert_int_eq(expand_references(text, &references), -EINVAL);
		ck_assert_ptr_null(result);
		ck_assert_ptr_null(missing);
		free(text);
	}
}
END_TEST

START_TEST(a_result_that_is_too_long_is_refused)
{
	char *text = malloc(LIMIT_TEXT + 2), *result = NULL, *missing = NULL;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', LIMIT_TEXT + 1);
	text[LIMIT_TEXT] = '\0';
	ck_assert_int_eq(expand(text, EXPAND_ALL, look_up, pairs, &result, &missing), 0);
	free(result);
	text[LIMIT_TEXT] = 'x';
	text[LIMIT_TEXT + 1] = '\0';
	ck_assert_int_eq(expand(text, EXPAND_ALL, look_up, pairs, &result, &missing), -EMSGSIZE);
	free(text);
}
END_TEST

START_TEST(references_are_listed_as_written)
{
	struct strs references;

	ck_assert_int_eq(expand_references("${a} $${b} ${steps.c.d}${$} ${a}", &references), 0);
	ck_assert_uint_eq(references.n, 3);
	ck_assert_str_eq(references.v[0], "a");
	ck_assert_str_eq(references.v[1], "steps.c.d");
	ck_assert_str_eq(references.v[2], "a");
	strs_free(&references);
	ck_assert_int_eq(expand_references("none", &references), 0);
	ck_assert_uint_eq(references.n, 0);
}
END_TEST

START_TEST(names_become_environment_variables)
{
	char *name = expand_env_name("PARAM_", "server-id.2\xc3\xa4");

	ck_assert_str_eq(name, "PARAM_SERVER_ID_2__");
	free(name);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("expand");
	TCase *tests = tcase_create("expand");

	tcase_add_loop_test(tests, references_are_replaced_and_nothing_else, 0, ALL);
	tcase_add_loop_test(tests, a_value_is_never_taken_for_a_reference, 0, TWICE);
	tcase_add_test(tests, the_first_pass_leaves_steps_and_escapes_alone);
	tcase_add_test(tests, a_quoted_word_comes_back_as_it_was);
	tcase_add_test(tests, what_is_missing_is_named);
	tcase_add_test(tests, an_open_or_empty_reference_is_refused);
	tcase_add_test(tests, a_result_that_is_too_long_is_refused);
	tcase_add_test(tests, references_are_listed_as_written);
	tcase_add_test(tests, names_become_environment_variables);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
