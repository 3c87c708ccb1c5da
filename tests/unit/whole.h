/* tests/unit/whole.h - a struct with a member of every type a codec knows, and its tables. */
#ifndef TESTS_UNIT_WHOLE_H
#define TESTS_UNIT_WHOLE_H

#include "ipc/codec.h"

struct part {
	char *name;
	uint64_t number;
	double share;
};
struct parts {
	struct part *v;
	size_t n;
};
enum colour {
	COLOUR_RED = 1,
	COLOUR_BLUE = 2
};
struct whole {
	uint64_t u;
	int64_t i;
	bool b;
	enum colour e;
	double d;
	char *s;
	struct blob blob;
	struct strs strs;
	struct pairs pairs;
	struct part part;
	struct parts parts;
	struct blob rest;
};

static const struct codec_field part_fields[] = {
	CODEC_FIELD(1, STR, struct part, name, 8),
	CODEC_FIELD(2, UINT, struct part, number, 100),
	CODEC_FIELD(3, DOUBLE, struct part, share, 0),
};
static const struct codec part_codec = { .name = "part",
	.size = sizeof(struct part),
	.fields = part_fields,
	.nfields = 3,
	.limits = &walk_frame_limits };

static const struct codec_field whole_fields[] = {
	CODEC_FIELD(1, UINT, struct whole, u, 0),
	CODEC_FIELD(2, INT, struct whole, i, 0),
	CODEC_FIELD(3, BOOL, struct whole, b, 0),
	CODEC_FIELD(4, ENUM, struct whole, e, COLOUR_BLUE),
	CODEC_FIELD(5, DOUBLE, struct whole, d, 0),
	CODEC_FIELD(6, STR, struct whole, s, 8),
	CODEC_FIELD(7, BLOB, struct whole, blob, 16),
	CODEC_FIELD(8, STRS, struct whole, strs, 3),
	CODEC_FIELD(9, PAIRS, struct whole, pairs, 4),
	CODEC_NESTED(10, STRUCT, struct whole, part, 0, &part_codec),
	CODEC_NESTED(11, LIST, struct whole, parts, 3, &part_codec),
	CODEC_FIELD(0, REST, struct whole, rest, 64),
};
#define WHOLE(...)                                                                       \
 {                                                                                       \
  .name = "whole", .size = sizeof(struct whole), .fields = whole_fields,                 \
  .nfields = sizeof whole_fields / sizeof whole_fields[0], .limits = &walk_frame_limits, \
  __VA_ARGS__                                                                            \
 }
static const struct codec whole_codec = WHOLE(.by_name = false);
static const struct codec named_codec = WHOLE(.by_name = true);
static const struct codec strict_codec = WHOLE(.by_name = true, .strict = true);

#endif
