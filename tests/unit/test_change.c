#include "supervisor/roster/change.h"

#include "tests/unit/store_world.h"

#include <check.h>
#include <errno.h>
#include <sched.h>

static struct ev_loop *loop;
static struct committer committer;
static struct roster roster;

static unsigned published; /* events */
static enum fact_kind kinds[8];
static enum task_state states[8];
static uint64_t seqs[8];
static int results[4];
static unsigned ndone;

static void
on_event(const struct task *task, const struct record *record, uint64_t seq,
    const struct fact *event, void *arg)
{
	ck_assert_ptr_eq(arg, &roster);
	ck_assert_ptr_nonnull(task->seen);
	kinds[published % 8] = event->kind;
	states[published % 8] = record->state;
	seqs[published % 8] = seq;
	published++;
}

static void
on_news(const struct task *task, void *arg)
{
	(void)task;
	(void)arg;
}

static void
on_dead(int error, void *arg)
{
	(void)arg;
	ck_abort_msg("the store died: %s", strerror(-error));
}

static void
set_up(void)
{
	const struct roster_listener listener = { on_event, on_news, &roster };
	struct roster_env env = { .store = NULL };

	world_begin();
	loop = ev_loop_new(EVFLAG_AUTO);
	ck_assert_int_eq(committer_start(&committer, loop, store, on_dead, NULL), 0);
	env.loop = loop;
	env.store = store;
	env.committer = &committer;
	published = ndone = 0;
	ck_assert_int_eq(roster_init(&roster, &env, &listener), 0);
	/* Nothing is old enough to go in here, and there is no thread to remove it on. */
	ev_timer_stop(loop, &roster.retention);
}

static void
tear_down(void)
{
	committer_stop(&committer);
	roster_fini(&roster);
	ev_loop_destroy(loop);
	world_close();
}

static struct task *
new_task(uint64_t id)
{
	struct record record;
	struct task *task;

	world_record(&record, id, 1000);
	record.queue_order = id;
	task = roster_add(&roster, &record);
	ck_assert_ptr_nonnull(task);
	return task;
}

static void
on_done(struct task *task, int result, void *arg)
{
	(void)task;
	*(int *)arg = result;
	ndone++;
}

static void
submit(struct task *task)
{
	struct change *change = change_begin(task);

	change_event(change, FACT_SUBMITTED);
	change_then(change, on_done, &results[0]);
	change_commit_new(change, "spec", 4);
}

static void
join(struct task *task)
{
	struct change *change = change_begin(task);

	change_event(change, FACT_JOINED);
	change_then(change, on_done, &results[1]);
	change_commit(change);
}

static void
run_until_done(unsigned n)
{
	while (ndone < n) /* the test's timeout */
		ev_run(loop, EVRUN_ONCE);
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

START_TEST(what_is_decided_is_seen_once_it_is_committed)
{
	struct task *task = new_task(1);

	submit(task);
	ck_assert_ptr_null(task->seen);
	ck_assert_uint_eq(task->commits, 1);
	run_until_done(1);
	ck_assert_int_eq(results[0], 0);
	ck_assert_ptr_nonnull(task->seen);
	ck_assert_uint_eq(task->commits, 0);
	ck_assert_uint_eq(published, 1);
	ck_assert_int_eq(kinds[0], FACT_SUBMITTED);
	ck_assert_uint_eq(seqs[0], 1);
	ck_assert(is_stored(1));
}
END_TEST

START_TEST(events_of_one_change_are_numbered_in_order)
{
	struct task *task = new_task(1);
	struct change *change;

	submit(task);
	change = change_begin(task);
	ck_assert(change_step(change, EV_CANCEL));
	change_event(change, FACT_CANCELLING);
	change_event(change, FACT_ENDED)->outcome = TASK_CANCELLED;
	change_then(change, on_done, &results[1]);
	change_commit(change);
	ck_assert_int_eq(task->rec.state, TASK_CANCELLED);
	run_until_done(2);
	ck_assert_uint_eq(published, 3);
	ck_assert_int_eq(kinds[1], FACT_CANCELLING);
	ck_assert_int_eq(kinds[2], FACT_ENDED);
	ck_assert_uint_eq(seqs[1], 2);
	ck_assert_uint_eq(seqs[2], 3);
	/* Each is told with the row as it was committed with it. */
	ck_assert_int_eq(states[0], TASK_QUEUED);
	ck_assert_int_eq(states[2], TASK_CANCELLED);
	/* Its end is committed: it is no longer here. */
	ev_run(loop, EVRUN_NOWAIT);
	ck_assert_ptr_null(roster_find(&roster, 1));
	ck_assert(is_stored(1));
}
END_TEST

START_TEST(who_is_retried_before_his_end_is_committed_stays)
{
	struct task *task = new_task(1);
	struct change *change;

	submit(task);
	change = change_begin(task);
	change_step(change, EV_CANCEL);
	change_commit(change);
	change = change_begin(task);
	change_step(change, EV_RETRY);
	change_then(change, on_done, &results[1]);
	change_commit(change);
	run_until_done(2);
	ev_run(loop, EVRUN_NOWAIT);
	ck_assert_ptr_eq(roster_find(&roster, 1), task);
	ck_assert_int_eq(task->rec.state, TASK_QUEUED);
	ck_assert_uint_eq(roster.queue.n, 1);
}
END_TEST

static void
cancel(struct task *task)
{
	struct change *change = change_begin(task);

	change_step(change, EV_CANCEL);
	change_then(change, on_done, &results[1]);
	change_commit(change);
}

START_TEST(the_pause_of_a_cancelled_task_is_over_for_good)
{
	struct task *task = new_task(1);

	submit(task);
	run_until_done(1);
	roster_set_state(task, TASK_RETRYING);
	roster_arm_due(task);
	cancel(task);
	ck_assert(!ev_is_active(&task->due)); /* it would start a worker */
	run_until_done(2);
}
END_TEST

START_TEST(a_pause_that_is_cancelled_before_its_commit_does_not_begin)
{
	struct task *task = new_task(1);
	struct change *change;

	submit(task);
	run_until_done(1);
	roster_set_state(task, TASK_STARTING);
	change = change_begin(task);
	change_step(change, EV_NEVER_RAN);
	change_then(change, on_done, &results[1]);
	change_commit(change);
	cancel(task);
	run_until_done(2);
	ck_assert(!ev_is_active(&task->due));
	run_until_done(3);
}
END_TEST

START_TEST(an_event_that_means_nothing_changes_nothing)
{
	struct task *task = new_task(1);
	struct change *change = change_begin(task);

	ck_assert(!change_step(change, EV_DUE));
	ck_assert_int_eq(task->rec.state, TASK_QUEUED);
	change_then(change, on_done, &results[0]);
	change_commit(change);
	run_until_done(1);
	ck_assert_uint_eq(published, 0);
}
END_TEST

START_TEST(a_fact_is_taken_with_what_it_holds)
{
	struct task *task = new_task(1);
	struct change *change = change_begin(task);
	struct fact fact;

	task->rec.attempt.number = 3;
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_WARNING;
	fact.ts_ms = 5;
	fact.task = 99;
	ck_assert_int_eq(str_set(&fact.text, "careful"), 0);
	change_take_fact(change, &fact);
	ck_assert_ptr_null(fact.text);
	ck_assert_uint_eq(change->events[0].task, 1);
	ck_assert_uint_eq(change->events[0].attempt, 3);
	ck_assert_uint_eq(change->events[0].ts_ms, 5);
	ck_assert_str_eq(change->events[0].text, "careful");
	change_then(change, on_done, &results[0]);
	change_commit(change);
	run_until_done(1);
}
END_TEST

START_TEST(a_refused_submission_leaves_nothing)
{
	struct task *task = new_task(1);

	world_arm("store.put", "errno:ENOSPC");
	submit(task);
	run_until_done(1);
	ck_assert_int_eq(results[0], -ENOSPC);
	ev_run(loop, EVRUN_NOWAIT);
	ck_assert_ptr_null(roster_find(&roster, 1));
	ck_assert_uint_eq(published, 0);
	ck_assert(!is_stored(1));
}
END_TEST

START_TEST(who_joins_a_task_that_is_refused_is_refused_with_it)
{
	struct task *task = new_task(1);

	world_arm("store.put", "errno:ENOSPC");
	submit(task);
	/* There is room again when this one's turn comes. */
	while (!committer_is_full(&committer))
		sched_yield();
	join(task);
	run_until_done(2);
	ck_assert_int_eq(results[0], -ENOSPC);
	ck_assert_int_eq(results[1], -ENOSPC);
	while (roster_find(&roster, 1)) /* it goes without anything left to wait for */
		ev_run(loop, EVRUN_NOWAIT);
	ck_assert_uint_eq(published, 0);
	ck_assert(!is_stored(1));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("change");
	TCase *cases[] = { tests };

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, what_is_decided_is_seen_once_it_is_committed);
	tcase_add_test(tests, events_of_one_change_are_numbered_in_order);
	tcase_add_test(tests, who_is_retried_before_his_end_is_committed_stays);
	tcase_add_test(tests, the_pause_of_a_cancelled_task_is_over_for_good);
	tcase_add_test(tests, a_pause_that_is_cancelled_before_its_commit_does_not_begin);
	tcase_add_test(tests, an_event_that_means_nothing_changes_nothing);
	tcase_add_test(tests, a_fact_is_taken_with_what_it_holds);
	tcase_add_test(tests, a_refused_submission_leaves_nothing);
	tcase_add_test(tests, who_joins_a_task_that_is_refused_is_refused_with_it);
	return world_run(suite_create("change"), cases, sizeof cases / sizeof cases[0]);
}
