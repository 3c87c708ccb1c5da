/*
 * store/place.h - the directory the store lives in: whose it is, what file system it is on,
 * the ballast, and whether the disk under it is full. Knows nothing of LMDB. For this room only.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True for file systems of other machines or of processes, by statfs(2)'s f_type: LMDB's locks and
 * its shared map cannot be relied on there. */
bool place_is_remote(uint64_t fs_magic);

/*
 * Opens DIR and sees to it that it is a directory of ours and nobody else's (0700), on a file
 * system that will do. *ret_fd is the caller's. 0; -EPERM: it is another user's; -ENOTSUP: the
 * file system; -errno.
 */
int place_open(const char *dir, int *ret_fd);

/* Makes `ballast` at least BYTES long, or removes it. 0, -ENOSPC, -errno. */
int place_ballast_restore(int dir_fd, size_t bytes);
int place_ballast_release(int dir_fd);

/* True when a file of BYTES could not be written here now, or one that ends at FILE_END. */
bool place_is_full(int dir_fd, uint64_t bytes, uint64_t file_end);

#endif
