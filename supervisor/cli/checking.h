/*
 * supervisor/cli/checking.h - runs the check of one step, for `run --plan`: as whoever asks, with
 * what the service would give it but for outputs of steps, which nobody has yet.
 */
#ifndef SUPERVISOR_CLI_CHECKING_H
#define SUPERVISOR_CLI_CHECKING_H

#include "ipc/spec.h"

enum finding {
	FOUND_DONE = 1, /* its check exits with 0 */
	FOUND_TO_DO,
	FOUND_NOTHING /* nobody can tell before */
};

enum {
	CHECKING_WHY = 256
};

struct checking {
	const struct spec *spec;
	const struct pairs *secrets; /* as far as they were given */
	const char *dir;             /* an empty one, as a task's own is at first */
};

/* RET_WHY, empty before, tells why FOUND_NOTHING. Blocks, for as long as the check may take. */
enum finding checking_look(
    struct checking *checking, size_t index, char ret_why[static CHECKING_WHY]);

#endif
