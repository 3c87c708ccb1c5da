/* reeve-worker ID.N - runs one attempt at one task, and says in its journal what became of it. */
#include "ipc/fd.h"
#include "ipc/log.h"
#include "ipc/version.h"
#include "worker/attempt.h"
#include "worker/runner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Nobody reads them but people: the journal says how the task ended. */
enum {
	EXIT_NOT_MINE = 70,
	EXIT_JOURNAL = 74,
	EXIT_USAGE = 2
};

/* Orphans of the steps come back to us; nobody but root looks into us; no terminal is ours. */
static void
stand_alone(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setsid();
}

int
main(int argc, char **argv)
{
	struct attempt attempt;
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("reeve-worker %s\n", REEVE_VERSION) < 0;
	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "reeve-worker is started by reeve's supervisor, not by hand.\n");
		return EXIT_USAGE;
	}
	fd_guard_stdio();
	log_init("reeve-worker", LOG_LEVEL_WARN);
	stand_alone();
	r = attempt_open(&attempt, argv[1]);
	if (r < 0) {
		log_error("%s: cannot begin: %s", argv[1],
		    r == -EEXIST ? "it was begun before" : strerror(-r));
		attempt_close(&attempt);
		return EXIT_NOT_MINE;
	}
	r = runner_run(&attempt);
	if (r < 0)
		log_error("%s: its journal cannot be written: %s", argv[1], strerror(-r));
	attempt_close(&attempt);
	return r < 0 ? EXIT_JOURNAL : 0;
}
