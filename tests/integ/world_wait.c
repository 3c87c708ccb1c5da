#include "tests/integ/world.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "tests/integ/world_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CALL_BYTES = 1024 * 1024,
	JSON_BYTES = 16 * 1024 * 1024
};

/* ---- the wire ------------------------------------------------------------------------ */

static json_t *
to_json(struct world *world, const msgpack_object *object)
{
	struct buf text;
	json_t *doc;

	buf_init(&text, JSON_BYTES);
	world_json_text(object, &text);
	doc = json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY, NULL);
	ck_assert_ptr_nonnull(doc);
	buf_fini(&text);
	json_array_append_new(world->docs, doc);
	return doc;
}

static void
pack(msgpack_packer *out, json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		msgpack_pack_map(out, json_object_size(value));
		json_object_foreach(value, key, item)
		{
			pack_str(out, key);
			if (strcmp(key, "token") == 0)
				msgpack_pack_bin_with_body(
				    out, json_string_value(item), json_string_length(item));
			else
				pack(out, item);
		}
		break;
	case JSON_ARRAY:
		msgpack_pack_array(out, json_array_size(value));
		json_array_foreach(value, i, item) pack(out, item);
		break;
	case JSON_STRING:
		pack_str(out, json_string_value(value));
		break;
	case JSON_INTEGER:
		msgpack_pack_int64(out, json_integer_value(value));
		break;
	case JSON_REAL:
		msgpack_pack_double(out, json_real_value(value));
		break;
	case JSON_TRUE:
		msgpack_pack_true(out);
		break;
	case JSON_FALSE:
		msgpack_pack_false(out);
		break;
	case JSON_NULL:
		msgpack_pack_nil(out);
		break;
	}
}

void
world_connect(struct world *world, struct client *ret_client)
{
	ck_assert_int_eq(client_init(ret_client, world->socket), 0);
	ck_assert_int_eq(client_connect(ret_client), 0);
}

/* What a call meets: notifications may come before its answer. */
struct hearing {
	struct world *world;
	int fd;        /* goes with the call */
	json_t *found; /* the notification that was waited for */
	bool (*is_it)(json_t *notification, void *arg);
	void *arg;
};

static void
on_notify(const char *method, const msgpack_object *params, void *arg)
{
	struct hearing *hearing = arg;
	json_t *doc;

	(void)method;
	if (!hearing->is_it || hearing->found)
		return;
	doc = to_json(hearing->world, params);
	if (hearing->is_it(doc, hearing->arg))
		hearing->found = doc;
}

/* NULL when the connection was lost. */
static json_t *
call(struct client *client, const char *method, json_t *params, struct hearing *hearing,
    bool *ret_is_error)
{
	struct buf request;
	struct client_call what = { .request = &request,
		.fd = hearing->fd,
		.timeout_ms = WORLD_PATIENCE_MS,
		.on_notify = on_notify,
		.arg = hearing };
	struct client_reply reply;
	msgpack_packer packer;
	json_t *result;
	int r;

	buf_init(&request, CALL_BYTES);
	ck_assert_int_eq(client_begin(client, &request, method, &what.id), 0);
	buf_packer(&request, &packer);
	pack(&packer, params);
	json_decref(params);
	r = client_call(client, &what, &reply);
	buf_fini(&request);
	ck_assert_int_ne(r, -ETIMEDOUT);
	if (r < 0)
		return NULL;
	*ret_is_error = reply.is_error;
	result = to_json(hearing->world, &reply.body);
	client_reply_fini(&reply);
	return result;
}

bool
world_answers(struct world *world)
{
	struct hearing hearing = { .world = world, .fd = -1 };
	struct client client;
	bool is_error = true;
	json_t *reply = NULL;

	ck_assert_int_eq(client_init(&client, world->socket), 0);
	if (client_connect(&client) == 0)
		reply = call(&client, "version", json_object(), &hearing, &is_error);
	client_fini(&client);
	return reply && !is_error;
}

json_t *
world_call_with(struct world *world, struct client *client, const char *method, json_t *params,
    int fd, bool *ret_is_error)
{
	struct hearing hearing = { .world = world, .fd = fd };
	json_t *result = call(client, method, params, &hearing, ret_is_error);

	fd_close(&fd);
	ck_assert_msg(result != NULL, "%s: the connection was lost", method);
	return result;
}

json_t *
world_call(struct world *world, struct client *client, const char *method, json_t *params,
    bool *ret_is_error)
{
	return world_call_with(world, client, method, params, -1, ret_is_error);
}

/* ---- waiting -------------------------------------------------------------------------- */

/* What somebody waits for, and how to see it at once. */
struct wish {
	struct world *world;
	uint64_t id;
	const char *path, *text; /* of the document */
	const char *event;       /* or of the history */
	size_t count;
};

static bool
is_wished(json_t *notification, void *arg)
{
	const struct wish *wish = arg;

	if (wish->event)
		return strcmp(doc_text(notification, "event.event"), wish->event) == 0;
	return strcmp(doc_text(json_object_get(notification, "task"), wish->path), wish->text) == 0;
}

/* How it stands now: what is wished, or NULL. Sets *ret_lost when there is no service. */
static json_t *
look(struct wish *wish, struct client *client, bool *ret_lost)
{
	struct hearing hearing = { .world = wish->world, .fd = -1 };
	bool is_error = false;
	json_t *reply = wish->event
			    ? call(client, "events",
				  json_pack("{sIsi}", "id", (json_int_t)wish->id, "limit", 1000),
				  &hearing, &is_error)
			    : call(client, "show", json_pack("{sI}", "id", (json_int_t)wish->id),
				  &hearing, &is_error);
	json_t *item, *last = NULL;
	size_t i, n = 0;

	*ret_lost = !reply;
	if (!reply)
		return NULL;
	ck_assert_msg(
	    !is_error, "task %llu: %s", (unsigned long long)wish->id, doc_text(reply, "message"));
	if (!wish->event)
		return strcmp(doc_text(reply, wish->path), wish->text) == 0 ? reply : NULL;
	json_array_foreach(json_object_get(reply, "events"), i, item)
	{
		json_t *event = json_array_get(item, 1);

		if (strcmp(doc_text(event, "event"), wish->event) == 0) {
			last = event;
			n++;
		}
	}
	return n >= wish->count ? last : NULL;
}

/* One subscription, until it is found or the connection is lost. */
static json_t *
follow(struct wish *wish, uint64_t deadline_ms)
{
	struct hearing hearing = {
		.world = wish->world, .fd = -1, .is_it = is_wished, .arg = wish
	};
	struct client client;
	json_t *found = NULL;
	bool is_error, lost = false;
	int r = 1;

	world_wait_served(wish->world);
	world_connect(wish->world, &client);
	if (!call(&client, "watch", json_pack("{s[I]}", "ids", (json_int_t)wish->id), &hearing,
		&is_error)) {
		client_fini(&client);
		return NULL;
	}
	/* Asked again after each notification that could be it: `look` alone decides. */
	while (r >= 0 && !(found = look(wish, &client, &lost)) && !lost) {
		hearing.found = NULL;
		while (!hearing.found && r >= 0) {
			uint64_t now_ms = clock_boot_ms();

			ck_assert_msg(now_ms < deadline_ms, "task %llu: no %s %s: it is %s",
			    (unsigned long long)wish->id, wish->event ? "event" : wish->path,
			    wish->event ? wish->event : wish->text,
			    doc_text(world_show(wish->world, wish->id), ""));
			r = client_wait(&client, (int)(deadline_ms - now_ms), on_notify, &hearing);
		}
	}
	client_fini(&client);
	return found;
}

static json_t *
wait_for(struct wish *wish)
{
	uint64_t deadline_ms = clock_boot_ms() + WORLD_PATIENCE_MS;
	json_t *found;

	while (!(found = follow(wish, deadline_ms)))
		ck_assert_msg(clock_boot_ms() < deadline_ms, "the service does not stay up");
	return found;
}

json_t *
world_until(struct world *world, uint64_t id, const char *path, const char *text)
{
	struct wish wish = { .world = world, .id = id, .path = path, .text = text };

	return wait_for(&wish);
}

json_t *
world_until_event(struct world *world, uint64_t id, const char *event, size_t count)
{
	struct wish wish = { .world = world, .id = id, .event = event, .count = count };

	return wait_for(&wish);
}

json_t *
world_events(struct world *world, uint64_t id)
{
	struct client client;
	bool is_error;
	json_t *events;

	world_connect(world, &client);
	events = world_call(world, &client, "events",
	    json_pack("{sIsi}", "id", (json_int_t)id, "limit", 1000), &is_error);
	ck_assert(!is_error);
	client_fini(&client);
	return events;
}

void
world_until_said(struct world *world, uint64_t id, const char *text)
{
	uint64_t deadline_ms = clock_boot_ms() + WORLD_PATIENCE_MS;
	const struct said *said;

	/* Output makes no event; following it would not end with the text. */
	while (!strstr((said = REEVE(world, "logs", world_word(world, id)))->out, text))
		ck_assert_msg(
		    clock_boot_ms() < deadline_ms, "it says not \"%s\" but: %s", text, said->out);
}
