/* Methods about one task: show, events, cancel, retry, keep. */
#include "supervisor/commands/commands.h"
#include "supervisor/roster/wish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
method_show(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct id_params given;
	struct view_live live;
	struct record record;
	msgpack_packer packer;
	struct buf out;

	(void)fd;
	if (!request_decode(request, params, &id_params_codec, &given) ||
	    !request_find(request, given.id, &record))
		return;
	live = request_live(request, given.id);
	reply_begin(request, &out, &packer);
	view_task(&packer, &record, &live);
	reply_end(request, &out);
	codec_free(&record_codec, &record);
}

/* ---- events ------------------------------------------------------------------- */

enum {
	MAX_EVENTS = 1000,
	EVENTS_BYTES = 768 * 1024
};

struct events_params {
	uint64_t id, after, limit;
};
static const struct codec_field events_params_fields[] = {
	CODEC_FIELD(1, UINT, struct events_params, id, 0),
	CODEC_FIELD(2, UINT, struct events_params, after, 0),
	CODEC_FIELD(3, UINT, struct events_params, limit, MAX_EVENTS),
};
static const struct codec events_params_codec = { .name = "params",
	.size = sizeof(struct events_params),
	.fields = events_params_fields,
	.nfields = 3,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

struct event_page {
	struct buf items;
	uint32_t n;
	uint64_t last;
	bool is_cut;
};

static int
add_event(uint64_t seq, const uint8_t *bytes, size_t len, void *arg)
{
	struct event_page *page = arg;
	struct fact event;
	msgpack_packer packer;

	if (page->items.len > EVENTS_BYTES) {
		page->is_cut = true;
		return 1;
	}
	page->last = seq;
	if (codec_decode(&fact_codec, bytes, len, &event, NULL) < 0)
		return 0;
	buf_packer(&page->items, &packer);
	msgpack_pack_array(&packer, 2);
	msgpack_pack_uint64(&packer, seq);
	view_event(&packer, &event);
	codec_free(&fact_codec, &event);
	page->n++;
	return 0;
}

void
method_events(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct event_page page = { 0 };
	struct events_params given;
	struct record record;
	msgpack_packer packer;
	struct buf out;

	(void)fd;
	if (!request_decode(request, params, &events_params_codec, &given) ||
	    !request_find(request, given.id, &record))
		return;
	codec_free(&record_codec, &record);
	if (given.limit == 0)
		given.limit = MAX_EVENTS;
	buf_init(&page.items, LIMIT_RPC);
	store_each_event(
	    request->supervisor->store, given.id, given.after, given.limit, add_event, &page);
	reply_begin(request, &out, &packer);
	msgpack_pack_map(&packer, 3);
	pack_kv_str(&packer, "epoch", store_epoch(request->supervisor->store));
	pack_str(&packer, "events");
	msgpack_pack_array(&packer, page.n);
	buf_add(&out, page.items.data, page.items.len);
	pack_kv_bool(&packer, "more", page.is_cut || page.n == given.limit);
	reply_end(request, &out);
	buf_fini(&page.items);
}

/* ---- cancel ------------------------------------------------------------------- */

struct cancel_params {
	uint64_t id;
	bool force, abandon;
};
static const struct codec_field cancel_params_fields[] = {
	CODEC_FIELD(1, UINT, struct cancel_params, id, 0),
	CODEC_FIELD(2, BOOL, struct cancel_params, force, 0),
	CODEC_FIELD(3, BOOL, struct cancel_params, abandon, 0),
};
static const struct codec cancel_params_codec = { .name = "params",
	.size = sizeof(struct cancel_params),
	.fields = cancel_params_fields,
	.nfields = 3,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

/* A request that goes on once the caller's name is known. */
struct named {
	struct request request;
	struct cancel_params given;
};

/* FN gets a struct named, and frees it. */
static void
go_on_named(const struct request *request, const struct cancel_params *given,
    void (*fn)(const struct person *person, void *arg))
{
	struct named *named = calloc(1, sizeof *named);

	if (!named) {
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
		return;
	}
	*named = (struct named){ .request = *request, .given = *given };
	people_look_up(request->supervisor->people, request->uid, fn, named);
}

static void
answer_cancel(const struct named *named, const struct cancel_answer *answer, const char *status)
{
	msgpack_packer packer;
	struct buf out;

	if (!answer->accepted) {
		reply_error(&named->request, RPC_REFUSED, NULL, "task %llu: %s",
		    (unsigned long long)named->given.id, answer->reason);
		return;
	}
	reply_begin(&named->request, &out, &packer);
	msgpack_pack_map(&packer, 4);
	pack_kv_bool(&packer, "accepted", true);
	pack_kv_bool(&packer, "durable", false);
	pack_kv_bool(&packer, "left", answer->left);
	pack_kv_str(&packer, "status", status);
	reply_end(&named->request, &out);
}

static void
person_name(const struct person *person, uid_t uid, char *name, size_t room)
{
	if (person)
		snprintf(name, room, "unix:%s", person->name);
	else
		snprintf(name, room, "unix:%u", (unsigned)uid);
}

static void
cancel_named(const struct person *person, void *arg)
{
	struct named *named = arg;
	struct task *task = roster_find(&named->request.supervisor->roster, named->given.id);
	char name[LIMIT_NAME];

	person_name(person, named->request.uid, name, sizeof name);
	if (task) {
		struct cancel_request wish = { .person = name,
			.uid = named->request.uid,
			.is_admin = named->request.is_admin,
			.force = named->given.force,
			.abandon = named->given.abandon };
		struct cancel_answer answer = wish_cancel(task, &wish);

		answer_cancel(named, &answer, task_state_name(task->rec.state));
	} else {
		reply_error(&named->request, RPC_REFUSED, NULL, "task %llu: it has ended",
		    (unsigned long long)named->given.id);
	}
	free(named);
}

void
method_cancel(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct cancel_params given;
	struct record record;

	(void)fd;
	if (!request_decode(request, params, &cancel_params_codec, &given) ||
	    !request_find(request, given.id, &record))
		return;
	codec_free(&record_codec, &record);
	go_on_named(request, &given, cancel_named);
}

/* ---- retry and keep ------------------------------------------------------------ */

static void
on_retried(struct task *task, int result, void *arg)
{
	struct request *request = arg;
	msgpack_packer packer;
	struct buf out;

	(void)result;
	reply_begin(request, &out, &packer);
	msgpack_pack_map(&packer, 2);
	pack_kv_str(&packer, "status", task_state_name(task->rec.state));
	pack_kv_uint(&packer, "attempt", task->rec.attempt.number + 1);
	reply_end(request, &out);
	free(request);
}

static void
retry_named(const struct person *person, void *arg)
{
	struct named *named = arg;
	struct request *request = malloc(sizeof *request);
	char name[LIMIT_NAME];
	int r;

	person_name(person, named->request.uid, name, sizeof name);
	if (request)
		*request = named->request;
	r = request ? wish_retry(&named->request.supervisor->roster, named->given.id, name,
			  on_retried, request)
		    : -ENOMEM;
	if (r == -EINVAL)
		reply_error(&named->request, RPC_REFUSED, NULL,
		    "task %llu: only a task that failed, was cancelled or interrupted can be retried",
		    (unsigned long long)named->given.id);
	else if (r < 0)
		reply_error(&named->request, RPC_INTERNAL, NULL, "task %llu: %s",
		    (unsigned long long)named->given.id, strerror(-r));
	if (r < 0)
		free(request);
	free(named);
}

void
method_retry(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct id_params given;
	struct record record;

	(void)fd;
	if (!request_decode(request, params, &id_params_codec, &given) ||
	    !request_find(request, given.id, &record))
		return;
	codec_free(&record_codec, &record);
	go_on_named(request, &(struct cancel_params){ .id = given.id }, retry_named);
}

struct keep_params {
	uint64_t id;
	bool keep;
};
static const struct codec_field keep_params_fields[] = {
	CODEC_FIELD(1, UINT, struct keep_params, id, 0),
	CODEC_FIELD(2, BOOL, struct keep_params, keep, 0),
};
static const struct codec keep_params_codec = { .name = "params",
	.size = sizeof(struct keep_params),
	.fields = keep_params_fields,
	.nfields = 2,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

static void
on_kept(struct task *task, int result, void *arg)
{
	struct request *request = arg;
	msgpack_packer packer;
	struct buf out;

	(void)result;
	reply_begin(request, &out, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_bool(&packer, "keep", task->rec.keep);
	reply_end(request, &out);
	free(request);
}

void
method_keep(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct keep_params given;
	struct request *later;
	struct record record;
	int r;

	(void)fd;
	if (!request_decode(request, params, &keep_params_codec, &given) ||
	    !request_find(request, given.id, &record))
		return;
	codec_free(&record_codec, &record);
	later = malloc(sizeof *later);
	if (later)
		*later = *request;
	r = later ? wish_keep(&request->supervisor->roster, given.id, given.keep, on_kept, later)
		  : -ENOMEM;
	if (r == 0)
		return;
	free(later);
	reply_error(request, RPC_INTERNAL, NULL, "task %llu: %s", (unsigned long long)given.id,
	    strerror(-r));
}
