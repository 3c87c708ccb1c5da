#include "tests/unit/commands_kit.h"

START_TEST(the_version_counts_what_runs_and_waits)
{
	char pid[32];

	submit_command(1);
	submit_command(2);
	ask("version", "{}");
	snprintf(pid, sizeof pid, "\"pid\":%d,", (int)getpid());
	says(pid);
	says(store_epoch(store));
	says("\"slots\":0,\"running\":0,\"queued\":2");
}
END_TEST

START_TEST(the_doctor_says_what_is_the_matter_and_what_to_do)
{
	ask("doctor", "{}");
	says("\"name\":\"version\",\"status\":\"ok\"");
	says("\"name\":\"store\",\"status\":\"ok\"");
	says("\"name\":\"kill\",\"status\":\"warn\",\"text\":\"none: ");
	says("\"name\":\"slots\",\"status\":\"warn\"");
	says("slots above 0");
	says("\"name\":\"disk\"");
	says("\"name\":\"build\",\"status\":\"ok\"");
	says("\"name\":\"clock\"");
	says("\"name\":\"limits\"");
}
END_TEST

START_TEST(the_doctor_finds_directories_that_others_can_write_and_a_lock_that_is_gone)
{
	int lock = open(world_path("keeper.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(chmod(world_dir, 0777), 0);
	ask("doctor", "{}");
	says("\"name\":\"state\",\"status\":\"fail\"");
	says("others can change what is in it");
	says("chmod go-w ");
	says("\"name\":\"lock\",\"status\":\"fail\",\"text\":\"nobody holds");
	ck_assert_int_eq(chmod(world_dir, 0700), 0);
	ck_assert_int_eq(fd_lock(lock), 0);
	ask("doctor", "{}");
	says("\"name\":\"state\",\"status\":\"ok\"");
	says("\"name\":\"run\",\"status\":\"ok\"");
	says("\"name\":\"lock\",\"status\":\"ok\"");
	fd_close(&lock);
}
END_TEST

START_TEST(the_doctor_tells_of_settings_that_are_wrong_or_wait)
{
	supervisor.settings.path = strdup("/etc/reeve/reeve.yaml");
	ask("doctor", "{}");
	says("\"name\":\"config\",\"status\":\"ok\"");
	says_not("\"name\":\"drain\"");
	supervisor.settings.waiting[0] = strdup("4");
	ask("doctor", "{}");
	says("\"name\":\"config\",\"status\":\"warn\"");
	snprintf(supervisor.settings.problem, sizeof supervisor.settings.problem, "r.yaml:1:1: no");
	ask("doctor", "{}");
	says("\"name\":\"config\",\"status\":\"fail\",\"text\":\"r.yaml:1:1: no\"");
	settings_fini(&supervisor.settings);
}
END_TEST

START_TEST(a_full_disk_is_found_by_the_doctor)
{
	world_arm("store.put", "errno:ENOSPC");
	submit(1, "{\"command\": [\"true\"]}", supervisor.attempts_fd);
	is_refused("full", NULL);
	ask("doctor", "{}");
	says("\"name\":\"disk\",\"status\":\"fail\"");
}
END_TEST

static void
put_recipe(const char *name, const char *text)
{
	char path[sizeof world_dir + 64];

	snprintf(path, sizeof path, "%s/recipes/%s", world_dir, name);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, text, strlen(text), 0644, false), 0);
}

START_TEST(recipes_are_listed_and_broken_ones_are_left_out)
{
	ask("recipes", "{}");
	says("{\"recipes\":[]}");
	put_recipe("b.yaml", "name: b\nsteps:\n  - name: s\n    run: [\"true\"]\n");
	put_recipe("a.yaml", "name: a\ntitle: First\nsteps:\n  - name: s\n    run: [\"true\"]\n");
	put_recipe("broken.yaml", "name: [\n");
	put_recipe("notes.txt", "no recipe\n");
	ask("recipes", "{}");
	says("\"name\":\"a\"");
	says("First");
	says("\"name\":\"b\"");
	says_not("broken");
	says_not("notes");
	ck_assert(strstr(said, "\"name\":\"a\"") < strstr(said, "\"name\":\"b\""));
}
END_TEST

START_TEST(a_shutdown_leaves_the_tasks)
{
	submit_command(1);
	ask("shutdown", "{}");
	says("{}");
	ck_assert(supervisor.roster.is_draining);
	ck_assert(supervisor.stop_service);
	ck_assert_int_eq(supervisor.stop_when, STOP_NOW);
	ck_assert_int_eq(roster_find(&supervisor.roster, FIRST_ID)->rec.state, TASK_QUEUED);
}
END_TEST

START_TEST(a_shutdown_with_its_tasks_cancels_them_first)
{
	submit_command(1);
	submit_command(2);
	ask("shutdown", "{\"tasks\": true}");
	says("{}");
	ck_assert_int_eq(supervisor.stop_when, STOP_WHEN_EMPTY);
	while (supervisor.roster.ntasks > 0) /* the test's timeout */
		ev_run(supervisor.loop, EVRUN_ONCE);
	ask("show", "{\"id\": 101}");
	says("\"status\":\"cancelled\"");
	says("the service's shutdown");
}
END_TEST

int
main(void)
{
	TCase *tests = tests_of("service");

	tcase_add_test(tests, the_version_counts_what_runs_and_waits);
	tcase_add_test(tests, the_doctor_says_what_is_the_matter_and_what_to_do);
	tcase_add_test(
	    tests, the_doctor_finds_directories_that_others_can_write_and_a_lock_that_is_gone);
	tcase_add_test(tests, the_doctor_tells_of_settings_that_are_wrong_or_wait);
	tcase_add_test(tests, a_full_disk_is_found_by_the_doctor);
	tcase_add_test(tests, recipes_are_listed_and_broken_ones_are_left_out);
	tcase_add_test(tests, a_shutdown_leaves_the_tasks);
	tcase_add_test(tests, a_shutdown_with_its_tasks_cancels_them_first);
	return world_run(suite_create("commands service"), &tests, 1);
}
