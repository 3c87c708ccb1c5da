#include "supervisor/inquiry.h"

#include "supervisor/apply.h"
#include "supervisor/can.h"
#include "supervisor/verdict.h"
#include "tests/unit/rows.h"
#include "tests/unit/suite.h"

#include <errno.h>

static struct record row;

static void
setup(void)
{
	row_make(&row, 2);
	row.step = 1;
	row.steps.v[0].state = STEP_RUNNING;
	row.steps.v[0].confirms = true;
}

static void
teardown(void)
{
	row_free(&row);
}

static int
ask_of(uint64_t step, const char *name, const char *problem)
{
	struct fact fact = fact_of(FACT_QUESTION, step);
	int r;

	str_set(&fact.question.name, name);
	str_set(&fact.question.text, "Go on?");
	str_set(&fact.question.problem, problem);
	r = apply_fact(&row, &fact);
	codec_free(&fact_codec, &fact);
	return r;
}

/* As if a person had. */
static void
answer(const char *name, bool yes)
{
	struct answer given;

	codec_init(&answer_codec, &given);
	given.step = 1;
	given.yes = yes;
	given.rev = 1;
	str_set(&given.question, name);
	blob_set(&given.token, "\xc4\x01\x07", 3);
	ck_assert_int_eq(answers_put(&row.steps.v[0].answers, &given), 0);
	inquiry_close(&row);
}

START_TEST(a_question_can_be_answered_until_it_is)
{
	ck_assert(!can_do(&row).answer);
	ck_assert_int_eq(ask_of(1, "confirm", NULL), 0);
	ck_assert(can_do(&row).answer);
	ck_assert(inquiry_is(&row, "1/confirm"));
	ck_assert(!inquiry_is(&row, "2/confirm"));
	answer("confirm", true);
	ck_assert(!can_do(&row).answer);
	ck_assert(inquiry_answered(&row, "1/confirm")->yes);
	ck_assert_ptr_null(inquiry_answered(&row, "2/confirm"));
	ck_assert_ptr_null(inquiry_answered(&row, "nonsense"));
}
END_TEST

START_TEST(what_nobody_can_ask_now_is_refused)
{
	ck_assert_int_eq(ask_of(2, "confirm", NULL), -EPROTO); /* does not run */
	ck_assert_int_eq(ask_of(9, "confirm", NULL), -EPROTO);
	ck_assert_int_eq(ask_of(1, "Confirm!", NULL), -EPROTO);
	row.state = TASK_STARTING;
	ck_assert_int_eq(ask_of(1, "confirm", NULL), -EPROTO);
	row.state = TASK_CANCELLING;
	ck_assert_int_eq(ask_of(1, "confirm", NULL), 0);
	ck_assert(!inquiry_is_open(&row));
}
END_TEST

START_TEST(the_same_question_is_not_asked_again)
{
	ck_assert_int_eq(ask_of(1, "confirm", NULL), 0);
	row.question.asked_ms = 1;
	ck_assert_int_eq(ask_of(1, "confirm", NULL), 0);
	ck_assert_uint_eq(row.question.asked_ms, 1);
	answer("confirm", true);
	ck_assert_int_eq(ask_of(1, "confirm", NULL), 0); /* it crossed the answer */
	ck_assert(!inquiry_is_open(&row));
	ck_assert_int_eq(ask_of(1, "confirm", "no such file"), 0);
	ck_assert(inquiry_is_open(&row));
	ck_assert_ptr_null(inquiry_answered(&row, "1/confirm"));
}
END_TEST

START_TEST(a_question_goes_with_its_step)
{
	struct fact end = fact_of(FACT_STEP_END, 1), withdrawn = fact_of(FACT_WITHDRAWN, 1);

	ck_assert_int_eq(ask_of(1, "go", NULL), 0);
	str_set(&withdrawn.name, "other");
	ck_assert_int_eq(apply_fact(&row, &withdrawn), 0);
	ck_assert(inquiry_is_open(&row));
	str_set(&withdrawn.name, "go");
	ck_assert_int_eq(apply_fact(&row, &withdrawn), 0);
	ck_assert(!inquiry_is_open(&row));
	ck_assert_int_eq(ask_of(1, "go", NULL), 0);
	end.state = STEP_DONE;
	ck_assert_int_eq(apply_fact(&row, &end), 0);
	ck_assert(!inquiry_is_open(&row));
	codec_free(&fact_codec, &withdrawn);
}
END_TEST

START_TEST(an_answer_is_known_by_its_token)
{
	struct blob token = { .data = NULL };

	answer("confirm", true);
	blob_set(&token, "\xc4\x01\x07", 3);
	ck_assert_ptr_eq(inquiry_sent(&row, &token), &row.steps.v[0].answers.v[0]);
	token.data[2] = 8;
	ck_assert_ptr_null(inquiry_sent(&row, &token));
	blob_free(&token);
	ck_assert_ptr_null(inquiry_sent(&row, &token));
}
END_TEST

START_TEST(a_no_that_ended_it_is_forgotten_and_nothing_else)
{
	answer("confirm", false);
	row.steps.v[0].state = STEP_CANCELLED;
	inquiry_forget_no(&row);
	ck_assert_ptr_null(inquiry_last(&row));
	answer("confirm", true);
	inquiry_forget_no(&row);
	ck_assert_ptr_nonnull(inquiry_last(&row));
}
END_TEST

START_TEST(a_question_survives_whatever_takes_its_worker)
{
	const struct over over = { .loss = LOSS_UNKNOWN, .new_boot = true };

	row.state = TASK_WAITING;
	row.resumes = 100;
	ck_assert_int_eq(verdict_of(&row, &over).event, EV_RESUME);
	row.steps.v[0].confirms = false; /* a program that asks may have done half of something */
	ck_assert_int_eq(verdict_of(&row, &over).event, EV_INTERRUPTED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("inquiry");
	TCase *tests = tcase_create("inquiry");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_question_can_be_answered_until_it_is);
	tcase_add_test(tests, what_nobody_can_ask_now_is_refused);
	tcase_add_test(tests, the_same_question_is_not_asked_again);
	tcase_add_test(tests, a_question_goes_with_its_step);
	tcase_add_test(tests, an_answer_is_known_by_its_token);
	tcase_add_test(tests, a_no_that_ended_it_is_forgotten_and_nothing_else);
	tcase_add_test(tests, a_question_survives_whatever_takes_its_worker);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
