#include "supervisor/reaps.h"

#include "ipc/fd.h"
#include "supervisor/keeper/ring.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int ring_fd = -1;
static struct reap_ring *ring; /* the keeper's own mapping */
static struct reaps reaps;

static void
set_up(void)
{
	ring_fd = memfd_create("ring", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(ring_fd, sizeof *ring), 0);
	ring = mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
	ck_assert_ptr_ne(ring, MAP_FAILED);
	ring->magic = REAP_RING_MAGIC;
	ring->keeper_pid = 4711;
	memset(ring->instance, 'a', KEEPER_INSTANCE_TEXT - 1);
	ck_assert_int_eq(reaps_open(&reaps, ring_fd), 0);
}

static void
tear_down(void)
{
	reaps_close(&reaps);
	munmap(ring, sizeof *ring);
	fd_close(&ring_fd);
}

static void
note(int32_t pid, uint64_t start_ticks, int32_t code, int32_t status)
{
	ring->records[ring->count % REAP_RING_SIZE] = (struct reap_record){
		.pid = pid, .start_ticks = start_ticks, .code = code, .status = status
	};
	ring->count++;
}

START_TEST(the_keeper_is_known_by_its_ring)
{
	ck_assert_uint_eq(strlen(reaps_instance(&reaps)), 32);
	ck_assert_int_eq(reaps_keeper_pid(&reaps), 4711);
}
END_TEST

START_TEST(a_death_is_found_with_its_exit)
{
	struct exit_info info;

	ck_assert(!reaps_find(&reaps, 10, 100, &info));
	note(10, 100, CLD_EXITED, 3);
	note(11, 100, CLD_KILLED, SIGTERM);
	note(12, 100, CLD_DUMPED, SIGSEGV);
	note(13, 100, CLD_EXITED, 0);
	ck_assert(reaps_find(&reaps, 10, 100, &info));
	ck_assert(info.known && info.code == 3 && info.signal == 0);
	ck_assert(reaps_find(&reaps, 11, 100, &info));
	ck_assert(info.known && info.code == 0 && info.signal == SIGTERM);
	ck_assert(reaps_find(&reaps, 12, 100, &info));
	ck_assert_int_eq(info.signal, SIGSEGV);
	ck_assert(reaps_find(&reaps, 13, 100, &info));
	ck_assert(info.known && info.code == 0 && info.signal == 0);
}
END_TEST

START_TEST(another_process_by_the_same_number_is_not_meant)
{
	struct exit_info info = { .code = 77 };

	note(10, 100, CLD_EXITED, 1);
	note(10, 200, CLD_EXITED, 2);
	ck_assert(reaps_find(&reaps, 10, 100, &info));
	ck_assert_int_eq(info.code, 1);
	ck_assert(reaps_find(&reaps, 10, 200, &info));
	ck_assert_int_eq(info.code, 2);
	info.code = 77;
	ck_assert(!reaps_find(&reaps, 10, 300, &info));
	ck_assert(!reaps_find(&reaps, 0, 0, &info)); /* what no record says */
	ck_assert_int_eq(info.code, 77);
}
END_TEST

START_TEST(what_was_written_over_is_gone_and_what_may_be_is_not_trusted)
{
	struct exit_info info;

	for (int32_t i = 0; i < REAP_RING_SIZE; i++)
		note(1000 + i, 5, CLD_EXITED, i % 256);
	/* The next death is written where the oldest stands, before the count tells of it. */
	ck_assert(!reaps_find(&reaps, 1000, 5, &info));
	ck_assert(reaps_find(&reaps, 1001, 5, &info));
	ck_assert_int_eq(info.code, 1);
	note(9, 9, CLD_EXITED, 9);
	ck_assert(!reaps_find(&reaps, 1001, 5, &info));
	ck_assert(reaps_find(&reaps, 1002, 5, &info));
	ck_assert(reaps_find(&reaps, 9, 9, &info));
}
END_TEST

enum {
	DEATHS = 5 * REAP_RING_SIZE,
	FIRST_PID = 1 << 24 /* beyond what a machine gives away: nobody's start time is found */
};

static int
status_of(int pid)
{
	return (pid * 7 + 1) & 0x7f;
}

/* The keeper, in a hurry. */
static void *
note_deaths(void *arg)
{
	for (int pid = FIRST_PID; pid < FIRST_PID + DEATHS; pid++) {
		siginfo_t info = { .si_code = CLD_EXITED };

		info.si_pid = pid;
		info.si_status = status_of(pid);
		ring_note(arg, &info);
	}
	return NULL;
}

/* Most of what is asked for is just being written over, or has just been written. */
START_TEST(a_death_that_is_found_is_whole_whatever_the_keeper_writes_meanwhile)
{
	struct ring keeper;
	struct reaps brain;
	pthread_t thread;
	uint64_t count;

	ck_assert_int_eq(ring_open(&keeper, -1), 0);
	brain.ring = keeper.map; /* one mapping, so that TSan sees both sides of it */
	ck_assert_int_eq(pthread_create(&thread, NULL, note_deaths, &keeper), 0);
	do {
		count = __atomic_load_n(&keeper.map->count, __ATOMIC_ACQUIRE);
		for (uint64_t back = REAP_RING_SIZE - 8; back < REAP_RING_SIZE; back++) {
			int pid = FIRST_PID + (int)(count - back);
			struct exit_info info;

			if (count < back || !reaps_find(&brain, pid, 0, &info))
				continue;
			ck_assert_int_eq(info.signal, 0);
			ck_assert_int_eq(info.code, status_of(pid));
		}
	} while (count < DEATHS);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ring_close(&keeper);
}
END_TEST

START_TEST(what_is_no_ring_is_refused)
{
	struct reaps other;
	int fd = memfd_create("short", MFD_CLOEXEC);

	ck_assert_int_eq(reaps_open(&other, fd), -EINVAL);
	ck_assert_int_eq(ftruncate(fd, sizeof *ring - 1), 0);
	ck_assert_int_eq(reaps_open(&other, fd), -EINVAL);
	ck_assert_int_eq(ftruncate(fd, sizeof *ring), 0);
	ck_assert_int_eq(reaps_open(&other, fd), -EINVAL); /* no magic */
	ck_assert_ptr_null(other.ring);
	fd_close(&fd);
	ck_assert_int_eq(reaps_open(&other, fd), -EBADF);
	reaps_close(&other);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reaps");
	TCase *tests = tcase_create("reaps");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_keeper_is_known_by_its_ring);
	tcase_add_test(tests, a_death_is_found_with_its_exit);
	tcase_add_test(tests, another_process_by_the_same_number_is_not_meant);
	tcase_add_test(tests, what_was_written_over_is_gone_and_what_may_be_is_not_trusted);
	tcase_add_test(tests, a_death_that_is_found_is_whole_whatever_the_keeper_writes_meanwhile);
	tcase_add_test(tests, what_is_no_ring_is_refused);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
