#include "supervisor/cli/session.h"

#include "ipc/clock.h"
#include "ipc/task.h"
#include "supervisor/cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PAUSE_MS = 50,
	NOTICE_AFTER_MS = 2000,
	HINT_MAX = 512
};

int
session_open(struct session *session, bool waits_for_first)
{
	char *path = client_default_path();
	int r = path ? client_init(&session->client, path) : -ENOMEM;

	free(path);
	if (r != 0) {
		complain(NULL, "out of memory");
		return EXIT_FAILED;
	}
	session->patience_ms = SESSION_PATIENCE_MS;
	session->waits_for_first = waits_for_first;
	session->was_connected = false;
	session->connections = 0;
	session->signal_fd = -1;
	return 0;
}

void
session_close(struct session *session)
{
	client_fini(&session->client);
}

void
session_begin(struct session *session, struct request *request, const char *method, size_t nparams)
{
	buf_init(&request->bytes, LIMIT_RPC);
	client_begin(&session->client, &request->bytes, method, &request->id);
	buf_packer(&request->bytes, &request->params);
	msgpack_pack_map(&request->params, nparams);
}

void
request_fini(struct request *request)
{
	buf_fini(&request->bytes);
}

/* False when a signal waits. */
static bool
rest(const struct session *session)
{
	struct pollfd pollfd = { .fd = session->signal_fd, .events = POLLIN };

	return poll(&pollfd, 1, PAUSE_MS) == 0 || session->signal_fd < 0;
}

/* Nobody listens, or nobody does yet: not a mistake in the path, a right or a limit. */
static bool
may_come_back(int error)
{
	return error == -ENOENT || error == -ECONNREFUSED || error == -ECONNRESET ||
	       error == -EPIPE || error == -EAGAIN || error == -ENOTCONN || error == -EINTR;
}

/* While signals are only looked at between calls, no call may take long: it is sent again. */
static bool
is_impatient(const struct session *session)
{
	return session->signal_fd >= 0;
}

static bool
is_hopeless(const struct session *session, int error)
{
	if (error == -ETIMEDOUT)
		return !is_impatient(session);
	return !may_come_back(error) || (!session->was_connected && !session->waits_for_first);
}

static int
connect_once(struct session *session)
{
	int r = 0;

	if (session->client.fd < 0) {
		r = client_connect(&session->client);
		session->connections += r == 0;
	}
	session->was_connected = session->was_connected || r == 0;
	return r;
}

/* Whoever waits is told why nothing happens, a script's log too. */
static void
notice_absence(const struct session *session)
{
	complain(NULL, "nobody answers at %s, trying for %llu s", session->client.path,
	    (unsigned long long)session->patience_ms / 1000);
}

static void
notice_silence(void *arg)
{
	const struct session *session = arg;

	complain(NULL, "no answer from %s yet, waiting for up to %d s", session->client.path,
	    SESSION_ANSWER_MS / 1000);
}

static int
call_until(struct session *session, struct request *request, int fd,
    const struct listener *listener, struct client_reply *ret_reply)
{
	struct client_call call = { .request = &request->bytes,
		.id = request->id,
		.fd = fd,
		.timeout_ms = is_impatient(session) ? SESSION_GLANCE_MS : SESSION_ANSWER_MS,
		.on_notify = listener ? listener->fn : NULL,
		.arg = listener ? listener->arg : NULL,
		.slow_ms = NOTICE_AFTER_MS,
		.on_slow = is_impatient(session) ? NULL : notice_silence,
		.slow_arg = session };
	uint64_t begun_ms = clock_boot_ms();
	bool noticed = false;

	for (;;) {
		int r = connect_once(session);
		uint64_t waited_ms;

		if (r == 0)
			r = client_call(&session->client, &call, ret_reply);
		if (r == 0 || is_hopeless(session, r))
			return r;
		waited_ms = clock_boot_ms() - begun_ms;
		if (waited_ms >= session->patience_ms)
			return r;
		if (!noticed && waited_ms >= NOTICE_AFTER_MS && !is_impatient(session)) {
			notice_absence(session);
			noticed = true;
		}
		if (!rest(session))
			return -EINTR;
	}
}

int
session_call(struct session *session, struct request *request, int fd,
    const struct listener *listener, struct client_reply *ret_reply)
{
	int r = buf_error(&request->bytes);

	/* The service would hang up on it without a word. */
	if (r == 0)
		r = walk_whole(request->bytes.data, request->bytes.len, &walk_rpc_limits);
	if (r == 0)
		r = call_until(session, request, fd, listener, ret_reply);
	request_fini(request);
	return r;
}

int
session_refused(const struct client_reply *reply)
{
	char *code = mp_str_dup(mp_get(&reply->body, "code"));
	char *message = mp_str_dup(mp_get(&reply->body, "message"));
	char *field = mp_str_dup(mp_get(&reply->body, "field"));
	int status = rpc_error_exit_status(code ? code : "");

	/* Only what was written wrong is named; that an id is one is known. */
	if (status == EXIT_USAGE && field && message && !strstr(message, field))
		complain(NULL, "%s: %s", field, message);
	else
		complain(NULL, "%s", message ? message : "the supervisor refused without a word");
	free(code);
	free(message);
	free(field);
	return status;
}

int
session_lost(const struct session *session, int error)
{
	char hint[HINT_MAX];
	const char *why = error == -ENOENT         ? "there is no socket"
			  : error == -ECONNREFUSED ? "nobody listens"
			  : error == -ETIMEDOUT    ? "no answer came"
						   : strerror(-error);

	if (error == -EMSGSIZE) {
		complain(NULL,
		    "the request is larger than a message may be: %zu bytes and %u values",
		    walk_rpc_limits.max_bytes, (unsigned)walk_rpc_limits.max_items);
		return EXIT_USAGE;
	}
	if (error == -EACCES || error == -EPERM)
		snprintf(hint, sizeof hint, "That socket belongs to another user's service.");
	else if (getenv("REEVE_SOCKET"))
		snprintf(hint, sizeof hint,
		    "REEVE_SOCKET names that socket; is the service behind it running?");
	else
		snprintf(hint, sizeof hint, "Start one with `%s`; `reeve doctor` tells more.",
		    geteuid() == 0 ? "reeved" : "reeved &");
	complain(hint, "no supervisor at %s: %s", session->client.path, why);
	return EXIT_NO_SUPERVISOR;
}

int
session_ask(struct session *session, struct request *request, struct client_reply *ret_reply)
{
	int r = session_call(session, request, -1, NULL, ret_reply);

	if (r != 0)
		return session_lost(session, r);
	if (!ret_reply->is_error)
		return 0;
	r = session_refused(ret_reply);
	client_reply_fini(ret_reply);
	return r;
}

int
session_ask_id(
    struct session *session, const char *method, uint64_t id, struct client_reply *ret_reply)
{
	struct request request;

	session_begin(session, &request, method, 1);
	pack_kv_uint(&request.params, "id", id);
	return session_ask(session, &request, ret_reply);
}
