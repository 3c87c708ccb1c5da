/* Journals that are not as their worker wrote them. */
#include "tests/integ/patient.h"

#include "ipc/fd.h"
#include "ipc/frame.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Flips a bit in the last frame of a journal. */
static void
damage(const char *path)
{
	uint8_t data[4096];
	struct journal_frame frame;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t n = pread(fd, data, sizeof data, 0);
	size_t at = 0, last = 0;

	ck_assert_int_gt(n, 0);
	while (journal_frame_next(data + at, (size_t)n - at, &frame) == 1) {
		last = at;
		at += frame.used;
	}
	data[at - 1] ^= 1;
	ck_assert_int_eq(pwrite(fd, data + last, at - last, (off_t)last), (ssize_t)(at - last));
	fd_close(&fd);
}

/* Nobody reads while the worker ends; then its last words are not what it wrote. */
START_TEST(a_journal_that_was_damaged_is_told_as_what_it_is)
{
	struct world world;
	char path[WORLD_PATH + 64];
	pid_t supervisor, worker;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_patient(&world);
	supervisor = world_supervisor(&world);
	worker = world_worker(&world, id);
	ck_assert_int_eq(kill(supervisor, SIGSTOP), 0);
	world_file(&world, "go", "");
	world_wait_gone(worker);
	snprintf(path, sizeof path, "%s/journals/1", world.state);
	damage(path);
	ck_assert_int_eq(kill(supervisor, SIGCONT), 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 1);
	task = world_show(&world, id);
	ck_doc(task, "status", "failed");
	ck_doc(task, "error.code", "tampered");
	ck_doc(task, "error.exit_code", "null"); /* how it would have ended is not known */
	world_close(&world);
}
END_TEST

/* Where frame COUNT ends, or the last one before it. */
static size_t
end_of_frame(const uint8_t *data, size_t len, size_t count)
{
	struct journal_frame frame;
	size_t at = 0;

	while (count-- > 0 && journal_frame_next(data + at, len - at, &frame) == 1)
		at += frame.used;
	return at;
}

/* The disk has of the journal what came first of this attempt, and behind it what was there. */
START_TEST(a_power_cut_brings_nothing_back_of_who_was_in_the_berth_before)
{
	struct world world;
	uint8_t old[4096], new[4096];
	char path[WORLD_PATH + 64];
	size_t from, to;
	uint64_t id;
	int fd;

	world_open(&world, __func__);
	world_env(&world, "REEVE_BOOT_ID_FILE", world_file(&world, "boot_id", "before\n"));
	world_start(&world);
	id = start_patient(&world);
	let_it_go(&world, id);
	snprintf(path, sizeof path, "%s/journals/1", world.state);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, old, sizeof old, 0), sizeof old);
	ck_assert_int_eq(unlink(world_path(&world, "go")), 0);
	ck_assert_int_eq(unlink(world_path(&world, "ran")), 0);
	id = start_patient(&world);
	world_kill_all(&world);
	ck_assert_int_eq(pread(fd, new, sizeof new, 0), sizeof new);
	from = end_of_frame(
	    old, sizeof old, 2); /* hello, step_begin; then the step's end and the task's */
	to = end_of_frame(new, sizeof new, 2);
	ck_assert_int_gt(pwrite(fd, old + from, sizeof old - from, (off_t)to), 0);
	fd_close(&fd);
	world_file(&world, "boot_id", "after\n");
	world_start(&world);
	world_until(&world, id, "status", "interrupted");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("journals");
	TCase *tcase = world_tcase(suite, "journals");

	tcase_add_test(tcase, a_journal_that_was_damaged_is_told_as_what_it_is);
	tcase_add_test(tcase, a_power_cut_brings_nothing_back_of_who_was_in_the_berth_before);
	return world_main(suite);
}
