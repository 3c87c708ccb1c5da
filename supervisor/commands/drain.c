/* Draining: on, off, and what is left to finish. */
#include "supervisor/roster/drain.h"
#include "ipc/clock.h"
#include "supervisor/commands/commands.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	LISTED = 256 /* ids; beyond that the numbers alone say enough */
};

struct drain_params {
	bool off;
};
static const struct codec_field drain_params_fields[] = {
	CODEC_FIELD(1, BOOL, struct drain_params, off, 0),
};
static const struct codec drain_params_codec = { .name = "params",
	.size = sizeof(struct drain_params),
	.fields = drain_params_fields,
	.nfields = 1,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

/* One whose worker waits for an answer could take days: it is listed apart. */
static bool
is_listed(const struct task *task, bool is_waiting)
{
	return task_state_has_worker(task->rec.state) &&
	       (task->rec.state == TASK_WAITING) == is_waiting;
}

static void
pack_ids(msgpack_packer *packer, const char *key, const struct roster *roster, bool is_waiting)
{
	size_t n = 0;

	pack_str(packer, key);
	for (const struct task *task = roster->first; task && n < LISTED; task = task->next)
		n += is_listed(task, is_waiting);
	msgpack_pack_array(packer, n);
	for (const struct task *task = roster->first; task && n > 0; task = task->next) {
		if (!is_listed(task, is_waiting))
			continue;
		msgpack_pack_uint64(packer, task->rec.id);
		n--;
	}
}

static void
answer(const struct request *request)
{
	const struct roster *roster = &request->supervisor->roster;
	const struct drain *drain = &roster->drain;
	char since[CLOCK_TEXT];
	msgpack_packer packer;
	struct buf out;

	reply_begin(request, &out, &packer);
	msgpack_pack_map(&packer, 6);
	pack_kv_bool(&packer, "draining", drain->boot_id != NULL);
	pack_kv_str(&packer, "since", drain->boot_id ? clock_format(drain->since_ms, since) : NULL);
	pack_kv_str(&packer, "by", drain->by);
	pack_ids(&packer, "running", roster, false);
	pack_ids(&packer, "waiting", roster, true);
	pack_kv_uint(&packer, "queued", roster->queue.n);
	reply_end(request, &out);
}

struct asked {
	struct request request;
	bool off;
};

static void
on_stored(void *arg)
{
	struct asked *asked = arg;

	answer(&asked->request);
	free(asked);
}

static void
on_person(const struct person *person, void *arg)
{
	struct asked *asked = arg;
	char name[LIMIT_NAME];

	snprintf(name, sizeof name, "unix:%s", person ? person->name : "?");
	if (drain_set(&asked->request.supervisor->roster, !asked->off, name, on_stored, asked) == 0)
		return;
	reply_error(&asked->request, RPC_UNAVAILABLE, NULL, "out of memory");
	free(asked);
}

void
method_drain(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct supervisor *supervisor = request->supervisor;
	struct drain_params given;
	struct asked *asked;

	(void)fd;
	if (!request_decode(request, params, &drain_params_codec, &given))
		return;
	if ((supervisor->roster.drain.boot_id == NULL) == given.off) {
		answer(request); /* it is as it was asked to be */
		return;
	}
	asked = malloc(sizeof *asked);
	if (!asked) {
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
		return;
	}
	*asked = (struct asked){ .request = *request, .off = given.off };
	people_look_up(supervisor->people, request->uid, on_person, asked);
}
