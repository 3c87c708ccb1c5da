/*
 * supervisor/supervisor.h - everything the brain owns, put together and taken apart.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "ipc/proc.h"
#include "supervisor/control.h"
#include "supervisor/people.h"
#include "supervisor/recipe/library.h"
#include "supervisor/roster/roster.h"
#include "supervisor/settings.h"

enum stop_when {
	STOP_NOW,
	STOP_WHEN_EMPTY, /* when the last task has ended */
	STOP_WHEN_IDLE   /* when no worker is left: roster/suspend.h */
};

struct supervisor {
	struct settings settings;
	struct ev_loop *loop;
	ev_signal on_term, on_int, on_hup;
	ev_io link; /* KEEPER_FD_LINK */
	struct store *store;
	struct committer committer;
	struct jobs files, kills, names, removals;
	struct census census;
	struct cgroups *cgroups;
	struct reaps reaps;
	struct vault vault;
	struct people *people;
	struct recipe_library library;
	struct roster roster;
	struct control control;
	gid_t admin_gid;  /* of the administrators' group, or (gid_t)-1 */
	bool change_user; /* the service is root: commands run as their owner */
	char boot_id[BOOT_ID_TEXT];
	int attempts_fd, journals_fd, worker_fd;
	uint64_t started_ms; /* wall clock */
	ev_prepare stopper;  /* once it is to stop: looks whether it may */
	enum stop_when stop_when;
	bool restart_service; /* what is installed now is to take its place */
	bool stop_service;    /* the keeper is to end too */
	int exit_status;
};

/* Opens the store, takes up what was running, serves. Takes SETTINGS. 0, or the exit status (then
 * all is closed). */
int supervisor_start(struct supervisor *supervisor, const struct settings *settings);

/* Until it is told to stop. Returns the exit status. */
int supervisor_run(struct supervisor *supervisor);

void supervisor_stop(struct supervisor *supervisor);

/* What the configuration says of tasks that have ended. */
struct retention supervisor_retention(const struct config *config);

/* Ends the loop, and with it the service: now or later. */
void supervisor_stop_when(struct supervisor *supervisor, enum stop_when when);

#endif
