/*
 * ipc/tree.h - kills what descends from a process: stop to a fixpoint, then kill,
 * until nothing is left.
 *
 * For a root process that is a subreaper, orphans come back to it, so the walk is
 * complete: nothing can leave the tree but by another user's privilege.
 * Zombies count as dead. Reaping is the caller's affair, through on_round.
 */
#ifndef IPC_TREE_H
#define IPC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One process the walk had to kill, or could not. */
struct tree_victim {
	pid_t pid;
	uint64_t start_ticks;
	char name[32];
	bool own_session; /* setsid'd away from its parent's session */
	bool own_group;   /* left its step's process group */
	bool survived;    /* EPERM, or still there at the deadline */
};

struct tree_result {
	struct tree_victim *victims; /* owned; at most 64 are described */
	size_t nvictims;
	size_t killed; /* all of them, described or not */
	size_t survived;
};

/* Return true to leave this process (and its subtree) alone. */
typedef bool (*tree_spare_fn)(pid_t pid, uint64_t start_ticks, void *arg);

struct tree_kill {
	pid_t root;                  /* its descendants die, it does not */
	tree_spare_fn spare;         /* NULL: spare nobody */
	void (*on_round)(void *arg); /* e.g. reap children; NULL allowed */
	void *arg;
	uint64_t deadline_ms; /* clock_boot_ms(); when passed, what is left has survived */
};

/* Returns 0 with nothing left alive, -EBUSY with survivors, or -errno. May block to the deadline.
 * *ret_result is always valid; tree_result_free it. */
int tree_kill(const struct tree_kill *spec, struct tree_result *ret_result);
void tree_result_free(struct tree_result *result);

/* Live (not zombie) descendants of ROOT, spared ones excluded: a count, or -errno. */
int tree_count(pid_t root, tree_spare_fn spare, void *arg);

#endif
