/* Whatever dies in whatever phase of a step: nothing finished is run again, nothing done is left
 * behind by its undo. */
#include "tests/integ/world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Each command says which phase it is, and stays while that is the gate. */
static const char act[] = "echo \"$2\" >>\"$1/ran\"\n"
			  "[ \"$2\" = \"$(cat \"$1/gate\")\" ] || exit 0\n"
			  ": >\"$1/at\"\n"
			  "while [ ! -e \"$1/go\" ]; do sleep .02; done\n";

#define ACT(phase) "cd \"$PARAM_DIR\"; sh ./act \"$PARAM_DIR\" \"" phase "\"; "
static const char recipe[] =
    "name: phases\n"
    "on_interrupt: resume\n"
    "params: {dir: {type: path}, end: {choices: [well, badly]}}\n"
    "steps:\n"
    "  - name: one\n"
    "    check: {sh: '" ACT(
	"check one") "test -e made-one'}\n"
		     "    sh: '" ACT(
			 "run one") ": >made-one'\n"
				    "    verify: {sh: '" ACT(
					"verify one") "test -e made-one'}\n"
						      "    undo: {sh: '" ACT(
							  "undo one") "rm -f made-one'}\n"
								      "  - name: two\n"
								      "    check: {sh: '" ACT(
									  "check two") "test -e made-two'}\n"
										       "    sh: '" ACT(
											   "run two") "if [ ! -e tried ]; then : >tried; exit 1; fi; : >made-two'\n"
												      "    verify: {sh: '" ACT(
													  "verify two") "test -e made-two'}\n"
															"    undo: {sh: '" ACT(
															    "undo two") "rm -f made-two'}\n"
																	"    retry: {attempts: 3, delay: 10ms}\n"
																	"  - name: end\n"
																	"    sh: '" ACT(
																	    "run end") "test \"$PARAM_END\" = well'\n";

static const char *const phases[] = { "check one", "run one", "verify one", "check two", "run two",
	"verify two", "run end", "undo two", "undo one" };
enum {
	PHASES = sizeof phases / sizeof phases[0],
	PHASES_WELL = PHASES - 2 /* nothing is undone then */
};

/* ---- who dies ------------------------------------------------------------------------ */

static void
kill_supervisor(struct world *world, uint64_t id)
{
	(void)id;
	world_kill_supervisor(world);
	world_wait_served(world);
}

static void
kill_keeper(struct world *world, uint64_t id)
{
	(void)id;
	world_kill_keeper(world);
	world_start(world);
}

static void
kill_worker(struct world *world, uint64_t id)
{
	ck_assert_int_eq(kill(world_worker(world, id), SIGKILL), 0);
	world_until_event(world, id, "interrupted", 1); /* and what it ran is dead, too */
}

static void
kill_everything(struct world *world, uint64_t id)
{
	(void)id;
	world_kill_all(world);
	world_start(world);
}

static const struct victim {
	void (*kill)(struct world *world, uint64_t id);
	bool ends_attempt;
} victims[] = { { kill_supervisor, false }, { kill_keeper, false }, { kill_worker, true },
	{ kill_everything, true } };
enum {
	VICTIMS = sizeof victims / sizeof victims[0]
};

/* ---- the story ------------------------------------------------------------------------- */

static int
count(struct world *world, const char *phase)
{
	const char *at = world_read(world, "ran");
	size_t len = strlen(phase);
	int n = 0;

	for (; *at; at += strcspn(at, "\n") + 1)
		n += strncmp(at, phase, len) == 0 && at[len] == '\n';
	return n;
}

/* How often PHASE may be seen when it is seen N times undisturbed: once more where it was
 * interrupted, and what was finished by then never. */
static void
ran(struct world *world, const char *phase, int n, const char *gate, const struct victim *victim)
{
	int more = victim->ends_attempt && strcmp(phase, gate) == 0;

	ck_assert_msg(count(world, phase) == n + more, "%s %d times:\n%s", phase,
	    count(world, phase), world_read(world, "ran"));
}

/* Until everything is over, with a victim in PHASE. Returns the id. */
static uint64_t
play(struct world *world, const char *end, const char *phase, const struct victim *victim)
{
	char dir[WORLD_PATH + 8], how[16];
	uint64_t id;

	world_file(world, "act", act);
	world_file(world, "gate", phase);
	world_start(world);
	snprintf(dir, sizeof dir, "dir=%s", world->root);
	snprintf(how, sizeof how, "end=%s", end);
	id = SUBMIT(world, world_file(world, "phases.yaml", recipe), dir, how);
	world_until_file(world, "at");
	victim->kill(world, id);
	world_file(world, "go", "");
	return id;
}

START_TEST(what_is_finished_is_not_run_again)
{
	const char *phase = phases[_i % PHASES_WELL];
	const struct victim *victim = &victims[_i / PHASES_WELL];
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	id = play(&world, "well", phase, victim);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_int_eq(access(world_path(&world, "made-one"), F_OK), 0);
	ck_assert_int_eq(access(world_path(&world, "made-two"), F_OK), 0);
	ran(&world, "run one", 1, phase, victim);
	ran(&world, "run two", 2, phase, victim);
	ran(&world, "run end", 1, phase, victim);
	ran(&world, "verify one", 1, phase, victim);
	ran(&world, "verify two", 1, phase, victim);
	ck_assert_int_eq(count(&world, "undo one") + count(&world, "undo two"), 0);
	world_close(&world);
}
END_TEST

START_TEST(no_undo_is_skipped_and_none_is_made_twice)
{
	const char *phase = phases[_i % PHASES];
	const struct victim *victim = &victims[_i / PHASES];
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	id = play(&world, "badly", phase, victim);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 1);
	task = world_show(&world, id);
	ck_doc(task, "steps.0.status", "undone");
	ck_doc(task, "steps.1.status", "undone");
	ck_doc(task, "outcome", "step end: exited with status 1");
	ck_assert_int_eq(access(world_path(&world, "made-one"), F_OK), -1);
	ck_assert_int_eq(access(world_path(&world, "made-two"), F_OK), -1);
	ran(&world, "run one", 1, phase, victim);
	ran(&world, "undo two", 1, phase, victim);
	ran(&world, "undo one", 1, phase, victim);
	ck_assert_ptr_nonnull(strstr(strstr(world_read(&world, "ran"), "undo two"), "undo one"));
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("phases");
	TCase *tcase = world_tcase(suite, "phases");

	tcase_add_loop_test(tcase, what_is_finished_is_not_run_again, 0, PHASES_WELL * VICTIMS);
	tcase_add_loop_test(tcase, no_undo_is_skipped_and_none_is_made_twice, 0, PHASES * VICTIMS);
	return world_main(suite);
}
