#include "supervisor/link.h"

#include "ipc/frame.h"
#include "ipc/task.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ev_loop *loop;
static struct link link_;
static int worker_news = -1, worker_orders = -1; /* the worker's ends */
static unsigned calls, snapshots;
static struct news latest;

static void
on_news(struct news *news, void *arg)
{
	ck_assert_ptr_eq(arg, &link_);
	calls++;
	if (!news)
		return;
	snapshots++;
	codec_free(&news_codec, &latest);
	latest = *news;
	codec_init(&news_codec, news); /* moved from */
}

static void
set_up(void)
{
	bool made = false;
	int news, orders;

	scratch_make();
	loop = ev_loop_new(EVFLAG_AUTO);
	codec_init(&news_codec, &latest);
	calls = snapshots = 0;
	link_init(&link_, loop, on_news, &link_);
	news = link_open_fifo(scratch_file("news"), &made);
	ck_assert(made);
	orders = link_open_fifo(scratch_file("orders"), &made);
	worker_news = link_open_fifo(scratch_file("news"), &made);
	ck_assert(!made);
	worker_orders = link_open_fifo(scratch_file("orders"), &made);
	link_start(&link_, news, orders);
}

static void
tear_down(void)
{
	link_stop(&link_);
	codec_free(&news_codec, &latest);
	ev_loop_destroy(loop);
	fd_close(&worker_news);
	fd_close(&worker_orders);
	scratch_remove();
}

/* A snapshot of STEP in OUT as the worker frames it. */
static void
frame_news(struct buf *out, uint64_t step, double progress)
{
	struct news news;
	size_t begin = pipe_frame_begin(out);

	codec_init(&news_codec, &news);
	news.step = step;
	news.progress = progress;
	news.label = (char[]){ "fetching" };
	ck_assert_int_eq(codec_encode(&news_codec, &news, out), 0);
	ck_assert_int_eq(pipe_frame_end(out, begin, PIPE_BUF), 0);
}

static void
tell(uint64_t step, double progress)
{
	struct buf out;

	buf_init(&out, PIPE_BUF);
	frame_news(&out, step, progress);
	ck_assert_int_eq(write(worker_news, out.data, out.len), (ssize_t)out.len);
	buf_fini(&out);
}

static void
turn(void)
{
	ev_run(loop, EVRUN_ONCE);
}

START_TEST(news_comes_up)
{
	tell(2, .5);
	turn();
	ck_assert_uint_eq(snapshots, 1);
	ck_assert_uint_eq(latest.step, 2);
	ck_assert_double_eq(latest.progress, .5);
	ck_assert(isnan(latest.fraction));
	ck_assert_str_eq(latest.label, "fetching");
}
END_TEST

START_TEST(of_news_that_came_together_the_last_counts)
{
	for (uint64_t i = 1; i <= LIMIT_STEPS; i++)
		tell(i, 0);
	turn();
	ck_assert_uint_eq(calls, 1);
	ck_assert_uint_eq(latest.step, LIMIT_STEPS);
}
END_TEST

START_TEST(news_in_pieces_is_put_together)
{
	struct buf out;

	buf_init(&out, PIPE_BUF);
	frame_news(&out, 7, .25);
	for (size_t i = 0; i < out.len; i++) {
		ck_assert_uint_eq(snapshots, 0);
		ck_assert_int_eq(write(worker_news, out.data + i, 1), 1);
		turn();
	}
	buf_fini(&out);
	ck_assert_uint_eq(snapshots, 1);
	ck_assert_uint_eq(latest.step, 7);
}
END_TEST

START_TEST(more_news_than_one_read_takes_is_all_read)
{
	unsigned written = 0;
	struct buf out;

	buf_init(&out, PIPE_BUF);
	frame_news(&out, 1, .1);
	while (write(worker_news, out.data, out.len) > 0)
		written++;
	ck_assert_uint_gt(written * out.len, 3 * 16 * 1024);
	buf_fini(&out);
	for (int i = 0; i < 8; i++)
		ev_run(loop, EVRUN_NOWAIT);
	tell(9, .9);
	turn();
	ck_assert_uint_eq(latest.step, 9);
	ck_assert_uint_eq(calls, snapshots);
}
END_TEST

START_TEST(rubbish_empties_the_pipe_and_nothing_else)
{
	uint8_t rubbish[PIPE_BUF];

	memset(rubbish, 0xff, sizeof rubbish);
	tell(1, .1);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(write(worker_news, rubbish, sizeof rubbish), sizeof rubbish);
	turn();
	ck_assert_uint_eq(latest.step, 1);
	ck_assert_int_eq(read(worker_news, rubbish, sizeof rubbish), -1);
	ck_assert_int_eq(errno, EAGAIN);
	tell(2, .2);
	turn();
	ck_assert_uint_eq(latest.step, 2);
}
END_TEST

START_TEST(a_frame_that_is_no_snapshot_still_rings)
{
	static const uint8_t bell[] = { 1, 0, 0, 0, 0xc0 };

	ck_assert_int_eq(write(worker_news, bell, sizeof bell), sizeof bell);
	turn();
	ck_assert_uint_eq(calls, 1);
	ck_assert_uint_eq(snapshots, 0);
}
END_TEST

START_TEST(fractions_beyond_their_range_are_brought_back)
{
	tell(1, 17);
	turn();
	ck_assert_double_eq(latest.progress, 1);
	tell(1, -3);
	turn();
	ck_assert_double_eq(latest.progress, 0);
	tell(1, INFINITY);
	turn();
	ck_assert(isnan(latest.progress));
}
END_TEST

START_TEST(an_order_goes_down_whole)
{
	const struct order order = { .rev = 5, .want = WANT_CANCEL, .force = true };
	struct pipe_frame frame;
	uint8_t data[PIPE_BUF];
	struct order got;
	ssize_t n;

	ck_assert_int_eq(link_order(&link_, &order), 0);
	n = read(worker_orders, data, sizeof data);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(pipe_frame_next(data, (size_t)n, PIPE_BUF, &frame), 1);
	ck_assert_uint_eq(frame.used, (size_t)n);
	ck_assert_int_eq(codec_decode(&order_codec, frame.body, frame.len, &got, NULL), 0);
	ck_assert_uint_eq(got.rev, 5);
	ck_assert_int_eq(got.want, WANT_CANCEL);
	ck_assert(got.force);
	codec_free(&order_codec, &got);
}
END_TEST

START_TEST(a_full_pipe_is_told_and_takes_orders_again)
{
	const struct order order = { .rev = 1, .want = WANT_RUN };
	static uint8_t data[1024 * 1024];
	int r;

	while ((r = link_order(&link_, &order)) == 0)
		;
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_gt(read(worker_orders, data, sizeof data), 0);
	ck_assert_int_eq(link_order(&link_, &order), 0);
}
END_TEST

START_TEST(an_order_too_large_for_one_write_is_refused)
{
	struct order order = { .rev = 1, .want = WANT_RUN };
	char text[PIPE_BUF];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ck_assert_int_eq(pairs_set(&order.answer.fields, "q", text), 0);
	ck_assert_int_eq(link_order(&link_, &order), -EMSGSIZE);
	pairs_free(&order.answer.fields);
}
END_TEST

START_TEST(a_stopped_link_says_nothing_and_takes_nothing)
{
	const struct order order = { .rev = 1, .want = WANT_RUN };

	link_stop(&link_);
	link_stop(&link_);
	ck_assert_int_eq(link_order(&link_, &order), -EAGAIN);
	tell(1, .1);
	ev_run(loop, EVRUN_NOWAIT);
	ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(only_a_fifo_is_taken_for_one)
{
	struct stat st;
	bool made;

	ck_assert_int_eq(fstatat(scratch_fd, "news", &st, 0), 0);
	ck_assert_int_eq(st.st_mode, S_IFIFO | 0600);
	ck_assert_int_eq(fd_write_file(scratch_fd, "file", "", 0, 0600, false), 0);
	ck_assert_int_eq(link_open_fifo(scratch_file("file"), &made), -ENOTTY);
	ck_assert_int_eq(symlinkat("news", scratch_fd, "link"), 0);
	ck_assert_int_eq(link_open_fifo(scratch_file("link"), &made), -ELOOP);
	ck_assert_int_eq(link_open_fifo(scratch_file("file/news"), &made), -ENOTDIR);
}
END_TEST

START_TEST(a_vanished_directory_is_made_again)
{
	bool made;
	int fd = link_open_fifo(scratch_file("gone/news"), &made);

	ck_assert_int_ge(fd, 0);
	ck_assert(made);
	fd_close(&fd);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("link");
	TCase *tests = tcase_create("link");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, news_comes_up);
	tcase_add_test(tests, of_news_that_came_together_the_last_counts);
	tcase_add_test(tests, news_in_pieces_is_put_together);
	tcase_add_test(tests, more_news_than_one_read_takes_is_all_read);
	tcase_add_test(tests, rubbish_empties_the_pipe_and_nothing_else);
	tcase_add_test(tests, a_frame_that_is_no_snapshot_still_rings);
	tcase_add_test(tests, fractions_beyond_their_range_are_brought_back);
	tcase_add_test(tests, an_order_goes_down_whole);
	tcase_add_test(tests, a_full_pipe_is_told_and_takes_orders_again);
	tcase_add_test(tests, an_order_too_large_for_one_write_is_refused);
	tcase_add_test(tests, a_stopped_link_says_nothing_and_takes_nothing);
	tcase_add_test(tests, only_a_fifo_is_taken_for_one);
	tcase_add_test(tests, a_vanished_directory_is_made_again);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
