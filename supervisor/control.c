#include "supervisor/control.h"

#include "ipc/clock.h"
#include "ipc/failpoint.h"
#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_CHUNK = 64 * 1024,
	MESSAGES_PER_TURN = 64,
	RESERVED_FDS = 32
};

static void
kill_conn(struct conn *conn)
{
	if (conn->is_dead)
		return;
	conn->is_dead = true;
	conn->control->nconns--;
	ev_io_stop(conn->control->loop, &conn->reader);
	ev_io_stop(conn->control->loop, &conn->writer);
	conn->control->handler.closed(conn, conn->control->handler.arg);
	conn->guest->bytes -= conn->held;
	guests_leave(&conn->control->guests, conn->guest);
	conn->guest = NULL;
	fd_close(&conn->fd);
	passed_close(&conn->passed);
}

static void
free_conn(struct conn *conn)
{
	struct control *control = conn->control;

	if (conn->prev)
		conn->prev->next = conn->next;
	else
		control->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	buf_fini(&conn->in);
	buf_fini(&conn->out);
	peer_fini(&conn->peer);
	free(conn);
}

/* Callbacks may still hold a connection that died under them; it goes before the loop sleeps. */
static void
on_reap(struct ev_loop *loop, ev_prepare *watcher, int revents)
{
	struct control *control = watcher->data;

	(void)loop;
	(void)revents;
	for (struct conn *conn = control->conns, *next; conn; conn = next) {
		next = conn->next;
		if (conn->is_dead)
			free_conn(conn);
	}
	guests_turn(&control->guests);
}

/* False: all that is kept for this user is too much. */
static bool
may_hold(struct conn *conn)
{
	size_t held = conn->in.room + conn->out.room;

	conn->guest->bytes += held - conn->held;
	conn->held = held;
	return conn->peer.is_admin || conn->guest->bytes <= GUEST_MAX_BYTES;
}

static bool
had_turn(const struct conn *conn)
{
	return guests_had_turn(&conn->control->guests, conn->guest);
}

static void
flush(struct conn *conn)
{
	while (conn->out.len > 0) {
		ssize_t n =
		    send(conn->fd, conn->out.data, conn->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			ev_io_start(conn->control->loop, &conn->writer);
			return;
		}
		if (n < 0) {
			kill_conn(conn);
			return;
		}
		buf_consume(&conn->out, (size_t)n);
	}
	if (!conn->wants_turn)
		ev_io_stop(conn->control->loop, &conn->writer);
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct conn *conn = watcher->data;
	uint64_t begin_ns;

	(void)revents;
	flush(conn);
	if (conn->is_dead || conn->out.len > 0 || !conn->wants_turn || had_turn(conn))
		return;
	conn->wants_turn = false;
	ev_io_stop(loop, watcher);
	begin_ns = clock_boot_ns();
	conn->control->handler.turn(conn, conn->control->handler.arg);
	guests_use(&conn->control->guests, conn->guest, clock_boot_ns() - begin_ns);
}

void
conn_want_turn(struct conn *conn)
{
	if (conn->is_dead)
		return;
	conn->wants_turn = true;
	ev_io_start(conn->control->loop, &conn->writer);
}

/* The others get their turn; this one is gone on with when the loop comes round, without waiting
 * for more bytes. (An event fed to the loop now would still be this turn's.) */
static void
postpone(struct conn *conn)
{
	conn->has_more = true;
	ev_io_stop(conn->control->loop, &conn->reader);
	ev_timer_start(conn->control->loop, &conn->control->more);
}

/* One request less to be answered; who had asked too much at once is read from again. */
static void
finish_request(struct conn *conn)
{
	if (conn->pending > 0)
		conn->pending--;
	if (ev_is_active(&conn->reader) || conn->has_more || conn->pending >= CONN_MAX_PENDING)
		return;
	conn->active_ms = clock_boot_ms();
	postpone(conn);
}

void
conn_send(struct conn *conn, const struct buf *message, bool answers)
{
	if (conn->is_dead)
		return;
	if (answers)
		finish_request(conn);
	if (buf_error(message) < 0 || buf_add(&conn->out, message->data, message->len) < 0 ||
	    !may_hold(conn))
		kill_conn(conn);
	else
		flush(conn);
}

/* Hands over the message in the first LEN bytes. False: the peer talks nonsense. */
static bool
handle(struct conn *conn, size_t len)
{
	uint64_t begin_ns = clock_boot_ns();
	struct rpc_msg msg;
	int fd;

	if (rpc_parse(conn->in.data, len, &msg) < 0 || msg.type != RPC_REQUEST)
		return false;
	fd = passed_take(&conn->passed, len);
	conn->pending++;
	conn->active_ms = clock_boot_ms();
	conn->control->handler.request(conn, &msg, fd, conn->control->handler.arg);
	guests_use(&conn->control->guests, conn->guest, clock_boot_ns() - begin_ns);
	fd_close(&fd);
	return true;
}

/* Walks what has arrived since; each byte is walked once. */
static void
take_messages(struct conn *conn)
{
	for (int i = 0; i < MESSAGES_PER_TURN && !had_turn(conn); i++) {
		size_t used = 0, from = conn->walk.pos;
		int r;

		if (conn->pending >= CONN_MAX_PENDING) {
			ev_io_stop(conn->control->loop, &conn->reader);
			return;
		}
		if (conn->in.len == from)
			return;
		r = walk_feed(&conn->walk, conn->in.data + from, conn->in.len - from, &used);
		if (r == 0)
			return;
		if (r < 0 || !handle(conn, from + used)) {
			kill_conn(conn);
			return;
		}
		if (conn->is_dead)
			return;
		buf_consume(&conn->in, from + used);
		walk_init(&conn->walk, &walk_rpc_limits);
	}
	postpone(conn);
}

static bool
receive(struct conn *conn)
{
	uint8_t *into = buf_reserve(&conn->in, READ_CHUNK);
	int fds[4];
	size_t nfds = 4;
	ssize_t n;

	if (!into)
		return false;
	n = fd_recv(conn->fd, into, READ_CHUNK, fds, &nfds);
	if (n == -EAGAIN || n == -EINTR)
		return true;
	if (n <= 0)
		return false;
	if (conn->in.len == 0)
		conn->active_ms = clock_boot_ms();
	conn->in.len += (size_t)n;
	passed_add(&conn->passed, fds, nfds, conn->in.len);
	return may_hold(conn);
}

static void
read_on(struct conn *conn)
{
	if (receive(conn))
		take_messages(conn);
	else
		kill_conn(conn);
}

static void
go_on(struct conn *conn)
{
	conn->control->gone_on = conn->serial;
	conn->has_more = false;
	ev_io_start(conn->control->loop, &conn->reader);
	if (conn->in.len > conn->walk.pos)
		take_messages(conn);
	else
		read_on(conn);
}

static void
go_on_with(struct control *control, uint64_t last, bool older)
{
	for (struct conn *conn = control->conns; conn; conn = conn->next) {
		if (conn->is_dead || !conn->has_more || (conn->serial < last) != older)
			continue;
		if (had_turn(conn))
			ev_timer_start(control->loop, &control->more);
		else
			go_on(conn);
	}
}

/* The youngest come first in the list; where the last turn ended the next one begins. */
static void
on_more(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct control *control = watcher->data;
	uint64_t last = control->gone_on;

	(void)loop;
	(void)revents;
	go_on_with(control, last, true);
	go_on_with(control, last, false);
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct conn *conn = watcher->data;

	(void)loop;
	(void)revents;
	if (!conn->is_dead && had_turn(conn))
		postpone(conn);
	else if (!conn->is_dead)
		read_on(conn);
}

/* Makes room by closing whoever has been silent longest and waits for nothing. */
static bool
evict_idle(struct control *control)
{
	struct conn *oldest = NULL;

	for (struct conn *conn = control->conns; conn; conn = conn->next)
		if (!conn->is_dead && !conn->watch && conn->pending == 0 &&
		    (!oldest || conn->active_ms < oldest->active_ms))
			oldest = conn;
	if (oldest)
		kill_conn(oldest);
	return oldest;
}

static void
link_conn(struct control *control, struct conn *conn)
{
	conn->next = control->conns;
	if (conn->next)
		conn->next->prev = conn;
	control->conns = conn;
	control->nconns++;
}

/* Takes FD. */
static int
add_conn(struct control *control, int fd)
{
	struct conn *conn = calloc(1, sizeof *conn);

	if (conn && peer_identify(fd, &conn->peer) == 0)
		conn->guest = guests_enter(&control->guests, conn->peer.uid);
	if (!conn || !conn->guest) {
		if (conn)
			peer_fini(&conn->peer);
		free(conn);
		fd_close(&fd);
		return -ENOMEM;
	}
	conn->control = control;
	conn->serial = ++control->last_serial;
	conn->fd = fd;
	conn->passed = (struct passed)PASSED_NONE;
	conn->active_ms = clock_boot_ms();
	conn->peer.is_admin = control->handler.is_admin(&conn->peer, control->handler.arg);
	buf_init(&conn->in, LIMIT_RPC + READ_CHUNK);
	buf_init(&conn->out, CONN_MAX_OUT);
	walk_init(&conn->walk, &walk_rpc_limits);
	ev_io_init(&conn->reader, on_readable, fd, EV_READ);
	ev_io_init(&conn->writer, on_writable, fd, EV_WRITE);
	conn->reader.data = conn->writer.data = conn;
	link_conn(control, conn);
	if (!conn->peer.is_admin && conn->guest->nconns > control->max_per_uid)
		kill_conn(conn);
	else
		ev_io_start(control->loop, &conn->reader);
	return 0;
}

/* Out of fds: take one connection with the spare and hang up, then look away for a moment. */
static void
refuse_one(struct control *control)
{
	int fd;

	evict_idle(control);
	fd_close(&control->spare_fd);
	fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		fd_close(&fd);
	control->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ev_io_stop(control->loop, &control->listener);
	ev_timer_again(control->loop, &control->pause);
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct control *control = watcher->data;

	(void)revents;
	ev_timer_stop(loop, watcher);
	ev_io_start(loop, &control->listener);
}

static void
on_connect(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct control *control = watcher->data;

	(void)loop;
	(void)revents;
	for (int i = 0; i < 16; i++) {
		int fd = accept4(watcher->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
			refuse_one(control);
		if (fd < 0)
			return;
		if (control->nconns >= control->max_conns && !evict_idle(control)) {
			fd_close(&fd);
			return;
		}
		add_conn(control, fd);
	}
}

/* A request begun and not finished in time: its sender is broken or means harm. */
static void
on_sweep(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct control *control = watcher->data;
	uint64_t now = clock_boot_ms();
	/* A test does not wait so long: with an error here it is over at once. */
	uint64_t limit_ms = FAILPOINT("control.request_limit") < 0 ? 0 : CONN_REQUEST_MS;

	(void)loop;
	(void)revents;
	for (struct conn *conn = control->conns; conn; conn = conn->next)
		if (!conn->is_dead && conn->in.len > 0 && ev_is_active(&conn->reader) &&
		    now > conn->active_ms + limit_ms)
			kill_conn(conn);
}

/* Tasks need fds too: clients get half of what there is. */
static size_t
max_conns(void)
{
	struct rlimit limit;
	size_t n = 1024;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 2 * n + RESERVED_FDS)
		n = limit.rlim_cur > RESERVED_FDS + 8 ? (limit.rlim_cur - RESERVED_FDS) / 2 : 4;
	return n;
}

int
control_start(struct control *control, struct ev_loop *loop, int listen_fd,
    const struct control_handler *handler)
{
	int r = fd_set_nonblock(listen_fd, true);

	if (r < 0)
		return r;
	*control = (struct control){ .loop = loop, .handler = *handler, .max_conns = max_conns() };
	control->max_per_uid =
	    control->max_conns / 2 < CONN_MAX_PER_UID ? control->max_conns / 2 : CONN_MAX_PER_UID;
	control->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ev_io_init(&control->listener, on_connect, listen_fd, EV_READ);
	ev_timer_init(&control->sweep, on_sweep, 2., 2.);
	ev_timer_init(&control->pause, on_pause_over, 0., .1);
	ev_timer_init(&control->more, on_more, 0., 0.);
	ev_prepare_init(&control->reap, on_reap);
	control->listener.data = control->sweep.data = control->pause.data = control;
	control->more.data = control->reap.data = control;
	ev_io_start(loop, &control->listener);
	ev_timer_start(loop, &control->sweep);
	ev_prepare_start(loop, &control->reap);
	return 0;
}

void
control_stop(struct control *control)
{
	struct conn *next;

	ev_io_stop(control->loop, &control->listener);
	ev_timer_stop(control->loop, &control->sweep);
	ev_timer_stop(control->loop, &control->pause);
	ev_timer_stop(control->loop, &control->more);
	ev_prepare_stop(control->loop, &control->reap);
	for (struct conn *conn = control->conns; conn; conn = next) {
		next = conn->next;
		if (!conn->is_dead)
			flush(conn);
		kill_conn(conn);
		free_conn(conn);
	}
	fd_close(&control->spare_fd);
}

struct conn *
control_find(struct control *control, uint64_t serial)
{
	for (struct conn *conn = control->conns; conn; conn = conn->next)
		if (conn->serial == serial)
			return conn->is_dead ? NULL : conn;
	return NULL;
}

void
control_each(struct control *control, void (*fn)(struct conn *conn, void *arg), void *arg)
{
	for (struct conn *conn = control->conns; conn; conn = conn->next)
		if (!conn->is_dead)
			fn(conn, arg);
}
