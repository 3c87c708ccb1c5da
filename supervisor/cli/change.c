/* retry and keep: verbs that change one thing about a task. */
#include "ipc/fd.h"
#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/attend.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/secret.h"

#include <stdio.h>

enum {
	OUT_MAX = 64 * 1024
};
enum {
	KEY_FOLLOW = 'f',
	KEY_OFF = 'o',
	KEY_JSON = 'j'
};

static int
print_reply(const struct cli *cli, const msgpack_object *result)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	json_write(&out, result, JSON_PRETTY);
	text_add(&out, "\n");
	status = emit(&cli->out, &out, 0);
	buf_fini(&out);
	return status;
}

static int
print_sentence(const struct cli *cli, uint64_t id, const char *what)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	text_add(&out, "task %llu %s\n", (unsigned long long)id, what);
	status = emit(&cli->out, &out, 0);
	buf_fini(&out);
	return status;
}

/* ---- retry ------------------------------------------------------------------------ */

static const struct option_def retry_options[] = {
	SECRET_OPTIONS,
	{ KEY_FOLLOW, "follow", NULL, "stay with it until it has ended, as run does" },
	{ KEY_JSON, "json", NULL, "print {status, attempt}" },
	{ 0, NULL, NULL, NULL },
};

/* With its secrets, which the service has forgotten. */
static int
ask_retry(struct session *session, uint64_t id, int secrets_fd, struct client_reply *ret_reply)
{
	struct request request;
	int r;

	session_begin(session, &request, "retry", 1);
	pack_kv_uint(&request.params, "id", id);
	r = session_call(session, &request, secrets_fd, NULL, ret_reply);
	if (r != 0)
		return session_lost(session, r);
	if (!ret_reply->is_error)
		return 0;
	r = session_refused(ret_reply);
	client_reply_fini(ret_reply);
	return r;
}

static int
retry(struct cli *cli, uint64_t id, int secrets_fd, bool follows, bool is_json)
{
	struct client_reply reply;
	struct session session;
	int status = session_open(&session, true);

	if (status != 0)
		return status;
	status = ask_retry(&session, id, secrets_fd, &reply);
	if (status == 0) {
		char what[64];

		snprintf(what, sizeof what, "runs again, attempt %llu",
		    (unsigned long long)doc_uint(&reply.body, "attempt"));
		if (is_json && !follows)
			status = print_reply(cli, &reply.body);
		else if (!follows)
			status = print_sentence(cli, id, what);
		client_reply_fini(&reply);
		if (follows)
			status = is_json ? attend_json(cli, &session, id, false)
					 : attend(cli, &session, id, ATTEND_NORMALLY);
	}
	session_close(&session);
	return status;
}

static int
run_retry(struct cli *cli, int argc, char **argv)
{
	struct secret_args secrets = { .asked = { 0 } };
	struct args args;
	bool follows = false, is_json = false;
	uint64_t id = 0;
	int secrets_fd = -1, key, status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while (status == 0 && (key = args_next(&args)) > 0) {
		follows = follows || key == KEY_FOLLOW;
		is_json = is_json || key == KEY_JSON;
		if (key == KEY_SECRET || key == KEY_SECRET_FD)
			status = secret_take(&args, key, &secrets);
	}
	if (status == 0)
		status = args.is_stopped ? args.status : args_one_id(&args, &id);
	if (status == 0 && !args.is_stopped)
		status = secret_gather(&secrets, &secrets_fd);
	if (status == 0 && !args.is_stopped)
		status = retry(cli, id, secrets_fd, follows, is_json);
	fd_close(&secrets_fd);
	secret_fini(&secrets);
	args_fini(&args);
	return status;
}

const struct verb verb_retry = {
	.name = "retry",
	.synopsis = "[options] ID",
	.summary = "run an ended task again from its first unfinished step",
	.help =
	    "The task keeps its id; its attempt is one more. Refused while another active task\n"
	    "does the same work: a new submission would join that one. Secret parameters were not\n"
	    "kept beyond its end and are given again, as to `reeve run`.",
	.options = retry_options,
	.examples = "reeve retry 41\nreeve retry --follow 41",
	.run = run_retry,
};

/* ---- keep ------------------------------------------------------------------------- */

static const struct option_def keep_options[] = {
	{ KEY_OFF, "off", NULL, "do not keep it any longer" },
	{ KEY_JSON, "json", NULL, "print {keep}" },
	{ 0, NULL, NULL, NULL },
};

static int
keep(const struct cli *cli, uint64_t id, bool is_on, bool is_json)
{
	struct client_reply reply;
	struct session session;
	struct request request;
	int status = session_open(&session, false);

	if (status != 0)
		return status;
	session_begin(&session, &request, "keep", 2);
	pack_kv_uint(&request.params, "id", id);
	pack_kv_bool(&request.params, "keep", is_on);
	status = session_ask(&session, &request, &reply);
	if (status == 0) {
		bool is_kept = mp_bool(mp_get(&reply.body, "keep"), is_on);

		if (is_json)
			status = print_reply(cli, &reply.body);
		else
			status = print_sentence(cli, id, is_kept ? "is kept" : "is not kept");
		client_reply_fini(&reply);
	}
	session_close(&session);
	return status;
}

static int
run_keep(struct cli *cli, int argc, char **argv)
{
	struct args args;
	bool is_on = true, is_json = false;
	uint64_t id = 0;
	int key, status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while ((key = args_next(&args)) > 0) {
		is_on = is_on && key != KEY_OFF;
		is_json = is_json || key == KEY_JSON;
	}
	status = args.is_stopped ? args.status : args_one_id(&args, &id);
	if (status == 0 && !args.is_stopped)
		status = keep(cli, id, is_on, is_json);
	args_fini(&args);
	return status;
}

const struct verb verb_keep = {
	.name = "keep",
	.synopsis = "[options] ID",
	.summary = "keep an ended task and its log beyond their time",
	.options = keep_options,
	.examples = "reeve keep 41\nreeve keep --off 41",
	.run = run_keep,
};
