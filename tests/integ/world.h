/*
 * tests/integ/world.h - one story's world: a private service, the real programs, and
 * the certainty that nothing of it is left behind.
 *
 * Each test opens a world of its own and closes it as its last act; what it was given
 * lives until then. A world that a failed test left open is told about (the service's log
 * and the store) and removed by world_main, which also kills what still runs.
 *
 * Nothing here sleeps: it waits for sockets, events and ends, and gives up after WORLD_PATIENCE_MS.
 */
#ifndef TESTS_INTEG_WORLD_H
#define TESTS_INTEG_WORLD_H

#include "ipc/client.h"
#include "ipc/codec.h"

#include <check.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	WORLD_PATIENCE_MS = 30 * 1000,
	WORLD_PATH = 256,
	WORLD_NOBODY = 65534
};

struct said;

struct world {
	char root[WORLD_PATH]; /* this world's directory, mode 0711 */
	char bin[WORLD_PATH];  /* the programs of this build, where everybody may start them */
	char fake[WORLD_PATH]; /* tests/fake of this build, likewise */
	char state[WORLD_PATH], rundir[WORLD_PATH], socket[WORLD_PATH];
	char log[WORLD_PATH];    /* what the service says */
	char points[WORLD_PATH]; /* failpoints by file */
	struct strs env;         /* NAME=VALUE on top of ours, for service and clients */
	const char *slots;       /* NULL: 4; "": as it is configured */
	const char *container;   /* NULL: none; else the mode of tests/fake/container.c */
	uid_t service_uid;       /* who the service runs as */
	uid_t client_uid;        /* who asks */
	pid_t keeper;            /* 0: not running */
	struct said *said;       /* owned, with the documents below: freed by world_close */
	json_t *docs;
};

/* Runs SUITE, tells about what failed, removes every trace. Returns main's exit status. */
int world_main(Suite *suite);

/*
 * First in main: from here on the program is in a pid namespace with numbers of its own, so that a
 * storm of forks neither hurts the machine nor is hurt by what else runs there. False: not here
 * (it takes root and Linux 6.14), and everything is as it was.
 */
bool world_apart(void);

/* A TCase with patience for the slow builds, added to SUITE. */
TCase *world_tcase(Suite *suite, const char *name);

/* NAME is the test's __func__. No service yet. */
void world_open(struct world *world, const char *name);
/* Stops the service and its tasks, and insists that no process is left. */
void world_close(struct world *world);

void world_env(struct world *world, const char *name, const char *value);
/* ROOT/NAME, valid until the world is closed. */
const char *world_path(struct world *world, const char *name);
/* ROOT/NAME with TEXT in it; returns its path. */
const char *world_file(struct world *world, const char *name, const char *text);
/* The content of ROOT/NAME, "" when there is none. */
const char *world_read(struct world *world, const char *name);

/* The path of a file of the project; the tests run from its top. */
const char *world_source(struct world *world, const char *name);

/* Arms failpoint NAME in every process of this world (ipc/failpoint.h); ACTION NULL disarms. */
void world_point(struct world *world, const char *name, const char *action);

/* ---- the service ------------------------------------------------------------------ */

void world_make_rundir(struct world *world); /* world_open has made one */

void world_start(struct world *world); /* and waits until it answers */
void world_spawn(struct world *world); /* without waiting */
void world_wait_served(struct world *world);
/* Waits for the keeper's end and returns its exit status (minus the signal). */
int world_wait_keeper(struct world *world);
void world_stop(struct world *world);        /* SIGTERM: tasks live on */
void world_shutdown(struct world *world);    /* with its tasks; nothing is left */
void world_kill_keeper(struct world *world); /* SIGKILL, and the supervisor dies of it */
/* SIGKILL; returns once it is gone. The keeper starts the next one. */
void world_kill_supervisor(struct world *world);
/* SIGKILL to every process of this world at once: a machine that lost its power. */
void world_kill_all(struct world *world);
/* Pids, 0 when there is none. */
pid_t world_supervisor(struct world *world);
pid_t world_worker(struct world *world, uint64_t id);
/* Waits until PID, not a child of ours or one, is gone. */
void world_wait_gone(pid_t pid);
/* In a child about to exec: the world's environment, UID, and dying with the test. */
void world_become(const struct world *world, uid_t uid);
/* Live processes that descend from this test: 0 is the state of peace. */
int world_alive(const struct world *world);

/* ---- the command line ------------------------------------------------------------- */

/* One run of a program; owned by the world. */
struct said {
	int status; /* exit status, or minus the signal */
	char *out, *err;
	struct said *next;
};

/* PATH with WORDS behind its own name; NULL: `reeve`. INPUT becomes its stdin; NULL: nothing. */
const struct said *world_exec(
    struct world *world, const char *path, const char *const *words, const char *input);
const struct said *world_run(struct world *world, const char *const *words);
/* `reeve WORDS…`; words[0] is the verb. */
#define REEVE(world, ...) world_run((world), (const char *const[]){ __VA_ARGS__, NULL })
/* The same; the exit status must be STATUS, its output JSON. Borrowed from the world. */
json_t *world_json(struct world *world, int status, const char *const *words);
#define REEVE_JSON(world, status, ...) \
 world_json((world), (status), (const char *const[]){ __VA_ARGS__, NULL })
/* `reeve run --detach WORDS…`, which must succeed: the id. */
uint64_t world_submit(struct world *world, const char *const *words);
#define SUBMIT(world, ...) world_submit((world), (const char *const[]){ __VA_ARGS__, NULL })
json_t *world_show(struct world *world, uint64_t id);
/* The id as a word. */
const char *world_word(struct world *world, uint64_t number);

/* ---- documents --------------------------------------------------------------------- */

/* The value at a dotted PATH ("steps.0.status", "error.code"); NULL when there is none. */
json_t *doc_at(json_t *doc, const char *path);
/* Its text: strings as they are, numbers and truths as JSON writes them, "null" for null or none.
 */
const char *doc_text(json_t *doc, const char *path);
#define ck_has(doc, path)   ck_assert_msg(json_is_string(doc_at((doc), (path))), "no %s", (path))
#define ck_says(text, part) says_check((text), (part), __FILE__, __LINE__)
/* Fails the test unless PART is in TEXT. */
void says_check(const char *text, const char *part, const char *file, int line);
#define ck_doc(doc, path, text) doc_check((doc), (path), (text), __FILE__, __LINE__)
/* Fails the test unless the value at PATH is TEXT. */
void doc_check(json_t *doc, const char *path, const char *text, const char *file, int line);

/* ---- waiting ------------------------------------------------------------------------ */

/* Waits until PATH of the task's document is TEXT; the document. Through restarts of the service.
 */
json_t *world_until(struct world *world, uint64_t id, const char *path, const char *text);
/* Waits until the task's history holds EVENT COUNT times; its last one. */
json_t *world_until_event(struct world *world, uint64_t id, const char *event, size_t count);
/* Waits until its log holds TEXT. */
void world_until_said(struct world *world, uint64_t id, const char *text);
/* The whole history of a task, {events: [[seq, event], ...]}, as it stands. */
json_t *world_events(struct world *world, uint64_t id);
/* Waits until ROOT/NAME exists; until ROOT/DIR no longer holds NAME. */
void world_until_file(struct world *world, const char *name);
void world_until_no_file(struct world *world, const char *dir, const char *name);

/* ---- the wire ------------------------------------------------------------------------ */

/* True when the service answers now. */
bool world_answers(struct world *world);
/* A connection of this process's own identity. */
void world_connect(struct world *world, struct client *ret_client);
/* One call with PARAMS (a JSON object, stolen; "token" goes as bytes): the result, or the error
 * with *ret_is_error. */
json_t *world_call(struct world *world, struct client *client, const char *method, json_t *params,
    bool *ret_is_error);
/* The same with an fd beside it (taken). */
json_t *world_call_with(struct world *world, struct client *client, const char *method,
    json_t *params, int fd, bool *ret_is_error);

#endif
