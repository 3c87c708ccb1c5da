/* The keeper's directories, locks, socket and flags. */
#include "tests/unit/keeper_world.h"

static struct keeper_world world;

static void
set_up(void)
{
	world_init(&world);
}

static mode_t
mode_of(const char *dir, const char *name)
{
	char path[256];
	struct stat info;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	ck_assert_int_eq(stat(path, &info), 0);
	return info.st_mode & 07777;
}

START_TEST(directories_and_socket_have_the_modes_they_need)
{
	bool is_root = geteuid() == 0;

	umask(0);
	world_start(&world);
	ck_assert_uint_eq(mode_of(world.state, "."), 0711);
	/* reading is enough to lock, so others must not even read it */
	ck_assert_uint_eq(mode_of(world.state, "keeper.lock"), 0600);
	ck_assert_uint_eq(mode_of(world.run, "keeper.lock"), 0600);
	ck_assert_uint_eq(mode_of(world.state, "store"), 0700);
	ck_assert_uint_eq(mode_of(world.state, "attempts"), 0700);
	ck_assert_uint_eq(mode_of(world.state, "work"), 0711);
	ck_assert_uint_eq(mode_of(world.run, "."), is_root ? 0755 : 0700);
	ck_assert_uint_eq(mode_of(world.run, "control.sock"), is_root ? 0666 : 0600);
}
END_TEST

START_TEST(a_second_service_says_who_is_there)
{
	char other[200], text[64];
	const char *args[] = { "reeved", "--state-dir", world.state, "--run-dir", world.run, NULL };

	world_start(&world);
	snprintf(text, sizeof text, "already running, pid %d", (int)world.keeper);
	ck_assert_int_eq(world_wait(world_spawn(&world, args)), 1);
	ck_assert(world_logged(&world, text));
	/* one of the two places is enough */
	snprintf(other, sizeof other, "%s/other", world.dir);
	ck_assert_int_eq(unlink(world.log), 0);
	args[2] = other;
	ck_assert_int_eq(world_wait(world_spawn(&world, args)), 1);
	ck_assert(world_logged(&world, text));
	ck_assert_int_eq(unlink(world.log), 0);
	args[2] = world.state;
	args[4] = other;
	ck_assert_int_eq(world_wait(world_spawn(&world, args)), 1);
	ck_assert(world_logged(&world, text));
	/* and the first one was not harmed */
	world_tell(&world, "protect");
	ck_assert_str_eq(world_hear(&world), "protected");
}
END_TEST

START_TEST(the_socket_of_a_dead_service_is_replaced)
{
	char path[256];
	int fd;

	world_start(&world);
	kill(world.keeper, SIGKILL);
	ck_assert_int_eq(world_wait(world.keeper), 128 + SIGKILL);
	snprintf(path, sizeof path, "%s/control.sock", world.run);
	/* its supervisor may be a moment behind */
	ck_assert_str_eq(world_hear(&world), "");
	world_start(&world);
	fd = fd_unix_connect(path);
	ck_assert_int_ge(fd, 0);
	fd_close(&fd);
}
END_TEST

START_TEST(one_directory_may_serve_for_both)
{
	snprintf(world.run, sizeof world.run, "%s", world.state);
	world_start(&world);
}
END_TEST

START_TEST(a_directory_that_others_can_write_is_refused)
{
	const char *args[] = { "reeved", "--state-dir", world.state, "--run-dir", world.run, NULL };

	ck_assert_int_eq(mkdir(world.state, 0755), 0);
	ck_assert_int_eq(chmod(world.state, 0777), 0);
	ck_assert_int_eq(world_wait(world_spawn(&world, args)), 1);
	ck_assert(world_logged(&world, "writable by nobody else"));
}
END_TEST

/* ---- flags ------------------------------------------------------------------------------ */

static int
run_with(const char *flag, const char *value)
{
	const char *args[] = { "reeved", flag, value, NULL };

	return world_wait(world_spawn(&world, args));
}

START_TEST(what_it_does_not_understand_it_refuses_with_a_hint)
{
	ck_assert_int_eq(run_with("--bogus", NULL), 2);
	ck_assert(world_logged(&world, "Try `reeved --help`"));
	ck_assert_int_eq(run_with("--slots", "many"), 2);
	ck_assert_int_eq(run_with("--slots", "-1"), 2);
	ck_assert_int_eq(run_with("--slots", "10001"), 2);
	ck_assert_int_eq(run_with("--log-level", "loud"), 2);
	ck_assert_int_eq(run_with("--state-dir", ""), 2);
	ck_assert_int_eq(run_with("extra", NULL), 2);
}
END_TEST

START_TEST(help_and_version_are_told)
{
	ck_assert_int_eq(run_with("--help", NULL), 0);
	ck_assert(world_logged(&world, "Examples:"));
	ck_assert(world_logged(&world, "--config DIR"));
	ck_assert_int_eq(run_with("--version", NULL), 0);
	ck_assert(world_logged(&world, "reeved "));
}
END_TEST

START_TEST(flags_win_over_the_environment)
{
	const char *args[] = { "reeved", "--state-dir", world.state, NULL };
	char other[200];

	snprintf(other, sizeof other, "%s/other", world.dir);
	setenv("REEVE_STATE_DIR", other, 1);
	setenv("REEVE_RUN_DIR", world.run, 1);
	world.keeper = world_spawn(&world, args);
	world_meet(&world);
	ck_assert_ptr_nonnull(strstr(world.hello, world.state));
	ck_assert_ptr_nonnull(strstr(world.hello, world.run));
	ck_assert_int_eq(access(other, F_OK), -1);
}
END_TEST

/* ---- all -------------------------------------------------------------------------------- */

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("keeper_places");
	TCase *places = tcase_create("places");

	tcase_add_unchecked_fixture(places, scratch_make, scratch_remove);
	tcase_add_checked_fixture(places, set_up, NULL);
	tcase_set_timeout(places, 30);
	suite_add_tcase(suite, places);
	tcase_add_test(places, directories_and_socket_have_the_modes_they_need);
	tcase_add_test(places, a_second_service_says_who_is_there);
	tcase_add_test(places, the_socket_of_a_dead_service_is_replaced);
	tcase_add_test(places, one_directory_may_serve_for_both);
	tcase_add_test(places, a_directory_that_others_can_write_is_refused);
	tcase_add_test(places, what_it_does_not_understand_it_refuses_with_a_hint);
	tcase_add_test(places, help_and_version_are_told);
	tcase_add_test(places, flags_win_over_the_environment);
	return suite;
}

int
main(int argc, char **argv)
{
	return world_main(argc, argv, make_suite);
}
