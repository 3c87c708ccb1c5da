/* What a step leaves running on purpose lives on. */
#include "tests/integ/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const char daemon_recipe[] = "name: serve\n"
				    "params:\n"
				    "  dir: {type: path, required: true}\n"
				    "steps:\n"
				    "  - name: serve\n"
				    "    leave_running: true\n"
				    "    cwd: ${dir}\n"
				    "    sh: |\n"
				    "      setsid sleep 1000 >/dev/null 2>&1 </dev/null &\n"
				    "      echo $! >pid.new\n"
				    "      mv pid.new pid\n";

/* Runs the recipe to its end; who it left running. */
static pid_t
leave_one(struct world *world)
{
	const char *path = world_file(world, "serve.yaml", daemon_recipe);
	char dir[2 * WORLD_PATH];
	pid_t pid;

	snprintf(dir, sizeof dir, "dir=%s", world->root);
	ck_assert_int_eq(REEVE(world, "run", path, dir)->status, 0);
	pid = (pid_t)strtol(world_read(world, "pid"), NULL, 10);
	ck_assert_int_gt(pid, 1);
	ck_assert_int_eq(kill(pid, 0), 0);
	return pid;
}

/*
 * A worker that dies leaves strays with the keeper, where daemons are, too. This one is younger
 * than the worker, so that its age does not save it. _i: 1: another supervisor hunts.
 */
START_TEST(who_was_left_running_is_no_stray_of_another_worker)
{
	struct world world;
	pid_t left, worker, stray;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--", "sh", "-c",
	    "setsid sh -c 'echo $$; exec sleep 1000' </dev/null & sleep 1000");
	world_until(&world, id, "status", "running");
	worker = world_worker(&world, id);
	left = leave_one(&world);
	if (_i == 1) {
		world_kill_supervisor(&world);
		world_wait_served(&world);
	}
	stray = (pid_t)strtol(REEVE(&world, "logs", world_word(&world, id))->out, NULL, 10);
	ck_assert_int_gt(stray, 1);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	world_until(&world, id, "status", "failed");
	world_wait_gone(stray);
	ck_assert_int_eq(kill(left, 0), 0);
	ck_assert_int_eq(kill(left, SIGKILL), 0);
	world_wait_gone(left);
	world_close(&world);
}
END_TEST

static void
without_cgroup(void)
{
	setenv("REEVE_CGROUPS", "off", 1);
}

static void
with_cgroup(void)
{
	unsetenv("REEVE_CGROUPS");
}

int
main(void)
{
	Suite *suite = suite_create("left");
	TCase *plain = world_tcase(suite, "cgroups"), *bare = world_tcase(suite, "no cgroup");

	tcase_add_loop_test(plain, who_was_left_running_is_no_stray_of_another_worker, 0, 2);
	tcase_add_unchecked_fixture(bare, without_cgroup, with_cgroup);
	tcase_add_loop_test(bare, who_was_left_running_is_no_stray_of_another_worker, 0, 2);
	return world_main(suite);
}
