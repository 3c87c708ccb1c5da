#include "supervisor/ingest.h"

#include "ipc/frame.h"
#include "tests/unit/rows.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int journal = -1;
static struct ingest_cursor cursor;
static struct buf bytes;
static uint64_t next_count; /* each fact carries its own, from 1 */
static int stop_with;       /* the callback's answer */

static void
set_up(void)
{
	scratch_make();
	journal = openat(scratch_fd, "journal", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	cursor = (struct ingest_cursor){ .next_seq = 1 };
	buf_init(&bytes, 4 * 1024 * 1024);
	next_count = 1;
	stop_with = 0;
}

static void
tear_down(void)
{
	fd_close(&journal);
	buf_fini(&bytes);
	scratch_remove();
}

/* Adds a fact that says COUNT, with TEXT_BYTES of text, as frame SEQ. */
static void
add(uint64_t seq, uint64_t count, size_t text_bytes)
{
	struct fact fact = fact_of(FACT_WARNING, 1);
	struct buf body;

	fact.count = count;
	fact.text = calloc(1, text_bytes + 1);
	memset(fact.text, 't', text_bytes);
	buf_init(&body, LIMIT_FRAME);
	ck_assert_int_eq(codec_encode(&fact_codec, &fact, &body), 0);
	ck_assert_int_eq(journal_frame_encode(&bytes, seq, body.data, body.len), 0);
	buf_fini(&body);
	free(fact.text);
}

static void
put(size_t len)
{
	ck_assert_int_eq(fd_write_all(journal, bytes.data, len), 0);
	buf_consume(&bytes, len);
}

static int
take(struct fact *fact, void *arg)
{
	ck_assert_ptr_eq(arg, &journal);
	if (stop_with < 0) {
		codec_free(&fact_codec, fact);
		return stop_with;
	}
	ck_assert_uint_eq(fact->count, next_count);
	next_count++;
	codec_free(&fact_codec, fact);
	return 0;
}

static int
read_on(void)
{
	return ingest_read(journal, &cursor, take, &journal);
}

START_TEST(facts_come_once_and_in_order)
{
	ck_assert_int_eq(read_on(), INGEST_END);
	for (uint64_t i = 1; i <= 3; i++)
		add(i, i, 0);
	put(bytes.len);
	ck_assert_int_eq(read_on(), INGEST_END);
	ck_assert_uint_eq(next_count, 4);
	ck_assert_uint_eq(cursor.next_seq, 4);
	ck_assert_int_eq((off_t)cursor.offset, lseek(journal, 0, SEEK_END));
	ck_assert_int_eq(read_on(), INGEST_END);
	add(4, 4, 0);
	put(bytes.len);
	ck_assert_int_eq(read_on(), INGEST_END);
	ck_assert_uint_eq(next_count, 5);
}
END_TEST

START_TEST(a_fact_half_written_is_waited_for)
{
	size_t whole;

	add(1, 1, 0);
	put(bytes.len);
	add(2, 2, 100);
	whole = bytes.len;
	for (size_t i = 0; i + 1 < whole; i++) {
		put(1);
		ck_assert_int_eq(read_on(), INGEST_TORN);
		ck_assert_uint_eq(next_count, 2);
	}
	put(1);
	ck_assert_int_eq(read_on(), INGEST_END);
	ck_assert_uint_eq(next_count, 3);
}
END_TEST

START_TEST(a_long_journal_is_read_in_turns)
{
	int turns = 1, r;

	for (uint64_t i = 1; i <= 40; i++)
		add(i, i, LIMIT_TEXT);
	put(bytes.len);
	while ((r = read_on()) == INGEST_MORE)
		turns++;
	ck_assert_int_eq(r, INGEST_END);
	ck_assert_uint_eq(next_count, 41);
	ck_assert_int_gt(turns, 5);
}
END_TEST

START_TEST(the_largest_frame_fits_a_turn)
{
	static uint8_t body[LIMIT_FRAME];

	/* As large as a frame may be; what is in it makes no sense. */
	ck_assert_int_eq(journal_frame_encode(&bytes, 1, body, sizeof body), 0);
	put(bytes.len);
	ck_assert_int_eq(read_on(), INGEST_BAD);
	ck_assert_uint_eq(cursor.offset, 0);
}
END_TEST

START_TEST(a_damaged_frame_is_the_end)
{
	add(1, 1, 0);
	add(2, 2, 0);
	bytes.data[bytes.len - 1] ^= 1;
	put(bytes.len);
	ck_assert_int_eq(read_on(), INGEST_BAD);
	ck_assert_uint_eq(next_count, 2);
	ck_assert_uint_eq(cursor.next_seq, 2);
}
END_TEST

START_TEST(a_frame_out_of_turn_is_the_end)
{
	add(1, 1, 0);
	add(3, 2, 0);
	put(bytes.len);
	ck_assert_int_eq(read_on(), INGEST_BAD);
	ck_assert_uint_eq(next_count, 2);
	cursor = (struct ingest_cursor){ .next_seq = 2 };
	ck_assert_int_eq(read_on(), INGEST_BAD);
	ck_assert_uint_eq(next_count, 2);
}
END_TEST

START_TEST(an_impossible_length_is_the_end)
{
	static const uint8_t huge[32] = { 0xff, 0xff, 0xff, 0x7f };

	ck_assert_int_eq(buf_add(&bytes, huge, sizeof huge), 0);
	put(bytes.len);
	ck_assert_int_eq(read_on(), INGEST_BAD);
}
END_TEST

START_TEST(a_journal_that_was_cut_is_noticed)
{
	add(1, 1, 0);
	add(2, 2, 0);
	put(bytes.len);
	ck_assert_int_eq(read_on(), INGEST_END);
	ck_assert_int_eq(ftruncate(journal, (off_t)cursor.offset - 1), 0);
	ck_assert_int_eq(read_on(), INGEST_CUT);
	ck_assert_int_eq(ftruncate(journal, 0), 0);
	ck_assert_int_eq(read_on(), INGEST_CUT);
}
END_TEST

START_TEST(what_the_callback_refuses_is_met_again)
{
	struct ingest_cursor before;

	add(1, 1, 0);
	put(bytes.len);
	ck_assert_int_eq(read_on(), INGEST_END);
	before = cursor;
	add(2, 2, 0);
	put(bytes.len);
	stop_with = -EPROTO;
	ck_assert_int_eq(read_on(), -EPROTO);
	ck_assert_mem_eq(&cursor, &before, sizeof cursor);
	stop_with = 0;
	ck_assert_int_eq(read_on(), INGEST_END);
	ck_assert_uint_eq(next_count, 3);
}
END_TEST

START_TEST(a_journal_that_cannot_be_read_is_an_error)
{
	ck_assert_int_eq(ingest_read(scratch_fd, &cursor, take, &journal), -EISDIR);
	ck_assert_int_eq(ingest_read(-1, &cursor, take, &journal), -EBADF);
}
END_TEST

enum {
	RACE_FACTS = 2000
};

static void *
write_on(void *arg)
{
	(void)arg;
	for (uint64_t i = 1; i <= RACE_FACTS; i++) {
		add(i, i, i % 300);
		put(bytes.len);
	}
	return NULL;
}

START_TEST(a_reader_beside_the_writer_loses_and_doubles_nothing)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, write_on, NULL), 0);
	while (next_count <= RACE_FACTS)
		ck_assert_int_ge(read_on(), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(read_on(), INGEST_END);
	ck_assert_uint_eq(cursor.next_seq, RACE_FACTS + 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ingest");
	TCase *tests = tcase_create("ingest");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, facts_come_once_and_in_order);
	tcase_add_test(tests, a_fact_half_written_is_waited_for);
	tcase_add_test(tests, a_long_journal_is_read_in_turns);
	tcase_add_test(tests, the_largest_frame_fits_a_turn);
	tcase_add_test(tests, a_damaged_frame_is_the_end);
	tcase_add_test(tests, a_frame_out_of_turn_is_the_end);
	tcase_add_test(tests, an_impossible_length_is_the_end);
	tcase_add_test(tests, a_journal_that_was_cut_is_noticed);
	tcase_add_test(tests, what_the_callback_refuses_is_met_again);
	tcase_add_test(tests, a_journal_that_cannot_be_read_is_an_error);
	tcase_add_test(tests, a_reader_beside_the_writer_loses_and_doubles_nothing);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
