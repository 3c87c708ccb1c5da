#include "supervisor/vault.h"

#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A slot is whole pages, so that a free one takes no memory. The head is written last. */
enum {
	PAGE = 4096,
	SLOT_BYTES = PAGE + SECRETS_MAX
};

struct head {
	uint64_t id; /* 0: free */
	uint64_t len;
};

static off_t
slot_at(size_t slot)
{
	return (off_t)slot * SLOT_BYTES;
}

static int
write_at(int fd, const void *data, size_t len, off_t at)
{
	ssize_t n = pwrite(fd, data, len, at);

	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -ENOSPC;
}

static void
free_slot(struct vault *vault, size_t slot)
{
	const struct head none = { 0 };

	/* Where there are no holes, memory is overwritten all the same. */
	if (fallocate(vault->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, slot_at(slot),
		SLOT_BYTES) < 0) {
		static const uint8_t zeros[SECRETS_MAX];

		(void)write_at(vault->fd, &none, sizeof none, slot_at(slot));
		(void)write_at(vault->fd, zeros, sizeof zeros, slot_at(slot) + PAGE);
	}
	vault->ids[slot] = 0;
}

static size_t
find(const struct vault *vault, uint64_t id)
{
	size_t slot = 0;

	while (slot < VAULT_SLOTS && vault->ids[slot] != id)
		slot++;
	return slot;
}

int
vault_open(struct vault *vault, int fd)
{
	memset(vault->ids, 0, sizeof vault->ids);
	vault->fd = fd >= 0 ? fd : memfd_create("reeve-vault", MFD_CLOEXEC);
	if (vault->fd < 0)
		return -errno;
	for (size_t slot = 0; slot < VAULT_SLOTS; slot++) {
		struct head head;
		ssize_t n = pread(vault->fd, &head, sizeof head, slot_at(slot));

		if (n == 0)
			break;
		if (n == (ssize_t)sizeof head)
			vault->ids[slot] = head.id;
	}
	return 0;
}

void
vault_close(struct vault *vault)
{
	fd_close(&vault->fd);
}

int
vault_put(struct vault *vault, uint64_t id, const struct pairs *secrets)
{
	uint8_t bytes[SECRETS_MAX];
	struct head head = { .id = id };
	size_t slot;
	int r = secrets_encode(secrets, bytes);

	if (r < 0)
		return r;
	head.len = (uint64_t)r;
	vault_drop(vault, id);
	slot = find(vault, 0);
	r = slot < VAULT_SLOTS ? write_at(vault->fd, bytes, head.len, slot_at(slot) + PAGE)
			       : -ENOSPC;
	explicit_bzero(bytes, sizeof bytes);
	if (r == 0)
		r = write_at(vault->fd, &head, sizeof head, slot_at(slot));
	if (r == 0)
		vault->ids[slot] = id;
	return r;
}

int
vault_get(const struct vault *vault, uint64_t id, struct pairs *ret_secrets)
{
	size_t slot = find(vault, id);
	uint8_t bytes[SECRETS_MAX];
	struct head head;
	int r;

	if (slot == VAULT_SLOTS)
		return -ENOENT;
	if (pread(vault->fd, &head, sizeof head, slot_at(slot)) != (ssize_t)sizeof head ||
	    head.len > sizeof bytes ||
	    pread(vault->fd, bytes, head.len, slot_at(slot) + PAGE) != (ssize_t)head.len)
		return -EIO;
	r = secrets_decode(bytes, head.len, ret_secrets);
	explicit_bzero(bytes, sizeof bytes);
	return r;
}

void
vault_drop(struct vault *vault, uint64_t id)
{
	size_t slot = find(vault, id);

	if (id != 0 && slot < VAULT_SLOTS)
		free_slot(vault, slot);
}

void
vault_sweep(struct vault *vault, bool (*is_wanted)(uint64_t id, void *arg), void *arg)
{
	for (size_t slot = 0; slot < VAULT_SLOTS; slot++)
		if (vault->ids[slot] != 0 && !is_wanted(vault->ids[slot], arg))
			free_slot(vault, slot);
}
