/*
 * ipc/mp.h - walked msgpack as a tree, for documents whose shape is not a fixed struct
 * (RPC results on their way to JSON, any-typed values).
 */
#ifndef IPC_MP_H
#define IPC_MP_H

#include "ipc/walk.h"

#include <msgpack.h>
#include <stdbool.h>

struct mp_doc {
	msgpack_zone zone;
	msgpack_object root; /* strings point into the bytes it was parsed from */
};

/* Walks, then unpacks. DATA must outlive the doc. 0, -EBADMSG, -EMSGSIZE, -ENOMEM.
 * On failure no mp_free is needed. */
int mp_parse(struct mp_doc *doc, const void *data, size_t len, const struct walk_limits *limits);
void mp_free(struct mp_doc *doc);

/* The value of KEY in MAP, or NULL (also when MAP is NULL or no map). */
const msgpack_object *mp_get(const msgpack_object *map, const char *key);

/* Typed access with a default for absent or differently typed values. */
uint64_t mp_uint(const msgpack_object *value, uint64_t otherwise);
double mp_double(const msgpack_object *value, double otherwise);
bool mp_bool(const msgpack_object *value, bool otherwise);
bool mp_is_nil(const msgpack_object *value); /* NULL counts as nil */
bool mp_str_is(const msgpack_object *value, const char *text);
/* An owned, NUL-terminated copy, or NULL when it is no string. */
char *mp_str_dup(const msgpack_object *value);

#endif
