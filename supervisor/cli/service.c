/* doctor, shutdown and version: verbs about the service itself. */
#include "ipc/fd.h"
#include "ipc/json.h"
#include "ipc/proc.h"
#include "ipc/version.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/session.h"
#include "supervisor/config/config.h"
#include "supervisor/config/file.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	OUT_MAX = 256 * 1024,
	GONE_MS = 10 * 1000,
	NAME_COLUMN = 14
};
enum {
	KEY_TASKS = 't',
	KEY_RESTART = 'r',
	KEY_SUSPEND = 's',
	KEY_JSON = 'j'
};

static int
print_json(const struct cli *cli, const msgpack_object *result, int status)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	json_write(&out, result, JSON_PRETTY);
	text_add(&out, "\n");
	status = emit(&cli->out, &out, status);
	buf_fini(&out);
	return status;
}

/* The only option --json and no words: 0 to go on, else *ret_status is final. */
static bool
parse_json_only(struct args *args, const struct cli *cli, int argc, char **argv, bool *ret_json,
    int *ret_status)
{
	*ret_json = false;
	*ret_status = args_init(args, cli, argc, argv);
	if (*ret_status != 0)
		return false;
	while (args_next(args) > 0)
		*ret_json = true;
	*ret_status = args->is_stopped ? args->status : args_no_words(args);
	args_fini(args);
	return *ret_status == 0 && !args->is_stopped;
}

/* ---- doctor ----------------------------------------------------------------------- */

static const struct option_def json_options[] = {
	{ KEY_JSON, "json", NULL, "as JSON" },
	{ 0, NULL, NULL, NULL },
};

static void
put_check(struct buf *out, const struct term *term, const msgpack_object *check)
{
	bool is_ok = mp_str_is(mp_get(check, "status"), "ok");
	bool is_warning = mp_str_is(mp_get(check, "status"), "warn");
	struct doc_mark mark = doc_state_mark(is_ok        ? TASK_COMPLETED
					      : is_warning ? TASK_WAITING
							   : TASK_FAILED);
	struct span fix = doc_span(check, "fix");
	struct line line;

	line_begin(&line, out, term);
	line_add(&line, mark.style, "%s ", is_warning ? "!" : doc_mark_text(term, mark));
	line_put(&line, STYLE_PLAIN, doc_span(check, "name"));
	line_wrap(&line, STYLE_PLAIN, NAME_COLUMN, doc_span(check, "text"));
	if (fix.len > 0)
		line_wrap(&line, STYLE_YELLOW, NAME_COLUMN, fix);
}

/* 1 when a check failed. */
static int
verdict(const msgpack_object *checks)
{
	for (size_t i = 0; i < doc_count(checks); i++)
		if (mp_str_is(mp_get(doc_at(checks, i), "status"), "fail"))
			return EXIT_FAILED;
	return EXIT_OK;
}

static int
print_checks(const struct cli *cli, const msgpack_object *result, const char *path)
{
	const msgpack_object *checks = mp_get(result, "checks");
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	text_add(&out, "service at %s\n", path);
	for (size_t i = 0; i < doc_count(checks); i++)
		put_check(&out, &cli->out, doc_at(checks, i));
	status = emit(&cli->out, &out, verdict(checks));
	buf_fini(&out);
	return status;
}

/* Why nobody answers, as far as it can be seen from here. */
static const char *
diagnose(int error, const char *path)
{
	if (error == -ENOENT)
		return "there is no socket: no service was started with these directories, or it has "
		       "stopped";
	if (error == -ECONNREFUSED)
		return "a socket is there but nobody listens: the service has stopped";
	if (error == -EACCES || error == -EPERM)
		return access(path, F_OK) == 0 ? "the socket is not yours to use"
					       : "its directory is not yours to enter";
	if (error == -ETIMEDOUT)
		return "it listens but does not answer: the supervisor hangs or cannot start; its log "
		       "is on reeved's stderr";
	return strerror(-error);
}

struct finding {
	const char *name, *status, *text, *fix;
};

static void
put_finding(msgpack_packer *packer, struct finding finding)
{
	msgpack_pack_map(packer, 4);
	pack_kv_str(packer, "name", finding.name);
	pack_kv_str(packer, "status", finding.status);
	pack_kv_str(packer, "text", finding.text);
	pack_kv_str(packer, "fix", finding.fix);
}

/* A mistake in it is what keeps a service from starting most often. */
static void
examine_config(msgpack_packer *packer)
{
	struct config_layers layers = { .file = NULL };
	char *path = config_file_path(&layers.file_is_named);
	struct recipe_error error = { .message = "out of memory" };
	struct config config;

	layers.file = path;
	if (config_load(&config, &layers, NULL, &error) == 0) {
		put_finding(packer, (struct finding){ "config", "ok", path, NULL });
		config_fini(&config);
	} else {
		put_finding(packer, (struct finding){ "config", "fail", error.message,
					"mend it; `reeve config check` tells when it is sound" });
	}
	free(path);
}

static int
print_absence(const struct cli *cli, const struct session *session, int error, bool is_json)
{
	const char *fix = geteuid() == 0
			      ? "start it: reeved, or systemctl start reeve"
			      : "start your own: reeved &; or name another with REEVE_SOCKET";
	const char *text = diagnose(error, session->client.path);
	msgpack_packer packer;
	struct mp_doc doc;
	struct buf bytes;
	int status = EXIT_FAILED;

	buf_init(&bytes, OUT_MAX);
	buf_packer(&bytes, &packer);
	msgpack_pack_map(&packer, 1);
	pack_str(&packer, "checks");
	msgpack_pack_array(&packer, 2);
	put_finding(&packer, (struct finding){ "service", "fail", text, fix });
	examine_config(&packer);
	if (!buf_error(&bytes) && mp_parse(&doc, bytes.data, bytes.len, &client_limits) == 0) {
		status = is_json ? print_json(cli, &doc.root, EXIT_NO_SUPERVISOR)
				 : print_checks(cli, &doc.root, session->client.path);
		mp_free(&doc);
	}
	buf_fini(&bytes);
	return status == EXIT_FAILED ? EXIT_NO_SUPERVISOR : status;
}

static int
run_doctor(struct cli *cli, int argc, char **argv)
{
	struct client_reply reply;
	struct session session;
	struct request request;
	struct args args;
	bool is_json;
	int r, status;

	if (!parse_json_only(&args, cli, argc, argv, &is_json, &status))
		return status;
	status = session_open(&session, false);
	if (status != 0)
		return status;
	session_begin(&session, &request, "doctor", 0);
	r = session_call(&session, &request, -1, NULL, &reply);
	if (r != 0) {
		status = print_absence(cli, &session, r, is_json);
	} else {
		if (reply.is_error)
			status = session_refused(&reply);
		else if (is_json)
			status =
			    print_json(cli, &reply.body, verdict(mp_get(&reply.body, "checks")));
		else
			status = print_checks(cli, &reply.body, session.client.path);
		client_reply_fini(&reply);
	}
	session_close(&session);
	return status;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.synopsis = "[--json]",
	.summary = "examine the service and what it needs",
	.help =
	    "Works without a service too, and tells then how to get one. Exit status 1 when a check\n"
	    "fails, 6 when there is no service.",
	.options = json_options,
	.examples = "reeve doctor",
	.run = run_doctor,
};

/* ---- shutdown --------------------------------------------------------------------- */

static const struct option_def shutdown_options[] = {
	{ KEY_TASKS, "tasks", NULL, "cancel every task first" },
	{ KEY_SUSPEND, "suspend", NULL, "stop every task at a checkpoint first, as for a reboot" },
	{ KEY_RESTART, "restart", NULL, "start it anew as what is installed now; tasks run on" },
	{ 0, NULL, NULL, NULL },
};

/* The keeper, which made the socket listen (unix(7), SO_PEERCRED): a pidfd, or -1 where it cannot
 * be had. */
static int
keeper_pidfd(int sock)
{
	struct ucred cred;
	socklen_t len = sizeof cred;
	int fd;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || cred.pid <= 0)
		return -1;
	fd = proc_pidfd_open(cred.pid);
	return fd < 0 ? -1 : fd;
}

static void
await_hangup(struct session *session)
{
	int r;

	do
		r = client_wait(&session->client, -1, NULL, NULL);
	while (r > 0 || r == -EINTR);
}

/* Until the connection ends, and then the keeper: the next service can start at once. */
static int
await_gone(struct session *session, int pidfd)
{
	struct pollfd pollfd = { .fd = pidfd, .events = POLLIN };

	await_hangup(session);
	if (pidfd < 0 || poll(&pollfd, 1, GONE_MS) == 1)
		return EXIT_OK;
	complain(NULL, "the service at %s goes on", session->client.path);
	return EXIT_FAILED;
}

static void
put_service(struct buf *out, const msgpack_object *version, const char *path)
{
	text_add(out, "service ");
	text_clean(out, doc_span(version, "version"), TEXT_FIELD);
	text_add(out, " at %s, pid %llu, %llu slots, %llu running, %llu queued\n", path,
	    (unsigned long long)doc_uint(version, "pid"),
	    (unsigned long long)doc_uint(version, "slots"),
	    (unsigned long long)doc_uint(version, "running"),
	    (unsigned long long)doc_uint(version, "queued"));
}

/* Until the next supervisor answers on the same socket: says which it is. */
static int
await_next(const struct cli *cli, struct session *session)
{
	struct client_reply reply;
	struct request request;
	struct buf out;
	int status;

	await_hangup(session);
	session_begin(session, &request, "version", 0);
	status = session_ask(session, &request, &reply);
	if (status != 0)
		return status;
	buf_init(&out, OUT_MAX);
	put_service(&out, &reply.body, session->client.path);
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	client_reply_fini(&reply);
	return status;
}

struct manner {
	bool tasks, restart, suspend;
};

static int
stop_service(const struct cli *cli, const struct manner *manner)
{
	struct client_reply reply;
	struct session session;
	struct request request;
	int status = session_open(&session, false), pidfd;

	if (status != 0)
		return status;
	/* What is not wished is not said: a service of the build before may not know of it. */
	session_begin(&session, &request, "shutdown",
	    (uint32_t)manner->tasks + manner->restart + manner->suspend);
	if (manner->tasks)
		pack_kv_bool(&request.params, "tasks", true);
	if (manner->restart)
		pack_kv_bool(&request.params, "restart", true);
	if (manner->suspend)
		pack_kv_bool(&request.params, "suspend", true);
	status = session_ask(&session, &request, &reply);
	if (status == 0) {
		client_reply_fini(&reply);
		pidfd = keeper_pidfd(session.client.fd);
		status = manner->restart ? await_next(cli, &session) : await_gone(&session, pidfd);
		fd_close(&pidfd);
	}
	session_close(&session);
	return status;
}

static int
run_shutdown(struct cli *cli, int argc, char **argv)
{
	struct args args;
	struct manner manner = { .tasks = false };
	int key, status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while ((key = args_next(&args)) > 0) {
		manner.tasks = manner.tasks || key == KEY_TASKS;
		manner.restart = manner.restart || key == KEY_RESTART;
		manner.suspend = manner.suspend || key == KEY_SUSPEND;
	}
	status = args.is_stopped ? args.status : args_no_words(&args);
	if (status == 0 && !args.is_stopped)
		status = stop_service(cli, &manner);
	args_fini(&args);
	return status;
}

const struct verb verb_shutdown = {
	.name = "shutdown",
	.synopsis = "[--tasks | --suspend | --restart]",
	.summary = "end the service; tasks run on unless told otherwise",
	.help =
	    "Returns when the service is gone. Tasks that run go on without the service, and the\n"
	    "next one finds them again. With --suspend every step is asked to end as by a cancel, with\n"
	    "the same grace to report a checkpoint, and steps that say cancel: after or never are\n"
	    "waited for; tasks with on_interrupt: resume go on in the next service, the others undo\n"
	    "their steps and end interrupted: for a reboot. With --restart it returns when the next one answers: what\n"
	    "an upgrade installed takes the place of what runs, and nobody who asks is turned away.",
	.options = shutdown_options,
	.examples = "reeve shutdown\nreeve shutdown --tasks\nreeve shutdown --suspend && reboot\n"
		    "reeve shutdown --restart",
	.run = run_shutdown,
};

/* ---- version ---------------------------------------------------------------------- */

/* SERVICE is nil where none answers: the program's own version is worth printing all the same. */
static int
print_version(const struct cli *cli, const msgpack_object *service, const char *path, bool is_json)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	if (is_json) {
		text_add(&out, "{\"version\":\"%s\",\"service\":", REEVE_VERSION);
		if (service)
			json_write(&out, service, JSON_COMPACT);
		else
			text_add(&out, "null");
		text_add(&out, "}\n");
	} else {
		text_add(&out, "reeve %s\n", REEVE_VERSION);
		if (service)
			put_service(&out, service, path);
		else
			text_add(&out, "no service at %s\n", path);
	}
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}

static int
run_version(struct cli *cli, int argc, char **argv)
{
	struct client_reply reply;
	struct session session;
	struct request request;
	struct args args;
	bool is_json, has_reply;
	int status;

	if (!parse_json_only(&args, cli, argc, argv, &is_json, &status))
		return status;
	status = session_open(&session, false);
	if (status != 0)
		return status;
	session_begin(&session, &request, "version", 0);
	has_reply = session_call(&session, &request, -1, NULL, &reply) == 0;
	status = print_version(
	    cli, has_reply && !reply.is_error ? &reply.body : NULL, session.client.path, is_json);
	if (has_reply)
		client_reply_fini(&reply);
	session_close(&session);
	return status;
}

const struct verb verb_version = {
	.name = "version",
	.synopsis = "[--json]",
	.summary = "print the versions of this program and the service",
	.options = json_options,
	.examples = "reeve version",
	.run = run_version,
};
