#include "tests/unit/worker_world.h"

#include "ipc/tree.h"

#include <libgen.h>
#include <limits.h>
#include <sys/ioctl.h>

static struct world w;
static char escape_path[PATH_MAX];

static void
setup(void)
{
	world_init(&w);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pairs_set(&w.brief.env, "ESCAPE_SECONDS", "20");
}

/* Whatever the worker left would have come to us. */
static void
teardown(void)
{
	ck_assert_int_eq(tree_count(getpid(), NULL, NULL), 0);
	world_fini(&w);
}

static struct spec_step *
escape(const char *kind, const char *number)
{
	struct spec_step *step = world_step(&w, "escape");

	strs_add(&step->cmd.argv, escape_path);
	strs_add(&step->cmd.argv, kind);
	if (number)
		strs_add(&step->cmd.argv, number);
	return step;
}

/* Until the step has written its first line: then the log has a length. */
static void
await_ready(void)
{
	struct pollfd poll_news = { .fd = w.news_fd, .events = POLLIN };

	while (w.news.log_bytes == 0) {
		poll(&poll_news, 1, -1);
		world_read_news(&w);
	}
}

static void
await_orders_read(void)
{
	int left = 1;

	while (left > 0)
		ck_assert_int_eq(ioctl(w.orders_fd, FIONREAD, &left), 0);
}

static const struct receipt *
receipt(void)
{
	const struct fact *killed = world_fact(&w, FACT_KILLED, 1);

	ck_assert_ptr_nonnull(killed);
	return &killed->receipt;
}

static void
cancel_when_ready(void)
{
	world_start(&w);
	await_ready();
	world_order(&w, 1, WANT_CANCEL, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
	ck_assert_uint_eq(world_fact(&w, FACT_OBEYED, 1)->rev, 1);
	ck_assert_uint_ge(receipt()->signalled, 1);
	ck_assert_uint_eq(receipt()->survivors.n, 0);
}

START_TEST(a_cancel_ends_the_step_and_the_task)
{
	world_sh(&w, "sleep", "echo ready; exec sleep 1000");
	world_sh(&w, "never", "true");
	cancel_when_ready();
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_CANCELLED);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->exit.signal, SIGTERM);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_BEGIN), 1);
	ck_assert_uint_eq(receipt()->killed, 0); /* the TERM was enough */
	ck_assert_uint_lt(receipt()->duration_ms, w.brief.grace_ms);
}
END_TEST

static const char *const escapes[] = { "setsid", "setpgid", "double-fork", "daemon", "clearenv",
	"subreaper", "restart" };

START_TEST(who_left_the_group_is_caught_and_named)
{
	escape(escapes[_i], NULL);
	cancel_when_ready();
	ck_assert_uint_ge(receipt()->killed, 1);
	ck_assert_uint_ge(receipt()->escaped.n, 1);
	ck_assert_str_eq(receipt()->escaped.v[0].name, "escape");
	ck_assert_ptr_nonnull(receipt()->escaped.v[0].how);
}
END_TEST

START_TEST(a_step_that_ignores_signals_is_killed_after_its_grace)
{
	escape("ignore", NULL);
	w.brief.grace_ms = 100;
	cancel_when_ready();
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->exit.signal, SIGKILL);
	ck_assert_uint_ge(receipt()->duration_ms, 100);
}
END_TEST

START_TEST(a_stopped_process_takes_its_term)
{
	escape("stopped", NULL);
	cancel_when_ready();
	ck_assert_uint_eq(receipt()->signalled, 2);
	ck_assert_uint_eq(receipt()->killed, 0);
}
END_TEST

/* A v1 group that holds the step to 200 processes; false where there is none to be had. */
static bool
limit_processes(char *path, size_t room)
{
	char file[PATH_MAX];
	int fd;
	bool ok;

	snprintf(path, room, "/sys/fs/cgroup/pids/reeve-test-%d", (int)getpid());
	if (mkdir(path, 0755) < 0)
		return false;
	snprintf(file, sizeof file, "%s/pids.max", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, "200", 3) == 3;
	close(fd);
	snprintf(file, sizeof file, "%s/cgroup.procs", path);
	w.pids_fd = open(file, O_WRONLY | O_CLOEXEC);
	return ok && w.pids_fd >= 0;
}

/* Without a limit few are tried: orphans that die faster than they are reaped use up the machine.
 */
START_TEST(processes_that_fork_in_a_loop_are_all_killed)
{
	char path[64];
	bool limited = limit_processes(path, sizeof path);

	escape("forks", limited ? "100" : "2");
	w.brief.grace_ms = 50;
	cancel_when_ready();
	ck_assert_uint_ge(receipt()->killed, 1);
	if (limited)
		ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(a_process_of_another_user_is_killed_by_a_root_worker)
{
	if (geteuid() != 0)
		return;
	escape("user", NULL);
	cancel_when_ready();
	ck_assert_uint_ge(receipt()->escaped.n, 1);
}
END_TEST

START_TEST(a_step_that_says_after_is_not_stopped_but_the_task_is)
{
	world_sh(&w, "precious", "echo ready; while test ! -e go; do sleep 0.01; done; touch whole")
	    ->cancel = CANCEL_AFTER;
	world_sh(&w, "next", "touch wrong");
	world_start(&w);
	await_ready();
	world_order(&w, 1, WANT_CANCEL, false);
	world_await(&w, FACT_OBEYED, 1);
	ck_assert_uint_eq(world_fact(&w, FACT_OBEYED, 1)->want, WANT_CANCEL_AFTER);
	close(openat(w.dir_fd, "work/go", O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_DONE);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/wrong", F_OK, 0), -1);
}
END_TEST

START_TEST(a_cancel_that_finds_the_last_step_successful_comes_too_late)
{
	world_sh(&w, "precious", "echo ready; while test ! -e go; do sleep 0.01; done")->cancel =
	    CANCEL_NEVER;
	world_start(&w);
	await_ready();
	world_order(&w, 1, WANT_CANCEL, false);
	world_await(&w, FACT_OBEYED, 1);
	close(openat(w.dir_fd, "work/go", O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(force_overrides_never)
{
	world_sh(&w, "stubborn", "echo ready; exec sleep 1000")->cancel = CANCEL_NEVER;
	world_start(&w);
	await_ready();
	world_order(&w, 1, WANT_CANCEL, true);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
}
END_TEST

START_TEST(a_revision_seen_before_is_nothing_new)
{
	world_sh(&w, "short", "echo ready; while test ! -e go; do sleep 0.01; done");
	w.brief.order_rev = 5;
	world_start(&w);
	await_ready();
	world_order(&w, 5, WANT_CANCEL, false);
	await_orders_read();
	world_order(&w, 6, WANT_RUN, false);
	world_await(&w, FACT_OBEYED, 1);
	close(openat(w.dir_fd, "work/go", O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_OBEYED), 1);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(a_cancel_undoes_what_was_done_and_what_was_under_way)
{
	str_set(&world_sh(&w, "one", "true")->undo.sh, "touch undone-one");
	str_set(&world_sh(&w, "two", "echo ready; exec sleep 1000")->undo.sh, "touch undone-two");
	cancel_when_ready();
	ck_assert_uint_eq(world_count(&w, FACT_UNDONE), 2);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone-one", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone-two", F_OK, 0), 0);
}
END_TEST

START_TEST(a_forced_cancel_stops_the_undo)
{
	str_set(&world_sh(&w, "one", "true")->undo.sh, "touch undone-one");
	str_set(&world_sh(&w, "two", "false")->undo.sh, "echo undoing; exec sleep 1000");
	world_start(&w);
	await_ready();
	world_order(&w, 1, WANT_CANCEL, false);
	world_await(&w, FACT_OBEYED, 1); /* the undo runs on under a cancel */
	world_order(&w, 2, WANT_CANCEL, true);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 1)->state, STEP_FAILED);
	ck_assert_int_eq(faccessat(w.dir_fd, "work/undone-one", F_OK, 0), -1);
}
END_TEST

START_TEST(a_cancel_ends_the_wait_for_the_next_try)
{
	struct spec_step *step = world_sh(&w, "flaky", "exit 1");

	step->retry_attempts = 3;
	step->retry_delay_ms = 60000;
	world_start(&w);
	world_await(&w, FACT_STEP_RETRY, 1);
	world_order(&w, 1, WANT_CANCEL, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_CANCELLED);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
	ck_assert_ptr_nonnull(world_fact(&w, FACT_KILLED, 1));
}
END_TEST

START_TEST(a_cancel_takes_what_earlier_steps_left_running)
{
	world_sh(&w, "serve", "setsid sleep 1000 >/dev/null 2>&1 &")->leave_running = true;
	world_sh(&w, "sleep", "echo ready; exec sleep 1000");
	cancel_when_ready();
	ck_assert_uint_eq(receipt()->killed, 1);
}
END_TEST

START_TEST(term_to_the_worker_itself_is_ignored)
{
	world_sh(&w, "short", "echo ready; while test ! -e go; do sleep 0.01; done");
	world_start(&w);
	await_ready();
	kill(w.pid, SIGTERM);
	kill(w.pid, SIGHUP);
	close(openat(w.dir_fd, "work/go", O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(pipes_that_vanished_are_opened_again_on_request)
{
	world_sh(&w, "sleep", "echo ready; exec sleep 1000");
	world_start(&w);
	await_ready();
	ck_assert_int_eq(unlink(w.brief.news_path), 0);
	ck_assert_int_eq(unlink(w.brief.orders_path), 0);
	close(w.news_fd);
	close(w.orders_fd);
	free(w.brief.news_path);
	free(w.brief.orders_path);
	w.news_fd = world_fifo(&w, "news", &w.brief.news_path);
	w.orders_fd = world_fifo(&w, "orders", &w.brief.orders_path);
	w.news.log_bytes = 0;
	kill(w.pid, SIGUSR1);
	await_ready(); /* it rings when it has opened them */
	world_order(&w, 1, WANT_CANCEL, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
}
END_TEST

/* Whatever came with it is lost, too: the supervisor says it again until it is obeyed. */
START_TEST(bytes_that_are_no_order_are_thrown_away)
{
	world_sh(&w, "sleep", "echo ready; exec sleep 1000");
	world_start(&w);
	await_ready();
	ck_assert_int_eq(write(w.orders_fd, "\xff\xff\xff\xff garbage", 12), 12);
	await_orders_read();
	world_order(&w, 1, WANT_CANCEL, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("kill");
	TCase *tests = tcase_create("cancel");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, a_cancel_ends_the_step_and_the_task);
	tcase_add_loop_test(tests, who_left_the_group_is_caught_and_named, 0,
	    (int)(sizeof escapes / sizeof escapes[0]));
	tcase_add_test(tests, a_step_that_ignores_signals_is_killed_after_its_grace);
	tcase_add_test(tests, a_stopped_process_takes_its_term);
	tcase_add_test(tests, processes_that_fork_in_a_loop_are_all_killed);
	tcase_add_test(tests, a_process_of_another_user_is_killed_by_a_root_worker);
	tcase_add_test(tests, a_step_that_says_after_is_not_stopped_but_the_task_is);
	tcase_add_test(tests, a_cancel_that_finds_the_last_step_successful_comes_too_late);
	tcase_add_test(tests, force_overrides_never);
	tcase_add_test(tests, a_revision_seen_before_is_nothing_new);
	tcase_add_test(tests, a_cancel_undoes_what_was_done_and_what_was_under_way);
	tcase_add_test(tests, a_forced_cancel_stops_the_undo);
	tcase_add_test(tests, a_cancel_ends_the_wait_for_the_next_try);
	tcase_add_test(tests, a_cancel_takes_what_earlier_steps_left_running);
	tcase_add_test(tests, term_to_the_worker_itself_is_ignored);
	tcase_add_test(tests, pipes_that_vanished_are_opened_again_on_request);
	tcase_add_test(tests, bytes_that_are_no_order_are_thrown_away);
	suite_add_tcase(suite, tests);
	return suite;
}

int
main(void)
{
	char self[PATH_MAX - 32] = "";

	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		return EXIT_FAILURE;
	snprintf(escape_path, sizeof escape_path, "%s/../fake/escape", dirname(self));
	return world_main(make_suite());
}
