#include "supervisor/config.h"

#include "ipc/clock.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	MAX_SLOTS = 10000
};

static int
complain(const char *what, const char *value)
{
	fprintf(stderr, "reeve-supervisor: %s: %s\n", what, value ? value : "missing");
	return -EINVAL;
}

static int
parse_slots(const char *text, uint64_t *ret_slots)
{
	char *end;

	errno = 0;
	*ret_slots = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || *ret_slots > MAX_SLOTS)
		return complain("--slots takes a number from 0 to 10000", text);
	return 0;
}

static int
take_duration(const char *name, uint64_t *member)
{
	const char *text = getenv(name);

	if (!text || clock_parse_duration(text, member) == 0)
		return 0;
	fprintf(stderr, "reeve-supervisor: %s takes a duration such as 30s, 10m, 2h, 7d: %s\n",
	    name, text);
	return -EINVAL;
}

static int
take_flag(struct config *config, int flag, const char *value)
{
	switch (flag) {
	case 's':
		config->state_dir = value;
		return 0;
	case 'r':
		config->run_dir = value;
		return 0;
	case 'n':
		return parse_slots(value, &config->slots);
	case 'l':
		config->log_level = log_level_parse(value);
		return config->log_level ? 0 : complain("unknown log level", value);
	default:
		return -EINVAL; /* getopt has said why */
	}
}

static uint64_t
default_slots(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 4 ? (uint64_t)cores : 4;
}

int
config_parse(struct config *config, int argc, char **argv)
{
	static const struct option options[] = { { "state-dir", required_argument, NULL, 's' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "slots", required_argument, NULL, 'n' },
		{ "log-level", required_argument, NULL, 'l' }, { NULL, 0, NULL, 0 } };
	int flag, r = 0;

	*config = (struct config){ .slots = default_slots(),
		.log_level = LOG_LEVEL_INFO,
		.grace_ms = 10000,
		.keep_completed_ms = 3600000,
		.keep_rest_ms = UINT64_C(7) * 24 * 3600 * 1000,
		.change_user = geteuid() == 0 };
	while (r == 0 && (flag = getopt_long(argc, argv, "", options, NULL)) != -1)
		r = take_flag(config, flag, optarg);
	if (r < 0)
		return r;
	if (optind < argc)
		return complain("what is this", argv[optind]);
	if (!config->state_dir || config->state_dir[0] != '/')
		return complain("--state-dir takes an absolute path", config->state_dir);
	if (!config->run_dir || config->run_dir[0] != '/')
		return complain("--run-dir takes an absolute path", config->run_dir);
	if ((r = take_duration("REEVE_GRACE", &config->grace_ms)) < 0 ||
	    (r = take_duration("REEVE_KEEP_COMPLETED", &config->keep_completed_ms)) < 0 ||
	    (r = take_duration("REEVE_KEEP_REST", &config->keep_rest_ms)) < 0)
		return r;
	return 0;
}
