#include "supervisor/roster/leftover.h"

#include "ipc/fd.h"
#include "tests/unit/rows.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Two services on one machine: ours, and one whose state is elsewhere. */
static char tag[2][32];
static struct cgroups *ours, *theirs;
static struct ev_loop *loop;
static struct jobs files;
static struct roster roster;

static void
on_event(const struct task *task, const struct record *record, uint64_t seq,
    const struct fact *event, void *arg)
{
	(void)task;
	(void)record;
	(void)seq;
	(void)event;
	(void)arg;
}

static void
on_news(const struct task *task, void *arg)
{
	(void)task;
	(void)arg;
}

/* Unchecked, with the same names as the tests, so that what a failed one leaves is found. */
static void
open_all(void)
{
	for (int i = 0; i < 2; i++)
		snprintf(tag[i], sizeof tag[i], "left%d%c", (int)getpid(), "ab"[i]);
}

static void
remove_one(uint64_t berth, void *arg)
{
	cgroup_kill(arg, berth, CGROUP_ALL);
	cgroup_remove(arg, berth);
}

static void
close_all(void)
{
	for (int i = 0; i < 2; i++) {
		struct cgroups *cgroups;

		if (cgroups_open(tag[i], &cgroups) < 0)
			continue;
		cgroup_each(cgroups, remove_one, cgroups);
		cgroups_close(cgroups);
	}
}

static void
set_up(void)
{
	const struct roster_listener listener = { on_event, on_news, NULL };
	struct roster_env env = { .files = &files };

	loop = ev_loop_new(EVFLAG_AUTO);
	ck_assert_int_eq(cgroups_open(tag[0], &ours), 0);
	ck_assert_int_eq(cgroups_open(tag[1], &theirs), 0);
	ck_assert_int_eq(jobs_start(&files, loop, "files"), 0);
	env.loop = loop;
	env.cgroups = ours;
	ck_assert_int_eq(roster_init(&roster, &env, &listener), 0);
	ev_timer_stop(loop, &roster.retention);
}

static void
tear_down(void)
{
	roster_fini(&roster);
	ev_loop_destroy(loop);
	cgroups_close(ours);
	cgroups_close(theirs);
}

/* The file thread has come to the sweep, and is over. */
static void
sweep(void)
{
	ck_assert_int_eq(leftover_sweep(&roster), 0);
	jobs_stop(&files);
}

static void
make_group(struct cgroups *cgroups, uint64_t berth)
{
	struct cgroup_attempt made;

	ck_assert_int_eq(cgroup_make(cgroups, berth, &made), 0);
	cgroup_attempt_close(&made);
}

struct wanted {
	uint64_t berth;
	bool found;
};

static void
look_for(uint64_t berth, void *arg)
{
	struct wanted *wanted = arg;

	wanted->found |= berth == wanted->berth;
}

static bool
has_group(struct cgroups *cgroups, uint64_t berth)
{
	struct wanted wanted = { .berth = berth };

	ck_assert_int_eq(cgroup_each(cgroups, look_for, &wanted), 0);
	return wanted.found;
}

static struct task *
add_task(uint64_t id, uint64_t berth)
{
	struct record record;
	struct task *task;

	row_make(&record, 1);
	record.id = id;
	record.attempt.number = 1;
	record.attempt.berth = berth;
	task = roster_add(&roster, &record);
	ck_assert_ptr_nonnull(task);
	return task;
}

START_TEST(groups_of_what_is_over_go_and_of_what_is_under_way_stay)
{
	add_task(1, 3);
	add_task(2, 1)->rec.attempt.closed = true;
	make_group(ours, 1); /* its end is known; nobody came to remove it */
	make_group(ours, 2); /* of a task that has ended */
	make_group(ours, 3); /* under way */
	sweep();
	ck_assert(!has_group(ours, 1));
	ck_assert(!has_group(ours, 2));
	ck_assert(has_group(ours, 3));
	ck_assert_uint_eq(berths_take(&roster.berths), 1);
	ck_assert_uint_eq(berths_take(&roster.berths), 2);
	ck_assert_uint_eq(berths_take(&roster.berths), 4);
	ck_assert_int_eq(cgroup_remove(ours, 3), 0);
}
END_TEST

START_TEST(a_berth_is_free_once_its_attempt_is_over)
{
	ck_assert_uint_eq(berths_take(&roster.berths), 1);
	make_group(ours, 1);
	leftover_vacate(&roster, 1, false);
	ck_assert_uint_eq(berths_take(&roster.berths), 1);
	ck_assert(has_group(ours, 1));
	leftover_vacate(&roster, 1, true);
	ck_assert(berths_is_taken(&roster.berths, 1)); /* until its group is gone */
	jobs_stop(&files);
	ck_assert(!has_group(ours, 1));
	ck_assert(!berths_is_taken(&roster.berths, 1));
}
END_TEST

/* A child in the group of the steps of BERTH, which waits there. */
static pid_t
put_child(struct cgroups *cgroups, uint64_t berth)
{
	struct cgroup_attempt made;
	int ready[2];
	char byte = 0;
	pid_t pid;

	ck_assert_int_eq(cgroup_make(cgroups, berth, &made), 0);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int procs = openat(made.dir_fd, "s/cgroup.procs", O_WRONLY | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(procs, "0", 1) != 1 || write(ready[1], &byte, 1) != 1)
			_exit(99);
		for (;;)
			pause();
	}
	fd_close(&ready[1]);
	ck_assert_int_eq(fd_read_all(ready[0], &byte, 1), 1);
	fd_close(&ready[0]);
	cgroup_attempt_close(&made);
	return pid;
}

static void
end_child(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
	ck_assert_int_eq(info.si_pid, 0); /* nobody has killed it */
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_berth_is_free_once_what_was_left_running_in_it_has_ended)
{
	pid_t pid = put_child(ours, 1);

	ck_assert_uint_eq(berths_take(&roster.berths), 1);
	ck_assert_uint_eq(berths_take(&roster.berths), 2);
	ck_assert_uint_eq(berths_take(&roster.berths), 3);
	leftover_vacate(&roster, 1, true);
	jobs_stop(&files);
	ck_assert(berths_is_taken(&roster.berths, 1));
	end_child(pid);
	ck_assert_int_eq(jobs_start(&files, loop, "files"), 0);
	leftover_vacate(&roster, 2, true); /* another one is over */
	leftover_vacate(&roster, 3, true);
	jobs_stop(&files);
	for (uint64_t berth = 1; berth <= 3; berth++)
		ck_assert(!berths_is_taken(&roster.berths, berth));
	ck_assert(!has_group(ours, 1));
}
END_TEST

START_TEST(a_process_that_was_told_to_stay_keeps_its_group)
{
	pid_t pid = put_child(ours, 8);

	sweep();
	ck_assert(has_group(ours, 8));
	ck_assert(berths_is_taken(&roster.berths, 8)); /* nobody else is put there */
	end_child(pid);
	ck_assert_int_eq(cgroup_remove(ours, 8), 0);
}
END_TEST

START_TEST(an_empty_group_of_a_service_that_serves_stays)
{
	sweep();
	make_group(theirs, 5);
	ck_assert(has_group(theirs, 5));
	ck_assert_int_eq(cgroup_remove(theirs, 5), 0);
}
END_TEST

/* It was killed: its groups are there and nobody holds them. */
static void
leave_groups(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct cgroups *killed;

		ck_assert_int_eq(cgroups_open(tag[1], &killed), 0);
		make_group(killed, 5);
		make_group(killed, 6);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(what_a_service_that_is_gone_has_left_goes)
{
	cgroups_close(theirs);
	leave_groups();
	sweep();
	ck_assert_int_eq(cgroups_open(tag[1], &theirs), 0);
	ck_assert(!has_group(theirs, 5));
	ck_assert(!has_group(theirs, 6));
}
END_TEST

START_TEST(a_worker_that_outlived_its_service_keeps_its_group)
{
	pid_t pid = put_child(theirs, 5);

	cgroups_close(theirs);
	sweep();
	ck_assert_int_eq(cgroups_open(tag[1], &theirs), 0);
	ck_assert(has_group(theirs, 5));
	end_child(pid);
	ck_assert_int_eq(cgroup_remove(theirs, 5), 0);
}
END_TEST

START_TEST(where_there_are_no_groups_nothing_is_to_be_done)
{
	struct cgroups *none;

	setenv("REEVE_CGROUPS", "off", 1);
	ck_assert_int_eq(cgroups_open(tag[0], &none), 0);
	roster.env.cgroups = none;
	sweep();
	cgroups_close(none);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("leftover");
	TCase *tests = tcase_create("leftover");
	struct cgroups *probe;

	tcase_add_unchecked_fixture(tests, open_all, close_all);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, where_there_are_no_groups_nothing_is_to_be_done);
	if (cgroups_open("probe", &probe) < 0)
		return EXIT_FAILURE;
	if (cgroups_exist(probe)) {
		tcase_add_test(tests, groups_of_what_is_over_go_and_of_what_is_under_way_stay);
		tcase_add_test(tests, a_berth_is_free_once_its_attempt_is_over);
		tcase_add_test(tests, a_berth_is_free_once_what_was_left_running_in_it_has_ended);
		tcase_add_test(tests, a_process_that_was_told_to_stay_keeps_its_group);
		tcase_add_test(tests, an_empty_group_of_a_service_that_serves_stays);
		tcase_add_test(tests, what_a_service_that_is_gone_has_left_goes);
		tcase_add_test(tests, a_worker_that_outlived_its_service_keeps_its_group);
	} else { /* what this machine does not grant cannot be tested on it */
		printf("cgroups: %s\n", cgroups_describe(probe));
	}
	cgroups_close(probe);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
