/*
 * tests/chaos/chaos.h - kills the service at random while it works, then compares what it says with
 * what its workers wrote down themselves.
 *
 *   chaos.c  the driver: keeps tasks coming, kills, waits for the end
 *   crew.c   the service's processes: starting, killing
 *   desk.c   the client side: calls, submissions and following that survive the service's deaths
 *   judge.c  the verdict, from the workers' own record (REEVE_ORACLE) and the steps'
 */
#ifndef TESTS_CHAOS_CHAOS_H
#define TESTS_CHAOS_CHAOS_H

#include "ipc/client.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	MAX_TASKS = 200000
};

/* What was asked for, by task id. */
struct plan {
	bool is_known;        /* it was submitted */
	int code, signal;     /* how its step is to end */
	bool worker_was_shot; /* by us, or may have been with everything else */
	bool ended;
};

struct chaos {
	char root[64], run[64], socket[128], oracle[96], record[96], bin[512], actor[600];
	pid_t keeper;
	uint64_t rng;
	struct plan *plans; /* MAX_TASKS */
	uint64_t last_id;
	unsigned active;
	unsigned supervisor_kills, keeper_kills, worker_kills, massacres;
	bool keeper_died;     /* ever: then an exit may be unknown */
	struct client client; /* follows everything */
	char epoch[40];
	uint64_t seq;
};

uint64_t chaos_draw(struct chaos *chaos, uint64_t below);
double chaos_now_s(void);
_Noreturn void chaos_die(struct chaos *chaos, const char *what);

/* crew.c */
void crew_start(struct chaos *chaos);
void crew_kill_supervisor(struct chaos *chaos);
void crew_kill_keeper(struct chaos *chaos);
void crew_kill_worker(struct chaos *chaos);
void crew_kill_all(struct chaos *chaos);
void crew_stop(struct chaos *chaos); /* by `shutdown`, with its tasks */

/* desk.c */
typedef void (*pack_fn)(msgpack_packer *packer, void *arg);
/* One call, sent again until it is answered. False: the service refused. */
bool desk_call(struct chaos *chaos, const char *method, pack_fn pack, void *arg, int fd,
    struct client_reply *ret_reply);
void desk_submit(struct chaos *chaos);
/* Takes events for at most TIMEOUT_MS, connecting again when the service has died. */
void desk_follow(struct chaos *chaos, int timeout_ms);

/* judge.c: prints what is wrong; returns how many violations. */
unsigned judge(struct chaos *chaos);

#endif
