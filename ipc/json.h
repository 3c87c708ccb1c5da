/*
 * ipc/json.h - msgpack to JSON text (RFC 8259), for people and scripts.
 *
 * NaN and infinities become null, bin becomes base64, ext becomes null, bytes that are
 * not UTF-8 become U+FFFD. Keys keep their order.
 */
#ifndef IPC_JSON_H
#define IPC_JSON_H

#include "ipc/buf.h"

#include <msgpack/object.h>

enum json_style {
	JSON_COMPACT,
	JSON_PRETTY
};

int json_write(struct buf *out, const msgpack_object *object, enum json_style style);
/* Appends one quoted string. */
int json_write_string(struct buf *out, const char *text, size_t len);

#endif
