#include "ipc/fd.h"
#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/attend.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/plan.h"
#include "supervisor/cli/secret.h"
#include "supervisor/cli/submit.h"
#include "supervisor/recipe/suggest.h"
#include "supervisor/recipe/value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HINT_MAX = 512,
	OUT_MAX = 64 * 1024
};
enum {
	KEY_SCOPE = 's',
	KEY_TITLE = 't',
	KEY_KEY = 'k',
	KEY_LABEL = 'l',
	KEY_VARIABLE = 'e'
};
enum {
	KEY_DETACH = 'd',
	KEY_PLAN = 'p',
	KEY_JSON = 'j',
	KEY_STRICT = 256
};

static const struct option_def options[] = {
	{ KEY_SCOPE, "scope", "TEXT", "what it works on: a server, a project" },
	{ KEY_TITLE, "title", "TEXT", "what people see" },
	{ KEY_KEY, "key", "TEXT", "only one task with this key may be active; others join it" },
	{ KEY_LABEL, "label", "NAME=VALUE", "to find it again; may be repeated" },
	{ KEY_VARIABLE, "env", "NAME[=VALUE]", "set, or pass on, a variable; may be repeated" },
	SECRET_OPTIONS,
	{ KEY_PLAN, "plan", NULL, "start nothing: say what is to be done and what is there" },
	{ KEY_DETACH, "detach", NULL, "print the id and return, do not follow" },
	{ KEY_JSON, "json", NULL, "print the finished task as JSON" },
	{ KEY_STRICT, "strict", NULL, "exit 8 when it completed with warnings" },
	{ 0, NULL, NULL, NULL },
};

struct run {
	struct submission submission;
	struct secret_args secrets;
	bool is_detached, is_json, is_strict, is_plan;
};

static int
wrong_pair(const struct args *args, const char *what, const char *word, int r)
{
	if (r == 0)
		return 0;
	if (r == -EEXIST)
		return args_wrong(args, "%s \"%s\" is given twice", what, word);
	if (r == -EINVAL)
		return args_wrong(args, "%s \"%s\": expected name=value", what, word);
	complain(NULL, "out of memory");
	return EXIT_FAILED;
}

static int
take_option(struct args *args, int key, struct run *run)
{
	struct submission *submission = &run->submission;

	if (key == KEY_SCOPE)
		submission->scope = args->value;
	else if (key == KEY_TITLE)
		submission->title = args->value;
	else if (key == KEY_KEY)
		submission->key = args->value;
	else if (key == KEY_LABEL)
		return wrong_pair(
		    args, "label", args->value, submission_pair(&submission->labels, args->value));
	else if (key == KEY_VARIABLE)
		return wrong_pair(
		    args, "variable", args->value, submission_env(&submission->env, args->value));
	else if (key == KEY_SECRET || key == KEY_SECRET_FD)
		return secret_take(args, key, &run->secrets);
	else if (key == KEY_PLAN)
		run->is_plan = true;
	else if (key == KEY_DETACH)
		run->is_detached = true;
	else if (key == KEY_JSON)
		run->is_json = true;
	else if (key == KEY_STRICT)
		run->is_strict = true;
	return 0;
}

static int
take_command(const struct args *args, struct submission *submission)
{
	if (args->nwords > 0)
		return args_wrong(
		    args, "a recipe (\"%s\") or a command behind `--`, not both", args->words[0]);
	if (args->nrest == 0)
		return args_wrong(args, "which command? Write it behind `--`");
	if (args->nrest > LIMIT_ARGS) {
		complain("Put it into a script, and run that.",
		    "the command has %zu words; the limit is %d", args->nrest, (int)LIMIT_ARGS);
		return EXIT_USAGE;
	}
	submission->command = args->rest;
	submission->ncommand = args->nrest;
	submission->fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (submission->fd < 0) {
		complain(NULL, "cannot open the current directory: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return 0;
}

static int
unreadable(const char *path, int r)
{
	if (r == -EFBIG)
		complain(NULL, "%s: a recipe may have %d KiB", path, (int)LIMIT_RECIPE / 1024);
	else if (r == -EILSEQ)
		complain(NULL, "%s is no text", path);
	else
		complain(NULL, "%s: %s", path, strerror(-r));
	return EXIT_USAGE;
}

static int
take_recipe(const struct args *args, struct submission *submission)
{
	const char *word = args->words[0];

	for (size_t i = 1; i < args->nwords; i++) {
		int status, r = submission_pair(&submission->params, args->words[i]);

		if (r == -EINVAL)
			return args_wrong(args,
			    "parameter \"%s\": expected name=value; a command goes behind `--`",
			    args->words[i]);
		status = wrong_pair(args, "parameter", args->words[i], r);
		if (status != 0)
			return status;
	}
	if (strchr(word, '/')) {
		int r = submission_read(submission, word);

		return r != 0 ? unreadable(word, r) : 0;
	}
	if (!value_is_file_name(word))
		return args_wrong(
		    args, "recipe: \"%s\" is no recipe's name; a command goes behind `--`", word);
	submission->recipe = word;
	return 0;
}

/* The words: 0, or an exit status. The caller's surroundings go below what --env says. */
static int
parse(struct args *args, struct run *run)
{
	int key;

	while ((key = args_next(args)) > 0) {
		int status = take_option(args, key, run);

		if (status != 0)
			return status;
	}
	if (key == ARGS_STOP)
		return args->status;
	if (args->has_rest && run->secrets.asked.n + run->secrets.values.n > 0)
		return args_wrong(args, "only recipes have secret parameters");
	if (args->has_rest && run->is_plan)
		return args_wrong(args, "only recipes have a plan");
	if (args->has_rest)
		return take_command(args, &run->submission);
	if (args->nwords == 0)
		return args_wrong(args, "which recipe, or which command behind `--`?");
	return take_recipe(args, &run->submission);
}

static int
add_surroundings(struct submission *submission)
{
	struct pairs env = { 0 };
	int r = submission_surroundings(&env);

	for (size_t i = 0; i < submission->env.n && r == 0; i++)
		r = pairs_set(&env, submission->env.v[i].name, submission->env.v[i].value);
	if (r != 0) {
		pairs_free(&env);
		complain(NULL, "out of memory");
		return EXIT_FAILED;
	}
	pairs_free(&submission->env);
	submission->env = env;
	return 0;
}

/* Names near the one that is not known, from those the service has. */
static void
say_unknown_recipe(struct session *session, const char *name)
{
	char near[SUGGEST_TEXT] = "", hint[HINT_MAX];
	struct client_reply reply;
	struct request request;
	struct suggest suggest;

	snprintf(hint, sizeof hint,
	    "`reeve recipes` lists them; a file needs a slash (./%s), a command `--`: reeve run -- %s",
	    name, name);
	session_begin(session, &request, "recipes", 0);
	if (session_call(session, &request, -1, NULL, &reply) != 0) {
		complain(hint, "there is no recipe \"%s\"", name);
		return;
	}
	const msgpack_object *recipes = mp_get(&reply.body, "recipes");
	char **names = calloc(doc_count(recipes) + 1, sizeof *names);

	suggest_init(&suggest, name);
	for (size_t i = 0; names && i < doc_count(recipes); i++) {
		names[i] = mp_str_dup(mp_get(doc_at(recipes, i), "name"));
		if (names[i])
			suggest_offer(&suggest, names[i]);
	}
	complain(hint, "there is no recipe \"%s\"%s", name, suggest_text(&suggest, near));
	for (size_t i = 0; names && i < doc_count(recipes); i++)
		free(names[i]);
	free(names);
	client_reply_fini(&reply);
}

static bool
is_unknown_recipe(const struct submission *submission, const struct client_reply *reply)
{
	return submission->recipe && reply->is_error &&
	       mp_str_is(mp_get(&reply->body, "code"), "not_found");
}

/* The service does not know the name: perhaps the user does. */
static int
send_own(struct submission *submission, struct session *session, struct client_reply *reply)
{
	const char *recipe = submission->recipe;
	char *path = submission_own_recipe(recipe);
	int r = path ? submission_read(submission, path) : -ENOENT;
	int status = 0;

	if (r == -ENOENT) {
		say_unknown_recipe(session, recipe);
		status = EXIT_NOT_FOUND;
	} else if (r != 0) {
		status = unreadable(path, r);
	} else {
		submission->recipe = NULL;
		r = submission_send(submission, session, reply);
		if (r != 0)
			status = session_lost(session, r);
	}
	free(path);
	return status;
}

/* 0 with a reply that is no error, or an exit status after a complaint. */
static int
submit(struct submission *submission, struct session *session, struct client_reply *ret_reply)
{
	int status, r = submission_send(submission, session, ret_reply);

	if (r != 0)
		return session_lost(session, r);
	if (is_unknown_recipe(submission, ret_reply)) {
		client_reply_fini(ret_reply);
		status = send_own(submission, session, ret_reply);
		if (status != 0)
			return status;
	}
	if (!ret_reply->is_error)
		return 0;
	status = session_refused(ret_reply);
	client_reply_fini(ret_reply);
	return status;
}

static int
print_detached(const struct cli *cli, const struct run *run, const msgpack_object *result)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	if (run->is_json)
		json_write(&out, result, JSON_PRETTY);
	else
		text_add(&out, "%llu", (unsigned long long)doc_uint(result, "id"));
	text_add(&out, "\n");
	status = emit(&cli->out, &out, 0);
	buf_fini(&out);
	return status;
}

static void
say_joined(const struct cli *cli, const msgpack_object *result)
{
	const msgpack_object *differs = mp_get(result, "differs");
	struct line line;
	struct buf out;

	if (!mp_bool(mp_get(result, "joined"), false))
		return;
	buf_init(&out, OUT_MAX);
	line_begin(&line, &out, &cli->err);
	line_add(&line, STYLE_YELLOW, "joined task %llu, which does this already",
	    (unsigned long long)doc_uint(result, "id"));
	for (size_t i = 0; i < doc_count(differs); i++) {
		const msgpack_object *name = doc_at(differs, i);

		line_add(&line, STYLE_YELLOW, i == 0 ? "; it has another value for " : ", ");
		if (name->type == MSGPACK_OBJECT_STR)
			line_put(&line, STYLE_YELLOW,
			    (struct span){ name->via.str.ptr, name->via.str.size });
	}
	line_end(&line);
	(void)emit(&cli->err, &out, 0);
	buf_fini(&out);
}

static int
submit_and_follow(struct cli *cli, struct run *run)
{
	struct client_reply reply;
	struct session session;
	uint64_t id;
	int status = session_open(&session, true);

	if (status != 0)
		return status;
	status = submit(&run->submission, &session, &reply);
	if (status == 0) {
		id = doc_uint(&reply.body, "id");
		say_joined(cli, &reply.body);
		if (run->is_detached)
			status = print_detached(cli, run, &reply.body);
		client_reply_fini(&reply);
		if (!run->is_detached)
			status = run->is_json
				     ? attend_json(cli, &session, id, run->is_strict)
				     : attend(cli, &session, id,
					   run->is_strict ? ATTEND_STRICTLY : ATTEND_NORMALLY);
	}
	session_close(&session);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct run run = { .submission = { .fd = -1 } };
	struct args args;
	int status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	status = parse(&args, &run);
	if (status == 0 && !args.is_stopped) {
		if (run.submission.ncommand > 0)
			status = add_surroundings(&run.submission);
		else
			status = secret_gather(&run.secrets, &run.submission.fd);
		if (status == 0 && run.is_plan)
			status = plan_print(cli, &run.submission, &run.secrets.values, run.is_json);
		else if (status == 0)
			status = submit_and_follow(cli, &run);
	}
	fd_close(&run.submission.fd);
	submission_fini(&run.submission);
	secret_fini(&run.secrets);
	args_fini(&args);
	return status;
}

const struct verb verb_run = {
	.name = "run",
	.synopsis = "[options] RECIPE [name=value ...]\n[options] -- COMMAND [argument ...]",
	.summary = "start a recipe or a command, and follow it",
	.help =
	    "RECIPE is a name from `reeve recipes`, or a file when it has a slash. The task is safely\n"
	    "stored before anything is said, and goes on whatever becomes of this terminal: Ctrl-C\n"
	    "ends the following, not the task. A command runs in this directory with this umask, PATH,\n"
	    "LANG, LC_* and TZ; of the other variables, those that --env names. What it leaves running\n"
	    "in the background is killed when it ends.\n\n"
	    "A secret parameter is asked for at a terminal, without echo. Else it is all of stdin but\n"
	    "for the last line end; of several each is a line.\n\n"
	    "--plan runs the checks of a recipe's steps, as you and in an empty directory where it says\n"
	    "no other, and nothing else.",
	.options = options,
	.examples = "reeve run -- make -j4\n"
		    "reeve run --title 'nightly copy' --key copy -- rsync -a /srv/ backup:/srv/\n"
		    "reeve run ./install.yaml version=1.4\n"
		    "reeve run --plan ./install.yaml version=1.4\n"
		    "reeve run ./deploy.yaml --secret token < token.txt\n"
		    "id=$(reeve run --detach -- ./long-work); reeve wait $id",
	.run = run,
};
