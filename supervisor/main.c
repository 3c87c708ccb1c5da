/* reeve-supervisor: started by reeved, which hands it the listening socket (ipc/inherit.h). */
#include "ipc/fd.h"
#include "ipc/inherit.h"
#include "ipc/log.h"
#include "supervisor/clone3.h"
#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
has_keeper(void)
{
	for (int fd = KEEPER_FD_LISTEN; fd < KEEPER_FD_LISTEN + KEEPER_FD_COUNT; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return false;
	return true;
}

static void
forgive_clone3(void)
{
	int r = clone3_forgive();

	if (r < 0)
		log_warn("clone3 is forbidden here in a way that keeps threads from starting: %s",
		    strerror(-r));
	else if (r == 1)
		log_warn("clone3 is forbidden here; to start threads all the same, nothing that is "
			 "started may gain rights (sudo)");
}

int
main(int argc, char **argv)
{
	static struct supervisor supervisor;
	struct settings settings;
	struct flags flags;
	int status;

	if (fd_guard_stdio() < 0)
		return EXIT_FAILURE;
	if (flags_parse(&flags, argc, argv) < 0)
		return SUPERVISOR_EXIT_USAGE;
	if (!has_keeper()) {
		fprintf(stderr, "reeve-supervisor: it is started by reeved, not by hand\n");
		return SUPERVISOR_EXIT_USAGE;
	}
	log_init("reeve-supervisor", LOG_LEVEL_INFO);
	if (settings_load(&settings, &flags) < 0)
		return SUPERVISOR_EXIT_USAGE;
	log_set_level((enum log_level)settings.config.log_level);
	forgive_clone3();
	settings_export(&settings.config);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is a full disk */
	status = supervisor_start(&supervisor, &settings);
	if (status != 0)
		return status;
	status = supervisor_run(&supervisor);
	/* A failed store must not be touched again: what is decided is decided afresh by the next
	 * one. */
	if (status != SUPERVISOR_EXIT_STOP)
		_exit(status);
	supervisor_stop(&supervisor);
	return status;
}
