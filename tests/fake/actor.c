/*
 * tests/fake/actor.c - a step for the chaos test: says when it runs, reports facts, ends as told.
 * usage: actor RECORD FACTS MILLISECONDS exit:N|kill:N
 * RECORD gets one line `task attempt pid` each time it is run, before anything else.
 */
#include "worker/step.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void
write_record(const char *path)
{
	const char *task = getenv("REEVE_TASK"), *attempt = getenv("REEVE_ATTEMPT");
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	char line[128];
	int n = snprintf(line, sizeof line, "%s %s %d\n", task ? task : "0",
	    attempt ? attempt : "0", (int)getpid());

	if (fd < 0 || write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

static void
report(long i)
{
	char text[64];

	snprintf(text, sizeof text, "part %ld", i);
	switch (i % 4) {
	case 0:
		step_begin(text, (uint64_t)i);
		break;
	case 1:
		step_complete("as planned");
		break;
	case 2:
		step_checkpoint_text(text);
		break;
	default:
		step_warning(text);
		break;
	}
	step_progress((double)(i % 100) / 100, text);
}

int
main(int argc, char **argv)
{
	long facts, ms;
	int how;

	if (argc != 5)
		return 125;
	write_record(argv[1]);
	facts = strtol(argv[2], NULL, 10);
	ms = strtol(argv[3], NULL, 10);
	how = (int)strtol(argv[4] + strlen("exit:"), NULL, 10);
	step_open();
	for (long i = 0; i < facts; i++) {
		struct timespec pause = { .tv_nsec = ms * 1000000 / facts };

		report(i);
		nanosleep(&pause, NULL);
	}
	step_close();
	if (strncmp(argv[4], "kill:", 5) == 0)
		raise(how);
	return how;
}
