/* supervisor/keeper/options.h - reeved's flags, environment and places. */
#ifndef SUPERVISOR_KEEPER_OPTIONS_H
#define SUPERVISOR_KEEPER_OPTIONS_H

#include "ipc/log.h"

#include <stdbool.h>

struct options {
	char *state_dir, *run_dir, *config_dir; /* absolute, owned */
	char *config_file;        /* absolute, owned; NULL: reeve.yaml in config_dir */
	char **argv;              /* borrowed: all of it, to start anew with */
	char *slots, *log_flag;   /* as given; NULL: the supervisor finds out */
	enum log_level log_level; /* our own */
	bool is_user_mode;        /* effective uid is not 0 */
	bool ends_all;            /* all that runs here ends with us: a container */
};

/* 0 to go on; 1 when --help or --version was all; -EINVAL after saying what is wrong; -ENOMEM.
 * Flag > environment > default (contract: /var/lib/reeve, /run/reeve; XDG places in user mode). */
int options_parse(struct options *options, int argc, char **argv);
void options_fini(struct options *options);

#endif
