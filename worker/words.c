#include "worker/words.h"

#include "ipc/expand.h"
#include "ipc/install.h"
#include "worker/outputs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static const struct spec_cmd *
command_of(const struct spec_step *step, enum role role)
{
	switch (role) {
	case ROLE_CHECK:
		return &step->check;
	case ROLE_VERIFY:
		return &step->verify;
	case ROLE_UNDO:
		return &step->undo;
	case ROLE_RUN:
		break;
	}
	return &step->cmd;
}

bool
sandbox_has(const struct attempt *attempt, size_t step, enum role role)
{
	const struct spec_step *spec = &attempt->brief.spec.steps.v[step];
	const struct spec_cmd *cmd = command_of(spec, role);

	if (role == ROLE_RUN && spec->kind == STEP_KIND_PULL)
		return true;
	return cmd->argv.n > 0 || cmd->sh;
}

bool
sandbox_has_tty(const struct attempt *attempt, const struct sandbox *sandbox)
{
	return sandbox->role == ROLE_RUN && attempt->brief.spec.steps.v[sandbox->step].tty;
}

static int
expand_one(struct words *words, struct attempt *attempt, const char *text, char **ret_text)
{
	if (!strstr(text, "${")) {
		*ret_text = strdup(text);
		return *ret_text ? 0 : -ENOMEM;
	}
	free(words->missing);
	words->missing = NULL;
	return expand(text, EXPAND_ALL, outputs_lookup, &attempt->brief, ret_text, &words->missing);
}

static int
add_arg(struct words *words, struct attempt *attempt, const char *text)
{
	char *value;
	int r = expand_one(words, attempt, text, &value);

	if (r < 0)
		return r;
	r = strs_add(&words->argv, value);
	free(value);
	return r;
}

static int
add_pull_args(struct words *words, struct attempt *attempt, const struct spec_pull *pull)
{
	const char *const options[][2] = { { "--url", pull->url }, { "--sha256", pull->sha256 },
		{ "--to", pull->to }, { "--size", pull->size } };
	int r = strs_add(&words->argv, "reeve-pull");

	for (size_t i = 0; r == 0 && i < sizeof options / sizeof options[0]; i++) {
		if (!options[i][1])
			continue;
		r = strs_add(&words->argv, options[i][0]);
		if (r == 0)
			r = add_arg(words, attempt, options[i][1]);
	}
	return r;
}

static int
add_args(struct words *words, struct attempt *attempt, const struct sandbox *sandbox)
{
	const struct spec_step *step = &attempt->brief.spec.steps.v[sandbox->step];
	const struct spec_cmd *cmd = command_of(step, sandbox->role);
	int r = 0;

	if (sandbox->role == ROLE_RUN && step->kind == STEP_KIND_PULL)
		return add_pull_args(words, attempt, &step->pull);
	if (cmd->sh) {
		static const char *const shell[] = { "/bin/sh", "-e", "-c" };

		for (size_t i = 0; r == 0 && i < 3; i++)
			r = strs_add(&words->argv, shell[i]);
		return r < 0 ? r : strs_add(&words->argv, cmd->sh);
	}
	for (size_t i = 0; r == 0 && i < cmd->argv.n; i++)
		r = add_arg(words, attempt, cmd->argv.v[i]);
	return r;
}

static int
set_number(struct pairs *env, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	return pairs_set(env, name, text);
}

static int
set_named(struct pairs *env, const char *prefix, const char *name, const char *value)
{
	char *variable = expand_env_name(prefix, name);
	int r = variable ? pairs_set(env, variable, value) : -ENOMEM;

	free(variable);
	return r;
}

/* OUT_STEP_NAME of every output there is. */
static int
set_outputs(struct pairs *env, const struct brief *brief)
{
	char prefix[LIMIT_NAME + 8], *step;
	int r = 0;

	for (size_t i = 0; r == 0 && i < brief->steps.n; i++) {
		const struct pairs *outputs = &brief->steps.v[i].outputs;
		const struct pairs *answered = outputs_answered(brief, i);

		if ((outputs->n == 0 && !answered) || !brief->spec.steps.v[i].name)
			continue;
		step = expand_env_name("OUT_", brief->spec.steps.v[i].name);
		snprintf(prefix, sizeof prefix, "%s_", step ? step : "");
		r = step ? 0 : -ENOMEM;
		free(step);
		for (size_t k = 0; r == 0 && k < outputs->n; k++)
			r = set_named(env, prefix, outputs->v[k].name, outputs->v[k].value);
		for (size_t k = 0; r == 0 && answered && k < answered->n; k++)
			r = set_named(env, prefix, answered->v[k].name, answered->v[k].value);
	}
	return r;
}

/* sh text is not expanded: it finds the same values in its environment. */
static int
set_for_sh(struct words *words, const struct brief *brief)
{
	const struct pairs *params = &brief->spec.params, *secrets = &brief->secrets;
	int r = 0;

	for (size_t i = 0; r == 0 && i < params->n; i++)
		r = set_named(&words->env, "PARAM_", params->v[i].name, params->v[i].value);
	for (size_t i = 0; r == 0 && i < secrets->n; i++)
		r = set_named(&words->env, "PARAM_", secrets->v[i].name, secrets->v[i].value);
	return r < 0 ? r : set_outputs(&words->env, brief);
}

static int
set_own(struct words *words, const struct attempt *attempt, const struct sandbox *sandbox)
{
	const struct brief *brief = &attempt->brief;
	const char *name = brief->spec.steps.v[sandbox->step].name;
	int r;

	if ((r = set_number(&words->env, "REEVE_TASK", brief->task)) < 0 ||
	    (r = set_number(&words->env, "REEVE_ATTEMPT", brief->attempt)) < 0 ||
	    (r = pairs_set(&words->env, "REEVE_STEP", name ? name : "")) < 0)
		return r;
	if (sandbox->output_path)
		r = pairs_set(&words->env, "REEVE_OUTPUT", sandbox->output_path);
	if (r < 0 || sandbox->role != ROLE_RUN)
		return r;
	if ((r = set_number(&words->env, "REEVE_FD", STEP_FD)) < 0)
		return r;
	if ((r = set_number(&words->env, "REEVE_START_FD", STEP_START_FD)) < 0)
		return r;
	return set_number(&words->env, "REEVE_ANSWER_FD", STEP_ANSWER_FD);
}

static int
set_env(struct words *words, struct attempt *attempt, const struct sandbox *sandbox)
{
	const struct brief *brief = &attempt->brief;
	const struct spec_step *step = &brief->spec.steps.v[sandbox->step];
	int r = 0;

	for (size_t i = 0; r == 0 && i < brief->env.n; i++)
		r = pairs_set(&words->env, brief->env.v[i].name, brief->env.v[i].value);
	if (r == 0 && sandbox_has_tty(attempt, sandbox))
		r = pairs_set(&words->env, "TERM", "xterm");
	if (r == 0 && command_of(step, sandbox->role)->sh)
		r = set_for_sh(words, brief);
	for (size_t i = 0; r == 0 && i < step->env.n; i++) {
		char *value;

		r = expand_one(words, attempt, step->env.v[i].value, &value);
		if (r < 0)
			return r;
		r = pairs_set(&words->env, step->env.v[i].name, value);
		free(value);
	}
	return r < 0 ? r : set_own(words, attempt, sandbox);
}

static int
make_envp(struct words *words)
{
	words->envp = calloc(words->env.n + 1, sizeof *words->envp);
	if (!words->envp)
		return -ENOMEM;
	for (size_t i = 0; i < words->env.n; i++) {
		if (asprintf(&words->envp[i], "%s=%s", words->env.v[i].name,
			words->env.v[i].value) < 0) {
			words->envp[i] = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

static int
add_sibling_paths(struct words *words, const char *name)
{
	struct install_paths paths;
	int r = install_paths(name, &paths);

	for (size_t i = 0; r == 0 && i < INSTALL_PLACES; i++)
		r = strs_add(&words->paths, paths.v[i]);
	return r;
}

static int
add_path(struct words *words, const char *dir, size_t len, const char *name)
{
	char *path;
	int r;

	if (asprintf(&path, "%.*s%s%s", (int)len, dir, len ? "/" : "", name) < 0)
		return -ENOMEM;
	r = strs_add(&words->paths, path);
	free(path);
	return r;
}

static int
find_program(struct words *words, bool is_pull)
{
	const char *name = words->argv.n ? words->argv.v[0] : "";
	const char *path = pairs_get(&words->env, "PATH");
	int r = 0;

	if (is_pull)
		return add_sibling_paths(words, name);
	if (strchr(name, '/') || *name == '\0')
		return strs_add(&words->paths, name);
	if (!path)
		path = default_path;
	for (;;) {
		size_t len = strcspn(path, ":");

		r = add_path(words, path, len, name);
		if (r < 0 || path[len] == '\0')
			return r;
		path += len + 1;
	}
}

/* PATH, expanded, from the directory BASE on. */
static int
join(struct words *words, struct attempt *attempt, const char *base, const char *path, char **ret)
{
	char *value;
	int r = expand_one(words, attempt, path, &value);

	if (r < 0 || *value == '/') {
		if (r == 0)
			*ret = value;
		return r;
	}
	if (asprintf(ret, "%s/%s", base, value) < 0) {
		*ret = NULL;
		r = -ENOMEM;
	}
	free(value);
	return r;
}

static int
set_places(struct words *words, struct attempt *attempt, const struct sandbox *sandbox)
{
	const struct spec_step *step = &attempt->brief.spec.steps.v[sandbox->step];
	const char *base = attempt->brief.workdir ? attempt->brief.workdir : "/";
	char *bytes;
	int r = step->cwd ? join(words, attempt, base, step->cwd, &words->cwd) : 0;

	if (r < 0 || sandbox->role != ROLE_RUN || !step->progress.file)
		return r;
	r = join(
	    words, attempt, words->cwd ? words->cwd : base, step->progress.file, &words->growing);
	if (r < 0 || !step->progress.size)
		return r;
	r = expand_one(words, attempt, step->progress.size, &bytes);
	if (r < 0)
		return r;
	words->grows_to = strtoull(bytes, NULL, 10);
	free(bytes);
	return 0;
}

int
words_make(struct words *words, struct attempt *attempt, const struct sandbox *sandbox)
{
	const struct spec_step *step = &attempt->brief.spec.steps.v[sandbox->step];
	bool is_pull = sandbox->role == ROLE_RUN && step->kind == STEP_KIND_PULL;
	int r;

	*words = (struct words){ 0 };
	if ((r = add_args(words, attempt, sandbox)) < 0 ||
	    (r = set_env(words, attempt, sandbox)) < 0 || (r = make_envp(words)) < 0 ||
	    (r = find_program(words, is_pull)) < 0)
		return r;
	return set_places(words, attempt, sandbox);
}

void
words_free(struct words *words)
{
	for (size_t i = 0; words->envp && words->envp[i]; i++)
		free(words->envp[i]);
	free(words->envp);
	strs_free(&words->argv);
	strs_free(&words->paths);
	pairs_free(&words->env);
	free(words->cwd);
	free(words->growing);
	free(words->missing);
	*words = (struct words){ 0 };
}
