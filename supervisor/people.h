/*
 * supervisor/people.h - what the system knows of a user: name, home, shell, groups.
 *
 * Name services may be slow or hang; look-ups run on a thread of their own and are kept
 * for a minute.
 */
#ifndef SUPERVISOR_PEOPLE_H
#define SUPERVISOR_PEOPLE_H

#include "ipc/codec.h"
#include "supervisor/jobs.h"

#include <sys/types.h>

struct person {
	uid_t uid;
	gid_t gid;
	char *name, *home, *shell; /* a uid without an account: its number, "/", "/bin/sh" */
	gid_t *groups;
	size_t ngroups;
	uint64_t known_ms; /* boot clock */
};

struct people;

/* 0 or -ENOMEM. Uses JOBS (borrowed). */
int people_new(struct jobs *jobs, struct people **ret_people);
void people_free(struct people *people);

/* Calls DONE once with the person (borrowed for the call; NULL: no memory), at once when it is
 * known, else later. */
void people_look_up(struct people *people, uid_t uid,
    void (*done)(const struct person *person, void *arg), void *arg);

/* The uid of user NAME: 0, -ENOENT. Blocks: never on the loop. */
int people_user_id(const char *name, uid_t *ret_uid);

/* The gid of group NAME, or (gid_t)-1. Blocks: at start only. */
gid_t people_group_id(const char *name);

#endif
