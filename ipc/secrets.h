/*
 * ipc/secrets.h - values that are never written down: names and values in a sealed file in memory.
 *
 * That is how they travel beside a request, and how they are kept while a task waits. The bytes
 * are one msgpack map by name, {secrets: {NAME: VALUE}}. memfd_create(2), F_ADD_SEALS in fcntl(2).
 */
#ifndef IPC_SECRETS_H
#define IPC_SECRETS_H

#include "ipc/codec.h"

enum {
	SECRETS_MAX = 32 * 1024 /* bytes encoded, of one task */
};

/* *ret_fd is owned. 0; -EMSGSIZE: more than SECRETS_MAX; -errno. */
int secrets_fd_make(const struct pairs *secrets, int *ret_fd);

/* Reads what another process made. 0; -EINVAL: it is no file in memory that nobody can change any
 * more, and so might block or differ tomorrow; -EMSGSIZE, -EBADMSG, -ENOMEM. Does not block. */
int secrets_fd_read(int fd, struct pairs *ret_secrets);

/* The same bytes in a buffer of the caller's. secrets_encode returns their number or -EMSGSIZE. */
int secrets_encode(const struct pairs *secrets, uint8_t bytes[static SECRETS_MAX]);
int secrets_decode(const void *bytes, size_t len, struct pairs *ret_secrets);

/* Overwrites the values and frees all. */
void secrets_wipe(struct pairs *secrets);

#endif
