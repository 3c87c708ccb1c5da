#include "supervisor/flags.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

enum {
	FLAG_KEY = 256 /* and the row of config_keys */
};

static int
complain(const char *what, const char *value)
{
	fprintf(stderr, "reeve-supervisor: %s: %s\n", what, value ? value : "missing");
	return -EINVAL;
}

static int
take(struct flags *flags, int flag, const char *value)
{
	switch (flag) {
	case 's':
		flags->state_dir = value;
		return 0;
	case 'r':
		flags->run_dir = value;
		return 0;
	case 'a':
		flags->again = true;
		return 0;
	default:
		if (flag < FLAG_KEY)
			return -EINVAL; /* getopt has said why */
		flags->values[flag - FLAG_KEY] = value;
		return 0;
	}
}

int
flags_parse(struct flags *flags, int argc, char **argv)
{
	struct option options[3 + CONFIG_KEYS + 1] = { { "state-dir", required_argument, NULL,
							   's' },
		{ "run-dir", required_argument, NULL, 'r' }, { "again", no_argument, NULL, 'a' } };
	size_t n = 3;
	int flag, r = 0;

	*flags = (struct flags){ .again = false };
	for (int i = 0; i < CONFIG_KEYS; i++)
		if (config_keys[i].flag)
			options[n++] = (struct option){ config_keys[i].flag + 2, required_argument,
				NULL, FLAG_KEY + i };
	while (r == 0 && (flag = getopt_long(argc, argv, "", options, NULL)) != -1)
		r = take(flags, flag, optarg);
	if (r < 0)
		return r;
	if (optind < argc)
		return complain("what is this", argv[optind]);
	if (!flags->state_dir || flags->state_dir[0] != '/')
		return complain("--state-dir takes an absolute path", flags->state_dir);
	if (!flags->run_dir || flags->run_dir[0] != '/')
		return complain("--run-dir takes an absolute path", flags->run_dir);
	return 0;
}
