#include "tests/unit/suite.h"
#include "worker/estimate.h"

#include <check.h>
#include <math.h>

static struct brief brief;

static void
set_up(void)
{
	codec_init(&brief_codec, &brief);
}

static void
tear_down(void)
{
	codec_free(&brief_codec, &brief);
}

/* A step that took so long in earlier runs, 0 ending the list; WEIGHT NaN: none is given. */
static void
step(double weight, const uint64_t *took_ms)
{
	struct list *specs = (struct list *)&brief.spec.steps;
	struct spec_step *spec = list_add(specs, &spec_step_codec);
	struct brief_step *steps =
	    realloc(brief.steps.v, (brief.steps.n + 1) * sizeof *brief.steps.v);

	ck_assert_ptr_nonnull(steps);
	spec->weight = weight;
	brief.steps.v = steps;
	brief.steps.v[brief.steps.n] = (struct brief_step){ .state = STEP_PENDING };
	for (; took_ms && *took_ms; took_ms++) {
		struct past_run *run =
		    list_add((struct list *)&brief.steps.v[brief.steps.n].runs, &past_run_codec);

		run->took_ms = *took_ms;
	}
	brief.steps.n++;
}

static void
weights_are(double a, double b, double c)
{
	double weights[LIMIT_STEPS], all, wanted = a + b + c;

	estimate_weights(&brief, weights);
	all = weights[0] + weights[1] + weights[2];
	ck_assert_double_eq_tol(weights[0] / all, a / wanted, 1e-9);
	ck_assert_double_eq_tol(weights[1] / all, b / wanted, 1e-9);
	ck_assert_double_eq_tol(weights[2] / all, c / wanted, 1e-9);
}

START_TEST(steps_of_which_nothing_is_known_weigh_the_same)
{
	step(NAN, NULL);
	step(NAN, NULL);
	step(NAN, NULL);
	weights_are(1, 1, 1);
}
END_TEST

START_TEST(what_the_recipe_says_counts_where_nothing_was_learned)
{
	step(1, NULL);
	step(8, NULL);
	step(NAN, NULL);
	weights_are(1, 8, 1);
}
END_TEST

START_TEST(earlier_runs_count_before_what_the_recipe_says)
{
	step(1, (uint64_t[]){ 9000, 0 });
	step(8, (uint64_t[]){ 900, 1000, 50000, 0 });
	step(NAN, (uint64_t[]){ 4000, 6000, 0 });
	weights_are(9000, 1000, 5000);
}
END_TEST

/* The second took 3 s for its weight of 3, so the third's 2 stand for 2 s. */
START_TEST(a_new_step_among_known_ones_weighs_as_much_for_its_weight)
{
	step(1, (uint64_t[]){ 1000, 0 });
	step(3, (uint64_t[]){ 3000, 0 });
	step(2, NULL);
	weights_are(1000, 3000, 2000);
}
END_TEST

static uint64_t
left(const uint64_t *took_ms, struct estimate_step given)
{
	uint64_t ms;

	set_up();
	step(NAN, took_ms);
	given.runs = &brief.steps.v[0].runs;
	ms = estimate_left_ms(&given);
	tear_down();
	return ms;
}
#define UNKNOWN .fraction = NAN, .first_fraction = NAN

START_TEST(what_nothing_is_known_of_has_no_end)
{
	ck_assert_uint_eq(left(NULL, (struct estimate_step){ .elapsed_ms = 5000, UNKNOWN }), 0);
}
END_TEST

START_TEST(the_time_left_is_what_such_runs_took_longer)
{
	const uint64_t took[] = { 10000, 20000, 60000, 0 };

	ck_assert_uint_eq(left(took, (struct estimate_step){ .elapsed_ms = 5000, UNKNOWN }), 15000);
	ck_assert_uint_eq(
	    left(took, (struct estimate_step){ .elapsed_ms = 12000, UNKNOWN }), 28000);
	ck_assert_uint_eq(
	    left(took, (struct estimate_step){ .elapsed_ms = 40000, UNKNOWN }), 20000);
}
END_TEST

START_TEST(longer_than_ever_before_is_unknown_and_not_nothing)
{
	const uint64_t took[] = { 10000, 20000, 0 };

	ck_assert_uint_eq(left(took, (struct estimate_step){ .elapsed_ms = 20000, UNKNOWN }), 0);
}
END_TEST

START_TEST(a_fraction_is_believed_once_it_has_been_watched)
{
	struct estimate_step at = {
		.elapsed_ms = 900, .fraction = .5, .first_fraction = 0, .first_ms = 0
	};

	ck_assert_uint_eq(left(NULL, at), 0);
	at.elapsed_ms = 10000;
	ck_assert_uint_eq(left(NULL, at) / 10, 1000);
	/* resumed at 40 % after 2 s of looking what is there: 10 % in 8 s */
	at.first_fraction = .4;
	at.first_ms = 2000;
	ck_assert_uint_eq(left(NULL, at) / 10, 4000);
}
END_TEST

START_TEST(the_further_it_is_the_more_its_own_speed_counts)
{
	const uint64_t took[] = { 20000, 0 };
	struct estimate_step at = {
		.elapsed_ms = 10000, .fraction = .25, .first_fraction = 0, .first_ms = 0
	};

	/* 30 s by itself, 10 s by the run: nearer to the run */
	ck_assert_uint_eq(left(took, at) / 10, 1500);
	at.fraction = .75; /* 3.3 s by itself */
	ck_assert_uint_eq(left(took, at) / 100, 50);
}
END_TEST

START_TEST(a_transfer_ends_by_its_rate)
{
	const uint64_t took[] = { 20000, 0 };

	ck_assert_uint_eq(left(took,
			      (struct estimate_step){
				  .elapsed_ms = 1000, UNKNOWN, .bytes_left = 7000, .rate = 1000 }) /
			      10,
	    700);
}
END_TEST

START_TEST(the_answer_changes_when_a_run_is_outlasted)
{
	step(NAN, (uint64_t[]){ 10000, 30000, 20000, 0 });
	ck_assert_uint_eq(estimate_changes_ms(&brief.steps.v[0].runs, 0), 10000);
	ck_assert_uint_eq(estimate_changes_ms(&brief.steps.v[0].runs, 10000), 20000);
	ck_assert_uint_eq(estimate_changes_ms(&brief.steps.v[0].runs, 30000), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("estimate");
	TCase *weights = tcase_create("weights"), *times = tcase_create("times");

	tcase_add_checked_fixture(weights, set_up, tear_down);
	tcase_add_test(weights, steps_of_which_nothing_is_known_weigh_the_same);
	tcase_add_test(weights, what_the_recipe_says_counts_where_nothing_was_learned);
	tcase_add_test(weights, earlier_runs_count_before_what_the_recipe_says);
	tcase_add_test(weights, a_new_step_among_known_ones_weighs_as_much_for_its_weight);
	tcase_add_test(weights, the_answer_changes_when_a_run_is_outlasted);
	tcase_add_test(times, what_nothing_is_known_of_has_no_end);
	tcase_add_test(times, the_time_left_is_what_such_runs_took_longer);
	tcase_add_test(times, longer_than_ever_before_is_unknown_and_not_nothing);
	tcase_add_test(times, a_fraction_is_believed_once_it_has_been_watched);
	tcase_add_test(times, the_further_it_is_the_more_its_own_speed_counts);
	tcase_add_test(times, a_transfer_ends_by_its_rate);
	suite_add_tcase(suite, weights);
	suite_add_tcase(suite, times);
	return run_suite(suite);
}
