#include "worker/pull/part.h"

#include "ipc/codec.h"
#include "ipc/fd.h"
#include "worker/pull/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	READ_BYTES = 1024 * 1024,
	STAT_BLOCK = 512
};

/* ---- names and the lock --------------------------------------------------------------- */

static int
open_directory(struct part *part, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory;
	int r = 0;

	if (!slash)
		directory = strdup(".");
	else
		directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!directory)
		return -ENOMEM;
	if (slash)
		r = fd_mkdir_all(directory, 0777);
	if (r == 0) {
		part->dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (part->dirfd == -1)
			r = -errno;
	}
	free(directory);
	return r;
}

static int
make_names(struct part *part, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EISDIR;
	part->name = strdup(name);
	if (asprintf(&part->part_name, "%s.part", name) < 0)
		part->part_name = NULL;
	if (asprintf(&part->meta_name, "%s.part.meta", name) < 0)
		part->meta_name = NULL;
	if (asprintf(&part->meta_tmp, "%s.part.meta.tmp", name) < 0)
		part->meta_tmp = NULL;
	return part->name && part->part_name && part->meta_name && part->meta_tmp ? 0 : -ENOMEM;
}

int
part_open(struct part *part, const char *path)
{
	struct stat info;
	int r;

	*part = (struct part){ .dirfd = -1, .fd = -1 };
	/* Not knowing the boot only costs what was not synced. */
	if (proc_boot_id(part->boot_id) != 0)
		part->boot_id[0] = '\0';
	r = digest_init(&part->digest);
	if (r == 0)
		r = make_names(part, path);
	if (r == 0)
		r = open_directory(part, path);
	if (r == 0 && fstatat(part->dirfd, part->name, &info, 0) == 0 && S_ISDIR(info.st_mode))
		r = -EISDIR;
	if (r != 0)
		part_close(part);
	return r;
}

void
part_close(struct part *part)
{
	if (!part->digest.ctx)
		return;
	fd_close(&part->fd);
	fd_close(&part->dirfd);
	free(part->name);
	free(part->part_name);
	free(part->meta_name);
	free(part->meta_tmp);
	meta_free(&part->meta);
	digest_fini(&part->digest);
	*part = (struct part){ .dirfd = -1, .fd = -1 };
}

static bool
is_at(const struct part *part, const char *name)
{
	struct stat ours, there;

	return fstat(part->fd, &ours) == 0 &&
	       fstatat(part->dirfd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* A file that somebody else can reach by another name, or that is no file, is not written to. */
static int
open_part(struct part *part)
{
	struct stat info;

	part->fd = openat(part->dirfd, part->part_name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
	if (part->fd == -1)
		return errno == ELOOP || errno == EISDIR || errno == ENXIO ? -EPERM : -errno;
	if (fstat(part->fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode) || info.st_nlink > 1 || info.st_uid != geteuid())
		return -EPERM;
	return 0;
}

int
part_lock(struct part *part)
{
	int r;

	for (;;) {
		if (part->fd == -1) {
			r = open_part(part);
			if (r != 0)
				break;
		}
		r = fd_lock(part->fd);
		if (r != 0)
			break;
		if (is_at(part, part->part_name))
			return 0;
		/* Whoever had it has finished or dropped it meanwhile. */
		if (is_at(part, part->name)) {
			r = -EEXIST;
			break;
		}
		fd_close(&part->fd);
	}
	if (r != -EAGAIN)
		fd_close(&part->fd);
	return r;
}

int
part_peek(const struct part *part, struct meta *ret_meta)
{
	return meta_load(part->dirfd, part->meta_name, ret_meta);
}

/* ---- going on and starting again ------------------------------------------------------ */

/* How many of SIZE bytes can be trusted to be what META's answer sent. */
static uint64_t
trusted_bytes(const struct part *part, const struct meta *meta, uint64_t size)
{
	bool same_boot =
	    meta->boot_id && part->boot_id[0] && strcmp(meta->boot_id, part->boot_id) == 0;

	if (!same_boot && size > meta->synced)
		size = meta->synced;
	return meta->has_size && size > meta->size ? 0 : size;
}

static int
cut_to(struct part *part, uint64_t size)
{
	if (ftruncate(part->fd, (off_t)size) < 0)
		return -errno;
	part->have = part->kept = size;
	return 0;
}

int
part_resume(struct part *part, const char *url, bool will_prove)
{
	struct meta meta = { 0 };
	struct stat info;
	uint64_t keep = 0;
	int r;

	if (fstat(part->fd, &info) < 0)
		return -errno;
	r = part_peek(part, &meta);
	/* A sidecar that says nothing is as good as none. */
	if (r == 0 && meta.url && strcmp(meta.url, url) == 0 &&
	    (will_prove || meta_validator(&meta)))
		keep = trusted_bytes(part, &meta, (uint64_t)info.st_size);
	r = cut_to(part, keep);
	if (r == 0)
		r = digest_restart(&part->digest);
	meta_free(&part->meta);
	if (r == 0 && keep > 0)
		part->meta = meta;
	else
		meta_free(&meta);
	return r;
}

/* Feeds MAX_BYTES from the start of FD to DIGEST; *ret_bytes is how many there were. */
static int
hash_fd(int fd, uint64_t max_bytes, struct digest *digest, part_progress_fn on_progress, void *arg,
    uint64_t *ret_bytes)
{
	uint8_t *data = malloc(READ_BYTES);
	uint64_t done = 0;
	int r = data ? 0 : -ENOMEM;

	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while (r == 0 && done < max_bytes) {
		size_t want =
		    max_bytes - done < READ_BYTES ? (size_t)(max_bytes - done) : READ_BYTES;
		ssize_t n = fd_read_all(fd, data, want);

		if (n < 0)
			r = (int)n;
		if (n <= 0)
			break;
		r = digest_update(digest, data, (size_t)n);
		done += (uint64_t)n;
		on_progress(done, arg);
	}
	free(data);
	*ret_bytes = done;
	return r;
}

int
part_hash_kept(struct part *part, part_progress_fn on_progress, void *arg)
{
	uint64_t done = 0;
	int r;

	if (lseek(part->fd, 0, SEEK_SET) < 0)
		return -errno;
	r = digest_restart(&part->digest);
	if (r == 0)
		r = hash_fd(part->fd, part->have, &part->digest, on_progress, arg, &done);
	return r == 0 && done != part->have ? -EIO : r;
}

static int
remember_boot(struct part *part)
{
	return str_set(&part->meta.boot_id, part->boot_id[0] ? part->boot_id : NULL);
}

int
part_restart(struct part *part, struct meta *meta)
{
	int r;

	/* The old sidecar goes first: it must never stand beside the new file's bytes. */
	if (unlinkat(part->dirfd, part->meta_name, 0) < 0 && errno != ENOENT)
		return -errno;
	r = cut_to(part, 0);
	if (r == 0)
		r = digest_restart(&part->digest);
	if (r != 0)
		return r;
	meta_free(&part->meta);
	part->meta = *meta;
	*meta = (struct meta){ 0 };
	part->meta.synced = 0;
	r = remember_boot(part);
	return r == 0 ? meta_save(part->dirfd, part->meta_name, &part->meta, false) : r;
}

/* ---- writing -------------------------------------------------------------------------- */

int
part_reserve(struct part *part, uint64_t total, uint64_t *ret_missing)
{
	struct statvfs fs;
	struct stat info;
	uint64_t held, missing, free_bytes;

	if (total > INT64_MAX)
		return -EFBIG;
	if (fstat(part->fd, &info) < 0 || fstatvfs(part->fd, &fs) < 0)
		return -errno;
	held = (uint64_t)info.st_blocks * STAT_BLOCK;
	missing = total > held ? total - held : 0;
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (missing > free_bytes) {
		*ret_missing = missing - free_bytes;
		return -ENOSPC;
	}
	if (total <= part->have)
		return 0;
	/* Beyond the end, so that the length stays what was received. Not every file system can. */
	if (fallocate(
		part->fd, FALLOC_FL_KEEP_SIZE, (off_t)part->have, (off_t)(total - part->have)) == 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR)
		return 0;
	if (errno == ENOSPC || errno == EDQUOT) {
		(void)!ftruncate(part->fd, (off_t)part->have); /* gives back what it had got */
		*ret_missing = 0;
		return -ENOSPC;
	}
	return -errno;
}

int
part_append(struct part *part, const void *data, size_t len)
{
	const uint8_t *at = data;
	int r;

	while (len > 0) {
		ssize_t n = pwrite(part->fd, at, len, (off_t)part->have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno != EDQUOT ? -errno : -ENOSPC;
		r = digest_update(&part->digest, at, (size_t)n);
		if (r != 0)
			return r;
		at += n;
		len -= (size_t)n;
		part->have += (uint64_t)n;
	}
	return 0;
}

int
part_sync(struct part *part)
{
	int r;

	if (fdatasync(part->fd) < 0)
		return -errno;
	part->meta.synced = part->have;
	r = remember_boot(part);
	if (r == 0)
		r = meta_save(part->dirfd, part->meta_name, &part->meta, true);
	/* The file's own room is reserved: no room for the sidecar only costs a crash some bytes.
	 */
	return r == -ENOSPC || r == -EDQUOT ? 0 : r;
}

/* And what a kill in the middle of writing one left of it. */
static void
remove_sidecar(const struct part *part)
{
	(void)unlinkat(part->dirfd, part->meta_name, 0);
	(void)unlinkat(part->dirfd, part->meta_tmp, 0);
}

int
part_commit(struct part *part)
{
	/* Cutting at the end gives back room that was reserved and not needed. */
	if (ftruncate(part->fd, (off_t)part->have) < 0 || fsync(part->fd) < 0)
		return -errno;
	if (renameat(part->dirfd, part->part_name, part->dirfd, part->name) < 0)
		return -errno;
	remove_sidecar(part);
	/* Some network file systems cannot; there is nothing better to do on them. */
	return fsync(part->dirfd) < 0 && errno != EINVAL ? -errno : 0;
}

void
part_discard(struct part *part)
{
	remove_sidecar(part);
	(void)unlinkat(part->dirfd, part->part_name, 0);
}

/* ---- what is there already ------------------------------------------------------------ */

int
part_hash_target(struct part *part, uint64_t want_bytes, part_progress_fn on_progress, void *arg,
    char ret_text[static DIGEST_TEXT], uint64_t *ret_bytes)
{
	struct stat info;
	int fd, r = 0;

	fd = openat(part->dirfd, part->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	if (fstat(fd, &info) < 0)
		r = -errno;
	else if (!S_ISREG(info.st_mode) ||
		 (want_bytes != HTTP_UNKNOWN && (uint64_t)info.st_size != want_bytes))
		r = -ENOENT;
	if (r == 0)
		r = digest_restart(&part->digest);
	if (r == 0)
		r = hash_fd(fd, UINT64_MAX, &part->digest, on_progress, arg, ret_bytes);
	if (r == 0)
		r = digest_hex(&part->digest, ret_text);
	fd_close(&fd);
	return r;
}
