#include "worker/bulletin.h"

#include "ipc/frame.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

static struct bulletin bulletin;
static struct mask mask; /* hides nothing */
static struct brief brief;
static struct news news;
static int ends[2];

/* Three steps; the second took 8 s twice, the others 1 s. */
static void
set_up(void)
{
	static const uint64_t took_ms[] = { 1000, 8000, 1000 };

	codec_init(&brief_codec, &brief);
	codec_init(&news_codec, &news);
	brief.steps.v = calloc(3, sizeof *brief.steps.v);
	brief.steps.n = 3;
	for (size_t i = 0; i < 3; i++) {
		list_add((struct list *)&brief.spec.steps, &spec_step_codec);
		brief.steps.v[i].state = STEP_PENDING;
		for (int k = 0; k < 2; k++) {
			struct past_run *run =
			    list_add((struct list *)&brief.steps.v[i].runs, &past_run_codec);

			run->took_ms = took_ms[i];
		}
	}
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	bulletin_init(&bulletin, ends[1], &brief, &mask);
}

static void
tear_down(void)
{
	bulletin_fini(&bulletin);
	codec_free(&news_codec, &news);
	codec_free(&brief_codec, &brief);
	close(ends[0]);
	close(ends[1]);
}

static void
begin_step(size_t index, uint64_t now_ms)
{
	brief.steps.v[index].state = STEP_RUNNING;
	bulletin_step_begin(&bulletin, index);
	bulletin_flush(&bulletin, now_ms);
}

static void
end_step(size_t index)
{
	brief.steps.v[index].state = STEP_DONE;
	bulletin_step_done(&bulletin, index);
}

/* The latest of the frames that have been sent since the last look. */
static void
hear(void)
{
	uint8_t data[2 * PIPE_BUF];
	ssize_t n = read(ends[0], data, sizeof data);
	struct pipe_frame frame;

	ck_assert_int_gt(n, 0);
	for (size_t at = 0; at < (size_t)n; at += frame.used) {
		ck_assert_int_eq(
		    pipe_frame_next(data + at, (size_t)n - at, LIMIT_FRAME, &frame), 1);
		codec_free(&news_codec, &news);
		ck_assert_int_eq(codec_decode(&news_codec, frame.body, frame.len, &news, NULL), 0);
	}
}

START_TEST(done_steps_count_by_what_they_took_before)
{
	begin_step(0, 1000);
	end_step(0);
	begin_step(1, 2000);
	hear();
	ck_assert_double_eq_tol(news.progress, .1, 1e-9);
	bulletin_fraction(&bulletin, .5);
	bulletin_flush(&bulletin, 2200);
	hear();
	ck_assert_double_eq_tol(news.progress, .5, 1e-9);
}
END_TEST

START_TEST(the_time_left_is_of_the_task)
{
	begin_step(0, 1000);
	hear();
	ck_assert_uint_eq(news.left_ms, 10000);
	end_step(0);
	begin_step(1, 2000);
	hear();
	ck_assert_uint_eq(news.left_ms, 9000);
	bulletin_ring(&bulletin);
	bulletin_flush(&bulletin, 7000);
	hear();
	ck_assert_uint_eq(news.left_ms, 4000);
}
END_TEST

START_TEST(a_step_to_come_that_is_not_known_makes_the_end_unknown)
{
	brief.steps.v[2].runs.n = 0;
	begin_step(0, 1000);
	hear();
	ck_assert_uint_eq(news.left_ms, 0);
	brief.steps.v[2].runs.n = 2; /* to be freed */
}
END_TEST

START_TEST(a_step_that_outlasts_its_runs_makes_the_end_unknown_by_itself)
{
	begin_step(0, 1000);
	hear();
	ck_assert_int_eq(bulletin_flush(&bulletin, 1500), 500);
	ck_assert_int_eq(bulletin_flush(&bulletin, 2000), -1);
	hear();
	ck_assert_uint_eq(news.left_ms, 0);
}
END_TEST

START_TEST(what_waits_has_no_end_and_says_what_for)
{
	begin_step(0, 1000);
	hear();
	bulletin_waiting(&bulletin, BLOCK_LOCK, "apt (pid 7)", 99);
	bulletin_flush(&bulletin, 1200);
	hear();
	ck_assert_int_eq(news.blocked, BLOCK_LOCK);
	ck_assert_str_eq(news.holder, "apt (pid 7)");
	ck_assert_uint_eq(news.blocked_since_ms, 99);
	ck_assert_uint_eq(news.left_ms, 0);
	bulletin_waiting(&bulletin, 0, NULL, 0);
	bulletin_flush(&bulletin, 1400);
	hear();
	ck_assert_int_eq(news.blocked, 0);
	ck_assert_ptr_null(news.holder);
	ck_assert_uint_gt(news.left_ms, 0);
}
END_TEST

START_TEST(the_steps_own_word_counts_before_what_is_seen)
{
	begin_step(0, 1000);
	hear();
	bulletin_waiting(&bulletin, BLOCK_NETWORK, "mirror", 50);
	bulletin_blocked(&bulletin, BLOCK_STALL, NULL, 60);
	bulletin_flush(&bulletin, 1200);
	hear();
	ck_assert_int_eq(news.blocked, BLOCK_NETWORK);
	ck_assert_uint_eq(news.blocked_since_ms, 50);
	begin_step(1, 2000);
	hear();
	ck_assert_int_eq(news.blocked, 0);
}
END_TEST

START_TEST(the_percent_never_falls)
{
	begin_step(0, 1000);
	bulletin_fraction(&bulletin, .8);
	bulletin_flush(&bulletin, 1200);
	bulletin_step_begin(&bulletin, 0); /* another try */
	bulletin_fraction(&bulletin, .1);
	bulletin_flush(&bulletin, 1400);
	ck_assert_double_eq_tol(bulletin.news.progress, .08, 1e-9);
	ck_assert_double_eq_tol(bulletin.news.fraction, .1, 1e-9);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bulletin");
	TCase *tests = tcase_create("bulletin");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, done_steps_count_by_what_they_took_before);
	tcase_add_test(tests, the_time_left_is_of_the_task);
	tcase_add_test(tests, a_step_to_come_that_is_not_known_makes_the_end_unknown);
	tcase_add_test(tests, a_step_that_outlasts_its_runs_makes_the_end_unknown_by_itself);
	tcase_add_test(tests, what_waits_has_no_end_and_says_what_for);
	tcase_add_test(tests, the_steps_own_word_counts_before_what_is_seen);
	tcase_add_test(tests, the_percent_never_falls);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
