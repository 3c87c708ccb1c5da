/* tests/integ/world_json.h - apart from world.h, since jansson and ipc/json.h share names. */
#ifndef TESTS_INTEG_WORLD_JSON_H
#define TESTS_INTEG_WORLD_JSON_H

#include "ipc/buf.h"

#include <msgpack/object.h>

/* OBJECT as JSON text. */
void world_json_text(const msgpack_object *object, struct buf *out);

#endif
