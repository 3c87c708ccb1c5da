/* Methods about the service itself: version, recipes, shutdown. */
#include "ipc/clock.h"
#include "ipc/log.h"
#include "ipc/spawn.h"
#include "ipc/version.h"
#include "supervisor/commands/commands.h"
#include "supervisor/recipe/listing.h"
#include "supervisor/roster/suspend.h"
#include "supervisor/roster/wish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t
count_running(const struct roster *roster)
{
	uint64_t n = 0;

	for (const struct task *task = roster->first; task; task = task->next)
		n += task_state_has_worker(task->rec.state);
	return n;
}

void
method_version(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct supervisor *supervisor = request->supervisor;
	char text[CLOCK_TEXT];
	msgpack_packer packer;
	struct buf out;

	(void)fd;
	if (!request_takes_nothing(request, params))
		return;
	reply_begin(request, &out, &packer);
	msgpack_pack_map(&packer, 9);
	pack_kv_str(&packer, "version", REEVE_VERSION);
	pack_kv_str(&packer, "epoch", store_epoch(supervisor->store));
	pack_kv_uint(&packer, "pid", (uint64_t)getpid());
	pack_kv_str(&packer, "started_at", clock_format(supervisor->started_ms, text));
	pack_kv_uint(&packer, "slots", supervisor->roster.queue.slots);
	pack_kv_uint(&packer, "running", count_running(&supervisor->roster));
	pack_kv_uint(&packer, "queued", supervisor->roster.queue.n);
	pack_kv_str(&packer, "spawn", spawn_method_name(spawn_method()));
	pack_kv_str(&packer, "kill", cgroups_describe(supervisor->cgroups));
	reply_end(request, &out);
}

/* ---- recipes ------------------------------------------------------------------------ */

struct recipe_listing {
	struct job job;
	struct request request;
	struct buf items;
	uint32_t n;
};

static void
pack_recipe(
    struct recipe_listing *listing, const char *path, bool trusted, const struct recipe *recipe)
{
	msgpack_packer packer;

	buf_packer(&listing->items, &packer);
	recipe_pack(&packer, recipe, recipe_name(recipe), path, trusted);
	listing->n++;
}

/* One that cannot be read or is wrong is left out; `reeve check` says what is wrong with it. */
static int
add_recipe(const char *name, const char *path, void *arg)
{
	struct recipe_listing *listing = arg;
	struct recipe_error error;
	struct recipe_file file;
	struct recipe *recipe;

	if (recipe_library_find(&listing->request.supervisor->library, name, &file) < 0)
		return 0;
	if (recipe_parse(file.path, file.text, file.len, &recipe, &error) == 0) {
		pack_recipe(listing, path, file.trusted, recipe);
		recipe_free(recipe);
	}
	recipe_file_fini(&file);
	return 0;
}

static void
read_recipes(struct job *job)
{
	struct recipe_listing *listing = (struct recipe_listing *)job;

	recipe_library_each(&listing->request.supervisor->library, add_recipe, listing);
}

static void
on_recipes(struct job *job)
{
	struct recipe_listing *listing = (struct recipe_listing *)job;
	msgpack_packer packer;
	struct buf out;

	reply_begin(&listing->request, &out, &packer);
	msgpack_pack_map(&packer, 1);
	pack_str(&packer, "recipes");
	msgpack_pack_array(&packer, listing->n);
	buf_add(&out, listing->items.data, listing->items.len);
	reply_end(&listing->request, &out);
	buf_fini(&listing->items);
	free(listing);
}

void
method_recipes(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct recipe_listing *listing;

	(void)fd;
	if (!request_takes_nothing(request, params))
		return;
	listing = calloc(1, sizeof *listing);
	if (!listing) {
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
		return;
	}
	listing->request = *request;
	buf_init(&listing->items, LIMIT_RPC);
	listing->job = (struct job){ .work = read_recipes, .done = on_recipes };
	jobs_add(&request->supervisor->files, &listing->job);
}

/* ---- shutdown -------------------------------------------------------------------------- */

struct shutdown_params {
	bool tasks, restart, suspend;
};
static const struct codec_field shutdown_params_fields[] = {
	CODEC_FIELD(1, BOOL, struct shutdown_params, tasks, 0),
	CODEC_FIELD(2, BOOL, struct shutdown_params, restart, 0),
	CODEC_FIELD(3, BOOL, struct shutdown_params, suspend, 0),
};
static const struct codec shutdown_params_codec = { .name = "params",
	.size = sizeof(struct shutdown_params),
	.fields = shutdown_params_fields,
	.nfields = 3,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

static void
cancel_all(struct roster *roster)
{
	struct cancel_request wish = {
		.person = "the service's shutdown", .is_admin = true, .force = false
	};
	struct task *next;

	for (struct task *task = roster->first; task; task = next) {
		next = task->next;
		wish_cancel(task, &wish);
	}
}

void
method_shutdown(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct supervisor *supervisor = request->supervisor;
	struct shutdown_params given;

	(void)fd;
	if (!request_decode(request, params, &shutdown_params_codec, &given))
		return;
	if (given.restart && (given.tasks || given.suspend)) {
		reply_error(request, RPC_INVALID, "restart", "tasks run on over a restart");
		return;
	}
	if (given.tasks && given.suspend) {
		reply_error(request, RPC_INVALID, "suspend", "a task is cancelled or suspended");
		return;
	}
	supervisor->restart_service = given.restart;
	log_info("%s, asked by uid %u", given.restart ? "starting anew" : "shutting down",
	    (unsigned)request->uid);
	supervisor->roster.is_draining = true;
	if (given.tasks)
		cancel_all(&supervisor->roster);
	if (given.suspend)
		suspend_all(&supervisor->roster);
	supervisor_stop_when(supervisor, given.tasks     ? STOP_WHEN_EMPTY
					 : given.suspend ? STOP_WHEN_IDLE
							 : STOP_NOW);
	reply_empty(request);
}
