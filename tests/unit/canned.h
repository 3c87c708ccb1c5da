/*
 * tests/unit/canned.h - a service of a few lines, on a socket of its own in a thread, that
 * answers as a test tells it. Included by one test program at a time, so it is all here.
 */
#ifndef TESTS_UNIT_CANNED_H
#define TESTS_UNIT_CANNED_H

#include "ipc/fd.h"
#include "ipc/mp.h"
#include "ipc/rpc.h"
#include "ipc/walk.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum canned_then {
	CANNED_KEEP,
	CANNED_HANG_UP
};

/* One request, and what goes back: whole messages, in order. */
struct canned_call {
	const struct rpc_msg *msg;
	const msgpack_object *params;
	int passed_fd;  /* -1 */
	int connection; /* from 1 */
	struct buf *out;
};
typedef enum canned_then (*canned_fn)(struct canned_call *call, void *arg);

struct canned {
	int listener;
	char dir[64], path[96];
	pthread_t thread;
	canned_fn fn;
	void *arg;
	atomic_int connections, calls;
};

static enum canned_then
canned_dispatch(struct canned *canned, int fd, int connection, const struct buf *in, int passed)
{
	struct canned_call call = { .passed_fd = passed, .connection = connection };
	enum canned_then then = CANNED_HANG_UP;
	struct rpc_msg msg;
	struct mp_doc doc;
	struct buf out;

	if (rpc_parse(in->data, in->len, &msg) != 0 ||
	    mp_parse(&doc, msg.params.data, msg.params.len, &walk_rpc_limits) != 0)
		return CANNED_HANG_UP;
	buf_init(&out, 8 * 1024 * 1024);
	call.msg = &msg;
	call.params = &doc.root;
	call.out = &out;
	atomic_fetch_add(&canned->calls, 1);
	then = canned->fn(&call, canned->arg);
	/* The test may have gone away already: SIGPIPE is none of its results. */
	for (size_t sent = 0; sent < out.len;) {
		ssize_t n = send(fd, out.data + sent, out.len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	buf_fini(&out);
	mp_free(&doc);
	return then;
}

/* Requests come one at a time: the client waits for each answer. */
static void
canned_serve(struct canned *canned, int fd, int connection)
{
	struct walk walk;
	struct buf in;
	int passed = -1;

	buf_init(&in, 2 * 1024 * 1024);
	walk_init(&walk, &walk_rpc_limits);
	for (;;) {
		uint8_t *room = buf_reserve(&in, 4096);
		size_t used, nfds = 1;
		int taken = -1;
		ssize_t n = room ? fd_recv(fd, room, 4096, &taken, &nfds) : -1;

		if (n <= 0)
			break;
		if (nfds > 0)
			passed = taken;
		in.len += (size_t)n;
		if (walk_feed(&walk, in.data + walk.pos, in.len - walk.pos, &used) == 0)
			continue;
		if (canned_dispatch(canned, fd, connection, &in, passed) == CANNED_HANG_UP)
			break;
		fd_close(&passed);
		buf_clear(&in);
		walk_init(&walk, &walk_rpc_limits);
	}
	fd_close(&passed);
	buf_fini(&in);
}

static void *
canned_main(void *arg)
{
	struct canned *canned = arg;
	int fd;

	while ((fd = accept(canned->listener, NULL, NULL)) >= 0) {
		canned_serve(canned, fd, atomic_fetch_add(&canned->connections, 1) + 1);
		fd_close(&fd);
	}
	return NULL;
}

static void
canned_start(struct canned *canned, canned_fn fn, void *arg)
{
	memset(canned, 0, sizeof *canned);
	canned->fn = fn;
	canned->arg = arg;
	snprintf(canned->dir, sizeof canned->dir, "/tmp/reeve-canned-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(canned->dir));
	snprintf(canned->path, sizeof canned->path, "%s/control.sock", canned->dir);
	canned->listener = fd_unix_listen(canned->path, 0600, 16);
	ck_assert_int_ge(canned->listener, 0);
	ck_assert_int_eq(pthread_create(&canned->thread, NULL, canned_main, canned), 0);
}

/* Every client must be closed before. */
static void
canned_stop(struct canned *canned)
{
	shutdown(canned->listener, SHUT_RDWR);
	pthread_join(canned->thread, NULL);
	fd_close(&canned->listener);
	unlink(canned->path);
	rmdir(canned->dir);
}

/* The begin of a result; one value is to be packed behind it. */
static inline void
canned_result(struct canned_call *call, msgpack_packer *packer)
{
	rpc_begin_result(call->out, call->msg->id);
	buf_packer(call->out, packer);
}

#endif
