/* A keeper that another build takes the place of, and one that a service manager watches. */
#include "tests/unit/keeper_world.h"

#include <stddef.h>

static struct keeper_world world;

static void
set_up(void)
{
	world_init(&world);
}

/* ---- another build in our place ------------------------------------------------------------- */

static void
restart(void)
{
	world_tell(&world, "ready");
	world_tell(&world, "restart");
	world_tell(&world, "exit 0");
	world_meet(&world);
}

START_TEST(a_restart_makes_the_same_process_another_program)
{
	struct stat before, after;
	char path[256], first[MESSAGE];

	world_start(&world);
	snprintf(path, sizeof path, "/proc/%d/exe", (int)world.keeper);
	ck_assert_int_eq(stat(path, &before), 0);
	snprintf(first, sizeof first, "%s", world_word(world.hello, HELLO_INSTANCE));
	world_put_reeved(&world);
	restart();
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert(before.st_ino != after.st_ino);
	ck_assert_int_eq(world_number(world.hello, HELLO_PPID), (int)world.keeper);
	ck_assert_str_eq(world_word(world.hello, HELLO_INSTANCE), first);
	ck_assert_ptr_nonnull(strstr(world.hello, " --slots 3"));
}
END_TEST

START_TEST(a_worker_stays_a_child_over_a_restart_and_its_end_is_noted)
{
	char record[MESSAGE];
	pid_t pid;

	world_start(&world);
	pid = world_start_worker(&world, CLD_KILLED, SIGKILL, record);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0); /* so that its input's end does not end it */
	restart();
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_str_eq(world_hear(&world), record);
}
END_TEST

START_TEST(an_end_that_was_noted_before_a_restart_is_known_after_it)
{
	char record[MESSAGE];

	world_start(&world);
	world_start_worker(&world, CLD_EXITED, 7, record);
	world_tell(&world, "let go");
	ck_assert_str_eq(world_hear(&world), record);
	restart();
	world_tell(&world, "history");
	ck_assert_str_eq(world_hear(&world), record);
}
END_TEST

START_TEST(who_connects_during_a_restart_waits_at_the_same_socket)
{
	char path[256];
	struct stat before, after;
	int client;

	world_start(&world);
	snprintf(path, sizeof path, "%s/control.sock", world.run);
	ck_assert_int_eq(stat(path, &before), 0);
	world_tell(&world, "ready");
	world_tell(&world, "restart");
	world_tell(&world, "exit 0");
	client = fd_unix_connect(path);
	ck_assert_int_ge(client, 0);
	world_meet(&world);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert(before.st_ino == after.st_ino);
	fd_close(&client);
}
END_TEST

START_TEST(nothing_but_what_the_contract_lists_is_inherited_after_a_restart)
{
	char fds[MESSAGE];

	world_start(&world);
	snprintf(fds, sizeof fds, "%s", world_word(world.hello, HELLO_FDS));
	restart();
	ck_assert_str_eq(world_word(world.hello, HELLO_FDS), fds);
	restart();
	ck_assert_str_eq(world_word(world.hello, HELLO_FDS), fds);
	world_tell(&world, "environment");
	ck_assert_str_eq(world_hear(&world), "clean");
}
END_TEST

START_TEST(the_locks_are_held_over_a_restart)
{
	const char *args[] = { "reeved", "--state-dir", world.state, "--run-dir", world.run, NULL };

	world_start(&world);
	restart();
	ck_assert_int_eq(world_wait(world_spawn(&world, args)), 1);
	ck_assert_int_eq(kill(world.keeper, SIGTERM), 0);
	ck_assert_int_eq(world_wait(world.keeper), 0);
	world_start(&world);
}
END_TEST

START_TEST(a_program_that_is_missing_leaves_everything_as_it_was)
{
	char path[256], away[256];

	world_start(&world);
	snprintf(path, sizeof path, "%s/reeved", world.dir);
	snprintf(away, sizeof away, "%s/away", world.dir);
	ck_assert_int_eq(rename(path, away), 0);
	restart();
	ck_assert_int_eq(rename(away, path), 0);
	restart();
}
END_TEST

START_TEST(fds_that_another_process_was_left_are_not_taken)
{
	setenv("REEVE_KEEPER_FDS", "1 3 4 5 6", 1);
	world_start(&world);
	unsetenv("REEVE_KEEPER_FDS");
	restart();
}
END_TEST

/* ---- a service manager ---------------------------------------------------------------------- */

static void
hear_state(int fd, const char *expected)
{
	char text[MESSAGE] = "";

	world_await(fd, expected);
	ck_assert_int_gt(recv(fd, text, sizeof text - 1, 0), 0);
	ck_assert_str_eq(text, expected);
}

START_TEST(a_service_manager_is_told_when_it_serves_and_when_it_stops)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = (size_t)snprintf(address.sun_path, sizeof address.sun_path,
	    _i == 0 ? "%.80s/notify" : "@%.80s/notify", world.dir);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	if (_i == 1)
		address.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size + (_i == 0)), 0);
	world_start(&world);
	world_tell(&world, "ready");
	hear_state(fd, "READY=1");
	kill(world.keeper, SIGTERM);
	hear_state(fd, "STOPPING=1");
	ck_assert_int_eq(world_wait(world.keeper), 0);
	unsetenv("NOTIFY_SOCKET");
	fd_close(&fd);
}
END_TEST

/* ---- all -------------------------------------------------------------------------------- */

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("keeper_restart");
	TCase *tests = tcase_create("restart");

	tcase_add_unchecked_fixture(tests, scratch_make, scratch_remove);
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, a_restart_makes_the_same_process_another_program);
	tcase_add_test(tests, a_worker_stays_a_child_over_a_restart_and_its_end_is_noted);
	tcase_add_test(tests, an_end_that_was_noted_before_a_restart_is_known_after_it);
	tcase_add_test(tests, who_connects_during_a_restart_waits_at_the_same_socket);
	tcase_add_test(tests, nothing_but_what_the_contract_lists_is_inherited_after_a_restart);
	tcase_add_test(tests, the_locks_are_held_over_a_restart);
	tcase_add_test(tests, a_program_that_is_missing_leaves_everything_as_it_was);
	tcase_add_test(tests, fds_that_another_process_was_left_are_not_taken);
	tcase_add_loop_test(
	    tests, a_service_manager_is_told_when_it_serves_and_when_it_stops, 0, 2);
	suite_add_tcase(suite, tests);
	return suite;
}

int
main(int argc, char **argv)
{
	return world_main(argc, argv, make_suite);
}
