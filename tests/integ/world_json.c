#include "tests/integ/world_json.h"

#include "ipc/json.h"

#include <check.h>

void
world_json_text(const msgpack_object *object, struct buf *out)
{
	ck_assert_int_eq(json_write(out, object, JSON_COMPACT), 0);
}
