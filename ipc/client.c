#include "ipc/client.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SYSTEM_SOCKET "/run/reeve/control.sock"

enum {
	READ_CHUNK = 64 * 1024,
	NO_DEADLINE = 0 /* boot clock; never the present */
};

const struct walk_limits client_limits = { WALK_MAX_DEPTH, 256 * 1024, (size_t)4 << 20 };

static char *
join(const char *dir, const char *rest)
{
	char *path;

	return asprintf(&path, "%s%s", dir, rest) < 0 ? NULL : path;
}

/* Where a service of this user would listen, first choice first; NULL where nothing says. */
static char *
user_socket(int choice)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (choice == 0)
		return runtime && *runtime ? join(runtime, "/reeve/control.sock") : NULL;
	if (state && *state)
		return join(state, "/reeve/run/control.sock");
	return home && *home ? join(home, "/.local/state/reeve/run/control.sock") : NULL;
}

char *
client_default_path(void)
{
	const char *named = getenv("REEVE_SOCKET");
	char *first = NULL;

	if (named && *named)
		return strdup(named);
	if (geteuid() == 0)
		return strdup(SYSTEM_SOCKET);
	for (int choice = 0; choice < 2; choice++) {
		char *path = user_socket(choice);

		if (path && access(path, F_OK) == 0) {
			free(first);
			return path;
		}
		if (first)
			free(path);
		else
			first = path;
	}
	if (first && access(SYSTEM_SOCKET, F_OK) != 0)
		return first;
	free(first);
	return strdup(SYSTEM_SOCKET);
}

int
client_init(struct client *client, const char *path)
{
	memset(client, 0, sizeof *client);
	client->fd = -1;
	client->next_id = 1;
	buf_init(&client->in, client_limits.max_bytes + READ_CHUNK);
	walk_init(&client->walk, &client_limits);
	client->path = strdup(path);
	return client->path ? 0 : -ENOMEM;
}

void
client_fini(struct client *client)
{
	client_disconnect(client);
	buf_fini(&client->in);
	free(client->path);
	client->path = NULL;
}

int
client_connect(struct client *client)
{
	int fd, r;

	client_disconnect(client);
	fd = fd_unix_connect(client->path);
	if (fd < 0)
		return fd;
	r = fd_set_nonblock(fd, true);
	if (r != 0) {
		fd_close(&fd);
		return r;
	}
	client->fd = fd;
	return 0;
}

void
client_disconnect(struct client *client)
{
	fd_close(&client->fd);
	buf_clear(&client->in);
	walk_init(&client->walk, &client_limits);
}

void
client_reply_fini(struct client_reply *reply)
{
	mp_free(&reply->doc);
	buf_fini(&reply->bytes);
}

int
client_draw_token(uint8_t ret_token[static 16])
{
	uint64_t now_ms = clock_wall_ms();
	ssize_t n = getrandom(ret_token + 6, 10, 0);

	if (n != 10)
		return n < 0 ? -errno : -EIO;
	for (int i = 0; i < 6; i++)
		ret_token[i] = (uint8_t)(now_ms >> (40 - 8 * i));
	return 0;
}

int
client_begin(struct client *client, struct buf *out, const char *method, uint32_t *ret_id)
{
	*ret_id = client->next_id++;
	return rpc_begin_request(out, *ret_id, method);
}

static uint64_t
deadline_after(int timeout_ms)
{
	return timeout_ms < 0 ? NO_DEADLINE : clock_boot_ms() + (uint64_t)timeout_ms;
}

/* Until EVENTS or the deadline: 0, -ETIMEDOUT, -EINTR, -errno. */
static int
wait_for(struct client *client, short events, uint64_t deadline_ms)
{
	struct pollfd pollfd = { .fd = client->fd, .events = events };
	int timeout_ms = -1, n;

	if (deadline_ms != NO_DEADLINE) {
		uint64_t now_ms = clock_boot_ms();

		timeout_ms = now_ms >= deadline_ms ? 0 : (int)(deadline_ms - now_ms);
	}
	n = poll(&pollfd, 1, timeout_ms);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* Reads what is there. 0, -EAGAIN, or -errno; the end of the stream is -ECONNRESET. */
static int
receive(struct client *client)
{
	uint8_t *room = buf_reserve(&client->in, READ_CHUNK);
	size_t nfds = 0;
	ssize_t n;

	if (!room)
		return buf_error(&client->in);
	n = fd_recv(client->fd, room, READ_CHUNK, NULL, &nfds);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ECONNRESET;
	client->in.len += (size_t)n;
	return 0;
}

/*
 * The message at the start of what has arrived: 1 with its length, 0 when it is not whole yet.
 * Drop it with next_done().
 */
static int
next(struct client *client, struct rpc_msg *ret_msg, size_t *ret_len)
{
	size_t used = 0, walked = client->walk.pos;
	int r;

	if (client->in.len == walked)
		return 0;
	r = walk_feed(&client->walk, client->in.data + walked, client->in.len - walked, &used);
	if (r <= 0)
		return r;
	r = rpc_parse(client->in.data, client->walk.pos, ret_msg);
	if (r != 0)
		return r;
	*ret_len = client->walk.pos;
	return 1;
}

static void
next_done(struct client *client, size_t len)
{
	buf_consume(&client->in, len);
	walk_init(&client->walk, &client_limits);
}

/* Waits for a whole message: 0 or -errno. */
static int
next_wait(struct client *client, uint64_t deadline_ms, struct rpc_msg *ret_msg, size_t *ret_len)
{
	for (;;) {
		int r = next(client, ret_msg, ret_len);

		if (r != 0)
			return r > 0 ? 0 : r;
		r = wait_for(client, POLLIN, deadline_ms);
		if (r != 0)
			return r;
		r = receive(client);
		if (r != 0 && r != -EAGAIN && r != -EINTR)
			return r;
	}
}

static int
notify(const struct rpc_msg *msg, client_notify_fn on_notify, void *arg)
{
	struct mp_doc doc;
	int r;

	if (!on_notify)
		return 0;
	r = mp_parse(&doc, msg->params.data, msg->params.len, &client_limits);
	if (r != 0)
		return r;
	on_notify(msg->method, &doc.root, arg);
	mp_free(&doc);
	return 0;
}

/* The fd travels with the first byte; a connection that takes only part gets the rest later. */
static int
send_all(struct client *client, const struct buf *request, int fd, uint64_t deadline_ms)
{
	size_t sent = 0;

	while (sent < request->len) {
		size_t nfds = fd >= 0 && sent == 0 ? 1 : 0;
		ssize_t n =
		    fd_send(client->fd, request->data + sent, request->len - sent, &fd, nfds);

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		if (n == -EAGAIN)
			n = wait_for(client, POLLOUT, deadline_ms);
		if (n != 0 && n != -EINTR)
			return (int)n;
	}
	return 0;
}

static int
take_reply(const struct rpc_msg *msg, struct client_reply *ret_reply)
{
	struct client_reply reply = { .is_error = msg->error.data[0] != 0xc0 };
	struct rpc_slice body = reply.is_error ? msg->error : msg->result;
	int r;

	buf_init(&reply.bytes, body.len);
	r = buf_add(&reply.bytes, body.data, body.len);
	if (r == 0)
		r = mp_parse(&reply.doc, reply.bytes.data, reply.bytes.len, &client_limits);
	if (r != 0) {
		buf_fini(&reply.bytes);
		return r;
	}
	reply.body = reply.doc.root;
	*ret_reply = reply;
	return 0;
}

/* Messages until the one that answers. */
static int
await_reply(struct client *client, const struct client_call *call, uint64_t deadline_ms,
    struct client_reply *ret_reply)
{
	uint64_t slow_ms = call->on_slow ? deadline_after(call->slow_ms) : UINT64_MAX;

	for (;;) {
		struct rpc_msg msg;
		bool is_answer;
		size_t len = 0;
		int r =
		    next_wait(client, slow_ms < deadline_ms ? slow_ms : deadline_ms, &msg, &len);

		if (r == -ETIMEDOUT && slow_ms < deadline_ms) {
			call->on_slow(call->slow_arg);
			slow_ms = UINT64_MAX;
			continue;
		}
		if (r == -EINTR)
			continue;
		if (r != 0)
			return r;
		is_answer = msg.type == RPC_RESPONSE && msg.id == call->id;
		if (msg.type == RPC_NOTIFICATION)
			r = notify(&msg, call->on_notify, call->arg);
		else if (is_answer)
			r = take_reply(&msg, ret_reply);
		next_done(client, len);
		if (r != 0 || is_answer)
			return r;
	}
}

int
client_call(struct client *client, const struct client_call *call, struct client_reply *ret_reply)
{
	uint64_t deadline_ms = deadline_after(call->timeout_ms);
	int r;

	if (buf_error(call->request))
		return buf_error(call->request);
	if (client->fd < 0)
		return -ENOTCONN;
	r = send_all(client, call->request, call->fd, deadline_ms);
	if (r == 0)
		r = await_reply(client, call, deadline_ms, ret_reply);
	if (r != 0)
		client_disconnect(client);
	return r;
}

int
client_wait(struct client *client, int timeout_ms, client_notify_fn on_notify, void *arg)
{
	uint64_t deadline_ms = deadline_after(timeout_ms);

	if (client->fd < 0)
		return -ENOTCONN;
	for (;;) {
		struct rpc_msg msg;
		bool is_notification;
		size_t len = 0;
		int r = next_wait(client, deadline_ms, &msg, &len);

		if (r == -ETIMEDOUT)
			return 0;
		if (r == -EINTR)
			return r;
		is_notification = r == 0 && msg.type == RPC_NOTIFICATION;
		if (is_notification)
			r = notify(&msg, on_notify, arg);
		if (r != 0) {
			client_disconnect(client);
			return r;
		}
		next_done(client, len);
		if (is_notification)
			return 1;
	}
}
