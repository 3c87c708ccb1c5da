/* The service becomes what is installed now, while tasks run and people ask. */
#include "tests/integ/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char patient[] = "echo begun; while [ ! -e go ]; do sleep .02; done; echo done";

static uint64_t
start_patient(struct world *world)
{
	uint64_t id = SUBMIT(world, "--", "sh", "-c", patient);

	world_until(world, id, "status", "running");
	return id;
}

static ino_t
program_of(pid_t pid)
{
	char path[64];
	struct stat info;

	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	ck_assert_int_eq(stat(path, &info), 0);
	return info.st_ino;
}

/* As packages do it: another file under the same name. Returns which one. */
static ino_t
replace_program(struct world *world, const char *name)
{
	char command[2 * WORLD_PATH];
	struct stat info;

	snprintf(command, sizeof command, "cd %s && cp -p %s %s.new && mv -f %s.new %s", world->bin,
	    name, name, name, name);
	ck_assert_int_eq(system(command), 0);
	snprintf(command, sizeof command, "%s/%s", world->bin, name);
	ck_assert_int_eq(stat(command, &info), 0);
	return info.st_ino;
}

START_TEST(an_upgrade_replaces_every_part_but_the_workers_that_run)
{
	struct world world;
	const struct said *said;
	ino_t reeved, supervisor;
	pid_t worker, first;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_patient(&world);
	worker = world_worker(&world, id);
	first = world_supervisor(&world);
	reeved = replace_program(&world, "reeved");
	supervisor = replace_program(&world, "reeve-supervisor");
	said = REEVE(&world, "shutdown", "--restart");
	ck_assert_int_eq(said->status, 0);
	ck_says(said->out, "1 running");
	ck_assert(program_of(world.keeper) == reeved);
	ck_assert_int_ne(world_supervisor(&world), first);
	ck_assert(program_of(world_supervisor(&world)) == supervisor);
	ck_assert_int_eq(world_worker(&world, id), worker);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_doc(world_show(&world, id), "attempt", "1");
	world_close(&world);
}
END_TEST

START_TEST(a_worker_killed_after_a_restart_is_known_by_its_signal)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = start_patient(&world);
	ck_assert_int_eq(REEVE(&world, "shutdown", "--restart")->status, 0);
	ck_assert_int_eq(kill(world_worker(&world, id), SIGKILL), 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 1);
	ck_doc(world_show(&world, id), "error.code", "worker_died");
	ck_doc(world_show(&world, id), "error.signal", "9");
	world_close(&world);
}
END_TEST

START_TEST(whoever_submits_over_restarts_is_served)
{
	struct world world;

	world_open(&world, __func__);
	world_start(&world);
	for (int i = 0; i < 5; i++) {
		const struct said *said;

		ck_assert_int_eq(REEVE(&world, "shutdown", "--restart")->status, 0);
		said = REEVE(&world, "run", "--", "true");
		ck_assert_int_eq(said->status, 0);
		ck_assert_ptr_null(strstr(said->err, "nobody answers"));
	}
	world_close(&world);
}
END_TEST

START_TEST(a_restart_does_not_end_tasks)
{
	struct world world;
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	said = REEVE(&world, "shutdown", "--restart", "--tasks");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "tasks run on over a restart");
	ck_assert_int_eq(REEVE(&world, "version")->status, 0);
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("upgrade");
	TCase *tcase = world_tcase(suite, "upgrade");

	tcase_add_test(tcase, an_upgrade_replaces_every_part_but_the_workers_that_run);
	tcase_add_test(tcase, a_worker_killed_after_a_restart_is_known_by_its_signal);
	tcase_add_test(tcase, whoever_submits_over_restarts_is_served);
	tcase_add_test(tcase, a_restart_does_not_end_tasks);
	return world_main(suite);
}
