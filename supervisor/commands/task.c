/* Methods about one task: show, events, cancel, retry, keep. */
#include "ipc/secrets.h"
#include "supervisor/can.h"
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

/* ---- what changes a task: cancel, retry, keep ------------------------------------ */

struct change_params {
	uint64_t id;
	bool force, abandon, keep;
};

#define CHANGE_PARAMS(list)                                                   \
 {                                                                            \
  .name = "params", .size = sizeof(struct change_params), .fields = (list),   \
  .nfields = sizeof(list) / sizeof(list)[0], .by_name = true, .strict = true, \
  .limits = &walk_rpc_limits                                                  \
 }
static const struct codec_field cancel_fields[] = {
	CODEC_FIELD(1, UINT, struct change_params, id, 0),
	CODEC_FIELD(2, BOOL, struct change_params, force, 0),
	CODEC_FIELD(3, BOOL, struct change_params, abandon, 0),
};
static const struct codec_field retry_fields[] = {
	CODEC_FIELD(1, UINT, struct change_params, id, 0),
};
static const struct codec_field keep_fields[] = {
	CODEC_FIELD(1, UINT, struct change_params, id, 0),
	CODEC_FIELD(2, BOOL, struct change_params, keep, 0),
};
static const struct codec cancel_codec = CHANGE_PARAMS(cancel_fields);
static const struct codec retry_codec = CHANGE_PARAMS(retry_fields);
static const struct codec keep_codec = CHANGE_PARAMS(keep_fields);

/* What was asked, until it is answered: while the caller's name is looked up, and over the commit.
 */
struct asked {
	struct request request;
	struct change_params given;
	struct pairs secrets; /* of a retry */
};

/* NULL: answered already. Else it ends with answer_end or answer_error. */
static struct asked *
ask(const struct request *request, const struct rpc_slice *params, const struct codec *codec)
{
	struct change_params given;
	struct asked *asked;
	struct record record;

	if (!request_decode(request, params, codec, &given) ||
	    !request_find(request, given.id, &record))
		return NULL;
	codec_free(&record_codec, &record);
	asked = malloc(sizeof *asked);
	if (asked)
		*asked = (struct asked){ .request = *request, .given = given, .secrets = { 0 } };
	else
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
	return asked;
}

static void
answer_begin(const struct asked *asked, struct buf *out, msgpack_packer *packer, size_t nfields)
{
	reply_begin(&asked->request, out, packer);
	msgpack_pack_map(packer, nfields);
}

static void
free_asked(struct asked *asked)
{
	secrets_wipe(&asked->secrets);
	free(asked);
}

static void
answer_end(struct asked *asked, struct buf *out)
{
	reply_end(&asked->request, out);
	free_asked(asked);
}

static void
answer_error(struct asked *asked, enum rpc_error error, const char *why)
{
	reply_error(&asked->request, error, NULL, "task %llu: %s",
	    (unsigned long long)asked->given.id, why);
	free_asked(asked);
}

static void
answer_failure(struct asked *asked, int error)
{
	if (error == -ENOENT) /* its time came while its caller's name was looked up */
		answer_error(asked, RPC_NOT_FOUND, "it is gone");
	else
		answer_error(asked, RPC_INTERNAL, strerror(-error));
}

void
person_name(const struct person *person, uid_t uid, char *name, size_t room)
{
	if (person)
		snprintf(name, room, "unix:%s", person->name);
	else
		snprintf(name, room, "unix:%u", (unsigned)uid);
}

/* It has been stopped already; only what takes its work back could be stopped, too. */
static void
refuse_undoing(struct asked *asked, const struct record *record)
{
	const struct record_step *step = can_undoing(record);
	char why[LIMIT_NAME + 96];

	snprintf(why, sizeof why, "it is undoing its steps%s%s%s; force (administrators) ends that",
	    step ? ", now \"" : "", step ? step->name : "", step ? "\"" : "");
	answer_error(asked, RPC_REFUSED, why);
}

static void
cancel_named(const struct person *person, void *arg)
{
	struct asked *asked = arg;
	struct task *task = roster_find(&asked->request.supervisor->roster, asked->given.id);
	char name[LIMIT_NAME];
	struct cancel_request wish = { .person = name,
		.uid = asked->request.uid,
		.is_admin = asked->request.is_admin,
		.force = asked->given.force,
		.abandon = asked->given.abandon };
	struct cancel_answer answer = { .reason = "it has ended" };
	msgpack_packer packer;
	struct buf out;

	person_name(person, asked->request.uid, name, sizeof name);
	if (task)
		answer = wish_cancel(task, &wish);
	if (!answer.accepted) {
		if (task && task->rec.state == TASK_UNDOING && !wish.force && !wish.abandon)
			refuse_undoing(asked, &task->rec);
		else
			answer_error(asked, RPC_REFUSED, answer.reason);
		return;
	}
	answer_begin(asked, &out, &packer, 4);
	pack_kv_bool(&packer, "accepted", true);
	pack_kv_bool(&packer, "durable", false);
	pack_kv_bool(&packer, "left", answer.left);
	pack_kv_str(&packer, "status", task_state_name(task->rec.state));
	answer_end(asked, &out);
}

void
method_cancel(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct asked *asked = ask(request, params, &cancel_codec);

	(void)fd;
	if (asked)
		people_look_up(request->supervisor->people, request->uid, cancel_named, asked);
}

static void
on_retried(struct task *task, int result, void *arg)
{
	struct asked *asked = arg;
	msgpack_packer packer;
	struct buf out;

	(void)result; /* only submissions are refused */
	answer_begin(asked, &out, &packer, 2);
	pack_kv_str(&packer, "status", task_state_name(task->rec.state));
	pack_kv_uint(&packer, "attempt", task->rec.attempt.number + 1);
	answer_end(asked, &out);
}

static void
refuse_secret(struct asked *asked, const char *name)
{
	bool is_given = pairs_get(&asked->secrets, name) != NULL;

	reply_error(&asked->request, RPC_INVALID, name,
	    is_given
		? "task %llu has no secret parameter \"%s\""
		: "task %llu: its secret parameter \"%s\" was not kept beyond its end: give it "
		  "again (--secret)",
	    (unsigned long long)asked->given.id, name);
	free_asked(asked);
}

static void
retry_named(const struct person *person, void *arg)
{
	struct asked *asked = arg;
	char name[LIMIT_NAME], why[96];
	struct retry_request wish = { .person = name, .secrets = &asked->secrets };
	struct retry_refusal refusal;
	int r;

	person_name(person, asked->request.uid, name, sizeof name);
	r = wish_retry(&asked->request.supervisor->roster, asked->given.id, &wish, on_retried,
	    asked, &refusal);
	if (r == -EEXIST) {
		snprintf(why, sizeof why, "task %llu is doing the same work",
		    (unsigned long long)refusal.active);
		answer_error(asked, RPC_CONFLICT, why);
	} else if (r == -ENOKEY) {
		refuse_secret(asked, refusal.secret);
	} else if (r == -ENOBUFS) {
		answer_error(asked, RPC_FULL, "too many tasks with secrets wait already");
	} else if (r == -ESHUTDOWN) {
		answer_error(asked, RPC_UNAVAILABLE, COMMANDS_DRAINED);
	} else if (r == -EINVAL) {
		answer_error(asked, RPC_REFUSED,
		    "only a task that failed, was cancelled or interrupted can be retried");
	} else if (r < 0) {
		answer_failure(asked, r);
	}
}

void
method_retry(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct asked *asked = ask(request, params, &retry_codec);

	if (!asked)
		return;
	if (fd >= 0 && secrets_fd_read(fd, &asked->secrets) < 0)
		answer_error(asked, RPC_INVALID,
		    "what came beside the request is no sealed file in memory with secrets");
	else
		people_look_up(request->supervisor->people, request->uid, retry_named, asked);
}

static void
on_kept(struct task *task, int result, void *arg)
{
	struct asked *asked = arg;
	msgpack_packer packer;
	struct buf out;

	(void)result; /* only submissions are refused */
	answer_begin(asked, &out, &packer, 1);
	pack_kv_bool(&packer, "keep", task->rec.keep);
	answer_end(asked, &out);
}

void
method_keep(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct asked *asked = ask(request, params, &keep_codec);
	int r;

	(void)fd;
	if (!asked)
		return;
	r = wish_keep(
	    &request->supervisor->roster, asked->given.id, asked->given.keep, on_kept, asked);
	if (r < 0)
		answer_failure(asked, r);
}
