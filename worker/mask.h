/*
 * worker/mask.h - puts *** where a secret stands in what a step says.
 *
 * Looked for are the values as they are, and each line of those of several lines. What a step
 * makes of a value (base64, one half of it) is not recognised.
 */
#ifndef WORKER_MASK_H
#define WORKER_MASK_H

#include "ipc/codec.h"

#include <stdbool.h>

struct mask_secret {
	char *text; /* owned */
	size_t len;
};

struct mask {
	struct mask_secret *v; /* the longest first */
	size_t n;              /* 0: everything passes */
	bool begins[256];      /* some secret begins with this byte */
};

/* 0 or -ENOMEM; mask_fini it whatever happened. */
int mask_init(struct mask *mask, const struct pairs *secrets);
void mask_fini(struct mask *mask);

/* One more, from now on. Likewise. */
int mask_add(struct mask *mask, const char *value);

/* True when a secret stands in these bytes. */
bool mask_finds(const struct mask *mask, const void *data, size_t len);

/* TEXT with its secrets masked, never longer than it was; owned. NULL: there are none in it, or,
 * with *ret_error -ENOMEM, no memory. */
char *mask_text(const struct mask *mask, const char *text, int *ret_error);

/* Bytes in pieces, of which the last may be the beginning of a secret: that is held back. */
struct mask_stream {
	struct buf held;
};
typedef void (*mask_fn)(const void *data, size_t len, void *arg);

void mask_stream_init(struct mask_stream *stream);
void mask_stream_fini(struct mask_stream *stream);
/* Gives EMIT what is safe to be seen. What there is no memory for is left out. */
void mask_stream_feed(const struct mask *mask, struct mask_stream *stream, const void *data,
    size_t len, mask_fn emit, void *arg);
/* Nothing follows: what was held back is none. */
void mask_stream_end(const struct mask *mask, struct mask_stream *stream, mask_fn emit, void *arg);

#endif
