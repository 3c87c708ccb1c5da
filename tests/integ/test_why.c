/* How far a task is, how long it still takes, and why it does not move. */
#include "tests/integ/world.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static char where[2 * WORLD_PATH];

/* Submits a recipe of these lines; steps find the world's directory in $PARAM_DIR. */
static uint64_t
submit(struct world *world, const char *steps)
{
	char text[4096];

	snprintf(text, sizeof text, "name: story\nparams:\n  dir: {type: path}\n%s", steps);
	snprintf(where, sizeof where, "dir=%s", world->root);
	return SUBMIT(world, world_file(world, "story.yaml", text), where);
}

/* The second step takes almost two seconds, and once there is `again` until there is `go`. */
#define TWO_STEPS                                                                               \
 "steps:\n  - {name: quick, weight: 9, sh: 'true'}\n  - name: slow\n    weight: 1\n    sh: |\n" \
 "      [ -e \"$PARAM_DIR/again\" ] || exec sleep 1.8\n"                                        \
 "      until [ -e \"$PARAM_DIR/go\" ]; do sleep .02; done\n"

START_TEST(a_later_run_knows_how_long_its_steps_take)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TWO_STEPS);
	task = world_until(&world, id, "steps.1.status", "running");
	ck_doc(task, "eta_s", "null");
	ck_assert_double_eq_tol(json_number_value(doc_at(task, "progress")), .9, 1e-6);
	world_until(&world, id, "status", "completed");
	world_file(&world, "again", "");
	id = submit(&world, TWO_STEPS);
	task = world_until(&world, id, "steps.1.status", "running");
	ck_assert_double_lt(json_number_value(doc_at(task, "progress")), .3);
	ck_doc(world_until(&world, id, "eta_s", "2"), "status", "running");
	/* longer than ever before: nobody knows */
	ck_doc(world_until(&world, id, "eta_s", "null"), "status", "running");
	world_file(&world, "go", "");
	ck_doc(world_until(&world, id, "status", "completed"), "progress", "1");
	world_close(&world);
}
END_TEST

START_TEST(the_percent_does_not_fall_when_the_supervisor_is_another)
{
	struct world world;
	double before;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TWO_STEPS);
	world_until(&world, id, "status", "completed");
	world_file(&world, "again", "");
	id = submit(&world, TWO_STEPS);
	before = json_number_value(
	    doc_at(world_until(&world, id, "steps.1.status", "running"), "progress"));
	for (int i = 0; i < 3; i++) {
		double after;

		world_kill_supervisor(&world);
		after = json_number_value(
		    doc_at(world_until(&world, id, "status", "running"), "progress"));
		ck_assert_double_eq_tol(after, before, 1e-6);
	}
	world_file(&world, "go", "");
	world_until(&world, id, "status", "completed");
	world_close(&world);
}
END_TEST

/* Times EVENT stands in the task's history. */
static size_t
count_events(struct world *world, uint64_t id, const char *event)
{
	json_t *pair, *events = doc_at(world_events(world, id), "events");
	size_t i, n = 0;

	json_array_foreach(events, i, pair)
	{
		n += strcmp(doc_text(json_array_get(pair, 1), "event"), event) == 0;
	}
	return n;
}

START_TEST(a_step_that_stands_still_says_since_when_and_is_let_be)
{
	struct world world;
	json_t *task, *event;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world,
	    "stall_after: 1s\n"
	    "steps: [{name: a, sh: 'until [ -e \"$PARAM_DIR/go\" ]; do sleep 1000 & wait; done'}]\n");
	task = world_until(&world, id, "blocked_on.kind", "stall");
	ck_doc(task, "status", "running");
	ck_says(doc_text(task, "blocked_on.holder"), "sleep (pid ");
	ck_says(doc_text(task, "blocked_on.holder"), " sleeps");
	ck_assert_int_ge(
	    strcmp(doc_text(task, "blocked_on.since"), doc_text(task, "steps.0.started_at")), 0);
	event = world_until_event(&world, id, "notification", 1);
	ck_says(doc_text(event, "text"), "nothing has changed for ");
	ck_doc(world_show(&world, id), "error", "null");
	REEVE(&world, "cancel", world_word(&world, id));
	ck_assert_uint_eq(count_events(&world, id, "notification"), 1);
	world_close(&world);
}
END_TEST

START_TEST(a_silent_step_that_works_does_not_stand_still)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world,
	    "stall_after: 1s\n"
	    "steps: [{name: a, sh: 'timeout 3 sh -c \"while :; do :; done\" || true'}]\n");
	world_until(&world, id, "status", "completed");
	ck_assert_uint_eq(count_events(&world, id, "notification"), 0);
	world_close(&world);
}
END_TEST

START_TEST(a_step_that_waits_for_a_lock_says_who_has_it)
{
	struct world world;
	char pid[32];
	json_t *task;
	uint64_t id;
	int fd;

	world_open(&world, __func__);
	world_start(&world);
	fd = open(world_file(&world, "lock", ""), O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	id = submit(&world, "steps: [{name: a, sh: 'flock \"$PARAM_DIR/lock\" true'}]\n");
	task = world_until(&world, id, "blocked_on.kind", "lock");
	snprintf(pid, sizeof pid, "(pid %d", (int)getpid());
	ck_says(doc_text(task, "blocked_on.holder"), pid);
	ck_says(doc_text(task, "blocked_on.holder"), world_path(&world, "lock"));
	ck_has(task, "blocked_on.since");
	close(fd);
	ck_doc(world_until(&world, id, "status", "completed"), "blocked_on", "null");
	world_close(&world);
}
END_TEST

/* A package manager asks for its lock again and again: seen by its name. */
START_TEST(a_package_manager_that_waits_for_its_lock_says_who_has_it)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct world world;
	json_t *task;
	uint64_t id;
	int fd;

	if (geteuid() != 0)
		return; /* the lock is root's to look at */
	world_open(&world, __func__);
	world_start(&world);
	fd = open("/var/cache/apt/archives/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	ck_assert_int_eq(fcntl(fd, F_SETLK, &lock), 0);
	id = submit(&world,
	    "steps: [{name: a, sh: 'ln -s \"$(command -v sleep)\" apt-get; exec ./apt-get 1000'}]\n");
	task = world_until(&world, id, "blocked_on.kind", "lock");
	ck_says(doc_text(task, "blocked_on.holder"), "holds /var/cache/apt/archives/lock");
	close(fd);
	world_until(&world, id, "blocked_on", "null");
	REEVE(&world, "cancel", world_word(&world, id));
	world_close(&world);
}
END_TEST

START_TEST(a_step_may_say_itself_what_it_waits_for)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "step.py",
	    "import os, struct, msgpack, sys, time\n"
	    "def say(**message):\n"
	    "    body = msgpack.packb(message)\n"
	    "    os.write(int(os.environ['REEVE_FD']), struct.pack('<I', len(body)) + body)\n"
	    "say(type='waiting', on='network', holder='mirror.example does not answer')\n"
	    "while not os.path.exists(sys.argv[1] + '/go'): time.sleep(.02)\n"
	    "say(type='waiting', on='something else')\n"
	    "say(type='progress', fraction=.5)\n"
	    "while not os.path.exists(sys.argv[1] + '/end'): time.sleep(.02)\n");
	id = submit(&world, "steps: [{name: a, run: [python3, '${dir}/step.py', '${dir}']}]\n");
	task = world_until(&world, id, "blocked_on.kind", "network");
	ck_doc(task, "blocked_on.holder", "mirror.example does not answer");
	ck_says(REEVE(&world, "ls")->out, "network");
	world_file(&world, "go", "");
	task = world_until(&world, id, "progress", "0.5");
	ck_doc(task, "blocked_on", "null");
	world_file(&world, "end", "");
	world_until(&world, id, "status", "completed");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("why");
	TCase *tests = world_tcase(suite, "why");

	tcase_add_test(tests, a_later_run_knows_how_long_its_steps_take);
	tcase_add_test(tests, the_percent_does_not_fall_when_the_supervisor_is_another);
	tcase_add_test(tests, a_step_that_stands_still_says_since_when_and_is_let_be);
	tcase_add_test(tests, a_silent_step_that_works_does_not_stand_still);
	tcase_add_test(tests, a_step_that_waits_for_a_lock_says_who_has_it);
	tcase_add_test(tests, a_package_manager_that_waits_for_its_lock_says_who_has_it);
	tcase_add_test(tests, a_step_may_say_itself_what_it_waits_for);
	return world_main(suite);
}
