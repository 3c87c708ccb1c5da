/*
 * submit: who asks, what for, frozen into a brief, then handed to the roster.
 *
 * Three stops, each on the thread that may wait for it: the caller's account (names), the recipe
 * (files), the commit (roster).
 */
#include "ipc/fd.h"
#include "ipc/secrets.h"
#include "ipc/spec.h"
#include "supervisor/commands/commands.h"
#include "supervisor/roster/wish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct submit_params {
	struct blob token;
	char *recipe, *text, *name;
	struct strs command;
	struct pairs params, labels, env;
	char *title, *scope, *key;
	uint64_t umask;
};
static const struct codec_field submit_params_fields[] = {
	CODEC_FIELD(1, BLOB, struct submit_params, token, 18),
	CODEC_FIELD(2, STR, struct submit_params, recipe, LIMIT_NAME),
	CODEC_FIELD(3, STR, struct submit_params, text, LIMIT_RECIPE),
	CODEC_FIELD(4, STR, struct submit_params, name, LIMIT_NAME),
	CODEC_FIELD(5, STRS, struct submit_params, command, LIMIT_ARGS),
	CODEC_FIELD(6, PAIRS, struct submit_params, params, LIMIT_PAIRS),
	CODEC_FIELD(7, PAIRS, struct submit_params, labels, LIMIT_PAIRS),
	CODEC_FIELD(8, PAIRS, struct submit_params, env, LIMIT_PAIRS),
	CODEC_FIELD(9, STR, struct submit_params, title, LIMIT_TITLE),
	CODEC_FIELD(10, STR, struct submit_params, scope, LIMIT_TITLE),
	CODEC_FIELD(11, STR, struct submit_params, key, LIMIT_TITLE),
	CODEC_FIELD(12, UINT, struct submit_params, umask, 0777),
};
static const struct codec submit_params_codec = { .name = "params",
	.size = sizeof(struct submit_params),
	.fields = submit_params_fields,
	.nfields = 12,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

struct submit {
	struct job job; /* reading the recipe */
	struct request request;
	struct submit_params given;
	struct brief brief;
	struct pairs secrets; /* came beside the request */
	char person[LIMIT_NAME + 8];
	int result;      /* of the job */
	uid_t run_as;    /* with brief.spec.run_as, when it counts */
	bool is_trusted; /* the recipe's file is root's alone: run_as counts */
	struct recipe_error error;
};

static void
free_submit(struct submit *submit)
{
	codec_free(&submit_params_codec, &submit->given);
	codec_free(&brief_codec, &submit->brief);
	secrets_wipe(&submit->secrets);
	free(submit);
}

static void
fail(struct submit *submit, enum rpc_error error, const char *field, const char *message)
{
	reply_error(&submit->request, error, field, "%s", message);
	free_submit(submit);
}

/* ---- the third stop: the roster ----------------------------------------------------- */

static void
answer(const struct submit *submit, const struct submitted *ret)
{
	msgpack_packer packer;
	struct buf out;

	reply_begin(&submit->request, &out, &packer);
	msgpack_pack_map(&packer, 4);
	pack_kv_uint(&packer, "id", ret->id);
	pack_kv_str(&packer, "status", task_state_name(ret->state));
	pack_kv_bool(&packer, "joined", ret->joined);
	pack_str(&packer, "differs");
	msgpack_pack_array(&packer, ret->differs.n);
	for (size_t i = 0; i < ret->differs.n; i++)
		pack_str(&packer, ret->differs.v[i]);
	reply_end(&submit->request, &out);
}

static void
on_submitted(const struct submitted *ret, int result, void *arg)
{
	struct submit *submit = arg;

	if (result == 0)
		answer(submit, ret);
	else if (result == -EEXIST)
		reply_error(&submit->request, RPC_CONFLICT, "key",
		    "the key \"%s\" is in use by task %llu, which is other work",
		    submit->given.key ? submit->given.key : "", (unsigned long long)ret->conflict);
	else if (result == -ENOBUFS)
		reply_error(&submit->request, RPC_FULL, NULL,
		    "too many tasks with secrets wait already: try again when some have ended");
	else if (result == -EUSERS)
		reply_error(&submit->request, RPC_FULL, NULL,
		    "you have %llu tasks that have not ended, as many as a user may: wait until some "
		    "have, or cancel them",
		    (unsigned long long)submit->request.supervisor->roster.env.user_tasks);
	else if (result == -ESHUTDOWN)
		reply_error(&submit->request, RPC_UNAVAILABLE, NULL, COMMANDS_DRAINED);
	else
		reply_error(&submit->request, RPC_FULL, NULL,
		    "the disk of the state directory is full: no new work is taken until there is room");
	free_submit(submit);
}

static void
hand_over(struct submit *submit)
{
	struct supervisor *supervisor = submit->request.supervisor;
	struct submission submission = { .brief = &submit->brief,
		.person = submit->person,
		.uid = submit->request.uid,
		.is_admin = submit->request.is_admin,
		.title = submit->given.title,
		.scope = submit->given.scope,
		.key = submit->given.key,
		.labels = &submit->given.labels,
		.secrets = &submit->secrets };

	memcpy(submission.token, submit->given.token.data + 2, sizeof submission.token);
	if (committer_is_full(&supervisor->committer) || store_is_nearly_full(supervisor->store))
		fail(submit, RPC_FULL, NULL,
		    "the state directory has no room left: no new work is taken until there is some");
	else if (supervisor->roster.is_draining)
		fail(submit, RPC_UNAVAILABLE, NULL, "the service is shutting down");
	else
		wish_submit(&supervisor->roster, &submission, on_submitted, submit);
}

/* ---- as whom it runs ----------------------------------------------------------------- */

static int
set_env(struct brief *brief, const struct person *person, const struct pairs *given)
{
	const struct {
		const char *name, *value;
	} fixed[] = { { "HOME", person->home }, { "USER", person->name },
		{ "LOGNAME", person->name }, { "SHELL", person->shell } };

	if (pairs_set(&brief->env, "PATH",
		person->uid == 0 ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
				 : "/usr/local/bin:/usr/bin:/bin") < 0)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		if (pairs_set(&brief->env, fixed[i].name, fixed[i].value) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < given->n; i++)
		if (pairs_set(&brief->env, given->v[i].name, given->v[i].value) < 0)
			return -ENOMEM;
	return 0;
}

static int
set_groups(struct brief *brief, const struct person *person)
{
	msgpack_packer packer;
	struct buf out;
	int r;

	buf_init(&out, LIMIT_VALUE);
	buf_packer(&out, &packer);
	msgpack_pack_array(&packer, person->ngroups);
	for (size_t i = 0; i < person->ngroups; i++)
		msgpack_pack_uint32(&packer, person->groups[i]);
	r = buf_error(&out);
	if (r == 0)
		r = blob_set(&brief->groups, out.data, out.len);
	buf_fini(&out);
	return r;
}

/* The account that the commands run as, and what GIVEN adds to its environment. */
static int
set_account(struct submit *submit, const struct person *person, const struct pairs *given)
{
	struct brief *brief = &submit->brief;

	brief->uid = person->uid;
	brief->gid = person->gid;
	brief->change_user = submit->request.supervisor->change_user;
	if (set_groups(brief, person) < 0)
		return -ENOMEM;
	return set_env(brief, person, given);
}

/* ---- the second stop: the recipe ----------------------------------------------------- */

static int
find_text(struct submit *submit, struct recipe_file *file)
{
	int r;

	if (submit->given.text) {
		*file = (struct recipe_file){ .len = strlen(submit->given.text) };
		file->path = strdup(submit->given.name ? submit->given.name : "recipe.yaml");
		file->text = submit->given.text;
		submit->given.text = NULL;
		return file->path ? 0 : -ENOMEM;
	}
	r = recipe_library_find(&submit->request.supervisor->library, submit->given.recipe, file);
	if (r < 0)
		snprintf(submit->error.message, sizeof submit->error.message,
		    r == -ENOENT ? "there is no recipe \"%s\""
		    : r == -EINVAL
			? "recipe: \"%s\" is no recipe's name (letters, digits, - _ and .)"
			: "the recipe \"%s\" cannot be read",
		    submit->given.recipe);
	return r;
}

static int
find_run_as(struct submit *submit)
{
	int r = people_user_id(submit->brief.spec.run_as, &submit->run_as);

	if (r < 0)
		snprintf(submit->error.message, sizeof submit->error.message,
		    "run_as: there is no user \"%s\" on this machine", submit->brief.spec.run_as);
	return r < 0 ? -EINVAL : 0;
}

static void
read_recipe(struct job *job)
{
	struct submit *submit = (struct submit *)job;
	struct recipe_file file;
	struct recipe *recipe;
	int r = find_text(submit, &file);

	if (r == 0) {
		submit->is_trusted = file.trusted;
		r = recipe_parse(file.path, file.text, file.len, &recipe, &submit->error);
		if (r == 0) {
			r = recipe_freeze(recipe, &submit->given.params, &submit->secrets,
			    &submit->brief.spec, &submit->error);
			recipe_free(recipe);
		}
		if (r == 0 && submit->brief.spec.run_as && submit->is_trusted)
			r = find_run_as(submit);
		recipe_file_fini(&file);
	}
	submit->result = r;
}

/* A user's own recipe never passes for one of the system's. */
static bool
qualify_type(struct submit *submit)
{
	struct spec *spec = &submit->brief.spec;
	char *type = NULL;

	if (submit->given.recipe || submit->request.is_admin)
		return true;
	if (asprintf(&type, "~%s/%s", submit->person + strlen("unix:"), spec->type) < 0)
		return false;
	free(spec->type);
	spec->type = type;
	return true;
}

static void
on_run_as(const struct person *person, void *arg)
{
	static const struct pairs none;
	struct submit *submit = arg;

	/* Somebody else's rights: nothing of the caller's may steer them, LD_PRELOAD least of all.
	 */
	pairs_free(&submit->brief.env);
	submit->brief.umask = 022;
	if (!person || set_account(submit, person, &none) < 0)
		fail(submit, RPC_UNAVAILABLE, NULL, "out of memory");
	else
		hand_over(submit);
}

static void
on_recipe(struct job *job)
{
	struct submit *submit = (struct submit *)job;
	const struct recipe_error *error = &submit->error;

	if (submit->result == -ENOENT || (submit->result < 0 && !error->message[0]))
		fail(submit, RPC_NOT_FOUND, "recipe",
		    error->message[0] ? error->message : strerror(-submit->result));
	else if (submit->result < 0)
		fail(
		    submit, RPC_INVALID, error->field[0] ? error->field : "recipe", error->message);
	else if (submit->brief.spec.run_as && !submit->is_trusted)
		fail(submit, RPC_REFUSED, "run_as",
		    "run_as counts only in recipes from directories that root alone can write");
	else if (!qualify_type(submit))
		fail(submit, RPC_UNAVAILABLE, NULL, "out of memory");
	else if (submit->brief.spec.run_as)
		people_look_up(
		    submit->request.supervisor->people, submit->run_as, on_run_as, submit);
	else
		hand_over(submit);
}

/* ---- the first stop: who asks ---------------------------------------------------------- */

static int
set_identity(struct submit *submit, const struct person *person)
{
	snprintf(submit->person, sizeof submit->person, "unix:%.*s", LIMIT_NAME, person->name);
	submit->brief.umask = submit->given.umask;
	return set_account(submit, person, &submit->given.env);
}

static void
go_on(struct submit *submit)
{
	if (submit->given.command.n > 0) {
		int r = recipe_command_spec(
		    &submit->given.command, submit->given.title, &submit->brief.spec);

		if (r < 0)
			fail(submit, RPC_INVALID, "command", strerror(-r));
		else
			hand_over(submit);
		return;
	}
	submit->brief.own_workdir = true;
	submit->job = (struct job){ .work = read_recipe, .done = on_recipe };
	jobs_add(&submit->request.supervisor->files, &submit->job);
}

static void
on_person(const struct person *person, void *arg)
{
	struct submit *submit = arg;

	if (!person || set_identity(submit, person) < 0)
		fail(submit, RPC_UNAVAILABLE, NULL, "out of memory");
	else
		go_on(submit);
}

/* ---- what was given --------------------------------------------------------------------- */

/* The directory is the one behind the fd, under the name the kernel has for it. */
static int
take_directory(struct brief *brief, int fd)
{
	char link[32], path[4096];
	struct stat info;
	ssize_t n;

	if (fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISDIR(info.st_mode))
		return -ENOTDIR;
	if (info.st_nlink == 0)
		return -ENOENT;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	if (n < 0)
		return -errno;
	if ((size_t)n == sizeof path - 1)
		return -ENAMETOOLONG;
	path[n] = '\0';
	brief->workdir_dev = info.st_dev;
	brief->workdir_ino = info.st_ino;
	return str_set(&brief->workdir, path);
}

static void
fail_directory(struct submit *submit, int r)
{
	reply_error(&submit->request, RPC_INVALID, "cwd",
	    "cwd: a command needs the directory it starts in, as an fd beside the request: %s",
	    strerror(-r));
	free_submit(submit);
}

static const char *
wrong_with(const struct submit_params *given, const char **ret_field)
{
	int kinds = (given->recipe != NULL) + (given->text != NULL) + (given->command.n > 0);

	*ret_field = "token";
	if (given->token.len != 18 || given->token.data[0] != 0xc4 || given->token.data[1] != 16)
		return "token: 16 bytes that the client made up, to recognise a request sent twice";
	*ret_field = "recipe";
	if (kinds != 1)
		return "exactly one of recipe, text and command must be given";
	*ret_field = "env";
	for (size_t i = 0; i < given->env.n; i++)
		if (!*given->env.v[i].name || strchr(given->env.v[i].name, '='))
			return "env: a name must not be empty nor hold \"=\"";
	*ret_field = "command";
	if (given->command.n > 0 && !*given->command.v[0])
		return "command: its first word is empty";
	*ret_field = "params";
	if (given->command.n > 0 && given->params.n > 0)
		return "params: only recipes have parameters";
	return NULL;
}

void
method_submit(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct submit *submit = calloc(1, sizeof *submit);
	const char *field, *wrong;
	int r;

	if (!submit) {
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
		return;
	}
	submit->request = *request;
	codec_init(&brief_codec, &submit->brief);
	if (!request_decode(request, params, &submit_params_codec, &submit->given)) {
		free(submit);
		return;
	}
	wrong = wrong_with(&submit->given, &field);
	if (wrong) {
		fail(submit, RPC_INVALID, field, wrong);
		return;
	}
	if (submit->given.command.n > 0)
		r = fd >= 0 ? take_directory(&submit->brief, fd) : -EBADF;
	else
		r = fd >= 0 ? secrets_fd_read(fd, &submit->secrets) : 0;
	if (r < 0 && submit->given.command.n == 0)
		fail(submit, RPC_INVALID, "secrets",
		    r == -EMSGSIZE
			? "secrets: all of a task's together may have 32 KiB"
			: "secrets: a recipe takes them as an fd beside the request: a sealed file in "
			  "memory, {secrets: {name: value}}");
	else if (r == -ENOENT)
		fail(submit, RPC_INVALID, "cwd",
		    "cwd: the directory that the command would start in has been removed");
	else if (r < 0)
		fail_directory(submit, r);
	else
		people_look_up(request->supervisor->people, request->uid, on_person, submit);
}
