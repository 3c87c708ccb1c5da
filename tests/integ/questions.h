/*
 * tests/integ/questions.h - stories of tasks that ask: one that does, its answer, and deaths.
 * Included by one test program each, so it is all here.
 */
#ifndef TESTS_INTEG_QUESTIONS_H
#define TESTS_INTEG_QUESTIONS_H

#include "tests/integ/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is run before and after the question leaves a line each time. */
static const char recipe[] =
    "steps:\n"
    "  - {name: before, cwd: ROOT, sh: 'echo before >>ran'}\n"
    "  - name: ask\n"
    "    confirm:\n"
    "      text: 'Overwrite it?'\n"
    "      yes: Overwrite\n"
    "      no: Keep it\n"
    "      fields:\n"
    "        why: {type: text, label: 'Why?'}\n"
    "        size: {type: choice, choices: [small, large], default: small}\n"
    "  - {name: after, cwd: ROOT, sh: 'echo \"$OUT_ASK_ANSWER $OUT_ASK_WHY\" "
    ">>ran'}\n";

/* ROOT/NAME with TEXT, in which ROOT stands for the world's directory. */
static inline const char *
write_recipe(struct world *world, const char *name, const char *text)
{
	char *out = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&out, &len);
	const char *path;

	for (const char *at; (at = strstr(text, "ROOT")); text = at + 4)
		fprintf(file, "%.*s%s", (int)(at - text), text, world->root);
	fprintf(file, "%s", text);
	fclose(file);
	path = world_file(world, name, out);
	free(out);
	return path;
}

static inline uint64_t
ask(struct world *world)
{
	uint64_t id = SUBMIT(world, write_recipe(world, "ask.yaml", recipe));

	world_until(world, id, "status", "waiting_confirmation");
	return id;
}

static inline int
count_events(struct world *world, uint64_t id, const char *name)
{
	json_t *event;
	size_t i;
	int n = 0;

	json_array_foreach(doc_at(world_events(world, id), "events"), i, event)
	{
		n += strcmp(doc_text(event, "1.event"), name) == 0;
	}
	return n;
}

/* It was asked once and answered once, and nothing was done twice. */
static inline void
expect_done(struct world *world, uint64_t id)
{
	ck_assert_int_eq(REEVE(world, "wait", world_word(world, id))->status, 0);
	ck_assert_str_eq(world_read(world, "ran"), "before\nyes because\n");
	ck_assert_int_eq(count_events(world, id, "question"), 1);
	ck_assert_int_eq(count_events(world, id, "answered"), 1);
}

static inline void
say_yes(struct world *world, uint64_t id)
{
	const struct said *said =
	    REEVE(world, "answer", world_word(world, id), "yes", "why=because");

	ck_assert_msg(said->status == 0, "exit %d: %s", said->status, said->err);
}

static inline void
kill_worker(struct world *world, uint64_t id)
{
	pid_t worker = world_worker(world, id);

	ck_assert_int_gt(worker, 0);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	world_wait_gone(worker);
}

/* Who dies; afterwards a service is there. */
static inline void
die(struct world *world, int who, uint64_t id)
{
	switch (who) {
	case 0:
		world_kill_supervisor(world);
		world_wait_served(world);
		break;
	case 1:
		world_kill_keeper(world);
		world_start(world);
		break;
	case 2:
		kill_worker(world, id);
		break;
	case 3:
		world_kill_all(world);
		world_start(world);
		break;
	case 4:
		world_kill_keeper(world);
		kill_worker(world, id);
		world_start(world);
		break;
	default:
		world_stop(world);
		world_start(world);
		break;
	}
}
enum {
	DEATHS = 6
};

#endif
