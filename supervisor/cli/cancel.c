#include "supervisor/cli/args.h"
#include "supervisor/cli/ends.h"
#include "supervisor/cli/query.h"
#include "supervisor/cli/story.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	HINT_MAX = 4096
};
enum {
	KEY_NO_WAIT = 'n',
	KEY_TIMEOUT = 't',
	KEY_FORCE = 'f',
	KEY_ABANDON = 256,
	KEY_SCOPE = 's'
};
enum {
	KEY_TYPE = 257,
	KEY_OWNER = 258,
	KEY_ALL = 'a',
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_NO_WAIT, "no-wait", NULL, "return as soon as it is accepted" },
	{ KEY_TIMEOUT, "timeout", "SECONDS", "wait at most this long, then exit 5" },
	{ KEY_FORCE, "force", NULL, "also a step that allows no cancel; ends undoing" },
	{ KEY_ABANDON, "abandon", NULL, "give up on one whose processes cannot be killed" },
	{ KEY_SCOPE, "scope", "TEXT", "every active task that works on this" },
	{ KEY_TYPE, "type", "TYPE", "every active task of this type" },
	{ KEY_OWNER, "owner", "NAME", "every active task of this person" },
	{ KEY_ALL, "all", NULL, "every active task you may see" },
	{ KEY_JSON, "json", NULL, "the cancelled tasks as JSON: one alone, several as an array" },
	{ 0, NULL, NULL, NULL },
};

struct cancel {
	uint64_t *ids;
	size_t n, room;
	struct query query;
	uint64_t timeout_ms;
	bool is_all, no_wait, force, abandon, is_json;
	int status; /* the first that was not 0 */
};

static void
note_status(struct cancel *cancel, int status)
{
	if (cancel->status == 0)
		cancel->status = status;
}

static bool
has_filter(const struct cancel *cancel)
{
	return cancel->is_all || cancel->query.scope || cancel->query.type || cancel->query.owner;
}

static int
add_id(const msgpack_object *task, void *arg)
{
	struct cancel *cancel = arg;

	if (cancel->n == cancel->room) {
		size_t room = cancel->room ? 2 * cancel->room : 16;
		uint64_t *ids = realloc(cancel->ids, room * sizeof *ids);

		if (!ids) {
			complain(NULL, "out of memory");
			return EXIT_FAILED;
		}
		cancel->ids = ids;
		cancel->room = room;
	}
	cancel->ids[cancel->n++] = doc_uint(task, "id");
	return 0;
}

/* Why it was refused is said already; one that undoes its steps can be made to stop. */
static void
hint_at_force(struct session *session, uint64_t id)
{
	struct client_reply reply;
	struct term term;
	struct buf out;

	if (session_ask_id(session, "show", id, &reply) != 0)
		return;
	if (doc_state(&reply.body) == TASK_UNDOING) {
		term_init(&term, STDERR_FILENO);
		buf_init(&out, HINT_MAX);
		story_hint(
		    &out, &term, "cancel --force", id, "stops the undoing (administrators only)");
		story_hint(&out, &term, "watch", id, "follows it to its end");
		(void)emit(&term, &out, 0);
		buf_fini(&out);
	}
	client_reply_fini(&reply);
}

/* True when its end is to be waited for. */
static bool
send_one(struct cancel *cancel, struct session *session, uint64_t id)
{
	struct client_reply reply;
	struct request request;
	bool accepted, left;
	int status;

	session_begin(session, &request, "cancel", 3);
	pack_kv_uint(&request.params, "id", id);
	pack_kv_bool(&request.params, "force", cancel->force);
	pack_kv_bool(&request.params, "abandon", cancel->abandon);
	status = session_ask(session, &request, &reply);
	if (status != 0) {
		if (status == EXIT_FAILED && !cancel->force)
			hint_at_force(session, id);
		note_status(cancel, status);
		return false;
	}
	accepted = mp_bool(mp_get(&reply.body, "accepted"), false);
	left = mp_bool(mp_get(&reply.body, "left"), false);
	client_reply_fini(&reply);
	if (!accepted && !left) {
		complain(NULL, "task %llu: not cancelled", (unsigned long long)id);
		note_status(cancel, EXIT_FAILED);
	}
	if (left)
		complain(NULL, "you left task %llu; it goes on for the others who joined it",
		    (unsigned long long)id);
	return accepted && !left;
}

/* Asks for every cancel before any end is waited for. Keeps the ids that are. */
static void
send_all(struct cancel *cancel, struct session *session)
{
	size_t kept = 0;

	for (size_t i = 0; i < cancel->n; i++) {
		if (send_one(cancel, session, cancel->ids[i]))
			cancel->ids[kept++] = cancel->ids[i];
		if (cancel->status == EXIT_NO_SUPERVISOR)
			break;
	}
	cancel->n = kept;
}

/* Cancelled is what was wished; any other end is not. */
static void
note_ends(struct cancel *cancel, const struct ends *ends)
{
	for (size_t i = 0; i < ends->n; i++) {
		const msgpack_object *task = doc_copy_get(&ends->docs[i]);

		if (ends->statuses[i] != 0)
			note_status(cancel, ends->statuses[i]);
		else if (doc_state(task) != TASK_CANCELLED)
			note_status(cancel, EXIT_FAILED);
	}
}

static void
say_not_yet(const struct ends *ends)
{
	for (size_t i = 0; i < ends->n; i++) {
		const msgpack_object *task = doc_copy_get(&ends->docs[i]);

		if (task && !doc_is_ended(task))
			complain(NULL, "task %llu is not gone yet: %s",
			    (unsigned long long)ends->ids[i], task_state_name(doc_state(task)));
	}
}

static void
await_ends(struct cancel *cancel, const struct cli *cli, struct session *session, bool is_list)
{
	struct ends ends;
	int status = ends_init(&ends, cancel->ids, cancel->n);

	if (status != 0) {
		note_status(cancel, status);
		return;
	}
	status = ends_look(&ends, session);
	if (status == 0)
		status = ends_wait(&ends, session, cancel->timeout_ms);
	if (status == 0)
		note_ends(cancel, &ends);
	else
		note_status(cancel, status);
	if (status == EXIT_TIMED_OUT)
		say_not_yet(&ends);
	if (status == 0 || status == EXIT_TIMED_OUT) {
		status = cancel->is_json ? ends_print_json(&ends, cli, is_list)
					 : ends_print(&ends, cli, session);
		note_status(cancel, status);
	}
	ends_fini(&ends);
}

static int
cancel_tasks(struct cancel *cancel, const struct cli *cli)
{
	struct session session;
	bool is_list;
	int status = session_open(&session, true);

	if (status != 0)
		return status;
	if (has_filter(cancel)) {
		cancel->query.active = true;
		status = query_run(&cancel->query, &session, add_id, cancel);
		if (status == 0 && cancel->n == 0)
			complain(NULL, "no such task is active");
	}
	note_status(cancel, status);
	is_list = cancel->n > 1 || has_filter(cancel);
	if (status == 0)
		send_all(cancel, &session);
	if (status == 0 && !cancel->no_wait && cancel->n > 0)
		await_ends(cancel, cli, &session, is_list);
	session_close(&session);
	return cancel->status;
}

/* 0 asks how they stand right after it, and is not "without limit". */
static int
take_timeout(const struct args *args, struct cancel *cancel)
{
	int status = args_seconds(args, "timeout", &cancel->timeout_ms);

	if (status == 0 && cancel->timeout_ms == 0)
		cancel->timeout_ms = 1;
	return status;
}

static int
take_option(const struct args *args, int key, struct cancel *cancel)
{
	if (key == KEY_NO_WAIT)
		cancel->no_wait = true;
	else if (key == KEY_TIMEOUT)
		return take_timeout(args, cancel);
	else if (key == KEY_FORCE)
		cancel->force = true;
	else if (key == KEY_ABANDON)
		cancel->abandon = true;
	else if (key == KEY_SCOPE)
		cancel->query.scope = args->value;
	else if (key == KEY_TYPE)
		cancel->query.type = args->value;
	else if (key == KEY_OWNER)
		cancel->query.owner = args->value;
	else if (key == KEY_ALL)
		cancel->is_all = true;
	else
		cancel->is_json = true;
	return 0;
}

static int
parse(struct args *args, struct cancel *cancel)
{
	int key;

	while ((key = args_next(args)) > 0) {
		int status = take_option(args, key, cancel);

		if (status != 0)
			return status;
	}
	if (key == ARGS_STOP)
		return args->status;
	if (!has_filter(cancel))
		return args_ids(args, &cancel->ids, &cancel->n);
	return args_no_words(args);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct cancel cancel = { .n = 0 };
	struct args args;
	int status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	status = parse(&args, &cancel);
	if (status == 0 && !args.is_stopped)
		status = cancel_tasks(&cancel, cli);
	free(cancel.ids);
	args_fini(&args);
	return status;
}

const struct verb verb_cancel = {
	.name = "cancel",
	.synopsis = "[options] ID ...\n[options] --scope TEXT | --type TYPE | --owner NAME | --all",
	.summary = "stop tasks, and everything they started",
	.help =
	    "Waits until nothing of them is left alive, and prints what was done. Where several people\n"
	    "joined a task, yours is only to leave it; the last one's stops it. Exit status: 0 cancelled\n"
	    "(or accepted, with --no-wait), 1 ended otherwise or refused, 5 timed out, 7 not found.",
	.options = options,
	.examples = "reeve cancel 41\nreeve cancel --no-wait 41 42\nreeve cancel --scope srv-7",
	.run = run,
};
