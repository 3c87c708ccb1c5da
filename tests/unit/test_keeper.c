#include "tests/unit/keeper_world.h"

#include "ipc/clock.h"

#include <sched.h>
#include <sys/mount.h>

static struct keeper_world world;

static void
set_up(void)
{
	world_init(&world);
}

/* ---- what a supervisor is given --------------------------------------------------------- */

START_TEST(the_supervisor_inherits_what_the_contract_lists_and_nothing_else)
{
	char fds[MESSAGE], instance[MESSAGE], expected[MESSAGE];
	int pid, ppid, args = 0;

	world_start(&world);
	ck_assert_int_eq(
	    sscanf(world.hello, "hello %d %d %s %s%n", &pid, &ppid, fds, instance, &args), 4);
	ck_assert_int_eq(ppid, world.keeper);
	ck_assert_str_eq(fds, "2,3,4,5,");
	ck_assert_uint_eq(strlen(instance), KEEPER_INSTANCE_TEXT - 1);
	ck_assert_uint_eq(strspn(instance, "0123456789abcdef"), KEEPER_INSTANCE_TEXT - 1);
	snprintf(expected, sizeof expected,
	    " --state-dir %s --run-dir %s --log-level info --slots 3", world.state, world.run);
	ck_assert_str_eq(world.hello + args, expected);
}
END_TEST

START_TEST(only_the_keeper_can_write_or_cut_the_ring)
{
	world_start(&world);
	world_tell(&world, "protect");
	ck_assert_str_eq(world_hear(&world), "protected");
}
END_TEST

START_TEST(an_instance_is_kept_over_supervisors_and_drawn_anew_by_each_keeper)
{
	char first[MESSAGE], second[MESSAGE], third[MESSAGE];

	world_start(&world);
	ck_assert_int_eq(sscanf(world.hello, "hello %*d %*d %*s %s", first), 1);
	world_tell(&world, "ready");
	world_tell(&world, "exit 75");
	world_meet(&world);
	ck_assert_int_eq(sscanf(world.hello, "hello %*d %*d %*s %s", second), 1);
	ck_assert_str_eq(first, second);
	kill(world.keeper, SIGTERM);
	ck_assert_int_eq(world_wait(world.keeper), 0);
	world_start(&world);
	ck_assert_int_eq(sscanf(world.hello, "hello %*d %*d %*s %s", third), 1);
	ck_assert_str_ne(first, third);
}
END_TEST

/* ---- how others ended ------------------------------------------------------------------- */

START_TEST(the_end_of_a_worker_is_noted_with_who_it_was)
{
	char expected[MESSAGE];
	unsigned long long start;
	int pid, ppid;

	world_start(&world);
	world_tell(&world, "child");
	ck_assert_int_eq(sscanf(world_hear(&world), "child %d %d %llu", &pid, &ppid, &start), 3);
	ck_assert_int_eq(ppid, world.keeper);
	world_tell(&world, "let go");
	snprintf(expected, sizeof expected, "reaped %d %d 7 %llu", pid, CLD_EXITED, start);
	ck_assert_str_eq(world_hear(&world), expected);
}
END_TEST

START_TEST(a_killed_worker_is_noted_with_its_signal)
{
	char expected[MESSAGE];
	unsigned long long start;
	int pid;

	world_start(&world);
	world_tell(&world, "child");
	ck_assert_int_eq(sscanf(world_hear(&world), "child %d %*d %llu", &pid, &start), 2);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	snprintf(
	    expected, sizeof expected, "reaped %d %d %d %llu", pid, CLD_KILLED, SIGKILL, start);
	ck_assert_str_eq(world_hear(&world), expected);
}
END_TEST

START_TEST(an_orphan_comes_to_the_keeper)
{
	int code, status;

	world_start(&world);
	world_tell(&world, "orphan");
	ck_assert_int_eq(sscanf(world_hear(&world), "reaped %*d %d %d", &code, &status), 2);
	ck_assert_int_eq(code, CLD_EXITED);
	ck_assert_int_eq(status, 5);
}
END_TEST

START_TEST(an_end_while_no_supervisor_lives_is_found_in_the_ring_by_the_next)
{
	char expected[MESSAGE];
	unsigned long long start;
	int pid;

	world_start(&world);
	world_tell(&world, "ready");
	world_tell(&world, "child");
	ck_assert_int_eq(sscanf(world_hear(&world), "child %d %*d %llu", &pid, &start), 2);
	/* its end closes the child's input, so both end together */
	world_tell(&world, "exit 75");
	world_meet(&world);
	world_tell(&world, "history");
	snprintf(expected, sizeof expected, "reaped %d %d 7 %llu", pid, CLD_EXITED, start);
	while (strcmp(world_hear(&world), expected) != 0)
		continue; /* the supervisor's own end is there too */
}
END_TEST

/* ---- its death, and the next ------------------------------------------------------------ */

START_TEST(a_supervisor_that_had_served_is_started_again_at_once)
{
	world_start(&world);
	world_tell(&world, "ready");
	world_tell(&world, "exit 75");
	world_meet(&world);
	ck_assert(world_logged(&world, "the supervisor ended (status 75)"));
	ck_assert(!world_logged(&world, "started again in"));
}
END_TEST

START_TEST(one_that_never_served_waits_longer_each_time)
{
	uint64_t before_ms;

	world_start(&world);
	before_ms = clock_boot_ms();
	world_tell(&world, "exit 1");
	world_meet(&world);
	ck_assert_uint_ge(clock_boot_ms() - before_ms, 1000);
	ck_assert(world_logged(&world, "started again in 1 s"));
	world_tell(&world, "exit 1");
	world_meet(&world);
	ck_assert(world_logged(&world, "started again in 2 s"));
	/* having served forgives all */
	world_tell(&world, "ready");
	world_tell(&world, "exit 1");
	world_meet(&world);
	ck_assert(!world_logged(&world, "started again in 4 s"));
}
END_TEST

START_TEST(a_killed_supervisor_is_followed_by_another)
{
	int pid;

	world_start(&world);
	world_tell(&world, "ready");
	world_tell(&world, "protect"); /* its answer proves that ready was sent */
	world_hear(&world);
	ck_assert_int_eq(sscanf(world.hello, "hello %d", &pid), 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	world_meet(&world);
	ck_assert(world_logged(&world, "the supervisor ended (signal 9)"));
}
END_TEST

START_TEST(a_supervisor_that_refuses_its_arguments_ends_the_service)
{
	world_start(&world);
	world_tell(&world, "exit 2");
	ck_assert_int_eq(world_wait(world.keeper), 2);
}
END_TEST

START_TEST(the_service_ends_when_it_was_told_to)
{
	world_start(&world);
	world_tell(&world, "ready");
	world_tell(&world, "stop");
	world_tell(&world, "exit 0");
	ck_assert_int_eq(world_wait(world.keeper), 0);
}
END_TEST

START_TEST(an_exit_of_0_alone_does_not_end_the_service)
{
	world_start(&world);
	world_tell(&world, "ready");
	world_tell(&world, "exit 0");
	world_meet(&world);
}
END_TEST

START_TEST(a_message_of_the_wrong_length_is_none)
{
	world_start(&world);
	world_tell(&world, "ready");
	world_tell(&world, "long stop");
	world_tell(&world, "exit 0");
	world_meet(&world);
}
END_TEST

START_TEST(an_upgraded_supervisor_is_picked_up)
{
	static const char script[] = "#!/bin/sh\nexit 2\n";
	char path[256];

	world_start(&world);
	world_tell(&world, "ready");
	snprintf(path, sizeof path, "%s/reeve-supervisor", world.dir);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, script, sizeof script - 1, 0755, false), 0);
	world_tell(&world, "exit 75");
	ck_assert_int_eq(world_wait(world.keeper), 2);
}
END_TEST

START_TEST(a_missing_supervisor_is_waited_for)
{
	char path[256], away[256];

	world_start(&world);
	world_tell(&world, "ready");
	snprintf(path, sizeof path, "%s/reeve-supervisor", world.dir);
	snprintf(away, sizeof away, "%s/away", world.dir);
	ck_assert_int_eq(rename(path, away), 0);
	world_tell(&world, "exit 75");
	world_await(world.supervisor, "its end");
	ck_assert_str_eq(world_hear(&world), "");
	ck_assert_int_eq(rename(away, path), 0);
	world_meet(&world);
}
END_TEST

/* ---- signals ---------------------------------------------------------------------------- */

START_TEST(a_term_stops_the_service_and_leaves_workers_alone)
{
	int pid;

	world_start(&world);
	world_tell(&world, "child");
	ck_assert_int_eq(sscanf(world_hear(&world), "child %d", &pid), 1);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0); /* so that its input's end does not end it */
	kill(world.keeper, SIGTERM);
	ck_assert_str_eq(world_hear(&world), "signal 15");
	ck_assert_int_eq(world_wait(world.keeper), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0); /* ours by now, and alive */
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(a_term_between_two_supervisors_ends_the_service_at_once)
{
	world_start(&world);
	world_tell(&world, "exit 1");
	world_await(world.supervisor, "its end");
	kill(world.keeper, SIGTERM);
	ck_assert_int_eq(world_wait(world.keeper), 0);
}
END_TEST

START_TEST(a_hup_is_passed_on)
{
	world_start(&world);
	kill(world.keeper, SIGHUP);
	ck_assert_str_eq(world_hear(&world), "signal 1");
}
END_TEST

START_TEST(a_killed_keeper_takes_its_supervisor_along)
{
	int pid;

	world_start(&world);
	ck_assert_int_eq(sscanf(world.hello, "hello %d", &pid), 1);
	kill(world.keeper, SIGKILL);
	ck_assert_int_eq(world_wait(world.keeper), 128 + SIGKILL);
	ck_assert_int_eq(world_wait(pid), 128 + SIGKILL);
}
END_TEST

/* ---- pid 1 ------------------------------------------------------------------------------ */

/* Becomes the parent of a pid namespace in which reeved is the first process. */
static pid_t
spawn_as_pid_1(void)
{
	char *argv[] = { strdup("reeved"), strdup("--state-dir"), world.state, strdup("--run-dir"),
		world.run, NULL };
	pid_t pid;

	ck_assert_int_eq(unshare(CLONE_NEWPID), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("proc", "/proc", "proc", 0, NULL) < 0)
			_exit(87);
		world_exec(&world, argv);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

START_TEST(as_pid_1_it_stays_init_and_another_is_the_keeper)
{
	int pid, ppid;

	world.keeper = spawn_as_pid_1();
	world_meet(&world);
	ck_assert_int_eq(sscanf(world.hello, "hello %*d %d", &ppid), 1);
	ck_assert_int_eq(ppid, 2);
	/* a worker can be its child, which pid 1's own children cannot give it */
	world_tell(&world, "child");
	ck_assert_int_eq(sscanf(world_hear(&world), "child %d %d", &pid, &ppid), 2);
	ck_assert_int_eq(ppid, 2);
	world_tell(&world, "let go");
	ck_assert_int_eq(sscanf(world_hear(&world), "reaped %d", &ppid), 1);
	ck_assert_int_eq(ppid, pid);
	kill(world.keeper, SIGTERM);
	ck_assert_str_eq(world_hear(&world), "signal 15");
	ck_assert_int_eq(world_wait(world.keeper), 0);
}
END_TEST

START_TEST(pid_1_ends_with_the_status_of_the_keeper)
{
	world.keeper = spawn_as_pid_1();
	world_meet(&world);
	world_tell(&world, "exit 2");
	ck_assert_int_eq(world_wait(world.keeper), 2);
}
END_TEST

/* ---- all -------------------------------------------------------------------------------- */

static void
add_case(Suite *suite, TCase *tests)
{
	tcase_add_unchecked_fixture(tests, scratch_make, scratch_remove);
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_set_timeout(tests, 30);
	suite_add_tcase(suite, tests);
}

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("keeper");
	TCase *gives = tcase_create("gives"), *deaths = tcase_create("deaths");

	tcase_add_test(gives, the_supervisor_inherits_what_the_contract_lists_and_nothing_else);
	tcase_add_test(gives, only_the_keeper_can_write_or_cut_the_ring);
	tcase_add_test(gives, an_instance_is_kept_over_supervisors_and_drawn_anew_by_each_keeper);
	tcase_add_test(gives, the_end_of_a_worker_is_noted_with_who_it_was);
	tcase_add_test(gives, a_killed_worker_is_noted_with_its_signal);
	tcase_add_test(gives, an_orphan_comes_to_the_keeper);
	tcase_add_test(gives, an_end_while_no_supervisor_lives_is_found_in_the_ring_by_the_next);
	add_case(suite, gives);
	tcase_add_test(deaths, a_supervisor_that_had_served_is_started_again_at_once);
	tcase_add_test(deaths, one_that_never_served_waits_longer_each_time);
	tcase_add_test(deaths, a_killed_supervisor_is_followed_by_another);
	tcase_add_test(deaths, a_supervisor_that_refuses_its_arguments_ends_the_service);
	tcase_add_test(deaths, the_service_ends_when_it_was_told_to);
	tcase_add_test(deaths, an_exit_of_0_alone_does_not_end_the_service);
	tcase_add_test(deaths, a_message_of_the_wrong_length_is_none);
	tcase_add_test(deaths, an_upgraded_supervisor_is_picked_up);
	tcase_add_test(deaths, a_missing_supervisor_is_waited_for);
	tcase_add_test(deaths, a_term_stops_the_service_and_leaves_workers_alone);
	tcase_add_test(deaths, a_term_between_two_supervisors_ends_the_service_at_once);
	tcase_add_test(deaths, a_hup_is_passed_on);
	tcase_add_test(deaths, a_killed_keeper_takes_its_supervisor_along);
	if (geteuid() == 0) {
		tcase_add_test(deaths, as_pid_1_it_stays_init_and_another_is_the_keeper);
		tcase_add_test(deaths, pid_1_ends_with_the_status_of_the_keeper);
	}
	add_case(suite, deaths);
	return suite;
}

int
main(int argc, char **argv)
{
	return world_main(argc, argv, make_suite);
}
