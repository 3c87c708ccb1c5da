/* supervisor/config.h - what the keeper passes on: flags of reeve-supervisor. */
#ifndef SUPERVISOR_CONFIG_H
#define SUPERVISOR_CONFIG_H

#include "ipc/log.h"

#include <stdbool.h>
#include <stdint.h>

struct config {
	const char *state_dir, *run_dir; /* absolute; borrowed from argv */
	uint64_t slots;                  /* 0: start nothing */
	enum log_level log_level;
	uint64_t grace_ms; /* between TERM and KILL on a cancel */
	uint64_t keep_completed_ms, keep_rest_ms;
	bool change_user; /* effective uid 0: commands run as their owner */
};

/* 0, or -EINVAL after saying on stderr what is wrong. REEVE_GRACE, REEVE_KEEP_COMPLETED and
 * REEVE_KEEP_REST (durations such as 30s) override the defaults. */
int config_parse(struct config *config, int argc, char **argv);

#endif
