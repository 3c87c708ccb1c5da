#include "supervisor/cli/query.h"

#include "supervisor/cli/doc.h"

#include <stdio.h>
#include <string.h>

enum {
	PAGE = 200,
	OWNER_MAX = 512
};

void
query_fini(struct query *query)
{
	strs_free(&query->states);
	pairs_free(&query->labels);
}

/* Who owns tasks is called KIND:NAME; a name alone is a user's. */
static void
pack_owner(msgpack_packer *params, const char *owner)
{
	char user[OWNER_MAX];

	if (!strchr(owner, ':') && snprintf(user, sizeof user, "unix:%s", owner) < OWNER_MAX)
		owner = user;
	pack_kv_str(params, "owner", owner);
}

static void
pack_filters(msgpack_packer *params, const struct query *query)
{
	pack_kv_bool(params, "active", query->active);
	pack_kv_bool(params, "failed", query->failed);
	pack_kv_bool(params, "all", query->all);
	pack_str(params, "states");
	msgpack_pack_array(params, query->states.n);
	for (size_t i = 0; i < query->states.n; i++)
		pack_str(params, query->states.v[i]);
	pack_str(params, "labels");
	msgpack_pack_map(params, query->labels.n);
	for (size_t i = 0; i < query->labels.n; i++)
		pack_kv_str(params, query->labels.v[i].name, query->labels.v[i].value);
	if (query->type)
		pack_kv_str(params, "type", query->type);
	if (query->scope)
		pack_kv_str(params, "scope", query->scope);
	if (query->owner)
		pack_owner(params, query->owner);
	if (query->since_ms)
		pack_kv_uint(params, "since_ms", query->since_ms);
}

static size_t
count_optional(const struct query *query)
{
	size_t n = query->since_ms > 0;

	n += query->type != NULL;
	n += query->scope != NULL;
	return n + (query->owner != NULL);
}

static int
ask_page(const struct query *query, struct session *session, uint64_t limit, uint64_t before,
    struct client_reply *ret_reply)
{
	size_t optional = count_optional(query);
	struct request request;

	session_begin(session, &request, "list", 6 + optional + (before ? 1 : 0));
	pack_filters(&request.params, query);
	pack_kv_uint(&request.params, "limit", limit);
	if (before)
		pack_kv_uint(&request.params, "before", before);
	return session_ask(session, &request, ret_reply);
}

int
query_run(const struct query *query, struct session *session,
    int (*fn)(const msgpack_object *task, void *arg), void *arg)
{
	uint64_t left = query->limit ? query->limit : UINT64_MAX, before = 0;
	int status;

	do {
		struct client_reply reply;
		const msgpack_object *tasks;
		uint64_t next;

		status =
		    ask_page(query, session, left < PAGE ? left : (uint64_t)PAGE, before, &reply);
		if (status != 0)
			return status;
		tasks = mp_get(&reply.body, "tasks");
		for (size_t i = 0; i < doc_count(tasks) && left > 0 && status == 0; i++, left--)
			status = fn(doc_at(tasks, i), arg);
		next = doc_uint(&reply.body, "next");
		/* Ids fall from page to page, or it would never end. */
		before = next > 0 && (before == 0 || next < before) ? next : 0;
		client_reply_fini(&reply);
	} while (before > 0 && left > 0 && status == 0);
	return status;
}
