#include "supervisor/roster/weigh.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	AGAIN_MS = 60 * 1000
};

struct weight {
	uint64_t id, bytes;
};

struct weighing {
	struct job job; /* first */
	struct roster *roster;
	uint64_t limit;
	struct weight *tasks; /* by id */
	size_t n, room;
	uint64_t overweight;
};

static DIR *
open_dir(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		fd_close(&fd);
	return dir;
}

/* What the files in one attempt's directory take. */
static uint64_t
weigh_attempt(int attempts_fd, const char *name)
{
	DIR *dir = open_dir(attempts_fd, name);
	const struct dirent *entry;
	struct stat info;
	uint64_t bytes = 0;

	while (dir && (entry = readdir(dir)))
		if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(info.st_mode))
			bytes += (uint64_t)info.st_blocks * 512;
	if (dir)
		closedir(dir);
	return bytes;
}

static bool
add(struct weighing *weighing, uint64_t id, uint64_t bytes)
{
	if (weighing->n == weighing->room) {
		size_t room = weighing->room ? 2 * weighing->room : 256;
		struct weight *more = reallocarray(weighing->tasks, room, sizeof *more);

		if (!more)
			return false;
		weighing->tasks = more;
		weighing->room = room;
	}
	weighing->tasks[weighing->n++] = (struct weight){ id, bytes };
	return true;
}

static int
by_id(const void *a, const void *b)
{
	const struct weight *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

/* One weight a task, by id. */
static void
merge(struct weighing *weighing)
{
	size_t n = 0;

	if (weighing->n > 0)
		qsort(weighing->tasks, weighing->n, sizeof *weighing->tasks, by_id);
	for (size_t i = 0; i < weighing->n; i++) {
		if (n > 0 && weighing->tasks[n - 1].id == weighing->tasks[i].id)
			weighing->tasks[n - 1].bytes += weighing->tasks[i].bytes;
		else
			weighing->tasks[n++] = weighing->tasks[i];
	}
	weighing->n = n;
}

static uint64_t
weight_of(const struct weighing *weighing, uint64_t id)
{
	const struct weight key = { .id = id };
	const struct weight *found =
	    weighing->n > 0 ? bsearch(&key, weighing->tasks, weighing->n, sizeof key, by_id) : NULL;

	return found ? found->bytes : 0;
}

/* How many of the N tasks in IDS have to go, from the front, for the rest to be light enough. */
static uint64_t
count_over(const struct weighing *weighing, const uint64_t *ids, size_t n)
{
	uint64_t total = 0, over = 0;

	for (size_t i = 0; i < n; i++)
		total += weight_of(weighing, ids[i]);
	while (over < n && total > weighing->limit)
		total -= weight_of(weighing, ids[over++]);
	return over;
}

static void
weigh_all(struct job *job)
{
	struct weighing *weighing = (struct weighing *)job;
	const struct roster_env *env = &weighing->roster->env;
	size_t n = 0, room = (size_t)store_due_count(env->store);
	uint64_t *ids = calloc(room ? room : 1, sizeof *ids);
	DIR *dir = open_dir(env->attempts_fd, ".");
	const struct dirent *entry;
	bool fits = true;

	while (dir && fits && (entry = readdir(dir))) {
		uint64_t id = strtoull(entry->d_name, NULL, 10);

		if (id > 0)
			fits = add(weighing, id, weigh_attempt(env->attempts_fd, entry->d_name));
	}
	if (dir)
		closedir(dir);
	merge(weighing);
	if (ids && fits && store_due(env->store, UINT64_MAX, ids, room, &n) == 0)
		weighing->overweight = count_over(weighing, ids, n);
	free(ids);
}

static void
on_weighed(struct job *job)
{
	struct weighing *weighing = (struct weighing *)job;
	struct roster *roster = weighing->roster;

	roster->overweight = weighing->overweight;
	roster->weigh_at_ms = clock_boot_ms() + AGAIN_MS;
	roster->is_weighing = false;
	if (roster->overweight > 0)
		ev_feed_event(roster->env.loop, &roster->retention, EV_TIMER);
	free(weighing->tasks);
	free(weighing);
}

void
weigh(struct roster *roster)
{
	struct weighing *weighing;

	if (roster->env.retention.bytes == UINT64_MAX || roster->is_weighing ||
	    clock_boot_ms() < roster->weigh_at_ms)
		return;
	weighing = calloc(1, sizeof *weighing);
	if (!weighing)
		return;
	*weighing = (struct weighing){ .job = { .work = weigh_all, .done = on_weighed },
		.roster = roster,
		.limit = roster->env.retention.bytes };
	roster->is_weighing = true;
	jobs_add(roster->env.files, &weighing->job);
}
