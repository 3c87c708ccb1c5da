#include "ipc/question.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct question question;
static struct answer answer;

static void
setup(void)
{
	codec_init(&question_codec, &question);
	codec_init(&answer_codec, &answer);
	str_set(&question.name, "go");
	str_set(&question.text, "Go on?");
	answer.yes = true;
}

static void
teardown(void)
{
	codec_free(&question_codec, &question);
	codec_free(&answer_codec, &answer);
}

static struct question_field *
add_field(const char *name, const char *type)
{
	struct question_field *field =
	    list_add((struct list *)&question.fields, &question_field_codec);

	ck_assert_ptr_nonnull(field);
	str_set(&field->name, name);
	str_set(&field->type, type);
	return field;
}

static void
expect_problem(const char *words)
{
	char problem[QUESTION_PROBLEM] = "";

	ck_assert_ptr_nonnull(question_problem(&question, problem));
	ck_assert_msg(strstr(problem, words), "%s", problem);
}

START_TEST(a_question_needs_little)
{
	char problem[QUESTION_PROBLEM];

	ck_assert_ptr_null(question_problem(&question, problem));
	ck_assert_str_eq(question_word(&question, true), "yes");
	str_set(&question.no, "Keep it");
	ck_assert_str_eq(question_word(&question, false), "Keep it");
}
END_TEST

START_TEST(a_question_without_a_name_or_a_text_is_none)
{
	str_set(&question.name, "-go");
	expect_problem("no name of a question");
	str_set(&question.name, NULL);
	expect_problem("no name of a question");
	str_set(&question.name, "go");
	str_set(&question.text, NULL);
	expect_problem("needs a text");
}
END_TEST

START_TEST(fields_have_names_of_their_own_and_known_types)
{
	add_field("why", NULL);
	add_field("why", "text");
	expect_problem("two fields are called \"why\"");
	str_set(&question.fields.v[1].name, "Why");
	expect_problem("no name of a field");
	str_set(&question.fields.v[1].name, "size");
	str_set(&question.fields.v[1].type, "password");
	expect_problem("its type is");
	str_set(&question.fields.v[1].type, "choice");
	expect_problem("choices");
	strs_add(&question.fields.v[1].choices, "small");
	str_set(&question.fields.v[1].default_value, "huge");
	expect_problem("takes small");
}
END_TEST

START_TEST(a_default_needs_its_time_and_a_value_for_every_field)
{
	char problem[QUESTION_PROBLEM];

	str_set(&question.default_answer, "yes");
	expect_problem("needs its time");
	question.after_ms = 1000;
	ck_assert_ptr_null(question_problem(&question, problem));
	add_field("why", "text");
	expect_problem("has no default");
	str_set(&question.fields.v[0].default_value, "because");
	ck_assert_ptr_null(question_problem(&question, problem));
	str_set(&question.default_answer, "perhaps");
	expect_problem("yes or no");
}
END_TEST

START_TEST(a_secret_has_no_default)
{
	str_set(&add_field("key", "secret")->default_value, "x");
	expect_problem("a secret has no default");
	ck_assert(question_has_secret(&question));
}
END_TEST

/* 0, or the field that is refused. */
static const char *
take(void)
{
	char problem[QUESTION_PROBLEM];
	const char *field = NULL;
	int r = question_take(&question, &answer, &field, problem);

	ck_assert(r == 0 || r == -EINVAL);
	return r == 0 ? NULL : field ? field : "all";
}

static const struct {
	const char *type, *value;
	bool is_one;
} values[] = { { "text", "a\nb\tc", true }, { "text", "\x1b[2J", false }, { "text", "\xff", false },
	{ "secret", "p ss", true }, { "number", "-1.5e3", true }, { "number", "0x10", false },
	{ "number", "1e999", false }, { "number", "nan", false }, { "number", "7 ", false },
	{ "choice", "small", true }, { "choice", "Small", false }, { "file", "/etc/hosts", true },
	{ "file", "etc/hosts", false } };

START_TEST(a_field_takes_what_its_type_says)
{
	struct question_field *field = add_field("it", values[_i].type);

	if (strcmp(values[_i].type, "choice") == 0)
		strs_add(&field->choices, "small");
	pairs_set(&answer.fields, "it", values[_i].value);
	if (values[_i].is_one)
		ck_assert_ptr_null(take());
	else
		ck_assert_str_eq(take(), "it");
}
END_TEST

START_TEST(what_is_missing_is_named_or_filled_in)
{
	add_field("why", NULL);
	ck_assert_str_eq(take(), "why");
	pairs_set(&answer.fields, "why", "");
	ck_assert_str_eq(take(), "why");
	str_set(&question.fields.v[0].default_value, "because");
	ck_assert_ptr_null(take());
	ck_assert_str_eq(pairs_get(&answer.fields, "why"), "because");
	add_field("more", NULL)->optional = true;
	ck_assert_ptr_null(take());
	ck_assert_ptr_null(pairs_get(&answer.fields, "more"));
}
END_TEST

START_TEST(fields_that_are_not_asked_for_are_refused)
{
	pairs_set(&answer.fields, "what", "x");
	ck_assert_str_eq(take(), "what");
	add_field("what", NULL);
	ck_assert_ptr_null(take());
	answer.yes = false;
	ck_assert_str_eq(take(), "what");
}
END_TEST

START_TEST(an_answer_fits_an_order)
{
	char text[LIMIT_ANSWER + 1];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	add_field("why", NULL);
	pairs_set(&answer.fields, "why", text);
	ck_assert_str_eq(take(), "all");
	text[sizeof text - 4] = '\0';
	pairs_set(&answer.fields, "why", text);
	ck_assert_ptr_null(take());
}
END_TEST

START_TEST(of_too_many_answers_the_oldest_goes)
{
	struct answers answers = { .v = NULL };
	char name[32];

	for (int i = 0; i <= LIMIT_ANSWERS; i++) {
		struct answer one;

		codec_init(&answer_codec, &one);
		snprintf(name, sizeof name, "q%d", i);
		str_set(&one.question, name);
		ck_assert_int_eq(answers_put(&answers, &one), 0);
		ck_assert_ptr_null(one.question);
	}
	ck_assert_uint_eq(answers.n, LIMIT_ANSWERS);
	ck_assert_ptr_null(answers_find(&answers, "q0"));
	ck_assert_ptr_nonnull(answers_find(&answers, "q1"));
	answers_drop(&answers, "q1");
	ck_assert_ptr_null(answers_find(&answers, "q1"));
	for (size_t i = 0; i < answers.n; i++)
		codec_free(&answer_codec, &answers.v[i]);
	free(answers.v);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("question");
	TCase *asked = tcase_create("asked");
	TCase *answered = tcase_create("answered");

	tcase_add_checked_fixture(asked, setup, teardown);
	tcase_add_test(asked, a_question_needs_little);
	tcase_add_test(asked, a_question_without_a_name_or_a_text_is_none);
	tcase_add_test(asked, fields_have_names_of_their_own_and_known_types);
	tcase_add_test(asked, a_default_needs_its_time_and_a_value_for_every_field);
	tcase_add_test(asked, a_secret_has_no_default);
	tcase_add_checked_fixture(answered, setup, teardown);
	tcase_add_loop_test(
	    answered, a_field_takes_what_its_type_says, 0, (int)(sizeof values / sizeof values[0]));
	tcase_add_test(answered, what_is_missing_is_named_or_filled_in);
	tcase_add_test(answered, fields_that_are_not_asked_for_are_refused);
	tcase_add_test(answered, an_answer_fits_an_order);
	tcase_add_test(answered, of_too_many_answers_the_oldest_goes);
	suite_add_tcase(suite, asked);
	suite_add_tcase(suite, answered);
	return run_suite(suite);
}
