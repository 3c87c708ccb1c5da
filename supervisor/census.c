#include "supervisor/census.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void
census_init(struct census *census)
{
	*census = (struct census){ 0 };
	pthread_mutex_init(&census->lock, NULL);
}

void
census_fini(struct census *census)
{
	pthread_mutex_destroy(&census->lock);
	free(census->entries);
}

int
census_open(struct census *census)
{
	pthread_mutex_lock(&census->lock);
	if (census->n == census->room) {
		size_t room = census->room ? census->room * 2 : 16;
		struct census_entry *entries = reallocarray(census->entries, room, sizeof *entries);

		if (!entries) {
			pthread_mutex_unlock(&census->lock);
			return -ENOMEM;
		}
		census->entries = entries;
		census->room = room;
	}
	return 0;
}

void
census_close(struct census *census)
{
	pthread_mutex_unlock(&census->lock);
}

void
census_enter(struct census *census, pid_t pid, uint64_t start_ticks)
{
	assert(census->n < census->room);
	census->entries[census->n++] =
	    (struct census_entry){ .pid = pid, .start_ticks = start_ticks };
}

static struct census_entry *
find(const struct census *census, pid_t pid, uint64_t start_ticks)
{
	for (size_t i = 0; i < census->n; i++)
		if (census->entries[i].pid == pid && census->entries[i].start_ticks == start_ticks)
			return &census->entries[i];
	return NULL;
}

void
census_leave(struct census *census, pid_t pid, uint64_t start_ticks)
{
	struct census_entry *entry;

	pthread_mutex_lock(&census->lock);
	entry = find(census, pid, start_ticks);
	if (entry)
		*entry = census->entries[--census->n];
	pthread_mutex_unlock(&census->lock);
}

bool
census_has(struct census *census, pid_t pid, uint64_t start_ticks)
{
	bool has;

	pthread_mutex_lock(&census->lock);
	has = find(census, pid, start_ticks) != NULL;
	pthread_mutex_unlock(&census->lock);
	return has;
}
