#include "tests/chaos/chaos.h"

#include "ipc/fd.h"
#include "ipc/task.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
	CALL_S = 60,
	ANSWER_MS = 20000,
	AGAIN_MS = 2
};

static bool
call_once(struct client *client, const char *method, pack_fn pack, void *arg, int fd,
    struct client_reply *ret_reply)
{
	struct buf request;
	msgpack_packer packer;
	struct client_call call = { .request = &request, .fd = fd, .timeout_ms = ANSWER_MS };
	int r;

	buf_init(&request, LIMIT_RPC);
	client_begin(client, &request, method, &call.id);
	buf_packer(&request, &packer);
	pack(&packer, arg);
	r = client_call(client, &call, ret_reply);
	buf_fini(&request);
	return r == 0;
}

bool
desk_call(struct chaos *chaos, const char *method, pack_fn pack, void *arg, int fd,
    struct client_reply *ret_reply)
{
	double until = chaos_now_s() + CALL_S;
	struct client client;
	bool answered = false;

	if (client_init(&client, chaos->socket) < 0)
		chaos_die(chaos, "no memory");
	while (!answered) {
		if (chaos_now_s() > until)
			chaos_die(chaos, "no answer from the service for a minute");
		if (client_connect(&client) < 0)
			poll(NULL, 0, AGAIN_MS);
		else
			answered = call_once(&client, method, pack, arg, fd, ret_reply);
	}
	client_fini(&client);
	/* cppcheck-suppress uninitvar; an answer was written, or chaos_die() did not return */
	if (!ret_reply->is_error)
		return true;
	client_reply_fini(ret_reply);
	return false;
}

/* ---- submitting -------------------------------------------------------------------- */

struct form {
	uint8_t token[16];
	const char *actor, *record;
	char facts[16], ms[16], end[16];
};

static void
pack_submit(msgpack_packer *packer, void *arg)
{
	const struct form *form = arg;

	msgpack_pack_map(packer, 2);
	pack_str(packer, "token");
	msgpack_pack_bin_with_body(packer, form->token, sizeof form->token);
	pack_str(packer, "command");
	msgpack_pack_array(packer, 5);
	pack_str(packer, form->actor);
	pack_str(packer, form->record);
	pack_str(packer, form->facts);
	pack_str(packer, form->ms);
	pack_str(packer, form->end);
}

/* A third of them fail: with a status, or by a signal. */
static struct plan
make_plan(struct chaos *chaos, struct form *form)
{
	struct plan plan = { .is_known = true };
	uint64_t kind = chaos_draw(chaos, 6);

	if (getrandom(form->token, sizeof form->token, 0) != (ssize_t)sizeof form->token)
		chaos_die(chaos, "drawing a token");
	form->actor = chaos->actor;
	form->record = chaos->record;
	snprintf(form->facts, sizeof form->facts, "%u", (unsigned)chaos_draw(chaos, 40));
	snprintf(form->ms, sizeof form->ms, "%u", (unsigned)chaos_draw(chaos, 600));
	if (kind == 0)
		plan.code = (int)chaos_draw(chaos, 120) + 1;
	else if (kind == 1)
		plan.signal = chaos_draw(chaos, 2) ? SIGSEGV : SIGKILL;
	snprintf(form->end, sizeof form->end, plan.signal ? "kill:%d" : "exit:%d",
	    plan.signal ? plan.signal : plan.code);
	return plan;
}

void
desk_submit(struct chaos *chaos)
{
	struct form form;
	struct plan plan = make_plan(chaos, &form), *known;
	struct client_reply reply;
	int cwd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t id;

	if (!desk_call(chaos, "submit", pack_submit, &form, cwd, &reply))
		chaos_die(chaos, "a submission was refused");
	fd_close(&cwd);
	id = mp_uint(mp_get(&reply.body, "id"), 0);
	client_reply_fini(&reply);
	if (id == 0 || id >= MAX_TASKS || chaos->plans[id].is_known)
		chaos_die(chaos, "an id was given twice");
	known = &chaos->plans[id];
	known->is_known = true;
	known->code = plan.code;
	known->signal = plan.signal;
	chaos->active += !known->ended;
	if (id > chaos->last_id)
		chaos->last_id = id;
}

/* ---- following ----------------------------------------------------------------------- */

static void
on_event(const char *method, const msgpack_object *params, void *arg)
{
	struct chaos *chaos = arg;
	const msgpack_object *event = mp_get(params, "event");
	uint64_t seq = mp_uint(mp_get(params, "seq"), 0);
	uint64_t id = mp_uint(mp_get(event, "task"), 0);

	(void)method;
	if (seq == 0)
		return;
	if (seq <= chaos->seq)
		chaos_die(chaos, "a follower was sent a fact twice");
	chaos->seq = seq;
	if (!mp_str_is(mp_get(event, "event"), "ended") || id == 0 || id >= MAX_TASKS)
		return;
	if (!chaos->plans[id].ended && chaos->plans[id].is_known)
		chaos->active--;
	chaos->plans[id].ended = true;
}

static void
pack_watch(msgpack_packer *packer, void *arg)
{
	const struct chaos *chaos = arg;

	msgpack_pack_map(packer, chaos->epoch[0] ? 2 : 0);
	if (!chaos->epoch[0])
		return;
	pack_kv_str(packer, "epoch", chaos->epoch);
	pack_kv_uint(packer, "after", chaos->seq);
}

static void
check_epoch(struct chaos *chaos, const msgpack_object *body)
{
	char *epoch = mp_str_dup(mp_get(body, "epoch"));

	if (!chaos->epoch[0]) {
		snprintf(chaos->epoch, sizeof chaos->epoch, "%s", epoch ? epoch : "");
		chaos->seq = mp_uint(mp_get(body, "seq"), 0);
	} else if (!epoch || strcmp(epoch, chaos->epoch) != 0) {
		chaos_die(chaos, "the store has another epoch");
	} else if (mp_bool(mp_get(body, "reset"), false)) {
		chaos_die(chaos, "a follower's cursor was not honoured");
	}
	free(epoch);
}

static bool
follow_again(struct chaos *chaos)
{
	struct client_reply reply;

	if (client_connect(&chaos->client) < 0 ||
	    !call_once(&chaos->client, "watch", pack_watch, chaos, -1, &reply))
		return false;
	check_epoch(chaos, &reply.body);
	client_reply_fini(&reply);
	return true;
}

void
desk_follow(struct chaos *chaos, int timeout_ms)
{
	double until = chaos_now_s() + timeout_ms / 1000., left;

	while ((left = until - chaos_now_s()) > 0) {
		if (chaos->client.fd < 0 && !follow_again(chaos)) {
			client_disconnect(&chaos->client);
			poll(NULL, 0, AGAIN_MS);
			continue;
		}
		client_wait(&chaos->client, (int)(left * 1000) + 1, on_event, chaos);
	}
	while (chaos->client.fd >= 0 && client_wait(&chaos->client, 0, on_event, chaos) > 0)
		;
}
