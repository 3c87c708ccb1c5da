/* Interruptions: what was done is not done again, what was begun is gone on with or undone. */
#include "tests/integ/world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What each step and undo does it writes down in DIR/ran; undoing waits for DIR/undo. */
#define WALK(on_interrupt)                                                           \
 "name: walk\n"                                                                      \
 "on_interrupt: " on_interrupt "\n"                                                  \
 "params: {dir: {type: path, required: true}, fake: {type: path, required: true}}\n" \
 "steps:\n"                                                                          \
 "  - name: first\n"                                                                 \
 "    sh: 'echo first >>\"$PARAM_DIR/ran\"'\n"                                       \
 "    undo: {sh: 'echo undo first >>\"$PARAM_DIR/ran\"; >\"$PARAM_DIR/undoing\"; "   \
 "while [ ! -e \"$PARAM_DIR/undo\" ]; do sleep .02; done'}\n"                        \
 "  - name: second\n"                                                                \
 "    run: ['${fake}/pilgrim', '${dir}']\n"                                          \
 "    undo: {sh: 'echo undo second >>\"$PARAM_DIR/ran\"'}\n"                         \
 "  - name: third\n"                                                                 \
 "    sh: 'echo third >>\"$PARAM_DIR/ran\"'\n"

static const char begun[] = "first\nsecond from nothing in attempt 1\n";

/* Until its second step has reported where it is. */
static uint64_t
start_walk(struct world *world, const char *recipe)
{
	char dir[WORLD_PATH + 8], fake[WORLD_PATH + 8];
	uint64_t id;

	snprintf(dir, sizeof dir, "dir=%s", world->root);
	snprintf(fake, sizeof fake, "fake=%s", world->fake);
	id = SUBMIT(world, world_file(world, "walk.yaml", recipe), dir, fake);
	world_until(world, id, "checkpoint", "halfway");
	ck_assert_str_eq(world_read(world, "ran"), begun);
	return id;
}

/* ---- ways to be interrupted ---------------------------------------------------------- */

static void
set_boot(struct world *world, const char *boot_id)
{
	world_file(world, "boot_id", boot_id);
}

static void
reboot(struct world *world, uint64_t id)
{
	(void)id;
	world_kill_all(world);
	set_boot(world, "99999999-2222-3333-4444-555555555555\n");
	world_start(world);
}

/* Of a container: everything is gone, the kernel is the same one. */
static void
restart_container(struct world *world, uint64_t id)
{
	(void)id;
	world_kill_all(world);
	world_start(world);
}

static void
kill_worker(struct world *world, uint64_t id)
{
	ck_assert_int_eq(kill(world_worker(world, id), SIGKILL), 0);
}

/* While nobody is there who could see how it ends. */
static void
kill_worker_alone(struct world *world, uint64_t id)
{
	pid_t worker = world_worker(world, id);

	world_kill_keeper(world);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	world_wait_gone(worker);
	world_start(world);
}

/* A reboot that was planned. */
static void
suspend(struct world *world, uint64_t id)
{
	(void)id;
	ck_assert_int_eq(REEVE(world, "shutdown", "--suspend")->status, 0);
	ck_assert_int_eq(world_wait_keeper(world), 0);
	ck_assert_int_eq(world_alive(world), 0);
	set_boot(world, "99999999-2222-3333-4444-555555555555\n");
	world_start(world);
}

static const struct way {
	void (*interrupt)(struct world *world, uint64_t id);
	const char *code, *end; /* of the interruption; of a task that is not to be resumed */
} ways[] = {
	{ reboot, "interrupted", "interrupted" },
	{ restart_container, "interrupted", "interrupted" },
	{ kill_worker_alone, "interrupted", "interrupted" },
	{ kill_worker, "worker_died", "failed" },
	{ suspend, "suspended", "interrupted" },
};
enum {
	WAYS = sizeof ways / sizeof ways[0],
	SUDDEN = WAYS - 1 /* without the last, which waits for undo steps */
};

static void
open_world(struct world *world, const char *name)
{
	world_open(world, name);
	set_boot(world, "11111111-2222-3333-4444-555555555555\n");
	world_env(world, "REEVE_BOOT_ID_FILE", world_path(world, "boot_id"));
	world_start(world);
}

START_TEST(it_goes_on_at_its_first_unfinished_step_with_its_checkpoint)
{
	struct world world;
	json_t *task;
	uint64_t id;

	open_world(&world, __func__);
	id = start_walk(&world, WALK("resume"));
	ways[_i].interrupt(&world, id);
	task = world_until(&world, id, "attempt", "2");
	ck_doc(task, "steps.0.status", "done");
	ck_doc(task, "interruptions.0.code", ways[_i].code);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	task = world_show(&world, id);
	ck_doc(task, "status", "completed");
	ck_doc(task, "attempt", "2");
	ck_doc(task, "error", "null");
	ck_assert_int_eq((int)json_array_size(doc_at(task, "interruptions")), 1);
	ck_assert_str_eq(world_read(&world, "ran"),
	    "first\nsecond from nothing in attempt 1\nsecond from halfway in attempt 2\nthird\n");
	world_close(&world);
}
END_TEST

START_TEST(it_is_undone_in_reverse_when_it_is_not_to_be_resumed)
{
	struct world world;
	json_t *task;
	uint64_t id;
	int status;

	open_world(&world, __func__);
	id = start_walk(&world, WALK("stop"));
	world_file(&world, "undo", "");
	ways[_i].interrupt(&world, id);
	task = world_until(&world, id, "status", ways[_i].end);
	status = REEVE(&world, "wait", world_word(&world, id))->status;
	ck_assert_int_eq(status, strcmp(ways[_i].end, "failed") == 0 ? 1 : 4);
	ck_doc(task, "steps.0.status", "undone");
	ck_doc(task, "steps.1.status", "undone");
	ck_doc(task, "steps.2.status", "pending");
	ck_doc(task, "error.exit_code", "null");
	ck_doc(task, "can.retry", "true");
	ck_assert_str_eq(world_read(&world, "ran"),
	    "first\nsecond from nothing in attempt 1\nundo second\nundo first\n");
	/* What was undone counts as not done. */
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "retry", world_word(&world, id))->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_says(world_read(&world, "ran"), "undo first\nfirst\nsecond from ");
	ck_says(world_read(&world, "ran"), "third\n");
	world_close(&world);
}
END_TEST

/* ---- while it undoes ----------------------------------------------------------------------- */

static uint64_t
start_undoing(struct world *world)
{
	uint64_t id = start_walk(world, WALK("stop"));

	ck_assert_int_eq(REEVE(world, "cancel", "--no-wait", world_word(world, id))->status, 0);
	world_until_file(world, "undoing");
	return id;
}

START_TEST(undoing_survives_the_supervisor_and_is_done_once)
{
	struct world world;
	uint64_t id;

	open_world(&world, __func__);
	id = start_undoing(&world);
	world_kill_supervisor(&world);
	world_wait_served(&world);
	world_file(&world, "undo", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 3);
	ck_doc(world_show(&world, id), "steps.0.status", "undone");
	ck_assert_str_eq(world_read(&world, "ran"),
	    "first\nsecond from nothing in attempt 1\nundo second\nundo first\n");
	world_close(&world);
}
END_TEST

START_TEST(undoing_goes_on_after_an_interruption)
{
	struct world world;
	json_t *task;
	uint64_t id;

	open_world(&world, __func__);
	id = start_undoing(&world);
	ways[_i].interrupt(&world, id);
	world_file(&world, "undo", "");
	task = world_until(&world, id, "status", "cancelled");
	ck_doc(task, "steps.0.status", "undone");
	ck_doc(task, "steps.1.status", "undone");
	/* The one that was interrupted is done again, the one that was finished is not. */
	ck_assert_str_eq(world_read(&world, "ran"),
	    "first\nsecond from nothing in attempt 1\nundo second\nundo first\nundo first\n");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("resume");
	TCase *tcase = world_tcase(suite, "resume");

	tcase_add_loop_test(
	    tcase, it_goes_on_at_its_first_unfinished_step_with_its_checkpoint, 0, WAYS);
	tcase_add_loop_test(tcase, it_is_undone_in_reverse_when_it_is_not_to_be_resumed, 0, WAYS);
	tcase_add_test(tcase, undoing_survives_the_supervisor_and_is_done_once);
	tcase_add_loop_test(tcase, undoing_goes_on_after_an_interruption, 0, SUDDEN);
	return world_main(suite);
}
