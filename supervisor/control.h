/*
 * supervisor/control.h - the control socket: connections, messages in, bytes out.
 *
 * Knows nothing of methods. Everything a client sends is hostile: it is walked before it
 * is parsed, bounded, and a bad message costs that connection only. A client that stops
 * reading is cut off at CONN_MAX_OUT. A connection is named by its serial, since it may be
 * gone by the time an answer is ready. What all connections of one user may take is in guests.h.
 */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include "ipc/rpc.h"
#include "ipc/task.h"
#include "ipc/walk.h"
#include "supervisor/guests.h"
#include "supervisor/passed.h"
#include "supervisor/peer.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
	CONN_MAX_OUT = 4 * 1024 * 1024, /* bytes waiting for a client that does not read */
	CONN_MAX_PER_UID = 512,     /* for uids that are not administrators; at most half of all */
	CONN_MAX_PENDING = 64,      /* requests not answered; more are not read meanwhile */
	CONN_REQUEST_MS = 10 * 1000 /* a request once begun must be whole by then */
};

struct control;

struct conn {
	struct control *control;
	uint64_t serial; /* never reused */
	int fd;
	ev_io reader, writer;
	struct peer peer;
	struct guest *guest; /* he, over all his connections; NULL: dead */
	size_t held;         /* bytes of it that are this one's */
	struct buf in, out;
	struct walk walk;
	struct passed passed;
	uint64_t active_ms; /* boot clock: of its last message or the begin of a request */
	unsigned pending;   /* requests not answered yet */
	void *watch;        /* the handler's; with it, it is never evicted for being idle */
	bool has_more;      /* not all that arrived was looked at; not read from meanwhile */
	bool wants_turn;    /* its handler has more to send once all this is sent */
	bool is_dead;       /* freed after this iteration of the loop */
	struct conn *prev, *next;
};

struct control_handler {
	/* One request. Answer now or later with conn_reply(serial). FD is -1 or borrowed. */
	void (*request)(struct conn *conn, const struct rpc_msg *msg, int fd, void *arg);
	/* All that was sent has left, as conn_want_turn asked; NULL when that is never asked. */
	void (*turn)(struct conn *conn, void *arg);
	/* Its last moment. */
	void (*closed)(struct conn *conn, void *arg);
	bool (*is_admin)(const struct peer *peer, void *arg);
	void *arg;
};

struct control {
	struct ev_loop *loop;
	ev_io listener;
	ev_timer sweep, pause, more;
	ev_prepare reap;
	struct control_handler handler;
	struct conn *conns; /* list */
	size_t nconns, max_conns, max_per_uid;
	struct guests guests;
	uint64_t last_serial;
	uint64_t gone_on; /* serial of the last that was gone on with: then come older ones */
	int spare_fd;     /* given up for a moment when fds run out, to accept and refuse */
};

/* LISTEN_FD is borrowed. 0 or -errno. CONTROL must not move. */
int control_start(struct control *control, struct ev_loop *loop, int listen_fd,
    const struct control_handler *handler);
void control_stop(struct control *control);

/* The living connection called SERIAL, or NULL. */
struct conn *control_find(struct control *control, uint64_t serial);

/* Calls FN for each living connection. */
void control_each(struct control *control, void (*fn)(struct conn *conn, void *arg), void *arg);

/* Sends a whole message; a notification or, with ANSWERS, the response to one request. Ignored
 * when the connection is dead. */
void conn_send(struct conn *conn, const struct buf *message, bool answers);

/* Has the handler's `turn` called once, after the others' turn and when the client has read what it
 * was sent: for long answers that are to be read as they are made. */
void conn_want_turn(struct conn *conn);

#endif
