/* store/batch.h - what a batch holds between being built and being applied. For this room only. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/store.h"

enum op_kind { OP_PUT_TASK = 1, OP_PUT_SPEC, OP_ADD_EVENT, OP_DELETE_TASK, OP_TRIM, OP_PUT_META };

/* What the indexes say of a row; stands before it in its value, so that a change can be diffed. */
struct row_head {
	uint64_t expires_ms;  /* 0: in no due index */
	uint64_t owners[8];   /* uids of its first persons */
	uint8_t nowners;
	bool is_active;
};

struct op {
	enum op_kind kind;
	uint64_t id;          /* task, or sequence number to trim to */
	size_t at, len;       /* of its value in bytes, sealed */
	struct row_head head; /* OP_PUT_TASK */
	uint8_t token[16];    /* OP_PUT_TASK of a new task */
	bool has_token;
	char key[32];         /* OP_PUT_META */
};

struct store_batch {
	struct buf bytes;
	struct op *ops;
	size_t nops, room;
	size_t task_at, task_len; /* the row last put, in bytes; len 0: none */
	uint64_t first_seq;       /* once applied */
	size_t nevents;
};

/* A value is a crc32c of what follows, little-endian, and what follows. */
enum { SEAL_BYTES = 4 };

/* The payload of a sealed value, or -EUCLEAN. */
int seal_open(const void *value, size_t len, const uint8_t **ret_payload, size_t *ret_len);

/* A row's payload is its head and its bytes. -EUCLEAN for a head that is none. */
int row_head_open(const uint8_t *payload, size_t len, struct row_head *ret_head,
    const uint8_t **ret_row, size_t *ret_len);

#endif
