#include "ipc/json.h"
#include "ipc/question.h"
#include "ipc/secrets.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/asker.h"
#include "supervisor/cli/ends.h"
#include "supervisor/cli/secret.h"
#include "supervisor/cli/submit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUT_MAX = 64 * 1024
};
enum {
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_SECRET, "secret", "FIELD", "a secret field: asked for, or read from stdin" },
	{ KEY_SECRET_FD, "secret-fd", "FIELD=FD", "a secret field, read from an open fd" },
	{ KEY_JSON, "json", NULL, "print {answer, by}" },
	{ 0, NULL, NULL, NULL },
};

struct answer_args {
	uint64_t id;
	bool has_word, yes, is_json;
	struct pairs fields;
	struct secret_args secrets;
};

static int
take_pair(const struct args *args, const char *word, struct answer_args *given)
{
	int r = submission_pair(&given->fields, word);

	if (r == -EEXIST)
		return args_wrong(args, "field \"%s\" is given twice", word);
	if (r == -EINVAL)
		return args_wrong(args, "\"%s\": expected yes, no or field=value", word);
	if (r == 0)
		return 0;
	complain(NULL, "out of memory");
	return EXIT_FAILED;
}

static int
take_words(const struct args *args, struct answer_args *given)
{
	int status;

	if (args->nwords == 0)
		return args_wrong(args, "which task? Give its id");
	status = args_id(args, args->words[0], &given->id);
	given->yes = true;
	for (size_t i = 1; status == 0 && i < args->nwords; i++) {
		const char *word = args->words[i];
		bool is_yes = strcmp(word, "yes") == 0;

		if (i > 1 || (!is_yes && strcmp(word, "no") != 0)) {
			status = take_pair(args, word, given);
			continue;
		}
		given->has_word = true;
		given->yes = is_yes;
	}
	return status;
}

/* ---- what the question is like --------------------------------------------------------- */

static const msgpack_object *
field_named(const msgpack_object *question, const char *name)
{
	const msgpack_object *fields = mp_get(question, "fields");

	for (size_t i = 0; i < doc_count(fields); i++)
		if (mp_str_is(mp_get(doc_at(fields, i), "name"), name))
			return doc_at(fields, i);
	return NULL;
}

/* A file's path is the caller's way of writing it; the service wants the whole. */
static int
complete_file(struct pair *pair)
{
	char *whole = realpath(pair->value, NULL);

	if (!whole) {
		complain(NULL, "field \"%s\": %s: %s", pair->name, pair->value, strerror(errno));
		return EXIT_USAGE;
	}
	free(pair->value);
	pair->value = whole;
	return 0;
}

/* Whatever is on a command line is in `ps` and in the shell's history. */
static int
check_fields(struct answer_args *given, const msgpack_object *question)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < given->fields.n; i++) {
		struct pair *pair = &given->fields.v[i];
		const msgpack_object *field = field_named(question, pair->name);

		if (field && mp_str_is(mp_get(field, "type"), "secret")) {
			complain("Give it with --secret, which asks for it.",
			    "field \"%s\" is a secret: others can read it on a command line",
			    pair->name);
			return EXIT_USAGE;
		}
		if (field && mp_str_is(mp_get(field, "type"), "file") && *pair->value)
			status = complete_file(pair);
	}
	return status;
}

static int
add_secrets(struct answer_args *given)
{
	int status = secret_read(&given->secrets);

	for (size_t i = 0; status == 0 && i < given->secrets.values.n; i++) {
		const struct pair *pair = &given->secrets.values.v[i];

		if (pairs_set(&given->fields, pair->name, pair->value) < 0) {
			complain(NULL, "out of memory");
			status = EXIT_FAILED;
		}
	}
	return status;
}

/* ---- answering ------------------------------------------------------------------------- */

static int
print(const struct cli *cli, const struct answer_args *given, const msgpack_object *result)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	if (given->is_json) {
		json_write(&out, result, JSON_PRETTY);
		text_add(&out, "\n");
	} else {
		text_add(&out, "task %llu is answered: %s\n", (unsigned long long)given->id,
		    mp_str_is(mp_get(result, "answer"), "no") ? "no" : "yes");
	}
	status = emit(&cli->out, &out, 0);
	buf_fini(&out);
	return status;
}

static int
answer_at_once(const struct cli *cli, struct session *session, const struct answer_args *given,
    const msgpack_object *question)
{
	struct answer_call call = { .id = given->id,
		.question = doc_span(question, "id"),
		.yes = given->yes,
		.fields = &given->fields };
	struct client_reply reply;
	struct request request;
	int status = answer_pack(&call, session, &request);

	if (status == 0)
		status = session_ask(session, &request, &reply);
	if (status != 0)
		return status;
	status = print(cli, given, &reply.body);
	client_reply_fini(&reply);
	return status;
}

struct dialog {
	struct asker asker;
};

static void
on_item(const struct follow_item *item, void *arg)
{
	struct dialog *dialog = arg;

	asker_look(&dialog->asker, item->task);
}

static int
on_tick(void *arg)
{
	struct dialog *dialog = arg;
	bool is_busy = asker_tick(&dialog->asker);

	dialog->asker.follow->is_done = !is_busy;
	return -1;
}

static void
on_input(void *arg)
{
	struct dialog *dialog = arg;

	asker_input(&dialog->asker);
}

static const struct follow_view dialog_view = {
	.item = on_item, .tick = on_tick, .input = on_input
};

/* Question and prompts go to stderr: with --json, stdout is a document's. */
static int
answer_in_dialog(struct cli *cli, struct session *session, struct answer_args *given)
{
	struct dialog dialog;
	struct follow follow = { .session = session,
		.ids = &given->id,
		.nids = 1,
		.view = &dialog_view,
		.arg = &dialog };
	enum follow_end end;
	int status;

	asker_init(&dialog.asker, &follow, &cli->err);
	dialog.asker.ask.fields = given->fields;
	dialog.asker.ask.has_word = given->has_word;
	given->fields = (struct pairs){ .v = NULL };
	end = follow_run(&follow);
	if (end == FOLLOW_SIGNALLED)
		status = EXIT_SIGNALLED + follow.signal;
	else if (end == FOLLOW_FAILED)
		status = follow.status;
	else if (dialog.asker.is_answered)
		status = 0;
	else
		status = dialog.asker.status ? dialog.asker.status : EXIT_FAILED;
	asker_fini(&dialog.asker);
	return status;
}

static int
refuse_unasked(const struct answer_args *given)
{
	complain(NULL, "task %llu asks nothing now", (unsigned long long)given->id);
	return EXIT_FAILED;
}

static int
answer(struct cli *cli, struct answer_args *given)
{
	struct client_reply reply;
	struct session session;
	int status = session_open(&session, true);

	if (status != 0)
		return status;
	status = session_ask_id(&session, "show", given->id, &reply);
	if (status == 0) {
		const msgpack_object *question = mp_get(&reply.body, "question");

		status = check_fields(given, question);
		if (status == 0)
			status = add_secrets(given);
		if (status == 0 && given->yes && !given->is_json && !mp_is_nil(question) &&
		    ask_can())
			status = answer_in_dialog(cli, &session, given);
		else if (status == 0 && mp_is_nil(question) && !given->has_word &&
			 given->fields.n == 0)
			status = refuse_unasked(given);
		else if (status == 0)
			status = answer_at_once(cli, &session, given, question);
		client_reply_fini(&reply);
	}
	session_close(&session);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct answer_args given = { .yes = true };
	struct args args;
	int key, status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while (status == 0 && (key = args_next(&args)) > 0) {
		if (key == KEY_JSON)
			given.is_json = true;
		else
			status = secret_take(&args, key, &given.secrets);
	}
	if (status == 0)
		status = args.is_stopped ? args.status : take_words(&args, &given);
	if (status == 0 && !args.is_stopped)
		status = answer(cli, &given);
	secrets_wipe(&given.fields);
	secret_fini(&given.secrets);
	args_fini(&args);
	return status;
}

const struct verb verb_answer = {
	.name = "answer",
	.synopsis = "[options] ID [yes|no] [field=value ...]",
	.summary = "answer what a task asks",
	.help =
	    "The first answer counts; whoever comes second is told who was first. At a terminal the\n"
	    "question is shown and what is missing is asked for, secrets without echo. Elsewhere, and\n"
	    "with --json, what is missing is an error that names the field. Without yes or no, fields\n"
	    "mean yes.",
	.options = options,
	.examples =
	    "reeve answer 41\nreeve answer 41 no\nreeve answer 41 yes reason='new release'\n"
	    "pass show db | reeve answer 41 --secret password",
	.run = run,
};
