#include "supervisor/reaps.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

int
reaps_open(struct reaps *reaps, int fd)
{
	struct stat info;
	void *map;

	reaps->ring = NULL;
	if (fstat(fd, &info) < 0)
		return -errno;
	if ((uint64_t)info.st_size < sizeof(struct reap_ring))
		return -EINVAL;
	map = mmap(NULL, sizeof(struct reap_ring), PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	reaps->ring = map;
	if (reaps->ring->magic == REAP_RING_MAGIC)
		return 0;
	reaps_close(reaps);
	return -EINVAL;
}

void
reaps_close(struct reaps *reaps)
{
	union {
		const void *given;
		void *taken;
	} map = { .given = reaps->ring };

	if (reaps->ring)
		munmap(map.taken, sizeof *reaps->ring);
	reaps->ring = NULL;
}

const char *
reaps_instance(const struct reaps *reaps)
{
	return reaps->ring->instance;
}

pid_t
reaps_keeper_pid(const struct reaps *reaps)
{
	return reaps->ring->keeper_pid;
}

/*
 * Record NUMBER, counted from the first one ever. False when the keeper has begun to write over it:
 * each field is read with acquire order, so that a newer one brings the count that it came after.
 */
static bool
read_record(const struct reap_ring *ring, uint64_t number, struct reap_record *ret_record)
{
	const struct reap_record *record = &ring->records[number % REAP_RING_SIZE];

	ret_record->pid = __atomic_load_n(&record->pid, __ATOMIC_ACQUIRE);
	ret_record->code = __atomic_load_n(&record->code, __ATOMIC_ACQUIRE);
	ret_record->status = __atomic_load_n(&record->status, __ATOMIC_ACQUIRE);
	ret_record->start_ticks = __atomic_load_n(&record->start_ticks, __ATOMIC_ACQUIRE);
	return __atomic_load_n(&ring->count, __ATOMIC_RELAXED) < number + REAP_RING_SIZE;
}

bool
reaps_find(const struct reaps *reaps, pid_t pid, uint64_t start_ticks, struct exit_info *ret_exit)
{
	uint64_t count = __atomic_load_n(&reaps->ring->count, __ATOMIC_ACQUIRE);
	struct reap_record record;

	for (uint64_t i = count; i-- > 0 && read_record(reaps->ring, i, &record);) {
		if (record.pid != pid || record.start_ticks != start_ticks)
			continue;
		*ret_exit = (struct exit_info){ .known = true };
		if (record.code == CLD_EXITED)
			ret_exit->code = record.status;
		else
			ret_exit->signal = record.status;
		return true;
	}
	return false;
}
