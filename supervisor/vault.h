/*
 * supervisor/vault.h - the secret parameters of the tasks that have not ended.
 *
 * A file in memory that the keeper made and hands to each supervisor in turn (ipc/inherit.h): what
 * is in it outlives every supervisor, and nothing of it outlives the keeper. A task's secrets are
 * put in before its submission is committed and taken out after its end is; between, each attempt
 * finds them here. Like all memory it may be swapped out, to where root alone can look.
 */
#ifndef SUPERVISOR_VAULT_H
#define SUPERVISOR_VAULT_H

#include "ipc/secrets.h"

enum {
	VAULT_SLOTS = 1024 /* tasks with secrets at a time */
};

struct vault {
	int fd;                    /* owned */
	uint64_t ids[VAULT_SLOTS]; /* whose each slot is; 0: free */
};

/* FD is taken; -1, from a keeper that has none to give: one that dies with this process. 0 or
 * -errno. */
int vault_open(struct vault *vault, int fd);
void vault_close(struct vault *vault);

/* In the place of what ID had. 0; -ENOSPC: no slot is free; -EMSGSIZE; -errno. */
int vault_put(struct vault *vault, uint64_t id, const struct pairs *secrets);

/* 0 with *ret_secrets owned (secrets_wipe); -ENOENT; -errno. */
int vault_get(const struct vault *vault, uint64_t id, struct pairs *ret_secrets);

void vault_drop(struct vault *vault, uint64_t id);

/* At start: drops what is of no task that IS_WANTED. */
void vault_sweep(struct vault *vault, bool (*is_wanted)(uint64_t id, void *arg), void *arg);

#endif
