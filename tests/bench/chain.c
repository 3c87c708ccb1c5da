/* The bare chain: a static program that starts its arguments, waits, and exits with their status.
 */
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

int
main(int argc, char **argv)
{
	char *none[] = { NULL };
	int status;
	pid_t pid;

	if (argc < 2 || posix_spawn(&pid, argv[1], NULL, NULL, argv + 1, none) != 0 ||
	    waitpid(pid, &status, 0) < 0)
		return EXIT_FAILURE;
	return WEXITSTATUS(status);
}
