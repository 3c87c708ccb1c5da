#include "supervisor/keeper/options.h"

#include "ipc/version.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help_text[] =
    "Usage: reeved [options]\n"
    "\n"
    "Runs the reeve service in the foreground and logs to stderr. As root it serves the\n"
    "machine; as anybody else it serves that user alone.\n"
    "\n"
    "  --state-dir DIR    what survives: tasks, journals, logs   (/var/lib/reeve,\n"
    "                     or $XDG_STATE_HOME/reeve; REEVE_STATE_DIR)\n"
    "  --run-dir DIR      sockets and pipes, may be a tmpfs      (/run/reeve,\n"
    "                     or $XDG_RUNTIME_DIR/reeve; REEVE_RUN_DIR)\n"
    "  --config DIR       reeve.yaml, and recipes                (/etc/reeve,\n"
    "                     or $XDG_CONFIG_HOME/reeve; REEVE_CONFIG_DIR)\n"
    "  --config FILE      another file than DIR/reeve.yaml       (REEVE_CONFIG_FILE)\n"
    "  --slots N          tasks that run at once; 0 starts none  (cores, at least 4)\n"
    "  --log-level LEVEL  error, warn, info or debug             (info)\n"
    "  --version, --help\n"
    "\n"
    "`reeve config` shows what is set and by what; `reeve config reference` all that can be.\n"
    "SIGHUP reads the configuration again; with a mistake in it, nothing changes.\n"
    "SIGTERM stops the service and leaves running tasks alone: the next reeved takes them\n"
    "up. `reeve shutdown --tasks` ends the tasks too. As pid 1 of a container, where nothing\n"
    "outlives it, SIGTERM stops each task at a checkpoint, and the next start goes on.\n"
    "\n"
    "Examples:\n"
    "  reeved                                        the service of this user or machine\n"
    "  reeved --state-dir /tmp/try --run-dir /tmp/try/run --slots 2\n"
    "  REEVE_SOCKET=/tmp/try/run/control.sock reeve run -- sleep 10\n";

static int
complain(const char *what, const char *value)
{
	fprintf(stderr, "reeved: %s: %s\nTry `reeved --help`.\n", what, value);
	return -EINVAL;
}

/* Owned, absolute; NULL when out of memory. */
static char *
absolute(const char *path)
{
	char here[PATH_MAX], *whole = NULL;

	if (path[0] == '/')
		return strdup(path);
	if (!getcwd(here, sizeof here) || asprintf(&whole, "%s/%s", here, path) < 0)
		return NULL;
	return whole;
}

static char *
join(const char *dir, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static const char *
absolute_env(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

/* XDG Base Directory Specification: $XDG_… or its default below $HOME. */
static char *
xdg(const char *variable, const char *below_home)
{
	const char *dir = absolute_env(variable), *home = absolute_env("HOME");
	char *base, *path;

	if (dir)
		return join(dir, "reeve");
	base = join(home ? home : "/", below_home);
	path = base ? join(base, "reeve") : NULL;
	free(base);
	return path;
}

static char *
default_run_dir(const struct options *options)
{
	const char *runtime = absolute_env("XDG_RUNTIME_DIR");

	if (!options->is_user_mode)
		return strdup("/run/reeve");
	return runtime ? join(runtime, "reeve") : join(options->state_dir, "run");
}

/* Fills in what neither flag nor environment said. */
static int
complete(struct options *options)
{
	const char *state = getenv("REEVE_STATE_DIR"), *run = getenv("REEVE_RUN_DIR");
	const char *config = getenv("REEVE_CONFIG_DIR");
	const char *file = getenv("REEVE_CONFIG_FILE"), *level = getenv("REEVE_LOG_LEVEL");
	bool user = options->is_user_mode;

	/* What the variable may be is the supervisor's to say. */
	if (!options->log_flag && level && log_level_parse(level))
		options->log_level = log_level_parse(level);
	if (!options->config_file && file && *file)
		options->config_file = absolute(file);

	if (!options->state_dir)
		options->state_dir = state && *state ? absolute(state)
				     : user          ? xdg("XDG_STATE_HOME", ".local/state")
						     : strdup("/var/lib/reeve");
	if (!options->run_dir && options->state_dir)
		options->run_dir = run && *run ? absolute(run) : default_run_dir(options);
	if (!options->config_dir)
		options->config_dir = config && *config ? absolute(config)
				      : user            ? xdg("XDG_CONFIG_HOME", ".config")
							: strdup("/etc/reeve");
	return options->state_dir && options->run_dir && options->config_dir ? 0 : -ENOMEM;
}

static int
take_dir(char **member, const char *value)
{
	if (!*value)
		return complain("a directory must not be empty", "\"\"");
	free(*member);
	*member = absolute(value);
	return *member ? 0 : -ENOMEM;
}

/* What is there and no directory is a file, and so is what is called one. */
static bool
is_file(const char *path)
{
	const char *dot = strrchr(path, '.');
	struct stat info;

	if (stat(path, &info) == 0)
		return !S_ISDIR(info.st_mode);
	return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int
take_log_level(struct options *options, char *value)
{
	options->log_flag = value;
	options->log_level = log_level_parse(value);
	return options->log_level ? 0
				  : complain("--log-level takes error, warn, info or debug", value);
}

static int
take_slots(struct options *options, char *value)
{
	size_t digits = strspn(value, "0123456789");

	if (digits == 0 || value[digits] != '\0' || digits > 5 || strtoul(value, NULL, 10) > 10000)
		return complain("--slots takes a number from 0 to 10000", value);
	options->slots = value;
	return 0;
}

static int
take_flag(struct options *options, int flag, char *value)
{
	switch (flag) {
	case 's':
		return take_dir(&options->state_dir, value);
	case 'r':
		return take_dir(&options->run_dir, value);
	case 'c':
		return take_dir(
		    is_file(value) ? &options->config_file : &options->config_dir, value);
	case 'n':
		return take_slots(options, value);
	case 'l':
		return take_log_level(options, value);
	case 'h':
		fputs(help_text, stdout);
		return 1;
	case 'v':
		puts("reeved " REEVE_VERSION);
		return 1;
	default:
		fputs("Try `reeved --help`.\n", stderr); /* getopt has said what is wrong */
		return -EINVAL;
	}
}

int
options_parse(struct options *options, int argc, char **argv)
{
	static const struct option flags[] = { { "state-dir", required_argument, NULL, 's' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "config", required_argument, NULL, 'c' },
		{ "slots", required_argument, NULL, 'n' },
		{ "log-level", required_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 } };
	int flag, r = 0;

	*options = (struct options){
		.log_level = LOG_LEVEL_INFO, .is_user_mode = geteuid() != 0, .argv = argv
	};
	while (r == 0 && (flag = getopt_long(argc, argv, "hv", flags, NULL)) != -1)
		r = take_flag(options, flag, optarg);
	if (r == 0 && optind < argc)
		r = complain("this takes no arguments", argv[optind]);
	return r != 0 ? r : complete(options);
}

void
options_fini(struct options *options)
{
	free(options->state_dir);
	free(options->run_dir);
	free(options->config_dir);
	free(options->config_file);
}
