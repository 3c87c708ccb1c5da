#include "store/batch.h"

#include "ipc/frame.h"
#include "store/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH_MAX_BYTES = 64 * 1024 * 1024,
	FIRST_OPS = 4,
	MAX_META_NAME = 100
};

struct store_batch *
store_batch_new(void)
{
	struct store_batch *batch = calloc(1, sizeof *batch);

	if (batch)
		buf_init(&batch->bytes, BATCH_MAX_BYTES);
	return batch;
}

void
store_batch_free(struct store_batch *batch)
{
	if (!batch)
		return;
	buf_fini(&batch->bytes);
	free(batch->ops);
	free(batch);
}

/* Room for one more, so that op_end cannot fail for want of it. */
static int
reserve_op(struct store_batch *batch)
{
	size_t room = batch->room ? batch->room * 2 : FIRST_OPS;
	struct op *ops;

	if (batch->nops < batch->room)
		return 0;
	ops = reallocarray(batch->ops, room, sizeof *ops);
	if (!ops)
		return -ENOMEM;
	batch->ops = ops;
	batch->room = room;
	return 0;
}

static int
add_bare_op(struct store_batch *batch, enum op_kind kind, uint64_t id)
{
	int r = reserve_op(batch);

	if (r == 0)
		batch->ops[batch->nops++] = (struct op){ .kind = kind, .id = id };
	return r;
}

/* Begins a value: OP says where, room for the seal is made. op_end adds it, or takes it back. */
static int
op_begin(struct store_batch *batch, enum op_kind kind, uint64_t id, struct op *ret_op)
{
	static const uint8_t seal[SEAL_BYTES];
	int r = reserve_op(batch);

	if (r < 0)
		return r;
	*ret_op = (struct op){ .kind = kind, .id = id, .at = batch->bytes.len };
	return buf_add(&batch->bytes, seal, sizeof seal);
}

/* What did not fit leaves nothing behind: the batch is as it was. */
static void
op_undo(struct store_batch *batch, size_t bytes_before)
{
	batch->bytes.len = bytes_before;
	batch->bytes.error = 0;
}

static void
op_end(struct store_batch *batch, struct op *op)
{
	const uint8_t *payload = batch->bytes.data + op->at + SEAL_BYTES;

	op->len = batch->bytes.len - op->at;
	op->payload_crc = crc32c(0, payload, op->len - SEAL_BYTES);
	batch->ops[batch->nops++] = *op;
}

int
store_batch_put_task(struct store_batch *batch, const struct record *record)
{
	size_t before = batch->bytes.len, row_at;
	struct op op;
	int r = op_begin(batch, OP_PUT_TASK, record->id, &op);

	if (r == 0)
		r = head_encode(record, &batch->bytes);
	row_at = batch->bytes.len;
	if (r == 0)
		r = codec_encode(&record_codec, record, &batch->bytes);
	if (r < 0) {
		op_undo(batch, before);
		return r;
	}
	batch->task_at = row_at;
	batch->task_len = batch->bytes.len - row_at;
	op_end(batch, &op);
	return 0;
}

int
store_batch_put_spec(struct store_batch *batch, uint64_t id, const void *spec, size_t len)
{
	size_t before = batch->bytes.len;
	struct op op;
	int r = op_begin(batch, OP_PUT_SPEC, id, &op);

	if (r == 0)
		r = buf_add(&batch->bytes, spec, len);
	if (r < 0)
		op_undo(batch, before);
	else
		op_end(batch, &op);
	return r;
}

int
store_batch_add_event(struct store_batch *batch, const struct fact *event)
{
	struct store_key task = store_key1(event->task);
	size_t before = batch->bytes.len;
	struct op op;
	int r = op_begin(batch, OP_ADD_EVENT, event->task, &op);

	if (r == 0)
		r = buf_add(&batch->bytes, task.bytes, EVENT_HEAD);
	if (r == 0)
		r = codec_encode(&fact_codec, event, &batch->bytes);
	if (r < 0) {
		op_undo(batch, before);
		return r;
	}
	op_end(batch, &op);
	batch->nevents++;
	return 0;
}

int
store_batch_delete_task(struct store_batch *batch, uint64_t id)
{
	return add_bare_op(batch, OP_DELETE_TASK, id);
}

int
store_batch_trim_events(struct store_batch *batch, uint64_t seq)
{
	return add_bare_op(batch, OP_TRIM_EVENTS, seq);
}

int
store_batch_put_meta(struct store_batch *batch, const char *key, const void *value, size_t len)
{
	static const char others = META_OTHERS;
	size_t before = batch->bytes.len, name_len = strlen(key) + 1;
	struct op op;
	int r;

	if (name_len > MAX_META_NAME)
		return -EINVAL;
	buf_add(&batch->bytes, &others, 1);
	buf_add(&batch->bytes, key, name_len - 1);
	r = op_begin(batch, OP_PUT_META, 0, &op);
	if (r == 0)
		r = buf_add(&batch->bytes, value, len);
	if (r < 0) {
		op_undo(batch, before);
		return r;
	}
	op.name_len = name_len;
	op_end(batch, &op);
	return 0;
}

int
store_batch_add_run(struct store_batch *batch, const struct history *run)
{
	size_t before = batch->bytes.len;
	struct op op = { .kind = OP_ADD_RUN, .at = before };
	int r = reserve_op(batch);

	if (r == 0)
		r = codec_encode(&history_codec, run, &batch->bytes);
	if (r < 0) {
		op_undo(batch, before);
		return r;
	}
	op.len = batch->bytes.len - op.at;
	batch->ops[batch->nops++] = op;
	return 0;
}

size_t
store_batch_bytes(const struct store_batch *batch)
{
	return batch->bytes.len + batch->nops * sizeof *batch->ops;
}

bool
store_batch_is_empty(const struct store_batch *batch)
{
	return batch->nops == 0;
}

const uint8_t *
store_batch_task_bytes(const struct store_batch *batch, size_t *ret_len)
{
	*ret_len = batch->task_len;
	return batch->task_len > 0 ? batch->bytes.data + batch->task_at : NULL;
}

uint64_t
store_batch_first_seq(const struct store_batch *batch)
{
	return batch->nevents > 0 ? batch->first_seq : 0;
}

size_t
store_batch_event_count(const struct store_batch *batch)
{
	return batch->nevents;
}
