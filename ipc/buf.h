/*
 * ipc/buf.h - bytes that grow up to a hard maximum, and msgpack packed into them.
 *
 * The first failure sticks: after it every write is refused and buf_error() says
 * why, so a caller packs a whole message and asks once at its end.
 */
#ifndef IPC_BUF_H
#define IPC_BUF_H

#include <msgpack/pack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;    /* owned; NULL while nothing was written */
	size_t len;       /* bytes in use */
	size_t room;      /* bytes allocated, <= max_bytes */
	size_t max_bytes; /* writes beyond this fail with -EMSGSIZE */
	int error;        /* 0, or the -errno of the first refused write */
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_fini(struct buf *buf);

/* Forgets content and error, keeps the memory. */
void buf_clear(struct buf *buf);

/* Appends. Returns 0, -EMSGSIZE or -ENOMEM; sticky. */
int buf_add(struct buf *buf, const void *data, size_t len);

/* Removes the first LEN bytes (LEN <= buf->len). */
void buf_consume(struct buf *buf, size_t len);

/* Makes room for LEN more bytes and returns where they go, or NULL; the caller raises buf->len. */
uint8_t *buf_reserve(struct buf *buf, size_t len);

int buf_error(const struct buf *buf);

/* Gives the bytes away: the caller frees *ret_data. BUF is empty afterwards. */
void buf_take(struct buf *buf, uint8_t **ret_data, size_t *ret_len);

/* A packer that writes into BUF. BUF must outlive it. */
void buf_packer(struct buf *buf, msgpack_packer *ret_packer);

/* Shorthands: a NUL-terminated string (nil when TEXT is NULL), and string keys of maps. */
void pack_str(msgpack_packer *packer, const char *text);
void pack_kv_str(msgpack_packer *packer, const char *key, const char *value);
void pack_kv_uint(msgpack_packer *packer, const char *key, uint64_t value);
void pack_kv_int(msgpack_packer *packer, const char *key, int64_t value);
void pack_kv_bool(msgpack_packer *packer, const char *key, bool value);
void pack_kv_double(msgpack_packer *packer, const char *key, double value); /* NaN packs nil */
void pack_kv_nil(msgpack_packer *packer, const char *key);

#endif
