#include "supervisor/berth.h"

#include "ipc/fd.h"
#include "ipc/frame.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct berths berths;

static void
set_up(void)
{
	scratch_make();
	berths = (struct berths){ 0 };
}

static void
tear_down(void)
{
	berths_fini(&berths);
	scratch_remove();
}

/* ---- which are taken ----------------------------------------------------------------- */

START_TEST(the_lowest_free_berth_is_given)
{
	for (uint64_t berth = 1; berth <= 200; berth++)
		ck_assert_uint_eq(berths_take(&berths), berth);
	berths_release(&berths, 130);
	berths_release(&berths, 64);
	ck_assert_uint_eq(berths_take(&berths), 64);
	ck_assert_uint_eq(berths_take(&berths), 130);
	ck_assert_uint_eq(berths_take(&berths), 201);
}
END_TEST

START_TEST(a_berth_that_is_held_is_not_given)
{
	ck_assert_int_eq(berths_hold(&berths, 1), 0);
	ck_assert_int_eq(berths_hold(&berths, 65), 0);
	ck_assert_int_eq(berths_hold(&berths, 65), 0);
	ck_assert(berths_is_taken(&berths, 65));
	ck_assert(!berths_is_taken(&berths, 64));
	ck_assert(!berths_is_taken(&berths, 1000));
	ck_assert_uint_eq(berths_take(&berths), 2);
	berths_release(&berths, 1000); /* one that was never given */
	berths_release(&berths, 0);
	ck_assert_uint_eq(berths_take(&berths), 3);
}
END_TEST

START_TEST(berths_that_are_taken_are_gone_through_in_order)
{
	static const uint64_t held[] = { 1, 63, 64, 65, 129, 1000 };
	uint64_t berth = 0;

	ck_assert_uint_eq(berths_next(&berths, 0), 0);
	for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
		ck_assert_int_eq(berths_hold(&berths, held[i]), 0);
	for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
		berth = berths_next(&berths, berth);
		ck_assert_uint_eq(berth, held[i]);
	}
	ck_assert_uint_eq(berths_next(&berths, berth), 0);
	ck_assert_uint_eq(berths_next(&berths, 100000), 0);
}
END_TEST

/* ---- journals ------------------------------------------------------------------------ */

static void
write_fact(int fd, enum fact_kind kind, uint64_t id, uint64_t attempt)
{
	struct fact fact;
	struct buf body, frame;

	codec_init(&fact_codec, &fact);
	fact.kind = kind;
	fact.task = id;
	fact.attempt = attempt;
	buf_init(&body, 4096);
	buf_init(&frame, 4096);
	ck_assert_int_eq(codec_encode(&fact_codec, &fact, &body), 0);
	ck_assert_int_eq(journal_frame_encode(&frame, 1, body.data, body.len), 0);
	ck_assert_int_eq(fd_write_all(fd, frame.data, frame.len), 0);
	buf_fini(&body);
	buf_fini(&frame);
}

static bool
is_zero(int fd)
{
	uint8_t byte;

	for (off_t at = 0; pread(fd, &byte, 1, at) == 1; at++)
		if (byte != 0)
			return false;
	return true;
}

static int
make(uint64_t berth)
{
	int fd = -1, reader = -1;

	ck_assert_int_eq(berth_make_journal(scratch_fd, berth, &fd, &reader), 0);
	ck_assert(is_zero(reader));
	fd_close(&reader);
	return fd;
}

START_TEST(a_journal_is_empty_and_locked_for_each_attempt)
{
	int fd = make(3), other = -1, reader = -1;

	write_fact(fd, FACT_HELLO, 7, 1);
	ck_assert_int_eq(berth_make_journal(scratch_fd, 3, &other, &reader), -EBUSY);
	ck_assert_int_eq(other, -1);
	ck_assert(!is_zero(fd)); /* it was not touched */
	fd_close(&fd);
	fd = make(3);
	ck_assert_int_eq(fd_is_locked(fd), 0); /* by nobody else */
	fd_close(&fd);
}
END_TEST

START_TEST(a_journal_keeps_its_blocks_unless_they_are_many)
{
	int fd = make(3);
	struct stat info;

	ck_assert_int_eq(pwrite(fd, "x", 1, 20000), 1);
	fd_close(&fd);
	fd = make(3);
	ck_assert_int_eq(fstat(fd, &info), 0);
	ck_assert_int_ge(info.st_size, 20000);
	ck_assert_int_eq(pwrite(fd, "x", 1, 1000000), 1);
	fd_close(&fd);
	fd = make(3);
	ck_assert_int_eq(fstat(fd, &info), 0);
	ck_assert_int_eq(info.st_size, 4096);
	fd_close(&fd);
}
END_TEST

START_TEST(a_journal_of_another_attempt_is_none)
{
	int fd = make(3), reader;

	write_fact(fd, FACT_HELLO, 7, 2);
	ck_assert_int_eq(berth_open_journal(scratch_fd, 3, 7, 1), -ENOENT);
	ck_assert_int_eq(berth_open_journal(scratch_fd, 3, 8, 2), -ENOENT);
	ck_assert_int_eq(berth_open_journal(scratch_fd, 4, 7, 2), -ENOENT);
	reader = berth_open_journal(scratch_fd, 3, 7, 2);
	ck_assert_int_ge(reader, 0);
	fd_close(&reader);
	fd_close(&fd);
}
END_TEST

/* Whoever reads on decides what that means. */
START_TEST(a_journal_without_a_hello_is_for_whom_it_is_asked)
{
	static const char *const contents[] = { "", "\x10",
		"rubbish, and plenty of it to be a frame" };

	for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
		int fd = make(3), reader;

		ck_assert_int_eq(fd_write_all(fd, contents[i], strlen(contents[i])), 0);
		reader = berth_open_journal(scratch_fd, 3, 7, 2);
		ck_assert_int_ge(reader, 0);
		fd_close(&reader);
		fd_close(&fd);
	}
}
END_TEST

START_TEST(the_highest_id_that_a_journal_tells_of_is_found)
{
	static const uint64_t ids[] = { 12, 900, 7 };

	ck_assert_uint_eq(berth_last_id(scratch_fd), 0);
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		int fd = make(i + 1);

		write_fact(fd, FACT_HELLO, ids[i], 1);
		fd_close(&fd);
	}
	ck_assert_int_eq(fd_write_file(scratch_fd, "9", "rubbish", 7, 0600, false), 0);
	ck_assert_uint_eq(berth_last_id(scratch_fd), 900);
}
END_TEST

START_TEST(pipes_are_named_by_berth)
{
	char *path = berth_pipe_path("/run/reeve", 12, "news");

	ck_assert_str_eq(path, "/run/reeve/12.news");
	free(path);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("berth");
	TCase *tests = tcase_create("berth");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_lowest_free_berth_is_given);
	tcase_add_test(tests, berths_that_are_taken_are_gone_through_in_order);
	tcase_add_test(tests, a_berth_that_is_held_is_not_given);
	tcase_add_test(tests, a_journal_is_empty_and_locked_for_each_attempt);
	tcase_add_test(tests, a_journal_keeps_its_blocks_unless_they_are_many);
	tcase_add_test(tests, a_journal_of_another_attempt_is_none);
	tcase_add_test(tests, a_journal_without_a_hello_is_for_whom_it_is_asked);
	tcase_add_test(tests, the_highest_id_that_a_journal_tells_of_is_found);
	tcase_add_test(tests, pipes_are_named_by_berth);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
