/*
 * supervisor/launch.h - one attempt's process in its berth, started on the file thread.
 *
 * The attempt is committed before this runs. In order: brief, pipes, journal, the lock on it,
 * cgroup, spawn. The lock is inherited by the worker: it is the proof of life.
 */
#ifndef SUPERVISOR_LAUNCH_H
#define SUPERVISOR_LAUNCH_H

#include "store/store.h"
#include "supervisor/census.h"
#include "supervisor/cgroup.h"
#include "supervisor/jobs.h"

struct launch {
	struct job job; /* first; set job.done, the rest is launch_start's */
	void *owner;    /* the caller's, untouched */

	/* In; borrowed things outlive it. */
	struct store *store;
	struct cgroups *cgroups;
	struct census *census;
	const char *state_dir;
	int journals_fd, attempts_fd, worker_fd;
	uint64_t id, attempt, berth;
	enum attempt_mode mode;
	char *keeper_instance, *boot_id; /* owned */
	char *news_path, *orders_path;   /* owned */
	struct brief_steps steps;        /* owned: what earlier attempts left */
	struct pairs secrets;            /* owned; as far as they are known (vault.h) */
	uint64_t grace_ms, order_rev;

	/* Out. */
	int result;         /* 0 or -errno */
	bool is_transient;  /* on failure: it may succeed later */
	bool is_occupied;   /* on failure: somebody is still in that berth */
	bool lacks_secrets; /* on failure: they are gone, and so is the way to run it */
	char message[192];  /* on failure */
	pid_t pid;
	uint64_t start_ticks;
	int pidfd, journal_fd, news_fd,
	    orders_fd; /* -1 unless result is 0; the receiver takes them */
};

/* Runs on JOBS' thread, then job.done. */
void launch_start(struct launch *launch, struct jobs *jobs);

/* Frees what it owns and LAUNCH itself; not the fds. */
void launch_free(struct launch *launch);

enum {
	ATTEMPT_NAME = 48
};
/* "41.2": the name of an attempt and of its logs' directory. Returns NAME. */
char *launch_attempt_name(uint64_t id, uint64_t attempt, char name[static ATTEMPT_NAME]);

#endif
