/*
 * tests/bench/bench.h - what the measurements share: a private service, clients, figures.
 *
 * Each figure is printed as one JSON line with minimum, median and maximum of its rounds, beside
 * its limit measured in the same rounds, in turn: machines drift, ratios hold.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include "ipc/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A reeved of its own under a temporary directory. Failures end the program. */
struct service {
	char root[64]; /* on the disk */
	char run[64];  /* on a tmpfs, as /run is */
	char socket[96];
	pid_t keeper;
};
void service_start(struct service *service, const char *slots);
/* Starts it again after its keeper has ended. */
void service_again(struct service *service, const char *slots);
void service_remove(const struct service *service); /* the directories of one that has ended */
void service_stop(struct service *service);         /* its tasks too */
pid_t service_supervisor(const struct service *service);
/* Waits until a connection is answered. */
void service_wait(const struct service *service);

void bench_connect(struct client *client, const struct service *service);
/* Submits `command` (words), returns the id. */
uint64_t bench_submit(struct client *client, const char *const *command);
/* Follows everything; each notification goes to FN until it returns true. */
typedef bool (*bench_event_fn)(const char *event, uint64_t task, const char *status, void *arg);
void bench_watch(struct client *client, bool ends); /* true: only how tasks end */
void bench_wait(struct client *client, bench_event_fn fn, void *arg);

double now_s(void);
_Noreturn void die(const char *what);

enum {
	MAX_SAMPLES = 4096
};
struct samples {
	double v[MAX_SAMPLES];
	size_t n;
};
void samples_add(struct samples *samples, double value);
double samples_at(
    struct samples *samples, double fraction); /* 0: minimum, .5: median, 1: maximum */

/* {"bench":NAME,"unit":UNIT,"min":…,"median":…,"max":…} and, with LIMIT, its three and the ratio.
 */
void print_figure(const char *name, const char *unit, struct samples *samples,
    const char *limit_name, struct samples *limit);

/* PSS of a process in KiB, smaps_rollup of proc(5). */
double pss_kib(pid_t pid);

/* Runs WORK(ARG) in so many threads, each doing EACH things: things per second. */
double bench_clients(void *(*work)(void *), void *arg, int clients, int each);
/* Group commit of 128 bytes by LMDB alone, below ROOT: commits per second. */
double bench_bare_commits(const char *root, int clients, int each);

/* Asks every few milliseconds until TASK has ended, which it must do well. */
void bench_await(struct client *client, uint64_t task);

void bench_tasks(bool small);
void bench_facts(bool small);
void bench_store(bool small);
void bench_submissions(bool small);
void bench_cancel(bool small);
void bench_memory(bool small);
void bench_restart(bool small);
void bench_many_ended(bool small);
void bench_eta(bool small);

#endif
