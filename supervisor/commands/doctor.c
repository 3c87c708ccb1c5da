/* The doctor: looks at everything the service depends on, and says what to do. */
#include "ipc/clock.h"
#include "ipc/spawn.h"
#include "ipc/version.h"
#include "supervisor/commands/commands.h"
#include "supervisor/commands/examine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct visit {
	struct job job; /* first */
	struct request request;
	struct examination examination;
	struct surroundings surroundings;
};

static void
check_spawn(struct examination *examination)
{
	bool is_slow = spawn_method() == SPAWN_FORK;

	add_check(examination, "spawn", is_slow ? HEALTH_WARN : HEALTH_OK,
	    spawn_method_name(spawn_method()),
	    is_slow ? "starting tasks is slower than by clone, which is not allowed here or was "
		      "switched off (spawn in the configuration)"
		    : NULL);
}

static void
check_kill(struct examination *examination, const struct supervisor *supervisor)
{
	bool has = cgroups_exist(supervisor->cgroups);

	add_check(examination, "kill", has ? HEALTH_OK : HEALTH_WARN,
	    cgroups_describe(supervisor->cgroups),
	    has ? NULL
		: "run the service under systemd with Delegate=yes, or as root, to kill by cgroup; without, "
		  "processes of another user may survive a cancel");
}

static void
check_store(struct examination *examination, struct supervisor *supervisor)
{
	bool is_full = store_is_nearly_full(supervisor->store);
	uint64_t used, map;
	char text[128];

	store_usage(supervisor->store, &used, &map);
	snprintf(text, sizeof text, "%llu of %llu MiB in use, epoch %s",
	    (unsigned long long)(used >> 20), (unsigned long long)(map >> 20),
	    store_epoch(supervisor->store));
	add_check(examination, "store", is_full ? HEALTH_FAIL : HEALTH_OK, text,
	    is_full ? "keep less: keep_tasks, keep_completed and their like in the configuration"
		    : NULL);
}

static void
check_slots(struct examination *examination, const struct roster *roster)
{
	bool has = roster->queue.slots > 0;
	char text[128];

	snprintf(text, sizeof text, "%llu of %llu slots in use, %zu tasks waiting",
	    (unsigned long long)roster->queue.used, (unsigned long long)roster->queue.slots,
	    roster->queue.n);
	add_check(examination, "slots", has ? HEALTH_OK : HEALTH_WARN, text,
	    has ? NULL : "set slots above 0 to run tasks");
}

static void
check_drain(struct examination *examination, const struct drain *drain)
{
	char since[CLOCK_TEXT], text[LIMIT_NAME + 96];

	if (!drain->boot_id)
		return;
	snprintf(text, sizeof text, "nothing new is taken since %s, asked by %s",
	    clock_format(drain->since_ms, since), drain->by ? drain->by : "somebody");
	add_check(examination, "drain", HEALTH_WARN, text, "reeve drain --off");
}

static void
check_config(struct examination *examination, const struct settings *settings)
{
	const char *path = settings->path ? settings->path : "a file"; /* none was looked for */
	const char *note = access(path, F_OK) == 0 ? "" : " is not there, nor need it be";
	char text[PATH_MAX + 64];
	size_t waiting = 0;

	snprintf(text, sizeof text, "%s%s", path, note);
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		waiting += settings->waiting[i] != NULL;
	if (settings->problem[0])
		add_check(examination, "config", HEALTH_FAIL, settings->problem,
		    "mend the file, then: reeve config reload");
	else
		add_check(examination, "config", waiting > 0 ? HEALTH_WARN : HEALTH_OK, text,
		    waiting > 0 ? "some of it waits for a restart (`reeve config` shows what): "
				  "reeve shutdown --restart"
				: NULL);
}

static void
check_admins(struct examination *examination, const struct supervisor *supervisor)
{
	const char *group = supervisor->settings.config.admin_group;
	char text[160];

	if (!supervisor->change_user || !group)
		return; /* nobody but its own user has business with a user's service */
	if (supervisor->admin_gid == (gid_t)-1)
		snprintf(text, sizeof text, "root alone: there is no group %s", group);
	else
		snprintf(text, sizeof text, "root and the group %s", group);
	add_check(examination, "admins", HEALTH_OK, text, NULL);
}

static void
look_around(struct job *job)
{
	struct visit *visit = (struct visit *)job;

	examine_surroundings(&visit->examination, &visit->surroundings);
}

static void
on_looked(struct job *job)
{
	struct visit *visit = (struct visit *)job;
	struct examination *examination = &visit->examination;
	msgpack_packer packer;
	struct buf out;

	reply_begin(&visit->request, &out, &packer);
	msgpack_pack_map(&packer, 1);
	pack_str(&packer, "checks");
	msgpack_pack_array(&packer, examination->n);
	buf_add(&out, examination->checks.data, examination->checks.len);
	reply_end(&visit->request, &out);
	examination_fini(examination);
	free(visit);
}

void
method_doctor(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct supervisor *supervisor = request->supervisor;
	struct examination *examination;
	struct visit *visit;

	(void)fd;
	if (!request_takes_nothing(request, params))
		return;
	visit = calloc(1, sizeof *visit);
	if (!visit) {
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
		return;
	}
	visit->request = *request;
	visit->surroundings = (struct surroundings){ supervisor->settings.flags.state_dir,
		supervisor->settings.flags.run_dir, committer_is_full(&supervisor->committer) };
	examination = &visit->examination;
	examination_init(examination);
	add_check(examination, "version", HEALTH_OK, REEVE_VERSION, NULL);
	check_spawn(examination);
	check_kill(examination, supervisor);
	check_store(examination, supervisor);
	check_slots(examination, &supervisor->roster);
	check_drain(examination, &supervisor->roster.drain);
	check_config(examination, &supervisor->settings);
	check_admins(examination, supervisor);
	/* The thread of names: whatever is slow there is slow for the doctor alone. */
	visit->job = (struct job){ .work = look_around, .done = on_looked };
	jobs_add(&supervisor->names, &visit->job);
}
