#include "worker/step.h"

#include "ipc/fd.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int channel = -1; /* where the worker would read */
static struct buf heard;
static size_t heard_at;

static void
set_fd(const char *name, int fd)
{
	char text[16];

	snprintf(text, sizeof text, "%d", fd);
	setenv(name, text, 1);
}

static void
open_channel(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_gt(fcntl(ends[0], F_SETPIPE_SZ, 1 << 20), 0);
	set_fd("REEVE_FD", ends[1]);
	channel = ends[0];
	ck_assert_int_eq(step_open(), 0);
	ck_assert(step_is_supervised());
}

static void
read_channel(void)
{
	uint8_t *at;
	ssize_t n;

	buf_init(&heard, 1 << 24);
	do {
		at = buf_reserve(&heard, 1 << 16);
		ck_assert_ptr_nonnull(at);
		n = read(channel, at, 1 << 16);
		ck_assert_int_ge(n, 0);
		heard.len += (size_t)n;
	} while (n > 0);
	heard_at = 0;
}

/* The next message that was heard; fails when there is none. */
static struct step_msg
next_message(void)
{
	struct pipe_frame frame;
	struct step_msg message;

	ck_assert_int_eq(
	    pipe_frame_next(heard.data + heard_at, heard.len - heard_at, LIMIT_FRAME, &frame), 1);
	heard_at += frame.used;
	ck_assert_int_eq(codec_decode(&step_msg_codec, frame.body, frame.len, &message, NULL), 0);
	return message;
}

static void
forget(struct step_msg *message)
{
	codec_free(&step_msg_codec, message);
}

static void
close_channel(void)
{
	buf_fini(&heard);
	fd_close(&channel);
}

/* Everything said so far, then the end. */
static void
hear(void)
{
	step_close();
	read_channel();
}

static void
expect_end(void)
{
	ck_assert_uint_eq(heard_at, heard.len);
	close_channel();
}

START_TEST(outside_reeve_every_call_succeeds)
{
	size_t len = 1;

	unsetenv("REEVE_FD");
	ck_assert_int_eq(step_open(), 0);
	ck_assert(!step_is_supervised());
	ck_assert_uint_eq(step_attempt(), 1);
	ck_assert_ptr_null(step_checkpoint_given(&len));
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(step_progress(0.5, "half"), 0);
	ck_assert_int_eq(step_bytes(1, 2, 3), 0);
	ck_assert_int_eq(step_label("x"), 0);
	ck_assert_int_eq(step_begin("x", 1), 0);
	ck_assert_int_eq(step_complete(NULL), 0);
	ck_assert_int_eq(step_fail(NULL), 0);
	ck_assert_int_eq(step_checkpoint("", 0), 0);
	ck_assert_int_eq(step_output("x", "y"), 0);
	ck_assert_int_eq(step_result_text("x"), 0);
	step_close();
}
END_TEST

START_TEST(a_lying_environment_is_an_error)
{
	static const struct {
		const char *text;
		int error;
	} lies[] = {
		{ "x", -EINVAL },
		{ "-1", -EINVAL },
		{ " 1", -EINVAL },
		{ "1x", -EINVAL },
		{ "99999999999999999999", -EINVAL },
		{ "987654", -EBADF },
	};

	setenv("REEVE_FD", lies[_i].text, 1);
	ck_assert_int_eq(step_open(), lies[_i].error);
	ck_assert(!step_is_supervised());
}
END_TEST

START_TEST(facts_arrive_as_they_were_said)
{
	static const uint8_t value[] = { 0x81, 0xa2, 'a', 't', 0x2a };
	struct step_msg message;

	open_channel();
	ck_assert_int_eq(step_begin("copy", 3), 0);
	ck_assert_int_eq(step_complete("3 files"), 0);
	ck_assert_int_eq(step_output("version", "1.2"), 0);
	ck_assert_int_eq(step_checkpoint(value, sizeof value), 0);
	ck_assert_int_eq(step_result_text("done"), 0);
	hear();

	message = next_message();
	ck_assert_str_eq(message.type, "begin");
	ck_assert_str_eq(message.name, "copy");
	ck_assert_uint_eq(message.count, 3);
	ck_assert(isnan(message.fraction));
	forget(&message);
	message = next_message();
	ck_assert_str_eq(message.type, "complete");
	ck_assert_str_eq(message.detail, "3 files");
	forget(&message);
	message = next_message();
	ck_assert_str_eq(message.type, "output");
	ck_assert_str_eq(message.name, "version");
	ck_assert_str_eq(message.text, "1.2");
	forget(&message);
	message = next_message();
	ck_assert_str_eq(message.type, "checkpoint");
	ck_assert_uint_eq(message.value.len, sizeof value);
	ck_assert_mem_eq(message.value.data, value, sizeof value);
	forget(&message);
	message = next_message();
	ck_assert_str_eq(message.type, "result");
	ck_assert_mem_eq(message.value.data,
	    "\xa4"
	    "done",
	    5);
	forget(&message);
	expect_end();
}
END_TEST

START_TEST(a_fraction_of_zero_is_said)
{
	struct step_msg message;

	open_channel();
	ck_assert_int_eq(step_progress(-1, NULL), 0);
	ck_assert_int_eq(step_progress(7, "end"), 0);
	ck_assert_int_eq(step_progress(NAN, NULL), -EINVAL);
	hear();
	message = next_message();
	ck_assert_double_eq(message.fraction, 0);
	ck_assert_ptr_null(message.label);
	forget(&message);
	message = next_message();
	ck_assert_double_eq(message.fraction, 1);
	ck_assert_str_eq(message.label, "end");
	forget(&message);
	expect_end();
}
END_TEST

START_TEST(news_is_held_to_a_rate_and_the_latest_is_not_lost)
{
	struct step_msg message;
	uint64_t last = 0;
	unsigned count = 0;

	open_channel();
	for (uint64_t done = 1; done <= 100000; done++)
		ck_assert_int_eq(step_bytes(done, 100000, 5), 0);
	hear();
	while (heard_at < heard.len) {
		message = next_message();
		ck_assert_uint_gt(message.done, last);
		last = message.done;
		forget(&message);
		count++;
	}
	ck_assert_uint_eq(last, 100000);
	ck_assert_uint_le(count, 100); /* the burst and the end; a slow machine earns some more */
	expect_end();
}
END_TEST

START_TEST(a_fact_never_overtakes_the_news_before_it)
{
	struct step_msg message;
	bool saw_fact = false;
	uint64_t last = 0;

	open_channel();
	for (uint64_t done = 1; done <= 1000; done++)
		(void)step_bytes(done, 0, 0);
	(void)step_label("now");
	(void)step_warning("careful");
	hear();
	while (heard_at < heard.len) {
		message = next_message();
		if (strcmp(message.type, "bytes") == 0)
			last = message.done;
		saw_fact = strcmp(message.type, "warning") == 0;
		forget(&message);
	}
	ck_assert_uint_eq(last, 1000);
	ck_assert(saw_fact);
	expect_end();
}
END_TEST

START_TEST(a_long_text_is_cut_between_characters)
{
	char label[LIMIT_TITLE * 2];
	struct step_msg message;

	for (size_t i = 0; i + 3 < sizeof label; i += 3)
		memcpy(label + i, "\xe2\x82\xac", 4);
	open_channel();
	ck_assert_int_eq(step_label(label), 0);
	ck_assert_int_eq(step_complete(label), 0);
	hear();
	message = next_message();
	ck_assert_uint_eq(strlen(message.label), (size_t)LIMIT_TITLE / 3 * 3);
	forget(&message);
	message = next_message();
	ck_assert_uint_eq(strlen(message.detail), (size_t)LIMIT_TITLE / 3 * 3);
	forget(&message);
	expect_end();
}
END_TEST

START_TEST(what_others_use_is_never_cut)
{
	char *text = malloc(LIMIT_TEXT + 2);

	memset(text, 'x', LIMIT_TEXT + 1);
	text[LIMIT_TEXT + 1] = '\0';
	open_channel();
	ck_assert_int_eq(step_output("name", text), -EMSGSIZE);
	ck_assert_int_eq(step_result_text(text), -EMSGSIZE);
	ck_assert_int_eq(step_checkpoint("\xc1", 1), -EBADMSG);
	ck_assert_int_eq(step_checkpoint("\x01\x01", 2), -EBADMSG);
	ck_assert_int_eq(step_checkpoint("\x92\x01", 2), -EBADMSG);
	hear();
	expect_end();
	free(text);
}
END_TEST

START_TEST(a_worker_that_went_away_is_ignored)
{
	sigset_t pending;

	open_channel();
	fd_close(&channel);
	ck_assert_int_eq(step_warning("nobody hears"), 0);
	ck_assert(!step_is_supervised());
	ck_assert_int_eq(step_warning("nor this"), 0);
	sigpending(&pending);
	ck_assert(!sigismember(&pending, SIGPIPE));
	step_close();
}
END_TEST

START_TEST(a_sigpipe_of_the_program_stays_pending)
{
	sigset_t sigpipe, pending;

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	sigprocmask(SIG_BLOCK, &sigpipe, NULL);
	raise(SIGPIPE);
	open_channel();
	fd_close(&channel);
	ck_assert_int_eq(step_warning("nobody hears"), 0);
	sigpending(&pending);
	ck_assert(sigismember(&pending, SIGPIPE));
	step_close();
}
END_TEST

START_TEST(the_channel_is_not_passed_on)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	set_fd("REEVE_FD", ends[1]);
	ck_assert_int_eq(step_open(), 0);
	ck_assert_ptr_null(getenv("REEVE_FD"));
	ck_assert_int_eq(fcntl(ends[1], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	step_close();
	ck_assert_int_eq(fcntl(ends[1], F_GETFD), -1);
	fd_close(&ends[0]);
}
END_TEST

static void
give_start(const void *frame, size_t len)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fd_write_all(ends[1], frame, len), 0);
	fd_close(&ends[1]);
	set_fd("REEVE_START_FD", ends[0]);
}

static struct buf
start_frame(void)
{
	static uint8_t checkpoint[] = { 0x81, 0xa2, 'a', 't', 0x2a };
	struct step_start start = {
		.task = 41, .attempt = 3, .try_ = 1, .checkpoint = { checkpoint, sizeof checkpoint }
	};
	struct buf frame;
	size_t begin;

	buf_init(&frame, 4096);
	begin = pipe_frame_begin(&frame);
	ck_assert_int_eq(codec_encode(&step_start_codec, &start, &frame), 0);
	ck_assert_int_eq(pipe_frame_end(&frame, begin, 4096), 0);
	return frame;
}

START_TEST(the_start_gives_attempt_and_checkpoint)
{
	struct buf frame = start_frame();
	const uint8_t *checkpoint;
	size_t len;

	give_start(frame.data, frame.len);
	buf_fini(&frame);
	open_channel();
	ck_assert_uint_eq(step_attempt(), 3);
	checkpoint = step_checkpoint_given(&len);
	ck_assert_uint_eq(len, 5);
	ck_assert_mem_eq(checkpoint,
	    "\x81\xa2"
	    "at"
	    "\x2a",
	    5);
	step_close();
	ck_assert_uint_eq(step_attempt(), 1);
	fd_close(&channel);
}
END_TEST

START_TEST(a_torn_or_monstrous_start_is_refused)
{
	struct buf frame = start_frame();

	set_fd("REEVE_FD", STDERR_FILENO);
	for (size_t len = 0; len < frame.len; len++) {
		give_start(frame.data, len);
		ck_assert_int_eq(step_open(), -EBADMSG);
	}
	buf_fini(&frame);
	give_start("\xff\xff\xff\x7f\x80", 5);
	ck_assert_int_eq(step_open(), -EMSGSIZE);
	give_start("\x05\0\0\0hello", 9);
	ck_assert_int_eq(step_open(), -EBADMSG);
	ck_assert(!step_is_supervised());
}
END_TEST

enum {
	MANY = 2000
};

static void *
say_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(
		    step_warning("a warning that is long enough to fill a pipe soon"), 0);
	step_close();
	return NULL;
}

START_TEST(a_full_channel_that_does_not_block_loses_nothing)
{
	struct step_msg message;
	pthread_t thread;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fd_set_nonblock(ends[1], true), 0);
	set_fd("REEVE_FD", ends[1]);
	channel = ends[0];
	ck_assert_int_eq(step_open(), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, say_much, NULL), 0);
	read_channel();
	pthread_join(thread, NULL);
	for (int i = 0; i < MANY; i++) {
		message = next_message();
		ck_assert_str_eq(message.type, "warning");
		forget(&message);
	}
	expect_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("step");
	TCase *tests = tcase_create("library");

	tcase_add_test(tests, outside_reeve_every_call_succeeds);
	tcase_add_loop_test(tests, a_lying_environment_is_an_error, 0, 6);
	tcase_add_test(tests, facts_arrive_as_they_were_said);
	tcase_add_test(tests, a_fraction_of_zero_is_said);
	tcase_add_test(tests, news_is_held_to_a_rate_and_the_latest_is_not_lost);
	tcase_add_test(tests, a_fact_never_overtakes_the_news_before_it);
	tcase_add_test(tests, a_long_text_is_cut_between_characters);
	tcase_add_test(tests, what_others_use_is_never_cut);
	tcase_add_test(tests, a_worker_that_went_away_is_ignored);
	tcase_add_test(tests, a_sigpipe_of_the_program_stays_pending);
	tcase_add_test(tests, the_channel_is_not_passed_on);
	tcase_add_test(tests, the_start_gives_attempt_and_checkpoint);
	tcase_add_test(tests, a_torn_or_monstrous_start_is_refused);
	tcase_add_test(tests, a_full_channel_that_does_not_block_loses_nothing);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
