/*
 * tests/fake/pilgrim.c - a step that goes on from where its last run was.
 *
 *   pilgrim DIR
 *
 * Adds to DIR/ran a line with the checkpoint it was given and its attempt, reports the checkpoint
 * "halfway", and stays until DIR/go is there.
 */
#include "worker/step.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* "nothing" or "halfway", from a msgpack string. */
static const char *
where_it_was(void)
{
	size_t len = 0;
	const char *given = step_checkpoint_given(&len);

	if (!given)
		return "nothing";
	return len == 8 && memcmp(given, "\xa7halfway", 8) == 0 ? "halfway" : "rubbish";
}

static bool
may_go(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/go", dir);
	return access(path, F_OK) == 0;
}

int
main(int argc, char **argv)
{
	char line[256], path[4096];
	int fd, n;

	if (argc != 2)
		return 2;
	step_open();
	snprintf(path, sizeof path, "%s/ran", argv[1]);
	n = snprintf(line, sizeof line, "second from %s in attempt %d\n", where_it_was(),
	    (int)step_attempt());
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		return EXIT_FAILURE;
	close(fd);
	step_checkpoint_text("halfway");
	while (!may_go(argv[1]))
		nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
	step_close();
	return EXIT_SUCCESS;
}
