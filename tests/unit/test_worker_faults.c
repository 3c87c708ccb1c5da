#include "tests/unit/worker_world.h"

#include "ipc/tree.h"

static struct world w;

static void
setup(void)
{
	world_init(&w);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	setenv("REEVE_FAILPOINT_DIR", w.dir, 1);
	setenv("REEVE_ORACLE", w.dir, 1);
}

static void
teardown(void)
{
	ck_assert_int_eq(tree_count(getpid(), NULL, NULL), 0);
	world_fini(&w);
}

/* Arms a place in the worker, also in one that runs. */
static void
arm(const char *name, const char *action)
{
	ck_assert_int_eq(fd_write_file(w.dir_fd, name, action, strlen(action), 0600, false), 0);
}

static bool
has_run(void)
{
	return faccessat(w.dir_fd, "work/ran", F_OK, 0) == 0;
}

START_TEST(a_disk_that_is_full_for_a_while_delays_the_task)
{
	setenv("REEVE_FAILPOINTS", "worker.journal.before_sync=errno:ENOSPC*2", 1);
	world_sh(&w, "only", "touch ran");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert(has_run());
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(nothing_runs_before_it_is_on_the_disk)
{
	setenv("REEVE_FAILPOINTS", "worker.journal.before_sync=errno:EIO", 1);
	world_sh(&w, "only", "touch ran");
	ck_assert_int_eq(world_run(&w), 74);
	ck_assert(!has_run());
	ck_assert_ptr_null(world_fact(&w, FACT_END, 1));
}
END_TEST

START_TEST(a_worker_that_cannot_say_hello_runs_nothing)
{
	setenv("REEVE_FAILPOINTS", "worker.journal.before_write=errno:ENOSPC*1", 1);
	world_sh(&w, "only", "touch ran");
	ck_assert_int_eq(world_run(&w), 74);
	ck_assert(!has_run());
	ck_assert_uint_eq(w.nfacts, 0);
}
END_TEST

START_TEST(a_journal_that_breaks_takes_the_step_with_it)
{
	world_sh(&w, "only", "setsid sleep 1000 & echo ready; exec sleep 1000");
	world_start(&w);
	while (w.news.log_bytes == 0) {
		struct pollfd poll_news = { .fd = w.news_fd, .events = POLLIN };

		poll(&poll_news, 1, -1);
		world_read_news(&w);
	}
	arm("worker.journal.before_write", "errno:EIO");
	world_order(&w, 1, WANT_CANCEL, false);
	ck_assert_int_eq(world_wait(&w), 74);
}
END_TEST

START_TEST(a_log_that_cannot_be_written_stops_nothing)
{
	setenv("REEVE_FAILPOINTS", "worker.log.before_write=errno:EIO", 1);
	world_sh(&w, "only", "echo lost; touch ran");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert(has_run());
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

/* Killed behind a write, the fact is there; before it, it is not; never is one torn. */
START_TEST(a_worker_killed_at_a_write_leaves_whole_facts)
{
	static const char *const places[] = { "worker.journal.before_write=kill",
		"worker.journal.after_write=kill", "worker.journal.before_sync=kill",
		"worker.journal.after_sync=kill", "worker.spawn.before=kill" };
	static const size_t facts[] = { 0, 1, 2, 2, 2 };
	int status;

	setenv("REEVE_FAILPOINTS", places[_i], 1);
	world_sh(&w, "only", "touch ran");
	world_start(&w);
	ck_assert_int_eq(waitpid(w.pid, &status, 0), w.pid);
	ck_assert(WIFSIGNALED(status));
	world_read_facts(&w);
	ck_assert_uint_eq(w.nfacts, facts[_i]);
	ck_assert(!has_run());
}
END_TEST

START_TEST(the_oracle_has_seen_every_fact_twice)
{
	unsigned long long first = journal_first_seq(w.brief.task, w.brief.attempt);
	size_t len, seen = 0;
	char *text, *line, *rest;

	world_sh(&w, "only", "true");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(fd_read_file(w.dir_fd, "41.1", 64 * 1024, &text, &len), 0);
	rest = text;
	for (size_t i = 0; (line = strsep(&rest, "\n")) && *line; i++) {
		char expected[64];

		snprintf(expected, sizeof expected, "%c %llu %s ", i % 2 ? '=' : '>', first + seen,
		    fact_kind_name(w.facts[seen].kind));
		ck_assert_int_eq(strncmp(line, expected, strlen(expected)), 0);
		seen += i % 2;
	}
	ck_assert_uint_eq(seen, w.nfacts);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("worker_faults");
	TCase *tests = tcase_create("faults");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, a_disk_that_is_full_for_a_while_delays_the_task);
	tcase_add_test(tests, nothing_runs_before_it_is_on_the_disk);
	tcase_add_test(tests, a_worker_that_cannot_say_hello_runs_nothing);
	tcase_add_test(tests, a_journal_that_breaks_takes_the_step_with_it);
	tcase_add_test(tests, a_log_that_cannot_be_written_stops_nothing);
	tcase_add_loop_test(tests, a_worker_killed_at_a_write_leaves_whole_facts, 0, 5);
	tcase_add_test(tests, the_oracle_has_seen_every_fact_twice);
	suite_add_tcase(suite, tests);
	return world_main(suite);
}
