#include "supervisor/commands/watch.h"

#include "ipc/mp.h"
#include "supervisor/commands/commands.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_WATCHED = 1000,
	REPLAY_AT_ONCE = 100,          /* events in one turn of the loop */
	REPLAY_MAX_BYTES = 512 * 1024, /* sent and not read yet */
	SNAPSHOT_BYTES = 900 * 1024
};

/* Hangs on its connection. */
struct watch {
	uint64_t *ids; /* sorted as given; none: every task the caller may see */
	size_t nids;
	bool ends;     /* nothing but how tasks end: what waits for many need not hear the rest */
	uint64_t sent; /* number of the last fact sent; facts up to here are not sent again */
	/* Facts behind `looked_at` come from the store; live ones wait until they are all sent. */
	bool is_behind;
	uint64_t looked_at;
};

struct watch_params {
	struct blob ids;
	char *epoch;
	uint64_t after;
	bool ends;
};
static const struct codec_field watch_params_fields[] = {
	CODEC_FIELD(1, BLOB, struct watch_params, ids, LIMIT_VALUE),
	CODEC_FIELD(2, STR, struct watch_params, epoch, 64),
	CODEC_FIELD(3, UINT, struct watch_params, after, 0),
	CODEC_FIELD(4, BOOL, struct watch_params, ends, 0),
};
static const struct codec watch_params_codec = { .name = "params",
	.size = sizeof(struct watch_params),
	.fields = watch_params_fields,
	.nfields = 4,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

struct sending {
	struct supervisor *supervisor;
	const struct record *record;
	uint64_t seq; /* 0: news */
	const struct fact *event;
	const struct news *news;
};

static void
free_watch(struct watch *watch)
{
	if (watch)
		free(watch->ids);
	free(watch);
}

void
watch_forget(struct conn *conn)
{
	free_watch(conn->watch);
	conn->watch = NULL;
}

static bool
watches(const struct watch *watch, const struct sending *sending)
{
	uint64_t id = sending->record->id;

	if (watch->ends && !(sending->event && sending->event->kind == FACT_ENDED))
		return false;
	for (size_t i = 0; i < watch->nids; i++)
		if (watch->ids[i] == id)
			return true;
	return watch->nids == 0;
}

static struct request
request_of(const struct conn *conn, struct supervisor *supervisor)
{
	return (struct request){ .supervisor = supervisor,
		.conn = conn->serial,
		.uid = conn->peer.uid,
		.is_admin = conn->peer.is_admin };
}

/* ---- what is sent ---------------------------------------------------------------- */

static void
send_one(struct conn *conn, const struct sending *sending)
{
	struct request request = request_of(conn, sending->supervisor);
	struct view_live live = request_live(&request, sending->record->id);
	msgpack_packer packer;
	struct buf out;

	buf_init(&out, LIMIT_RPC);
	rpc_begin_notification(&out, "event");
	buf_packer(&out, &packer);
	msgpack_pack_map(&packer, 3);
	if (sending->seq)
		pack_kv_uint(&packer, "seq", sending->seq);
	else
		pack_kv_nil(&packer, "seq");
	pack_str(&packer, "event");
	if (sending->event)
		view_event(&packer, sending->event);
	else
		view_news_event(&packer, sending->record, sending->news, live.now_ms);
	pack_str(&packer, "task");
	view_task(&packer, sending->record, &live);
	conn_send(conn, &out, false);
	buf_fini(&out);
}

static void
offer(struct conn *conn, const struct sending *sending)
{
	struct watch *watch = conn->watch;
	struct request request;

	if (!watches(watch, sending))
		return;
	request = request_of(conn, sending->supervisor);
	if (!request_may_see(&request, sending->record) ||
	    (sending->seq > 0 && sending->seq <= watch->sent))
		return;
	if (sending->seq > 0)
		watch->sent = sending->seq;
	send_one(conn, sending);
}

static void
offer_live(struct conn *conn, void *arg)
{
	const struct watch *watch = conn->watch;

	if (watch && !watch->is_behind)
		offer(conn, arg);
}

void
watch_event(const struct task *task, const struct record *record, uint64_t seq,
    const struct fact *event, void *arg)
{
	struct supervisor *supervisor = arg;
	struct sending sending = {
		.supervisor = supervisor, .record = record, .seq = seq, .event = event
	};

	(void)task;
	control_each(&supervisor->control, offer_live, &sending);
}

static void
see_watcher(struct conn *conn, void *arg)
{
	const struct watch *watch = conn->watch;

	if (watch && !watch->ends)
		*(bool *)arg = true;
}

void
watch_news(const struct task *task, void *arg)
{
	struct supervisor *supervisor = arg;
	struct record record;
	struct sending sending = {
		.supervisor = supervisor, .record = &record, .news = &task->news
	};
	bool any = false;

	control_each(&supervisor->control, see_watcher, &any);
	if (!any || codec_decode(&record_codec, task->seen, task->seen_len, &record, NULL) < 0)
		return;
	control_each(&supervisor->control, offer_live, &sending);
	codec_free(&record_codec, &record);
}

/* ---- following --------------------------------------------------------------------- */

/* IDS is an array of positive integers; absent means every task. False: it is something else. */
static bool
parse_ids(const struct blob *ids, struct watch *watch)
{
	struct mp_doc doc;
	bool good;

	if (!ids->data)
		return true;
	if (mp_parse(&doc, ids->data, ids->len, &walk_rpc_limits) < 0)
		return false;
	good = doc.root.type == MSGPACK_OBJECT_ARRAY && doc.root.via.array.size <= MAX_WATCHED;
	watch->ids = good ? calloc(doc.root.via.array.size + 1, sizeof *watch->ids) : NULL;
	good = good && watch->ids;
	for (uint32_t i = 0; good && i < doc.root.via.array.size; i++) {
		watch->ids[i] = mp_uint(&doc.root.via.array.ptr[i], 0);
		good = watch->ids[i] > 0;
		watch->nids++;
	}
	mp_free(&doc);
	return good;
}

struct snapshot {
	const struct request *request;
	const struct watch *watch;
	struct buf items;
	uint32_t n;
	uint64_t omitted; /* tasks for which there was no room */
	struct buf missing;
	uint32_t nmissing; /* ids of no task that the caller may see */
};

/* Of those asked for by id: what somebody may not see is as if it were not there. */
static void
note_missing(struct snapshot *snapshot, uint64_t id)
{
	msgpack_packer packer;

	if (snapshot->watch->nids == 0)
		return;
	buf_packer(&snapshot->missing, &packer);
	msgpack_pack_uint64(&packer, id);
	snapshot->nmissing++;
}

static int
add_to_snapshot(uint64_t id, const uint8_t *row, size_t len, void *arg)
{
	struct snapshot *snapshot = arg;
	struct record record;
	msgpack_packer packer;

	if (codec_decode(&record_codec, row, len, &record, NULL) < 0)
		return 0;
	if (!request_may_see(snapshot->request, &record)) {
		note_missing(snapshot, id);
	} else if (snapshot->items.len > SNAPSHOT_BYTES) {
		snapshot->omitted++;
	} else {
		struct view_live live = request_live(snapshot->request, id);

		buf_packer(&snapshot->items, &packer);
		view_task(&packer, &record, &live);
		snapshot->n++;
	}
	codec_free(&record_codec, &record);
	return 0;
}

/* Those asked for by id, ended ones too; else every active one. */
static void
take_snapshot(struct snapshot *snapshot)
{
	struct store *store = snapshot->request->supervisor->store;
	struct store_bytes row;

	if (snapshot->watch->nids == 0)
		store_each_active(store, add_to_snapshot, snapshot);
	for (size_t i = 0; i < snapshot->watch->nids; i++) {
		if (store_get_task(store, snapshot->watch->ids[i], &row) < 0) {
			note_missing(snapshot, snapshot->watch->ids[i]);
			continue;
		}
		add_to_snapshot(snapshot->watch->ids[i], row.data, row.len, snapshot);
		store_bytes_free(&row);
	}
}

struct replay {
	struct conn *conn;
	struct supervisor *supervisor;
	uint64_t last;
};

/* The task as it is now beside the event as it was: whoever replays wants to arrive at the present.
 */
static int
replay_one(uint64_t seq, const uint8_t *bytes, size_t len, void *arg)
{
	struct replay *replay = arg;
	struct sending sending = { .supervisor = replay->supervisor, .seq = seq };
	struct store_bytes row;
	struct record record;
	struct fact event;

	replay->last = seq;
	if (codec_decode(&fact_codec, bytes, len, &event, NULL) < 0)
		return 0;
	if (store_get_task(replay->supervisor->store, event.task, &row) == 0) {
		if (codec_decode(&record_codec, row.data, row.len, &record, NULL) == 0) {
			sending.record = &record;
			sending.event = &event;
			offer(replay->conn, &sending);
			codec_free(&record_codec, &record);
		}
		store_bytes_free(&row);
	}
	codec_free(&fact_codec, &event);
	return replay->conn->is_dead || replay->conn->out.len > REPLAY_MAX_BYTES;
}

/* As much as the client takes and the loop can bear; the rest when it has read that. */
void
watch_go_on(struct conn *conn, struct supervisor *supervisor)
{
	struct watch *watch = conn->watch;
	struct replay replay = { .conn = conn, .supervisor = supervisor };
	uint64_t task;

	if (!watch || !watch->is_behind)
		return;
	task = watch->nids == 1 ? watch->ids[0] : 0;
	replay.last = watch->looked_at;
	store_each_event(
	    supervisor->store, task, watch->looked_at, REPLAY_AT_ONCE, replay_one, &replay);
	if (conn->is_dead)
		return; /* and its watch with it */
	watch->is_behind = replay.last > watch->looked_at;
	watch->looked_at = replay.last;
	if (watch->is_behind)
		conn_want_turn(conn);
}

static void
answer_watch(const struct request *request, struct watch *watch, bool reset)
{
	struct snapshot snapshot = { .request = request, .watch = watch };
	struct store *store = request->supervisor->store;
	msgpack_packer packer;
	struct buf out;

	buf_init(&snapshot.items, (size_t)LIMIT_RPC * 2);
	buf_init(&snapshot.missing, LIMIT_RPC);
	take_snapshot(&snapshot);
	reply_begin(request, &out, &packer);
	msgpack_pack_map(&packer, 6);
	pack_kv_str(&packer, "epoch", store_epoch(store));
	pack_kv_uint(&packer, "seq", watch->sent);
	pack_kv_bool(&packer, "reset", reset);
	pack_str(&packer, "tasks");
	msgpack_pack_array(&packer, snapshot.n);
	buf_add(&out, snapshot.items.data, snapshot.items.len);
	pack_kv_uint(&packer, "omitted", snapshot.omitted);
	pack_str(&packer, "missing");
	msgpack_pack_array(&packer, snapshot.nmissing);
	buf_add(&out, snapshot.missing.data, snapshot.missing.len);
	reply_end(request, &out);
	buf_fini(&snapshot.items);
	buf_fini(&snapshot.missing);
}

void
method_watch(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct conn *conn = control_find(&request->supervisor->control, request->conn);
	struct store *store = request->supervisor->store;
	struct watch_params given;
	struct watch *watch;
	bool resumes, reset;

	(void)fd;
	if (!conn || !request_decode(request, params, &watch_params_codec, &given))
		return;
	watch = calloc(1, sizeof *watch);
	if (!watch) {
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
	} else if (!parse_ids(&given.ids, watch)) {
		reply_error(
		    request, RPC_INVALID, "ids", "ids: a list of at most %d task ids", MAX_WATCHED);
		free_watch(watch);
	} else {
		resumes = given.epoch && strcmp(given.epoch, store_epoch(store)) == 0 &&
			  given.after + 1 >= store_first_seq(store) &&
			  given.after <= store_last_seq(store);
		reset = given.epoch && !resumes;
		watch_forget(conn);
		conn->watch = watch;
		watch->sent = resumes ? given.after : store_last_seq(store);
		watch->is_behind = resumes;
		watch->looked_at = given.after;
		watch->ends = given.ends;
		answer_watch(request, watch, reset);
		if (!conn->is_dead)
			watch_go_on(conn, request->supervisor);
	}
	codec_free(&watch_params_codec, &given);
}

void
method_unwatch(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct conn *conn = control_find(&request->supervisor->control, request->conn);

	(void)fd;
	if (!request_takes_nothing(request, params))
		return;
	if (conn)
		watch_forget(conn);
	reply_empty(request);
}
