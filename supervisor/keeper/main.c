/* reeved: the keeper, the service's first process. */
#include "ipc/fd.h"
#include "supervisor/keeper/init.h"
#include "supervisor/keeper/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	struct options options;
	struct heritage left;
	struct places places;
	int status, r;

	if (fd_guard_stdio() < 0)
		return EXIT_FAILURE;
	r = options_parse(&options, argc, argv);
	heritage_take(&left);
	if (r == 0 && !init_stay(left.fds[HERITAGE_STATE_LOCK] >= 0, &status, &options.ends_all)) {
		log_init("reeved", options.log_level);
		setenv("REEVE_CONFIG_DIR", options.config_dir, 1);
		if (options.config_file)
			setenv("REEVE_CONFIG_FILE", options.config_file, 1);
		status = places_open(&places, &options, &left) < 0
			     ? EXIT_FAILURE
			     : keeper_run(&options, &places, &left);
	} else if (r != 0) {
		status = r == 1 ? EXIT_SUCCESS : r == -EINVAL ? 2 : EXIT_FAILURE;
	}
	heritage_close(&left);
	options_fini(&options);
	return status;
}
