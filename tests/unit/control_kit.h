/* tests/unit/control_kit.h - the control socket with a handler that answers as it is asked to. */
#ifndef TESTS_UNIT_CONTROL_KIT_H
#define TESTS_UNIT_CONTROL_KIT_H

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/mp.h"
#include "supervisor/control.h"
#include "tests/unit/scratch.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BIG_ANSWER = 64 * 1024,
	SLOW_NS = 1000 * 1000
};

static struct ev_loop *loop;
static struct control control;
static int listener = -1;

/* What the handler saw. */
static unsigned requests, closed, fds_seen, echoes;
static ino_t passed[8]; /* with each request the directory it came with; 0: none */
static uint64_t last_serial;
static struct conn *last_conn;
static bool admins;

static void
answer(struct conn *conn, uint32_t id, size_t text_bytes)
{
	static char text[BIG_ANSWER];
	msgpack_packer packer;
	struct buf out;

	memset(text, 'a', sizeof text);
	buf_init(&out, BIG_ANSWER + 64);
	rpc_begin_result(&out, id);
	buf_packer(&out, &packer);
	msgpack_pack_str(&packer, text_bytes);
	msgpack_pack_str_body(&packer, text, text_bytes);
	conn_send(conn, &out, true);
	buf_fini(&out);
}

static void
on_request(struct conn *conn, const struct rpc_msg *msg, int fd, void *arg)
{
	struct stat st;

	ck_assert_ptr_eq(arg, &control);
	ck_assert(!conn->is_dead);
	passed[requests % 8] = 0;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		fds_seen++;
		passed[requests % 8] = st.st_ino;
	}
	requests++;
	last_serial = conn->serial;
	last_conn = conn;
	if (strcmp(msg->method, "echo") == 0) {
		echoes++;
		answer(conn, msg->id, 5);
	} else if (strcmp(msg->method, "slow") == 0) {
		uint64_t until_ns = clock_boot_ns() + SLOW_NS;

		while (clock_boot_ns() < until_ns)
			continue;
		answer(conn, msg->id, 5);
	} else if (strcmp(msg->method, "big") == 0) {
		answer(conn, msg->id, BIG_ANSWER);
	} /* "later": not now */
}

static void
on_closed(struct conn *conn, void *arg)
{
	(void)arg;
	ck_assert(conn->is_dead);
	closed++;
}

static bool
is_admin(const struct peer *peer, void *arg)
{
	(void)arg;
	ck_assert_uint_eq(peer->uid, getuid());
	ck_assert_uint_eq(peer->gid, getgid());
	ck_assert_int_eq(peer->pid, getpid());
	return admins;
}

static void
set_up(void)
{
	const struct control_handler handler = {
		.request = on_request, .closed = on_closed, .is_admin = is_admin, .arg = &control
	};

	scratch_make();
	loop = ev_loop_new(EVFLAG_AUTO);
	listener = fd_unix_listen(scratch_file("s"), 0600, 1024);
	ck_assert_int_ge(listener, 0);
	requests = closed = fds_seen = echoes = 0;
	last_serial = 0;
	admins = true;
	ck_assert_int_eq(control_start(&control, loop, listener, &handler), 0);
}

static void
tear_down(void)
{
	control_stop(&control);
	ev_loop_destroy(loop);
	fd_close(&listener);
	scratch_remove();
}

#define pump_until(condition)                          \
 do {                                                  \
  while (!(condition)) /* the test's timeout */        \
   ev_run(loop, EVRUN_ONCE);                           \
  ev_run(loop, EVRUN_NOWAIT); /* the dead are freed */ \
 } while (0)

static int
connect_one(void)
{
	size_t before = control.nconns + closed;
	int fd = fd_unix_connect(scratch_file("s"));

	ck_assert_int_ge(fd, 0);
	pump_until(control.nconns + closed > before);
	ck_assert_int_eq(fd_set_nonblock(fd, true), 0);
	return fd;
}

static void
add_request(struct buf *out, const char *method)
{
	msgpack_packer packer;

	rpc_begin_request(out, 7, method);
	buf_packer(out, &packer);
	msgpack_pack_map(&packer, 0);
}

static void
ask(int fd, const char *method, unsigned times)
{
	struct buf out;

	buf_init(&out, 1024 * 1024);
	for (unsigned i = 0; i < times; i++)
		add_request(&out, method);
	ck_assert_int_eq(send(fd, out.data, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
	buf_fini(&out);
}

static bool
is_hung_up(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK);

	return n == 0 || (n < 0 && errno != EAGAIN);
}

static TCase *
tests_called(const char *name)
{
	TCase *tests = tcase_create(name);

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 20);
	return tests;
}

#endif
