/* As pid 1 of a container: cgroups that cannot be changed, clone3 forbidden, others' orphans. */
#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/proc.h"
#include "tests/integ/world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const modes[] = { "pid,rocgroup,enosys,stranger", "pid,rocgroup,eperm,stranger",
	"pid,stranger" };
enum {
	MODES = sizeof modes / sizeof modes[0]
};

static void
open_container(struct world *world, const char *name, const char *mode)
{
	world_open(world, name);
	world_env(world, "CONTAINER_STRANGER", world_path(world, "stranger"));
	world->container = mode;
	world_start(world);
	world_until_file(world, "stranger");
}

static bool
holds_lock(struct world *world, const char *name)
{
	int fd = open(world_path(world, name), O_RDWR | O_CLOEXEC);
	int r = fd_is_locked(fd);

	fd_close(&fd);
	return r == 1;
}

/* A task that stays until ROOT/go is there, with its checkpoint "halfway" reported. */
static uint64_t
start_pilgrim(struct world *world)
{
	json_t *dir = json_sprintf("dir=%s", world->root);
	json_t *fake = json_sprintf("fake=%s", world->fake);
	uint64_t id;

	id = SUBMIT(world,
	    world_file(world, "walk.yaml",
		"on_interrupt: resume\n"
		"params: {dir: {type: path}, fake: {type: path}}\n"
		"steps:\n"
		"  - {name: first, sh: 'echo first >>\"$PARAM_DIR/ran\"'}\n"
		"  - {name: second, run: ['${fake}/pilgrim', '${dir}']}\n"),
	    json_string_value(dir), json_string_value(fake));
	world_until(world, id, "checkpoint", "halfway");
	json_decref(dir);
	json_decref(fake);
	return id;
}

START_TEST(stopping_it_ends_steps_at_a_checkpoint_and_starting_it_goes_on)
{
	struct world world;
	json_t *task;
	uint64_t id;

	open_container(&world, __func__, modes[_i]);
	id = start_pilgrim(&world);
	world_stop(&world);
	ck_assert_int_eq(world_alive(&world), 0);
	world_start(&world);
	task = world_until(&world, id, "attempt", "2");
	ck_doc(task, "interruptions.0.code", "suspended");
	ck_doc(task, "steps.0.status", "done");
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "ran"),
	    "first\nsecond from nothing in attempt 1\nsecond from halfway in attempt 2\n");
	world_close(&world);
}
END_TEST

START_TEST(a_cancel_leaves_nothing_alive_and_no_stranger_is_harmed)
{
	const struct said *said;
	struct world world;
	uint64_t id;
	json_t *task;

	open_container(&world, __func__, modes[_i]);
	id = SUBMIT(&world, "--", "sh", "-c", "setsid sleep 1000 & echo started; exec sleep 1000");
	world_until_said(&world, id, "started");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	task = world_show(&world, id);
	ck_doc(task, "status", "cancelled");
	ck_doc(task, "receipt.survivors", "[]");
	ck_assert(holds_lock(&world, "stranger"));
	said = REEVE(&world, "doctor");
	if (strstr(modes[_i], "rocgroup")) {
		ck_says(said->out, "clone\n");
		ck_says(said->out, "none: ");
	}
	world_close(&world);
}
END_TEST

START_TEST(whose_orphans_are_nobodys_are_reaped)
{
	uint64_t deadline_ms;
	struct world world;
	size_t zombies = 1;

	open_container(&world, __func__, modes[_i]);
	REEVE(&world, "run", "--", "true");
	deadline_ms = clock_boot_ms() + WORLD_PATIENCE_MS;
	/* The stranger leaves one each 60 ms: for a moment there may be one. */
	while (zombies > 0 && clock_boot_ms() < deadline_ms) {
		pid_t *pids = NULL, *inside = NULL;
		size_t n = 0, ninside = 0;

		zombies = 0;
		ck_assert_int_eq(proc_children(world.keeper, &pids, &n), 0);
		for (size_t i = 0; i < n; i++) {
			ck_assert_int_eq(proc_children(pids[i], &inside, &ninside), 0);
			for (size_t k = 0; k < ninside; k++) {
				struct proc_stat stat;

				zombies += proc_stat(inside[k], &stat) == 0 && stat.state == 'Z';
			}
			free(inside);
		}
		free(pids);
	}
	ck_assert_uint_eq(zombies, 0);
	world_close(&world);
}
END_TEST

START_TEST(orphans_of_a_child_it_was_born_with_are_no_strays)
{
	struct world world;
	uint64_t id, dies;

	open_container(&world, __func__, "stranger");
	id = SUBMIT(&world, "--", "sleep", "1000");
	world_until(&world, id, "status", "running");
	dies = SUBMIT(&world, "--", "sh", "-c",
	    "echo there; while [ ! -e \"$1\" ]; do sleep .02; done; kill -9 $PPID", "sh",
	    world_path(&world, "die"));
	world_until_said(&world, dies, "there");
	world_file(&world, "stranger.go", "");
	world_until_file(&world, "stranger.daemon");
	/* Its worker dies, and what it started after that is hunted. */
	world_file(&world, "die", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, dies))->status, 1);
	ck_doc(world_show(&world, dies), "error.code", "worker_died");
	ck_assert(holds_lock(&world, "stranger"));
	ck_assert(holds_lock(&world, "stranger.daemon"));
	/* No container: tasks outlive the service. */
	world_file(&world, "stranger.end", "");
	world_stop(&world);
	world.container = NULL;
	world_start(&world);
	ck_doc(world_show(&world, id), "attempt", "1");
	ck_doc(world_show(&world, id), "status", "running");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("container");
	TCase *tcase = world_tcase(suite, "container");

	if (geteuid() == 0) {
		tcase_add_loop_test(tcase,
		    stopping_it_ends_steps_at_a_checkpoint_and_starting_it_goes_on, 0, MODES);
		tcase_add_loop_test(
		    tcase, a_cancel_leaves_nothing_alive_and_no_stranger_is_harmed, 0, MODES);
		tcase_add_loop_test(tcase, whose_orphans_are_nobodys_are_reaped, 0, MODES);
	}
	tcase_add_test(tcase, orphans_of_a_child_it_was_born_with_are_no_strays);
	return world_main(suite);
}
