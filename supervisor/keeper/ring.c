#include "supervisor/keeper/ring.h"

#include "ipc/fd.h"
#include "ipc/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int
draw_instance(char text[static KEEPER_INSTANCE_TEXT])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return -errno;
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* A supervisor gone mad shall neither write here nor cut off what we have mapped. memfd_create(2).
 */
static int
seal(int fd)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

	return fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

/* A sealed ring cannot be written through a new mapping: its content is taken over. */
static int
draw_or_copy(struct reap_ring *map, int left)
{
	struct stat info;
	struct reap_ring *old;
	bool is_ours;

	map->keeper_pid = (int32_t)getpid();
	map->keeper_start_ticks = proc_self_start();
	if (left < 0 || fstat(left, &info) < 0 || info.st_size != (off_t)sizeof *map)
		return draw_instance(map->instance);
	old = mmap(NULL, sizeof *old, PROT_READ, MAP_SHARED, left, 0);
	if (old == MAP_FAILED)
		return draw_instance(map->instance);
	is_ours = old->magic == REAP_RING_MAGIC && old->keeper_pid == map->keeper_pid &&
		  old->keeper_start_ticks == map->keeper_start_ticks;
	if (is_ours)
		*map = *old;
	munmap(old, sizeof *old);
	return is_ours ? 0 : draw_instance(map->instance);
}

int
ring_open(struct ring *ring, int left)
{
	int r;

	ring->map = NULL;
	ring->fd = memfd_create("reeve-reaps", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ring->fd < 0)
		return -errno;
	if (ftruncate(ring->fd, sizeof *ring->map) < 0) {
		r = -errno;
		ring_close(ring);
		return r;
	}
	ring->map = mmap(NULL, sizeof *ring->map, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (ring->map == MAP_FAILED) {
		ring->map = NULL;
		ring_close(ring);
		return -ENOMEM;
	}
	r = seal(ring->fd);
	if (r == 0)
		r = draw_or_copy(ring->map, left);
	if (r < 0) {
		ring_close(ring);
		return r;
	}
	ring->map->magic = REAP_RING_MAGIC;
	return 0;
}

void
ring_close(struct ring *ring)
{
	if (ring->map)
		munmap(ring->map, sizeof *ring->map);
	ring->map = NULL;
	fd_close(&ring->fd);
}

void
ring_note(struct ring *ring, const siginfo_t *info)
{
	uint64_t count = ring->map->count;
	struct reap_record *record = &ring->map->records[count % REAP_RING_SIZE];
	struct proc_stat stat;
	uint64_t start_ticks = proc_stat(info->si_pid, &stat) == 0 ? stat.start_ticks : 0;

	/* Each with release order: who reads one of these sees the count before it too, and knows
	 * that the record that stood here is being written over (supervisor/reaps.c). */
	__atomic_store_n(&record->pid, info->si_pid, __ATOMIC_RELEASE);
	__atomic_store_n(&record->code, info->si_code, __ATOMIC_RELEASE);
	__atomic_store_n(&record->status, info->si_status, __ATOMIC_RELEASE);
	__atomic_store_n(&record->start_ticks, start_ticks, __ATOMIC_RELEASE);
	__atomic_store_n(&ring->map->count, count + 1, __ATOMIC_RELEASE);
}
