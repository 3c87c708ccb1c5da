/* supervisor/flags.h - what the keeper passes on: the flags of reeve-supervisor (ipc/inherit.h). */
#ifndef SUPERVISOR_FLAGS_H
#define SUPERVISOR_FLAGS_H

#include "supervisor/config/keys.h"

struct flags {
	const char *state_dir, *run_dir; /* absolute; all borrowed from argv */
	bool again; /* not the first of its keeper: what was good before will do */
	const char *values[CONFIG_KEYS]; /* of keys that have a flag, as given; else NULL */
};

/* 0, or -EINVAL after saying on stderr what is wrong. What a value may be is config.h's affair. */
int flags_parse(struct flags *flags, int argc, char **argv);

#endif
