/*
 * worker/pull/part.h - the partial file: PATH.part with PATH.part.meta beside it, until one
 * rename makes it PATH.
 *
 * A lock on the part makes one writer of it. Its length is the number of bytes received: room
 * is reserved beyond the end, never inside. Bytes written in this boot are trusted, whatever
 * killed the writer; after a crash of the machine only those that were synced.
 *
 * Knows nothing of HTTP. Every call may block on the disk.
 */
#ifndef WORKER_PULL_PART_H
#define WORKER_PULL_PART_H

#include "ipc/proc.h"
#include "worker/pull/digest.h"
#include "worker/pull/meta.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct part {
	char *name;      /* last component of PATH */
	char *part_name; /* NAME.part */
	char *meta_name; /* NAME.part.meta */
	char *meta_tmp;  /* NAME.part.meta.tmp: what fd_write_file renames */
	int dirfd;       /* where they are */
	int fd;          /* the part, -1 before part_lock */
	uint64_t have;   /* bytes in it; the digest covers them once part_hash_kept has run */
	uint64_t kept;   /* bytes of them from an earlier answer than the present one */
	struct meta meta;
	struct digest digest;
	char boot_id[BOOT_ID_TEXT]; /* empty: unknown */
};

/* Makes missing directories. 0; -EISDIR: PATH names a directory; -errno. */
int part_open(struct part *part, const char *path);
void part_close(struct part *part); /* leaves the files; legal on a zeroed part and after failure */

/*
 * Takes the part, creating it. 0; -EAGAIN: another process has it; -EEXIST: what another process
 * had is PATH by now; -EPERM: it is no plain file of this user's alone; -errno.
 */
int part_lock(struct part *part);

/* What is in the sidecar now, for a look while another process has the lock. */
int part_peek(const struct part *part, struct meta *ret_meta);

/*
 * Decides how much of what is there can be gone on with for URL and cuts the rest off: nothing from
 * another URL; without a validator only when a digest will judge the whole (WILL_PROVE).
 */
int part_resume(struct part *part, const char *url, bool will_prove);

/* Reads the kept bytes into the digest, telling how far it is. 0 or -errno. */
typedef void (*part_progress_fn)(uint64_t done, void *arg);
int part_hash_kept(struct part *part, part_progress_fn on_progress, void *arg);

/* Empty again, for a file that META describes (moved; empty afterwards). 0 or -errno. */
int part_restart(struct part *part, struct meta *meta);

/* Makes sure that TOTAL bytes fit. 0; -ENOSPC: *ret_missing bytes are missing; -errno. */
int part_reserve(struct part *part, uint64_t total, uint64_t *ret_missing);

int part_append(struct part *part, const void *data, size_t len);

/* From here on even a crash of the machine keeps what is there. */
int part_sync(struct part *part);

/* The part, complete, becomes PATH; what was there is replaced. Durable when 0. */
int part_commit(struct part *part);

/* Removes part and sidecar. */
void part_discard(struct part *part);

/*
 * The SHA-256 of the plain file at PATH: 0; -ENOENT: there is none, or (size not HTTP_UNKNOWN)
 * none of SIZE bytes.
 */
int part_hash_target(struct part *part, uint64_t want_bytes, part_progress_fn on_progress,
    void *arg, char ret_text[static DIGEST_TEXT], uint64_t *ret_bytes);

#endif
