#include "supervisor/committer.h"

#include "tests/unit/store_world.h"

#include <check.h>
#include <errno.h>
#include <ev.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	MANY = 3000
};

/* A change of task ID with one event. */
struct change {
	struct commit commit;
	uint64_t id;
	int result;     /* 1: not done yet */
	bool was_there; /* when it was done */
};

static struct ev_loop *loop;
static struct committer committer;
static size_t ndone;
static uint64_t order[MANY]; /* ids in the order of being done */
static int dead;

static time_t wall_ahead_s; /* of what the kernel has: as if it was set back a moment later */

int
clock_gettime(clockid_t id, struct timespec *now)
{
	long r = syscall(SYS_clock_gettime, id, now);

	if (r == 0 && id == CLOCK_REALTIME)
		now->tv_sec += wall_ahead_s;
	return (int)r;
}

static void
on_dead(int error, void *arg)
{
	ck_assert_ptr_eq(arg, &committer);
	dead = error;
}

static void
set_up(void)
{
	world_begin();
	loop = ev_loop_new(EVFLAG_AUTO);
	ndone = 0;
	dead = 0;
	ck_assert_int_eq(committer_start(&committer, loop, store, on_dead, &committer), 0);
}

static void
tear_down(void)
{
	ev_loop_destroy(loop);
	world_close();
}

static bool
is_stored(uint64_t id)
{
	struct store_bytes row;

	if (store_get_task(store, id, &row) < 0)
		return false;
	store_bytes_free(&row);
	return true;
}

static void
on_done(struct commit *commit, int result)
{
	struct change *change = (struct change *)commit;

	ck_assert_int_eq(change->result, 1);
	change->result = result;
	change->was_there = is_stored(change->id);
	order[ndone++ % MANY] = change->id;
}

static void
prepare(struct change *change, uint64_t id, enum commit_class class)
{
	struct record record;

	*change = (struct change){ .id = id, .result = 1 };
	change->commit = (struct commit){ .batch = world_batch(), .class = class, .done = on_done };
	world_record(&record, id, 1000);
	ck_assert_int_eq(store_batch_put_task(change->commit.batch, &record), 0);
	codec_free(&record_codec, &record);
	world_add_event(change->commit.batch, id, "text");
}

static void
add(struct change *change, uint64_t id, enum commit_class class)
{
	prepare(change, id, class);
	committer_add(&committer, &change->commit);
}

static void
free_change(struct change *change)
{
	store_batch_free(change->commit.batch);
}

static void
run_until_done(size_t n)
{
	while (ndone < n) /* the test's timeout */
		ev_run(loop, EVRUN_ONCE);
}

START_TEST(a_change_is_done_once_it_is_stored)
{
	struct change change;

	add(&change, 1, COMMIT_NEW);
	run_until_done(1);
	ck_assert_int_eq(change.result, 0);
	ck_assert(change.was_there);
	ck_assert_uint_eq(store_batch_first_seq(change.commit.batch), 1);
	committer_stop(&committer);
	free_change(&change);
}
END_TEST

START_TEST(many_changes_are_done_in_order)
{
	static struct change changes[MANY];

	for (uint64_t i = 0; i < MANY; i++)
		add(&changes[i], i + 1, i % 3 ? COMMIT_MUST : COMMIT_NEW);
	run_until_done(MANY);
	for (uint64_t i = 0; i < MANY; i++) {
		ck_assert_uint_eq(order[i], i + 1);
		ck_assert_int_eq(changes[i].result, 0);
		ck_assert_uint_eq(store_batch_first_seq(changes[i].commit.batch), i + 1);
		free_change(&changes[i]);
	}
	committer_stop(&committer);
}
END_TEST

START_TEST(what_may_wait_is_done_in_its_turn_or_alone)
{
	struct change waits, other, alone;

	prepare(&waits, 1, COMMIT_MUST);
	waits.commit.may_wait = true;
	committer_add(&committer, &waits.commit);
	add(&other, 2, COMMIT_MUST);
	run_until_done(2);
	ck_assert_uint_eq(order[0], 1);
	ck_assert_uint_eq(order[1], 2);
	prepare(&alone, 3, COMMIT_MUST);
	alone.commit.may_wait = true;
	committer_add(&committer, &alone.commit);
	run_until_done(3);
	ck_assert(alone.was_there);
	committer_stop(&committer);
	free_change(&waits);
	free_change(&other);
	free_change(&alone);
}
END_TEST

START_TEST(what_may_wait_does_not_wait_for_a_wall_clock_that_was_set_back)
{
	struct change waits;

	wall_ahead_s = 3600;
	prepare(&waits, 1, COMMIT_MUST);
	waits.commit.may_wait = true;
	committer_add(&committer, &waits.commit);
	run_until_done(1);
	ck_assert(waits.was_there);
	committer_stop(&committer);
	free_change(&waits);
}
END_TEST

START_TEST(stopping_finishes_what_was_added)
{
	static struct change changes[100];

	for (uint64_t i = 0; i < 100; i++)
		add(&changes[i], i + 1, COMMIT_MUST);
	committer_stop(&committer);
	ck_assert_uint_eq(ndone, 100);
	for (uint64_t i = 0; i < 100; i++) {
		ck_assert_int_eq(changes[i].result, 0);
		ck_assert(changes[i].was_there);
		free_change(&changes[i]);
	}
}
END_TEST

START_TEST(new_work_does_not_fit_a_full_disk_and_nothing_of_it_stays)
{
	struct change change, next;

	world_arm("store.put", "errno:ENOSPC");
	add(&change, 1, COMMIT_NEW);
	run_until_done(1);
	ck_assert_int_eq(change.result, -ENOSPC);
	ck_assert(!change.was_there);
	/* There is room again, and the ballast is made again. */
	add(&next, 2, COMMIT_NEW);
	run_until_done(2);
	ck_assert_int_eq(next.result, 0);
	ck_assert(!committer_is_full(&committer));
	ck_assert(!is_stored(1));
	committer_stop(&committer);
	free_change(&change);
	free_change(&next);
}
END_TEST

START_TEST(accepted_work_is_written_by_help_of_the_ballast)
{
	struct change change;

	world_arm("store.put", "errno:ENOSPC");
	add(&change, 1, COMMIT_MUST);
	run_until_done(1);
	ck_assert_int_eq(change.result, 0);
	ck_assert(change.was_there);
	committer_stop(&committer);
	free_change(&change);
}
END_TEST

/* As long as the disk is full: the file stays. */
static void
fill_disk(void)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof path, "%s/store.put", world_root);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fprintf(out, "errno:ENOSPC");
	fclose(out);
}

static void
empty_disk(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/store.put", world_root);
	ck_assert_int_eq(unlink(path), 0);
}

static void
wait_until_full(void)
{
	while (!committer_is_full(&committer)) /* its thread says so before it tries again */
		sched_yield();
}

START_TEST(while_the_disk_is_full_new_work_is_refused_and_accepted_work_waits)
{
	struct change must, new, later;

	fill_disk();
	add(&must, 1, COMMIT_MUST);
	wait_until_full();
	add(&new, 2, COMMIT_NEW);
	add(&later, 3, COMMIT_MUST);
	run_until_done(1);
	ck_assert_int_eq(new.result, -ENOSPC);
	ck_assert_int_eq(must.result, 1);
	empty_disk();
	run_until_done(3);
	ck_assert_int_eq(must.result, 0);
	ck_assert_int_eq(later.result, 0);
	ck_assert(is_stored(1) && !is_stored(2) && is_stored(3));
	committer_stop(&committer);
	free_change(&must);
	free_change(&new);
	free_change(&later);
}
END_TEST

START_TEST(a_full_disk_does_not_keep_the_service_from_stopping)
{
	struct change waiting, queued;

	fill_disk();
	add(&waiting, 1, COMMIT_MUST);
	wait_until_full();
	add(&queued, 2, COMMIT_MUST);
	committer_stop(&committer);
	ck_assert_uint_eq(ndone, 2);
	ck_assert_int_eq(waiting.result, -ENOSPC);
	ck_assert_int_eq(queued.result, -ENOSPC);
	empty_disk();
	free_change(&waiting);
	free_change(&queued);
}
END_TEST

START_TEST(a_dead_store_is_told_and_nothing_is_done)
{
	struct change change;

	world_arm("commit.before", "errno:EIO");
	add(&change, 1, COMMIT_MUST);
	while (dead == 0)
		ev_run(loop, EVRUN_ONCE);
	ck_assert_int_eq(dead, -EIO);
	ck_assert_uint_eq(ndone, 0);
	ck_assert_int_eq(change.result, 1);
	committer_stop(&committer);
	free_change(&change);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("committer");
	TCase *cases[] = { tests };

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, a_change_is_done_once_it_is_stored);
	tcase_add_test(tests, many_changes_are_done_in_order);
	tcase_add_test(tests, what_may_wait_is_done_in_its_turn_or_alone);
	tcase_add_test(tests, what_may_wait_does_not_wait_for_a_wall_clock_that_was_set_back);
	tcase_add_test(tests, stopping_finishes_what_was_added);
	tcase_add_test(tests, new_work_does_not_fit_a_full_disk_and_nothing_of_it_stays);
	tcase_add_test(tests, accepted_work_is_written_by_help_of_the_ballast);
	tcase_add_test(tests, while_the_disk_is_full_new_work_is_refused_and_accepted_work_waits);
	tcase_add_test(tests, a_full_disk_does_not_keep_the_service_from_stopping);
	tcase_add_test(tests, a_dead_store_is_told_and_nothing_is_done);
	return world_run(suite_create("committer"), cases, sizeof cases / sizeof cases[0]);
}
