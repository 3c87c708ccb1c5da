#include "supervisor/reload.h"

#include "ipc/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reload {
	struct job job; /* first */
	struct supervisor *supervisor;
	struct settings_found found;
	int result;
	reloaded_fn done;
	void *arg;
};

static void
read_it(struct job *job)
{
	struct reload *reload = (struct reload *)job;

	reload->result = settings_read(&reload->supervisor->settings, &reload->found);
}

/* Only the thread of files looks into the library: there it is replaced. */
static void
replace_library(struct job *job)
{
	struct reload *reload = (struct reload *)job;
	struct recipe_library old = reload->supervisor->library;

	reload->supervisor->library = reload->found.library;
	reload->found.library = old;
}

static void
forget(struct job *job)
{
	struct reload *reload = (struct reload *)job;

	recipe_library_fini(&reload->found.library);
	free(reload);
}

static void
log_changes(const struct settings *settings, uint64_t changed)
{
	bool any = changed != 0;

	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		const char *name = config_keys[i].name;

		if (changed & UINT64_C(1) << i)
			log_info(
			    "configuration: %s is %s now", name, settings->config.origins[i].text);
		if (settings->waiting[i])
			log_warn("configuration: %s stays %s; %s takes a restart", name,
			    settings->config.origins[i].text, settings->waiting[i]);
		any |= settings->waiting[i] != NULL;
	}
	if (!any)
		log_info("configuration: read again; nothing has changed");
}

static void
apply(struct supervisor *supervisor, const struct settings_found *found)
{
	const struct config *config = &supervisor->settings.config;

	supervisor->admin_gid = found->admin_gid;
	log_set_level((enum log_level)config->log_level);
	supervisor->roster.queue.slots = settings_slots(config);
	supervisor->roster.env.grace_ms = config->grace_ms;
	supervisor->roster.env.user_tasks = config->user_tasks;
	supervisor->roster.env.retention = supervisor_retention(config);
	supervisor->roster.weigh_at_ms = 0;
	cgroups_limit(supervisor->cgroups, config->max_processes);
}

static void
on_read(struct job *job)
{
	struct reload *reload = (struct reload *)job;
	struct supervisor *supervisor = reload->supervisor;
	const char *why = reload->result == -ENOMEM ? "out of memory" : reload->found.error.message;
	uint64_t changed = 0;

	if (reload->result == 0) {
		changed = settings_take(&supervisor->settings, &reload->found);
		apply(supervisor, &reload->found);
		log_changes(&supervisor->settings, changed);
	} else {
		log_error("configuration: %s", why);
		log_error("configuration: it is not taken up; nothing has changed");
		snprintf(
		    supervisor->settings.problem, sizeof supervisor->settings.problem, "%s", why);
	}
	if (reload->done)
		reload->done(reload->result, changed, &reload->found.error, reload->arg);
	if (reload->result < 0) {
		free(reload);
		return;
	}
	reload->job = (struct job){ .work = replace_library, .done = forget };
	jobs_add(&supervisor->files, &reload->job);
}

int
reload_start(struct supervisor *supervisor, reloaded_fn done, void *arg)
{
	struct reload *reload = calloc(1, sizeof *reload);

	if (!reload)
		return -ENOMEM;
	*reload = (struct reload){ .job = { .work = read_it, .done = on_read },
		.supervisor = supervisor,
		.done = done,
		.arg = arg };
	/* The thread of names: a group is looked up, too. */
	jobs_add(&supervisor->names, &reload->job);
	return 0;
}
