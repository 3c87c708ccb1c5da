/* tests/bench/chatter.c - a step that reports N facts as fast as it can. usage: chatter N */
#include "worker/step.h"

#include <stdlib.h>

int
main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

	if (step_open() < 0)
		return EXIT_FAILURE;
	for (long i = 0; i < n; i++)
		if (step_notification("a fact of some forty bytes, as they come") < 0)
			return EXIT_FAILURE;
	step_close();
	return EXIT_SUCCESS;
}
