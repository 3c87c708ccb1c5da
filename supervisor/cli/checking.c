#include "supervisor/cli/checking.h"

#include "ipc/expand.h"
#include "ipc/fd.h"
#include "ipc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHECK_MS = 60 * 1000 /* where nothing else is said: somebody is waiting */
};

/* ---- its words ------------------------------------------------------------------------ */

struct words {
	struct strs argv, envp, paths;
	struct pairs env;
	char *cwd;
};

static const char *
look_up(const char *reference, void *arg)
{
	const struct checking *checking = arg;

	return strncmp(reference, "steps.", 6) == 0 ? NULL
						    : pairs_get(checking->secrets, reference);
}

static int
fill(struct checking *checking, const char *text, char **ret_text)
{
	char *missing = NULL;
	int r = expand(text, EXPAND_ALL, look_up, checking, ret_text, &missing);

	free(missing);
	return r;
}

static int
add_params(struct words *words, const struct pairs *params)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < params->n; i++) {
		char *name = expand_env_name("PARAM_", params->v[i].name);

		r = name ? pairs_set(&words->env, name, params->v[i].value) : -ENOMEM;
		free(name);
	}
	return r;
}

static int
make_env(struct checking *checking, const struct spec_step *step, struct words *words)
{
	static const char *const passed[] = { "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG",
		"TZ" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof passed / sizeof passed[0]; i++)
		if (getenv(passed[i]))
			r = pairs_set(&words->env, passed[i], getenv(passed[i]));
	if (r == 0 && step->check.sh)
		r = add_params(words, &checking->spec->params);
	if (r == 0 && step->check.sh)
		r = add_params(words, checking->secrets);
	for (size_t i = 0; r == 0 && i < step->env.n; i++) {
		char *value = NULL;

		r = fill(checking, step->env.v[i].value, &value);
		if (r == 0)
			r = pairs_set(&words->env, step->env.v[i].name, value);
		free(value);
	}
	for (size_t i = 0; r == 0 && i < words->env.n; i++) {
		char *whole;

		if (asprintf(&whole, "%s=%s", words->env.v[i].name, words->env.v[i].value) < 0)
			return -ENOMEM;
		r = strs_add(&words->envp, whole);
		free(whole);
	}
	return r;
}

static int
make_argv(struct checking *checking, const struct spec_cmd *check, struct words *words)
{
	static const char *const shell[] = { "/bin/sh", "-e", "-c" };
	int r = 0;

	for (size_t i = 0; r == 0 && check->sh && i < 3; i++)
		r = strs_add(&words->argv, shell[i]);
	if (r == 0 && check->sh)
		r = strs_add(&words->argv, check->sh);
	for (size_t i = 0; r == 0 && i < check->argv.n; i++) {
		char *word = NULL;

		r = fill(checking, check->argv.v[i], &word);
		if (r == 0)
			r = strs_add(&words->argv, word);
		free(word);
	}
	return r;
}

/* sh text finds outputs as variables: one of a step that has not run is not there. */
static bool
uses_outputs(const struct spec *spec, size_t index)
{
	const char *text = spec->steps.v[index].check.sh;

	for (size_t i = 0; text && i < index; i++) {
		char *name = expand_env_name("OUT_", spec->steps.v[i].name);
		bool is_used = name && spec->steps.v[i].outputs.n > 0 && strstr(text, name);

		free(name);
		if (is_used)
			return true;
	}
	return false;
}

static int
find_program(struct words *words)
{
	const char *name = words->argv.v[0], *path = pairs_get(&words->env, "PATH");
	int r = 0;

	if (strchr(name, '/'))
		return strs_add(&words->paths, name);
	for (path = path ? path : "/usr/bin:/bin"; r == 0;) {
		size_t len = strcspn(path, ":");
		char *whole;

		if (asprintf(&whole, "%.*s/%s", (int)len, path, name) < 0)
			return -ENOMEM;
		r = strs_add(&words->paths, whole);
		free(whole);
		if (path[len] == '\0')
			break;
		path += len + 1;
	}
	return r;
}

static int
find_directory(struct checking *checking, const char *cwd, struct words *words)
{
	char *filled = NULL;
	int r = cwd ? fill(checking, cwd, &filled) : 0;

	if (r == 0 && filled && *filled == '/')
		r = str_set(&words->cwd, filled);
	else if (r == 0 && asprintf(&words->cwd, "%s%s%s", checking->dir, filled ? "/" : "",
			       filled ? filled : "") < 0)
		r = -ENOMEM;
	free(filled);
	return r;
}

/* A NULL behind the last, as exec wants it. */
static int
terminate(struct strs *strs)
{
	char **v = reallocarray(strs->v, strs->n + 1, sizeof *v);

	if (!v)
		return -ENOMEM;
	v[strs->n] = NULL;
	strs->v = v;
	return 0;
}

static int
make_words(struct checking *checking, size_t index, struct words *words)
{
	const struct spec_step *step = &checking->spec->steps.v[index];
	int r;

	if (uses_outputs(checking->spec, index))
		return -ENOENT;
	if ((r = make_argv(checking, &step->check, words)) < 0 ||
	    (r = make_env(checking, step, words)) < 0 || (r = find_program(words)) < 0 ||
	    (r = find_directory(checking, step->cwd, words)) < 0 ||
	    (r = terminate(&words->argv)) < 0 || (r = terminate(&words->envp)) < 0)
		return r;
	return terminate(&words->paths);
}

static void
free_words(struct words *words)
{
	strs_free(&words->argv);
	strs_free(&words->envp);
	strs_free(&words->paths);
	pairs_free(&words->env);
	free(words->cwd);
}

/* ---- running it ------------------------------------------------------------------------- */

/* In a group of its own, which nothing outlives. *ret_status as waitpid tells; -1: too long. */
static int
run_check(struct words *words, uint64_t timeout_ms, int *ret_status)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct spawn_fd fds[] = { { null_fd, 0 }, { null_fd, 1 }, { null_fd, 2 } };
	const struct spawn_spec spec = { .exec_fd = -1,
		.argv = words->argv.v,
		.envp = words->envp.v,
		.paths = (const char *const *)words->paths.v,
		.fds = fds,
		.nfds = 3,
		.new_session = true,
		.cgroup_fd = -1,
		.cwd = words->cwd,
		.umask = -1,
		.oom_score_adj = INT_MIN };
	struct pollfd end = { .events = POLLIN };
	struct spawned child;
	int status = 0, r = spawn(&spec, &child);

	fd_close(&null_fd);
	if (r < 0)
		return r;
	end.fd = child.pidfd;
	r = poll(&end, 1, (int)(timeout_ms < INT_MAX ? timeout_ms : INT_MAX));
	kill(-child.pid, SIGKILL); /* its number is its group's until it is reaped */
	waitpid(child.pid, &status, 0);
	*ret_status = r == 1 ? status : -1;
	fd_close(&child.pidfd);
	return 0;
}

/* One that cannot be started says that the step is to be run, to the service too. */
static enum finding
judge(int r, int status, char why[static CHECKING_WHY])
{
	if (r < 0 || (status != -1 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)))
		return FOUND_TO_DO;
	if (status != -1)
		return FOUND_DONE;
	snprintf(why, CHECKING_WHY, "its check takes too long to wait for here");
	return FOUND_NOTHING;
}

enum finding
checking_look(struct checking *checking, size_t index, char ret_why[static CHECKING_WHY])
{
	const struct spec_step *step = &checking->spec->steps.v[index];
	uint64_t timeout_ms = step->check.timeout_ms ? step->check.timeout_ms : step->timeout_ms;
	struct words words = { .cwd = NULL };
	enum finding finding = FOUND_NOTHING;
	int status = 0, r;

	if (!step->check.sh && step->check.argv.n == 0)
		return FOUND_TO_DO;
	r = make_words(checking, index, &words);
	if (r == 0) {
		r = run_check(&words, timeout_ms ? timeout_ms : CHECK_MS, &status);
		finding = judge(r, status, ret_why);
	} else if (r == -ENOENT) {
		snprintf(ret_why, CHECKING_WHY, "its check needs what an earlier step puts out");
	} else {
		snprintf(ret_why, CHECKING_WHY, "its check cannot be run: %s", strerror(-r));
	}
	free_words(&words);
	return finding;
}
