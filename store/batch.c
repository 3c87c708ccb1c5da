#include "store/batch.h"

#include "ipc/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 64 * 1024 * 1024, ROW_MAX = 4 * 1024 * 1024 };
enum { HEAD_FIXED = 10, MAX_OWNERS = 8 };

struct store_batch *
store_batch_new(void)
{
	struct store_batch *batch = calloc(1, sizeof *batch);

	if (batch)
		buf_init(&batch->bytes, BATCH_MAX);
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

static struct op *
add_op(struct store_batch *batch, enum op_kind kind, uint64_t id)
{
	if (batch->nops == batch->room) {
		size_t room = batch->room ? batch->room * 2 : 4;
		struct op *ops = reallocarray(batch->ops, room, sizeof *ops);

		if (!ops)
			return NULL;
		batch->ops = ops;
		batch->room = room;
	}
	batch->ops[batch->nops] = (struct op){ .kind = kind, .id = id };
	return &batch->ops[batch->nops++];
}

static void
put_le(uint8_t *to, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t
get_le(const uint8_t *from, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)from[i] << (8 * i);
	return value;
}

/* Leaves room for the seal; seal_end fills it in. */
static size_t
seal_begin(struct store_batch *batch)
{
	size_t at = batch->bytes.len;

	buf_add(&batch->bytes, "\0\0\0\0", SEAL_BYTES);
	return at;
}

static int
seal_end(struct store_batch *batch, struct op *op, size_t at)
{
	int r = buf_error(&batch->bytes);
	uint8_t *value = batch->bytes.data + at;

	if (r < 0)
		return r;
	op->at = at;
	op->len = batch->bytes.len - at;
	put_le(value, crc32c(0, value + SEAL_BYTES, op->len - SEAL_BYTES), SEAL_BYTES);
	return 0;
}

int
seal_open(const void *value, size_t len, const uint8_t **ret_payload, size_t *ret_len)
{
	const uint8_t *bytes = value;

	if (len < SEAL_BYTES || get_le(bytes, 4) != crc32c(0, bytes + SEAL_BYTES, len - SEAL_BYTES))
		return -EUCLEAN;
	*ret_payload = bytes + SEAL_BYTES;
	*ret_len = len - SEAL_BYTES;
	return 0;
}

static void
row_head_add(struct buf *out, const struct row_head *head)
{
	uint8_t bytes[HEAD_FIXED + 8 * MAX_OWNERS];

	bytes[0] = head->is_active;
	put_le(bytes + 1, head->expires_ms, 8);
	bytes[9] = head->nowners;
	for (size_t i = 0; i < head->nowners; i++)
		put_le(bytes + HEAD_FIXED + 8 * i, head->owners[i], 8);
	buf_add(out, bytes, HEAD_FIXED + 8u * head->nowners);
}

int
row_head_open(const uint8_t *payload, size_t len, struct row_head *ret_head,
    const uint8_t **ret_row, size_t *ret_len)
{
	size_t size;

	if (len < HEAD_FIXED || payload[0] > 1 || payload[9] > MAX_OWNERS)
		return -EUCLEAN;
	size = HEAD_FIXED + 8u * payload[9];
	if (len < size)
		return -EUCLEAN;
	*ret_head = (struct row_head){ .is_active = payload[0], .expires_ms = get_le(payload + 1, 8),
		.nowners = payload[9] };
	for (size_t i = 0; i < ret_head->nowners; i++)
		ret_head->owners[i] = get_le(payload + HEAD_FIXED + 8 * i, 8);
	*ret_row = payload + size;
	*ret_len = len - size;
	return 0;
}

static struct row_head
head_of(const struct record *record)
{
	struct row_head head = { .is_active = !task_state_is_end(record->state),
		.expires_ms = record->expires_ms };

	for (size_t i = 0; i < record->persons.n && head.nowners < MAX_OWNERS; i++) {
		bool known = false;

		for (size_t k = 0; k < head.nowners; k++)
			known |= head.owners[k] == record->persons.v[i].uid;
		if (!known)
			head.owners[head.nowners++] = record->persons.v[i].uid;
	}
	return head;
}

int
store_batch_put_task(struct store_batch *batch, const struct record *record)
{
	struct op *op = add_op(batch, OP_PUT_TASK, record->id);
	struct buf row;
	size_t at;
	int r;

	if (!op)
		return -ENOMEM;
	op->head = head_of(record);
	op->has_token = record->token.len == 18;
	if (op->has_token)
		memcpy(op->token, record->token.data + 2, sizeof op->token);
	at = seal_begin(batch);
	row_head_add(&batch->bytes, &op->head);
	buf_init(&row, ROW_MAX);
	r = codec_encode(&record_codec, record, &row);
	if (r == 0) {
		batch->task_at = batch->bytes.len;
		batch->task_len = row.len;
		buf_add(&batch->bytes, row.data, row.len);
		r = seal_end(batch, op, at);
	}
	buf_fini(&row);
	return r;
}

int
store_batch_put_spec(struct store_batch *batch, uint64_t id, const void *spec, size_t len)
{
	struct op *op = add_op(batch, OP_PUT_SPEC, id);
	size_t at;

	if (!op)
		return -ENOMEM;
	at = seal_begin(batch);
	buf_add(&batch->bytes, spec, len);
	return seal_end(batch, op, at);
}

int
store_batch_add_event(struct store_batch *batch, const struct fact *event)
{
	struct op *op = add_op(batch, OP_ADD_EVENT, event->task);
	struct buf bytes;
	size_t at;
	int r;

	if (!op)
		return -ENOMEM;
	buf_init(&bytes, LIMIT_FRAME * 2);
	r = codec_encode(&fact_codec, event, &bytes);
	if (r == 0) {
		at = seal_begin(batch);
		buf_add(&batch->bytes, bytes.data, bytes.len);
		r = seal_end(batch, op, at);
		batch->nevents++;
	}
	buf_fini(&bytes);
	return r;
}

int
store_batch_delete_task(struct store_batch *batch, uint64_t id)
{
	return add_op(batch, OP_DELETE_TASK, id) ? 0 : -ENOMEM;
}

int
store_batch_trim_events(struct store_batch *batch, uint64_t seq)
{
	return add_op(batch, OP_TRIM, seq) ? 0 : -ENOMEM;
}

int
store_batch_put_meta(struct store_batch *batch, const char *key, const void *value, size_t len)
{
	struct op *op = add_op(batch, OP_PUT_META, 0);
	size_t at;

	if (!op || strlen(key) >= sizeof op->key)
		return op ? -EINVAL : -ENOMEM;
	strcpy(op->key, key);
	at = seal_begin(batch);
	buf_add(&batch->bytes, value, len);
	return seal_end(batch, op, at);
}

size_t
store_batch_bytes(const struct store_batch *batch)
{
	return batch->bytes.len + batch->nops * 64;
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
