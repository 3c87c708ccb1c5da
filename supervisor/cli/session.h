/*
 * supervisor/cli/session.h - calls to the supervisor that survive its restart.
 *
 * A connection that is lost is made again, and the same request sent again, for ten
 * seconds: every method may be repeated (submit carries a token). What goes wrong is said
 * on stderr here, once.
 */
#ifndef SUPERVISOR_CLI_SESSION_H
#define SUPERVISOR_CLI_SESSION_H

#include "ipc/client.h"
#include "supervisor/cli/text.h"

enum {
	SESSION_PATIENCE_MS = 10 * 1000,
	SESSION_ANSWER_MS = 20 * 1000, /* for one answer */
	SESSION_GLANCE_MS = 2 * 1000   /* the same while signals are taken in by signal_fd */
};

struct session {
	struct client client;
	uint64_t patience_ms; /* how long a lost supervisor is looked for */
	bool waits_for_first; /* also when none has answered yet, else that is final at once */
	bool was_connected;
	uint64_t connections; /* made so far; when it changed, what was subscribed to is gone */
	int signal_fd;        /* borrowed; readable interrupts the looking; -1 */
};

/* Connects when first needed. 0, or an exit status after a complaint. */
int session_open(struct session *session, bool waits_for_first);
void session_close(struct session *session);

/* A request being packed: session_begin, pack `nparams` pairs into ->params, session_ask. */
struct request {
	struct buf bytes;
	uint32_t id;
	msgpack_packer params;
};
void session_begin(
    struct session *session, struct request *request, const char *method, size_t nparams);
void request_fini(struct request *request);

/* Where notifications go that come before the answer. */
struct listener {
	client_notify_fn fn;
	void *arg;
};

/*
 * 0 with *ret_reply, which may be an error reply; -EINTR when signal_fd became readable;
 * another -errno when there is no supervisor (not said). FD goes with it (-1: none). Consumes
 * REQUEST.
 */
int session_call(struct session *session, struct request *request, int fd,
    const struct listener *listener, struct client_reply *ret_reply);

/* As session_call, for who wants a result: 0, or an exit status after a complaint. */
int session_ask(struct session *session, struct request *request, struct client_reply *ret_reply);

/* Says what an error reply says. Returns its exit status. */
int session_refused(const struct client_reply *reply);

/* Says that nobody answers, where, and how to start one. Returns EXIT_NO_SUPERVISOR. */
int session_lost(const struct session *session, int error);

/* `{id: ID}` to METHOD. */
int session_ask_id(
    struct session *session, const char *method, uint64_t id, struct client_reply *ret_reply);

#endif
