/*
 * worker/pull/meta.h - what is known about a partial file: PATH.part.meta, beside PATH.part.
 *
 * A msgpack map with names as keys. It may come from anybody and from any time: nothing in it
 * is believed beyond "this is what an earlier run wrote down".
 */
#ifndef WORKER_PULL_META_H
#define WORKER_PULL_META_H

#include <stdbool.h>
#include <stdint.h>

struct meta {
	char *url;           /* without user and password */
	char *etag;          /* strong, or NULL */
	char *last_modified; /* strong, or NULL */
	bool has_size;
	uint64_t size;   /* of the whole file */
	uint64_t synced; /* bytes of the part that are on the disk for certain */
	char *boot_id;   /* what was written in this boot is there even unsynced */
};

void meta_free(struct meta *meta); /* and leaves it empty */

/* 0, -ENOENT, -EBADMSG or -EMSGSIZE (no such file as this module writes), -errno. */
int meta_load(int dirfd, const char *name, struct meta *ret_meta);

/* Atomically. On the disk for certain when SYNC. */
int meta_save(int dirfd, const char *name, const struct meta *meta, bool sync);

/* What an If-Range header may say: the etag, else the date, else NULL. */
const char *meta_validator(const struct meta *meta);

#endif
