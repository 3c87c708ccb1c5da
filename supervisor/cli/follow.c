#include "supervisor/cli/follow.h"

#include "ipc/clock.h"
#include "supervisor/cli/cli.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	DRAIN_MAX = 64, /* notifications taken before the view gets its turn */
	REPLAY_QUIET_MS = 1000,
	LONGEST_WAIT_MS = 60 * 1000
};

static size_t
index_of(const struct follow *follow, uint64_t id)
{
	size_t i = 0;

	while (i < follow->nids && follow->ids[i] != id)
		i++;
	return i;
}

/*
 * A fact that comes late has its task beside it as that is by now. So who wants the facts has not
 * seen its end before the fact that is its end.
 */
static bool
shows_end(const struct follow *follow, const struct follow_item *item)
{
	return !follow->wants_facts || !item->event ||
	       (mp_str_is(mp_get(item->event, "event"), "ended") &&
		   doc_uint(item->event, "attempt") == doc_uint(item->task, "attempt"));
}

/* An id may be named twice. */
static void
note_state(struct follow *follow, const struct follow_item *item)
{
	uint64_t id = doc_uint(item->task, "id");
	bool ended = doc_is_ended(item->task);

	if (ended && !shows_end(follow, item))
		return;
	for (size_t i = index_of(follow, id); i < follow->nids; i++)
		if (follow->ids[i] == id)
			follow->ended[i] = ended;
}

static bool
all_ended(const struct follow *follow)
{
	for (size_t i = 0; i < follow->nids; i++)
		if (!follow->ended[i])
			return false;
	return follow->nids > 0;
}

static void
on_notify(const char *method, const msgpack_object *params, void *arg)
{
	struct follow *follow = arg;
	struct follow_item item = { .whole = params };

	if (strcmp(method, "event") != 0)
		return;
	item.task = mp_get(params, "task");
	item.event = mp_get(params, "event");
	item.seq = doc_uint(params, "seq");
	follow->quiet_since_ms = clock_boot_ms();
	if (item.seq > 0 && item.seq <= follow->seq)
		return;
	if (item.seq > 0)
		follow->seq = item.seq;
	if (mp_is_nil(item.task) || mp_is_nil(item.event))
		return;
	note_state(follow, &item);
	follow->view->item(&item, follow->arg);
}

static void
pack_watch(struct follow *follow, struct request *request)
{
	msgpack_packer *params = &request->params;

	session_begin(follow->session, request, "watch", follow->epoch ? 4 : 2);
	pack_kv_bool(params, "ends", follow->wants_ends);
	pack_str(params, "ids");
	msgpack_pack_array(params, follow->nids);
	for (size_t i = 0; i < follow->nids; i++)
		msgpack_pack_uint64(params, follow->ids[i]);
	if (follow->epoch) {
		pack_kv_str(params, "epoch", follow->epoch);
		pack_kv_uint(params, "after", follow->seq);
	}
}

/* How the tasks stand, after a subscription. */
static void
take_snapshot(struct follow *follow, const msgpack_object *result)
{
	bool is_first = !follow->epoch || mp_bool(mp_get(result, "reset"), false);
	const msgpack_object *tasks = mp_get(result, "tasks");
	char *epoch = mp_str_dup(mp_get(result, "epoch"));

	if (is_first)
		follow->seq = doc_uint(result, "seq");
	free(follow->epoch);
	follow->epoch = epoch;
	for (size_t i = 0; i < doc_count(tasks); i++) {
		struct follow_item item = { .task = doc_at(tasks, i) };

		note_state(follow, &item);
		/* A reader of facts gets those it missed, not how things stand in between. */
		if (is_first || !follow->wants_facts)
			follow->view->item(&item, follow->arg);
	}
	if (follow->nids == 0 && is_first && doc_uint(result, "omitted") > 0 &&
	    follow->view->omitted)
		follow->view->omitted(doc_uint(result, "omitted"), follow->arg);
	follow->stood_ended = !is_first && all_ended(follow);
	follow->quiet_since_ms = clock_boot_ms();
}

static bool
is_listed(const msgpack_object *tasks, uint64_t id)
{
	for (size_t i = 0; i < doc_count(tasks); i++)
		if (doc_uint(doc_at(tasks, i), "id") == id)
			return true;
	return false;
}

/* It is not there: nothing is to be waited for. */
static void
note_missing(struct follow *follow, uint64_t id, int status)
{
	for (size_t i = index_of(follow, id); i < follow->nids; i++)
		if (follow->ids[i] == id)
			follow->ended[i] = true;
	follow->missing = status;
	if (follow->view->missing)
		follow->view->missing(id, status, follow->arg);
}

/* How task ID stands, without missing what is told of the others meanwhile. 0, -EINTR, or an exit
 * status after a complaint. */
static int
ask(struct follow *follow, uint64_t id, struct client_reply *ret_reply)
{
	struct listener listener = { on_notify, follow };
	struct request request;
	int r;

	session_begin(follow->session, &request, "show", 1);
	pack_kv_uint(&request.params, "id", id);
	r = session_call(follow->session, &request, -1, &listener, ret_reply);
	if (r == -EINTR)
		return r;
	if (r != 0)
		return session_lost(follow->session, r);
	if (!ret_reply->is_error)
		return 0;
	r = session_refused(ret_reply);
	client_reply_fini(ret_reply);
	return r;
}

/*
 * A task that the answer does not hold is gone, or there was no room for it. 0; -EINTR; or an exit
 * status after a complaint: that none of them is there, or nobody to ask.
 */
static int
look_at_missing(struct follow *follow, const msgpack_object *tasks)
{
	size_t nmissing = 0;

	for (size_t i = 0; i < follow->nids; i++) {
		struct client_reply reply;
		struct follow_item item = { .task = &reply.body };
		int status;

		if (follow->ended[i] || is_listed(tasks, follow->ids[i]))
			continue;
		status = ask(follow, follow->ids[i], &reply);
		if (status == EXIT_NOT_FOUND && ++nmissing < follow->nids) {
			note_missing(follow, follow->ids[i], status);
			continue;
		}
		if (status != 0)
			return status;
		note_state(follow, &item);
		follow->view->item(&item, follow->arg);
		client_reply_fini(&reply);
	}
	return 0;
}

static int
ask_watch(struct follow *follow, struct client_reply *ret_reply)
{
	struct listener listener = { on_notify, follow };
	struct request request;

	pack_watch(follow, &request);
	return session_call(follow->session, &request, -1, &listener, ret_reply);
}

int
follow_call(struct follow *follow, struct request *request, struct client_reply *ret_reply)
{
	struct listener listener = { on_notify, follow };

	return session_call(follow->session, request, -1, &listener, ret_reply);
}

static enum follow_end
subscribe(struct follow *follow)
{
	struct client_reply reply;
	uint64_t connection;
	int r = ask_watch(follow, &reply);

	if (r == -EINTR)
		return FOLLOW_GOING; /* the signal is looked at next */
	if (r != 0) {
		follow->status = session_lost(follow->session, r);
		return FOLLOW_FAILED;
	}
	connection = follow->session->connections;
	if (reply.is_error) {
		r = session_refused(&reply);
	} else {
		take_snapshot(follow, &reply.body);
		r = look_at_missing(follow, mp_get(&reply.body, "tasks"));
	}
	client_reply_fini(&reply);
	follow->is_subscribed = r == 0 && follow->session->connections == connection;
	if (r <= 0)
		return FOLLOW_GOING;
	follow->status = r;
	return FOLLOW_FAILED;
}

/* What has arrived. True when there may be more. */
static bool
drain(struct follow *follow)
{
	for (int n = 0; n < DRAIN_MAX; n++) {
		int r = client_wait(&follow->session->client, 0, on_notify, follow);

		if (r < 0 && r != -EINTR)
			follow->is_subscribed = false;
		if (r <= 0)
			return false;
	}
	return true;
}

static bool
is_over(const struct follow *follow)
{
	if (!all_ended(follow))
		return false;
	if (!follow->wants_facts || !follow->stood_ended)
		return true;
	return clock_boot_ms() - follow->quiet_since_ms >= REPLAY_QUIET_MS;
}

static int
sooner(int left_ms, int right_ms)
{
	if (left_ms < 0 || (right_ms >= 0 && right_ms < left_ms))
		return right_ms;
	return left_ms;
}

static int
capped(uint64_t ms)
{
	return ms < LONGEST_WAIT_MS ? (int)ms : LONGEST_WAIT_MS;
}

static void
heed(struct follow *follow, int signo)
{
	if (follow->view->signal)
		follow->view->signal(signo, follow->arg);
	else if (signo == SIGTSTP)
		(void)raise(SIGSTOP);
}

/* Sleeps until there is something to read or to do. False when a signal ends it. */
static bool
idle(struct follow *follow, int signal_fd, int timeout_ms)
{
	struct pollfd pollfds[] = { { .fd = follow->session->client.fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = follow->wants_input ? STDIN_FILENO : -1, .events = POLLIN } };
	int signo;

	if (poll(pollfds, 3, timeout_ms) > 0 && pollfds[2].revents)
		follow->view->input(follow->arg);
	while ((signo = signals_next(signal_fd)) != 0) {
		if (signo == SIGWINCH || signo == SIGTSTP) {
			heed(follow, signo);
			continue;
		}
		follow->signal = signo;
		return false;
	}
	return true;
}

static enum follow_end
turn(struct follow *follow, int signal_fd, uint64_t deadline_ms)
{
	uint64_t now_ms;
	bool has_more;
	int wait_ms;

	if (!follow->is_subscribed) {
		enum follow_end end = subscribe(follow);

		if (end != FOLLOW_GOING)
			return end;
	}
	has_more = follow->is_subscribed && drain(follow);
	wait_ms = follow->view->tick ? follow->view->tick(follow->arg) : -1;
	if (follow->is_done || (is_over(follow) && !has_more))
		return FOLLOW_ENDED;
	now_ms = clock_boot_ms();
	if (deadline_ms > 0 && now_ms >= deadline_ms)
		return FOLLOW_TIMED_OUT;
	if (deadline_ms > 0)
		wait_ms = sooner(wait_ms, capped(deadline_ms - now_ms));
	if (all_ended(follow))
		wait_ms = sooner(wait_ms, REPLAY_QUIET_MS / 4);
	if (has_more || !follow->is_subscribed)
		wait_ms = 0;
	return idle(follow, signal_fd, wait_ms) ? FOLLOW_GOING : FOLLOW_SIGNALLED;
}

enum follow_end
follow_run(struct follow *follow)
{
	uint64_t deadline_ms = follow->timeout_ms ? clock_boot_ms() + follow->timeout_ms : 0;
	enum follow_end end = FOLLOW_FAILED;
	int signal_fd = signals_open();

	follow->status = EXIT_FAILED;
	follow->ended = calloc(follow->nids + 1, sizeof *follow->ended);
	follow->session->signal_fd = signal_fd;
	if (follow->ended) {
		end = FOLLOW_GOING;
		while (end == FOLLOW_GOING)
			end = turn(follow, signal_fd, deadline_ms);
	} else {
		complain(NULL, "out of memory");
	}
	follow->session->signal_fd = -1;
	signals_close(&signal_fd);
	free(follow->ended);
	free(follow->epoch);
	follow->ended = NULL;
	follow->epoch = NULL;
	return end;
}
