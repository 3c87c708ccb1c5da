#include "tests/unit/keeper_world.h"

#include "ipc/clock.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

static struct keeper_world world;

static void
set_up(void)
{
	world_init(&world);
}

/* ---- what a supervisor is given --------------------------------------------------------- */

START_TEST(the_supervisor_inherits_what_the_contract_lists_and_nothing_else)
{
	char expected[MESSAGE];
	const char *instance;

	world_start(&world);
	ck_assert_int_eq(world_number(world.hello, HELLO_PPID), world.keeper);
	ck_assert_str_eq(world_word(world.hello, HELLO_FDS), "2,3,4,5,6,");
	instance = world_word(world.hello, HELLO_INSTANCE);
	ck_assert_uint_eq(strlen(instance), KEEPER_INSTANCE_TEXT - 1);
	ck_assert_uint_eq(strspn(instance, "0123456789abcdef"), KEEPER_INSTANCE_TEXT - 1);
	snprintf(expected, sizeof expected, "%s --state-dir %s --run-dir %s --slots 3", instance,
	    world.state, world.run);
	ck_assert_str_eq(strstr(world.hello, instance), expected);
}
END_TEST

START_TEST(a_supervisor_is_told_when_one_has_served_before_it)
{
	world_start(&world);
	ck_assert_ptr_null(strstr(world.hello, "--again"));
	world_tell(&world, "ready");
	world_tell(&world, "exit 75");
	world_meet(&world);
	ck_assert_ptr_nonnull(strstr(world.hello, " --again"));
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
	char first[MESSAGE];

	world_start(&world);
	snprintf(first, sizeof first, "%s", world_word(world.hello, HELLO_INSTANCE));
	world_tell(&world, "ready");
	world_tell(&world, "exit 75");
	world_meet(&world);
	ck_assert_str_eq(world_word(world.hello, HELLO_INSTANCE), first);
	kill(world.keeper, SIGTERM);
	ck_assert_int_eq(world_wait(world.keeper), 0);
	world_start(&world);
	ck_assert_str_ne(world_word(world.hello, HELLO_INSTANCE), first);
}
END_TEST

/* ---- how others ended ------------------------------------------------------------------- */

START_TEST(the_end_of_a_worker_is_noted_with_who_it_was)
{
	char record[MESSAGE];

	world_start(&world);
	world_start_worker(&world, CLD_EXITED, 7, record);
	world_tell(&world, "let go");
	ck_assert_str_eq(world_hear(&world), record);
}
END_TEST

START_TEST(a_killed_worker_is_noted_with_its_signal)
{
	char record[MESSAGE];

	world_start(&world);
	ck_assert_int_eq(kill(world_start_worker(&world, CLD_KILLED, SIGKILL, record), SIGKILL), 0);
	ck_assert_str_eq(world_hear(&world), record);
}
END_TEST

START_TEST(an_orphan_comes_to_the_keeper)
{
	const char *record;

	world_start(&world);
	world_tell(&world, "orphan");
	record = world_hear(&world);
	ck_assert_str_eq(world_word(record, 0), "reaped");
	ck_assert_int_eq(world_number(record, 2), CLD_EXITED);
	ck_assert_int_eq(world_number(record, 3), 5);
}
END_TEST

START_TEST(an_end_while_no_supervisor_lives_is_found_in_the_ring_by_the_next)
{
	char record[MESSAGE];

	world_start(&world);
	world_tell(&world, "ready");
	world_start_worker(&world, CLD_EXITED, 7, record);
	/* its end closes the worker's input, so both end together */
	world_tell(&world, "exit 75");
	world_meet(&world);
	world_tell(&world, "history");
	while (strcmp(world_hear(&world), record) != 0)
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
	world_start(&world);
	world_tell(&world, "ready");
	world_tell(&world, "protect"); /* its answer proves that ready was sent */
	world_hear(&world);
	ck_assert_int_eq(kill(world_number(world.hello, HELLO_PID), SIGKILL), 0);
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
	char record[MESSAGE];
	pid_t pid;

	world_start(&world);
	pid = world_start_worker(&world, 0, 0, record);
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
	world_start(&world);
	kill(world.keeper, SIGKILL);
	ck_assert_int_eq(world_wait(world.keeper), 128 + SIGKILL);
	ck_assert_int_eq(world_wait(world_number(world.hello, HELLO_PID)), 128 + SIGKILL);
}
END_TEST

/* ---- pid 1 ------------------------------------------------------------------------------ */

/* reeved as the first process of a pid namespace, as in a container. */
static pid_t
spawn_as_pid_1(void)
{
	const char *args[] = { "reeved", "--state-dir", world.state, "--run-dir", world.run, NULL };
	pid_t pid =
	    (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0) {
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("proc", "/proc", "proc", 0, NULL) < 0)
			_exit(87);
		world_exec(&world, args);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

START_TEST(as_pid_1_it_stays_init_and_another_is_the_keeper)
{
	char record[MESSAGE];

	world.keeper = spawn_as_pid_1();
	world_meet(&world);
	ck_assert_int_eq(world_number(world.hello, HELLO_PPID), 2);
	/* a worker can be its child, which pid 1's own children cannot give it */
	world_start_worker(&world, CLD_EXITED, 7, record);
	world_tell(&world, "let go");
	ck_assert_str_eq(world_hear(&world), record);
	/* Nothing outlives it: tasks are to stop first. Who does not want to wait asks again. */
	kill(world.keeper, SIGTERM);
	ck_assert_str_eq(world_hear(&world), "suspend");
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
	tcase_add_test(gives, a_supervisor_is_told_when_one_has_served_before_it);
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
