/* supervisor/commands/examine.h - what a doctor finds: checks, each with what to do about it. */
#ifndef SUPERVISOR_COMMANDS_EXAMINE_H
#define SUPERVISOR_COMMANDS_EXAMINE_H

#include "ipc/buf.h"

#include <msgpack.h>
#include <stdbool.h>

enum health {
	HEALTH_OK,
	HEALTH_WARN,
	HEALTH_FAIL
};

struct examination {
	msgpack_packer packer;
	struct buf checks; /* packed, one behind the other */
	uint32_t n;
};

void examination_init(struct examination *examination);
void examination_fini(struct examination *examination);

/* FIX: what to do, or NULL. */
void add_check(struct examination *examination, const char *name, enum health health,
    const char *text, const char *fix);

/* What is around the service. Blocks on file systems and name services. */
struct surroundings {
	const char *state_dir, *run_dir; /* borrowed */
	bool is_full;                    /* the last commit found no room */
};
void examine_surroundings(struct examination *examination, const struct surroundings *surroundings);

#endif
