/* list: the tasks a caller may see, newest first, filtered, a page at a time. */
#include "ipc/clock.h"
#include "supervisor/commands/commands.h"

#include <string.h>

enum {
	MAX_TASKS = 200,
	MAX_ROWS = 1000,
	PAGE_BYTES = 700 * 1024
};
enum {
	DAY_MS = 24 * 3600 * 1000
};

struct list_params {
	bool active, failed, all;
	struct strs states;
	char *type, *scope, *owner;
	struct pairs labels;
	uint64_t since_ms, limit, before;
};
static const struct codec_field list_params_fields[] = {
	CODEC_FIELD(1, BOOL, struct list_params, active, 0),
	CODEC_FIELD(2, BOOL, struct list_params, failed, 0),
	CODEC_FIELD(3, BOOL, struct list_params, all, 0),
	CODEC_FIELD(4, STRS, struct list_params, states, TASK_STATE_MAX),
	CODEC_FIELD(5, STR, struct list_params, type, LIMIT_TITLE),
	CODEC_FIELD(6, STR, struct list_params, scope, LIMIT_TITLE),
	CODEC_FIELD(7, STR, struct list_params, owner, LIMIT_TITLE),
	CODEC_FIELD(8, PAIRS, struct list_params, labels, LIMIT_PAIRS),
	CODEC_FIELD(9, UINT, struct list_params, since_ms, 0),
	CODEC_FIELD(10, UINT, struct list_params, limit, MAX_TASKS),
	CODEC_FIELD(11, UINT, struct list_params, before, 0),
};
static const struct codec list_params_codec = { .name = "params",
	.size = sizeof(struct list_params),
	.fields = list_params_fields,
	.nfields = 11,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

struct listing {
	const struct request *request;
	const struct list_params *given;
	uint64_t now_ms;
	struct buf items;
	uint32_t n;
	uint64_t cut_at; /* the page is full before this id; 0: it is not */
};

static bool
is_wanted_state(const struct list_params *given, const struct record *rec)
{
	bool failed = rec->state == TASK_FAILED || rec->state == TASK_INTERRUPTED;

	if (given->active && task_state_is_end(rec->state))
		return false;
	if (given->failed && !failed)
		return false;
	if (given->states.n == 0)
		return true;
	for (size_t i = 0; i < given->states.n; i++)
		if (task_state_parse(given->states.v[i]) == rec->state)
			return true;
	return false;
}

/* By default: active, kept, and ended within a day. */
static bool
is_wanted_time(const struct listing *listing, const struct record *rec)
{
	const struct list_params *given = listing->given;

	if (given->since_ms > 0)
		return !task_state_is_end(rec->state) || rec->ended_ms >= given->since_ms;
	return given->all || !task_state_is_end(rec->state) || rec->keep ||
	       rec->ended_ms + DAY_MS > listing->now_ms;
}

static bool
matches(const char *wanted, const char *value)
{
	return !wanted || (value && strcmp(wanted, value) == 0);
}

static bool
has_labels(const struct record *rec, const struct pairs *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		if (!matches(labels->v[i].value, pairs_get(&rec->labels, labels->v[i].name)))
			return false;
	return true;
}

static bool
is_wanted(const struct listing *listing, const struct record *rec)
{
	const struct list_params *given = listing->given;
	const char *owner = rec->persons.n > 0 ? rec->persons.v[0].name : NULL;

	return request_may_see(listing->request, rec) && is_wanted_state(given, rec) &&
	       is_wanted_time(listing, rec) && matches(given->type, rec->type) &&
	       matches(given->scope, rec->scope) && matches(given->owner, owner) &&
	       has_labels(rec, &given->labels);
}

static int
add_row(uint64_t id, const uint8_t *row, size_t len, void *arg)
{
	struct listing *listing = arg;
	struct view_live live;
	struct record rec;
	msgpack_packer packer;

	if (listing->n >= listing->given->limit || listing->items.len > PAGE_BYTES) {
		listing->cut_at = id + 1;
		return 1;
	}
	if (codec_decode(&record_codec, row, len, &rec, NULL) < 0)
		return 0;
	if (is_wanted(listing, &rec)) {
		live = request_live(listing->request, id);
		buf_packer(&listing->items, &packer);
		view_task(&packer, &rec, &live);
		listing->n++;
	}
	codec_free(&record_codec, &rec);
	return 0;
}

static bool
check_states(const struct request *request, const struct strs *states)
{
	for (size_t i = 0; i < states->n; i++) {
		if (task_state_parse(states->v[i]))
			continue;
		reply_error(
		    request, RPC_INVALID, "states", "there is no status \"%s\"", states->v[i]);
		return false;
	}
	return true;
}

void
method_list(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct listing listing = { .request = request, .now_ms = clock_wall_ms() };
	struct list_params given;
	struct store_page page;
	msgpack_packer packer;
	struct buf out;
	uint64_t next = 0;

	(void)fd;
	if (!request_decode(request, params, &list_params_codec, &given))
		return;
	if (check_states(request, &given.states)) {
		if (given.limit == 0)
			given.limit = MAX_TASKS;
		listing.given = &given;
		buf_init(&listing.items, (size_t)LIMIT_RPC * 2);
		page = (struct store_page){ .before_id = given.before,
			.owner_uid = request->is_admin ? UINT64_MAX : request->uid,
			.max_rows = MAX_ROWS };
		store_each_task(request->supervisor->store, &page, add_row, &listing, &next);
		next = listing.cut_at ? listing.cut_at : next;
		reply_begin(request, &out, &packer);
		msgpack_pack_map(&packer, 2);
		pack_str(&packer, "tasks");
		msgpack_pack_array(&packer, listing.n);
		buf_add(&out, listing.items.data, listing.items.len);
		if (next)
			pack_kv_uint(&packer, "next", next);
		else
			pack_kv_nil(&packer, "next");
		reply_end(request, &out);
		buf_fini(&listing.items);
	}
	codec_free(&list_params_codec, &given);
}
