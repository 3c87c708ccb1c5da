#include "worker/journal.h"

#include "ipc/fd.h"
#include "ipc/frame.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct journal journal;
static int fd;

static void
setup(void)
{
	signal(SIGXFSZ, SIG_IGN);
	fd = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(journal_open(&journal, fd, 1), 0);
}

static void
teardown(void)
{
	journal_fini(&journal);
	close(fd);
}

static int
add(const char *text)
{
	char *copy = strdup(text);
	struct fact fact;
	int r;

	codec_init(&fact_codec, &fact);
	fact.kind = FACT_WARNING;
	fact.ts_ms = 1;
	fact.text = copy;
	r = journal_add(&journal, &fact);
	free(copy);
	return r;
}

/* Counts the facts in the file, which must be whole frames numbered densely, texts a, b, c, ... */
static size_t
facts_in_file(void)
{
	static uint8_t data[1024 * 1024];
	ssize_t len = pread(fd, data, sizeof data, 0);
	struct journal_frame frame;
	size_t at = 0, n = 0;

	ck_assert_int_ge(len, 0);
	while (journal_frame_next(data + at, (size_t)len - at, &frame) == 1) {
		struct fact fact;

		ck_assert_uint_eq(frame.seq, ++n);
		ck_assert_int_eq(codec_decode(&fact_codec, frame.body, frame.len, &fact, NULL), 0);
		ck_assert_int_eq(fact.text[0], (int)('a' + (n - 1) % 26));
		codec_free(&fact_codec, &fact);
		at += frame.used;
	}
	ck_assert_uint_eq(at, (size_t)len); /* no torn frame */
	return n;
}

static void
limit_file(rlim_t bytes)
{
	struct rlimit limit = { bytes, RLIM_INFINITY };

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(facts_are_numbered_and_appended)
{
	ck_assert_int_eq(add("a"), 0);
	ck_assert_int_eq(add("b"), 0);
	ck_assert_uint_eq(facts_in_file(), 2);
	ck_assert_int_eq(journal_sync(&journal), 0);
	ck_assert(!journal.unsynced);
}
END_TEST

START_TEST(a_journal_with_something_in_it_is_refused)
{
	struct journal other;

	ck_assert_int_eq(add("a"), 0);
	ck_assert_int_eq(journal_open(&other, fd, 1), -EEXIST);
}
END_TEST

START_TEST(a_torn_frame_is_cut_off_and_what_follows_waits_in_order)
{
	ck_assert_int_eq(add("a"), 0);
	limit_file((rlim_t)journal.end + 10); /* room for a part of the next one */
	ck_assert_int_eq(add("b"), 0);
	ck_assert_int_eq(add("c"), 0);
	ck_assert_uint_gt(journal_waiting(&journal), 0);
	ck_assert_uint_eq(facts_in_file(), 1);
	ck_assert_int_eq(journal_sync(&journal), -EAGAIN);
	limit_file(RLIM_INFINITY);
	ck_assert_int_eq(journal_sync(&journal), 0);
	ck_assert_uint_eq(facts_in_file(), 3);
	ck_assert_uint_eq(journal_waiting(&journal), 0);
	ck_assert_int_eq(add("d"), 0);
	ck_assert_uint_eq(facts_in_file(), 4);
}
END_TEST

START_TEST(what_waits_is_bounded_and_then_it_is_final)
{
	static char text[LIMIT_TEXT];
	int r = 0;

	memset(text, 'a', sizeof text - 1);
	limit_file(0);
	for (int i = 0; i < 1000 && r == 0; i++)
		r = add(text);
	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert_uint_le(journal_waiting(&journal), JOURNAL_WAITING_MAX);
	limit_file(RLIM_INFINITY);
	ck_assert_int_eq(add("x"), -ENOBUFS); /* a hole in the numbers would be worse */
}
END_TEST

START_TEST(a_fact_no_journal_takes_leaves_no_trace)
{
	static char text[LIMIT_TEXT + 2];

	memset(text, 'a', sizeof text - 1);
	ck_assert_int_eq(add(text), -EMSGSIZE);
	ck_assert_int_eq(add("a"), 0);
	ck_assert_uint_eq(facts_in_file(), 1);
}
END_TEST

START_TEST(an_error_that_room_does_not_cure_is_final)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct fact fact;
	struct journal other;

	codec_init(&fact_codec, &fact);
	fact.kind = FACT_HELLO;
	ck_assert_int_eq(journal_open(&other, null, 1), 0);
	ck_assert_int_eq(journal_add(&other, &fact), -EBADF);
	ck_assert_int_eq(journal_sync(&other), -EBADF);
	journal_fini(&other);
	close(null);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tests = tcase_create("journal");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, facts_are_numbered_and_appended);
	tcase_add_test(tests, a_journal_with_something_in_it_is_refused);
	tcase_add_test(tests, a_torn_frame_is_cut_off_and_what_follows_waits_in_order);
	tcase_add_test(tests, what_waits_is_bounded_and_then_it_is_final);
	tcase_add_test(tests, a_fact_no_journal_takes_leaves_no_trace);
	tcase_add_test(tests, an_error_that_room_does_not_cure_is_final);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
