/*
 * ipc/client.h - the control socket from the other side: a blocking client.
 *
 * One connection, one thread. Used by the command line, the tests and whoever links it.
 */
#ifndef IPC_CLIENT_H
#define IPC_CLIENT_H

#include "ipc/buf.h"
#include "ipc/mp.h"
#include "ipc/rpc.h"

/*
 * What an answer or notification may be: more than what the service takes from a client, since it
 * carries whole documents; bounded all the same.
 */
extern const struct walk_limits client_limits; /* depth 16, 262,144 values, 4 MiB */

struct client {
	int fd; /* -1 while not connected */
	uint32_t next_id;
	struct buf in;
	struct walk walk; /* of the message at the start of `in` */
	char *path;       /* owned */
};

/*
 * $REEVE_SOCKET; else for root the system's socket; else the first that is there of the user's
 * ($XDG_RUNTIME_DIR/reeve, $XDG_STATE_HOME/reeve/run) and the system's, or where the user's would
 * be. Owned, or NULL.
 */
char *client_default_path(void);

/* Does not connect. 0 or -ENOMEM. */
int client_init(struct client *client, const char *path);
void client_fini(struct client *client);
int client_connect(struct client *client); /* 0 or -errno */
void client_disconnect(struct client *client);

/* The answer to a call; fini it. */
struct client_reply {
	struct buf bytes;
	struct mp_doc doc;
	bool is_error;
	msgpack_object body; /* result, or the error map {code, message, field} */
};
void client_reply_fini(struct client_reply *reply);

/* Starts a request in OUT; the caller packs the params map behind it, then calls. */
int client_begin(struct client *client, struct buf *out, const char *method, uint32_t *ret_id);

/*
 * Draws a token for `submit`: the time in milliseconds, 6 bytes big-endian, and 10 random ones. Any
 * 16 bytes drawn at random will do, but those that ascend are cheaper to store. 0 or -errno.
 */
int client_draw_token(uint8_t ret_token[static 16]);

typedef void (*client_notify_fn)(const char *method, const msgpack_object *params, void *arg);

struct client_call {
	const struct buf *request; /* begun with client_begin, params packed */
	uint32_t id;
	int fd;                     /* goes with it; -1: none */
	int timeout_ms;             /* -1: never */
	client_notify_fn on_notify; /* notifications that arrive meanwhile; NULL: dropped */
	void *arg;
	int slow_ms;                /* when so long no answer came, */
	void (*on_slow)(void *arg); /* this is called, once; NULL: nothing is */
	void *slow_arg;
};

/*
 * Sends the request and waits for its response. on_notify must not use the client. 0 with
 * *ret_reply to be fini'ed (which may be an error reply), or -errno when the connection failed
 * (-EPIPE, -ECONNRESET, -ETIMEDOUT, -EBADMSG): then the client is disconnected, and the caller may
 * connect and send the same request again.
 */
int client_call(
    struct client *client, const struct client_call *call, struct client_reply *ret_reply);

/*
 * Waits for the next notification up to TIMEOUT_MS: 1 (on_notify was called), 0 (timed out), -EINTR
 * (a signal; still connected), -errno (disconnected). One that has arrived already comes first, so
 * drain with TIMEOUT_MS 0 before polling client->fd.
 */
int client_wait(struct client *client, int timeout_ms, client_notify_fn on_notify, void *arg);

#endif
