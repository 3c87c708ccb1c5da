/* store/batch.h - what a batch holds between being built and being applied. For this room only. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/env.h"

enum op_kind {
	OP_PUT_TASK = 1,
	OP_PUT_SPEC,
	OP_ADD_EVENT,
	OP_DELETE_TASK,
	OP_TRIM_EVENTS,
	OP_PUT_META,
	OP_ADD_RUN /* its value is encoded and not sealed: it becomes part of another */
};

struct op {
	enum op_kind kind;
	uint64_t id;          /* task, or the sequence number to trim to */
	size_t name_len;      /* OP_PUT_META: the key's bytes, which stand before the value */
	size_t at, len;       /* of its value, SEAL_BYTES included, in the batch's bytes */
	uint32_t payload_crc; /* the seal is closed over it and the key when that is known */
};

/* A task's events begin with its id, so that trimming finds their index entries. */
enum {
	EVENT_HEAD = 8
};

enum {
	BATCH_MAX_TRIM = 1000
};

struct store_batch {
	struct buf bytes;
	struct op *ops;
	size_t nops, room;
	size_t task_at, task_len; /* the row last put, in bytes; len 0: none */
	uint64_t first_seq;       /* once applied */
	size_t nevents;
};

#endif
