#include "supervisor/roster/retention.h"

#include "ipc/clock.h"
#include "ipc/failpoint.h"
#include "ipc/fd.h"
#include "supervisor/launch.h"
#include "supervisor/roster/weigh.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	EVERY_S = 5,
	AT_ONCE = 64,
	TRIM_AT_ONCE = 1000
};

/* One round: rows first, in one commit; then, once nobody can ask for them, the files. */
struct clearing {
	struct commit commit;
	struct job job;
	struct roster *roster;
	uint64_t ids[AT_ONCE];
	uint64_t attempts[AT_ONCE]; /* how many each has had */
	size_t n;
};

static struct clearing *
of_job(struct job *job)
{
	return (struct clearing *)(void *)((char *)job - offsetof(struct clearing, job));
}

static void
remove_logs(int attempts_fd, uint64_t id, uint64_t attempts)
{
	char name[ATTEMPT_NAME];

	/* One that wrote nothing has none. */
	for (uint64_t attempt = 1; attempt <= attempts; attempt++)
		fd_remove_tree(attempts_fd, launch_attempt_name(id, attempt, name));
}

static void
remove_files(struct job *job)
{
	struct clearing *clearing = of_job(job);
	const struct roster_env *env = &clearing->roster->env;
	int state_fd = open(env->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)FAILPOINT("retention.remove");
	for (size_t i = 0; i < clearing->n; i++) {
		char path[64];

		remove_logs(env->attempts_fd, clearing->ids[i], clearing->attempts[i]);
		snprintf(path, sizeof path, "work/%llu", (unsigned long long)clearing->ids[i]);
		if (state_fd >= 0)
			fd_remove_tree(state_fd, path);
	}
	fd_close(&state_fd);
}

static void
on_removed(struct job *job)
{
	struct clearing *clearing = of_job(job);

	if (clearing->n == AT_ONCE) /* there may be more */
		ev_feed_event(clearing->roster->env.loop, &clearing->roster->retention, EV_TIMER);
	free(clearing);
}

static void
on_committed(struct commit *commit, int result)
{
	struct clearing *clearing = (struct clearing *)commit;

	store_batch_free(commit->batch);
	commit->batch = NULL;
	if (result < 0) {
		free(clearing);
		return;
	}
	clearing->job = (struct job){ .work = remove_files, .done = on_removed };
	jobs_add(clearing->roster->env.removals, &clearing->job);
}

/* Events go from the front only: as far as they are of tasks that are gone. */
struct front {
	struct roster *roster;
	const struct clearing *clearing;
	uint64_t last_gone;
};

static bool
is_gone(const struct front *front, uint64_t id)
{
	struct store_bytes row;

	for (size_t i = 0; i < front->clearing->n; i++)
		if (front->clearing->ids[i] == id)
			return true;
	if (roster_find(front->roster, id) ||
	    store_get_task(front->roster->env.store, id, &row) < 0)
		return !roster_find(front->roster, id);
	store_bytes_free(&row);
	return false;
}

static int
look_at_event(uint64_t seq, const uint8_t *bytes, size_t len, void *arg)
{
	struct front *front = arg;
	struct fact event;
	bool gone = true;

	if (codec_decode(&fact_codec, bytes, len, &event, NULL) == 0) {
		gone = is_gone(front, event.task);
		codec_free(&fact_codec, &event);
	}
	if (!gone)
		return 1;
	front->last_gone = seq;
	return 0;
}

/* Whatever is in the roster is being retried or kept at this moment. */
static void
forget_busy(struct clearing *clearing)
{
	size_t n = 0;

	for (size_t i = 0; i < clearing->n; i++)
		if (!roster_find(clearing->roster, clearing->ids[i]))
			clearing->ids[n++] = clearing->ids[i];
	clearing->n = n;
}

static uint64_t
count_attempts(struct store *store, uint64_t id)
{
	struct store_bytes row;
	struct record record;
	uint64_t n = 0;

	if (store_get_task(store, id, &row) < 0)
		return 0;
	if (codec_decode(&record_codec, row.data, row.len, &record, NULL) == 0) {
		n = record.attempt.number;
		codec_free(&record_codec, &record);
	}
	store_bytes_free(&row);
	return n;
}

/* Whose time has come; and before it, as many of the next as are too many. */
static void
find_due(struct roster *roster, struct clearing *clearing)
{
	struct store *store = roster->env.store;
	uint64_t all = store_due_count(store), over = roster->overweight;

	store_due(store, clock_wall_ms(), clearing->ids, AT_ONCE, &clearing->n);
	if (all > roster->env.retention.tasks && all - roster->env.retention.tasks > over)
		over = all - roster->env.retention.tasks;
	if (over > clearing->n && clearing->n < AT_ONCE)
		store_due(store, UINT64_MAX, clearing->ids, over < AT_ONCE ? (size_t)over : AT_ONCE,
		    &clearing->n);
	roster->overweight -= roster->overweight < clearing->n ? roster->overweight : clearing->n;
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct roster *roster = timer->data;
	struct clearing *clearing = calloc(1, sizeof *clearing);
	struct front front = { .roster = roster, .clearing = clearing };

	(void)loop;
	(void)revents;
	if (!clearing)
		return;
	clearing->roster = roster;
	clearing->commit = (struct commit){
		.batch = store_batch_new(), .class = COMMIT_NEW, .done = on_committed
	};
	weigh(roster);
	find_due(roster, clearing);
	forget_busy(clearing);
	for (size_t i = 0; clearing->commit.batch && i < clearing->n; i++) {
		clearing->attempts[i] = count_attempts(roster->env.store, clearing->ids[i]);
		store_batch_delete_task(clearing->commit.batch, clearing->ids[i]);
	}
	store_each_event(roster->env.store, 0, 0, TRIM_AT_ONCE, look_at_event, &front);
	if (clearing->commit.batch && front.last_gone > 0)
		store_batch_trim_events(clearing->commit.batch, front.last_gone);
	if (!clearing->commit.batch || store_batch_is_empty(clearing->commit.batch)) {
		store_batch_free(clearing->commit.batch);
		free(clearing);
		return;
	}
	committer_add(roster->env.committer, &clearing->commit);
}

void
retention_start(struct roster *roster)
{
	ev_timer_init(&roster->retention, on_timer, EVERY_S, EVERY_S);
	roster->retention.data = roster;
	ev_timer_start(roster->env.loop, &roster->retention);
}
