/* log: pieces of a task's log, read on the file thread. */
#include "ipc/fd.h"
#include "ipc/logfile.h"
#include "supervisor/commands/commands.h"
#include "supervisor/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE = 64 * 1024
};

struct log_params {
	uint64_t id, attempt, offset, step;
};
static const struct codec_field log_params_fields[] = {
	CODEC_FIELD(1, UINT, struct log_params, id, 0),
	CODEC_FIELD(2, UINT, struct log_params, attempt, 0),
	CODEC_FIELD(3, UINT, struct log_params, offset, 0),
	CODEC_FIELD(4, UINT, struct log_params, step, LIMIT_STEPS),
};
static const struct codec log_params_codec = { .name = "params",
	.size = sizeof(struct log_params),
	.fields = log_params_fields,
	.nfields = 4,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

struct reading {
	struct job job;
	struct request request;
	struct log_params given;
	bool is_live; /* asked before reading: what is written later is for the next piece */
	uint8_t *data;
	ssize_t n;       /* bytes, or -errno */
	uint64_t offset; /* of the first of them */
	uint64_t end, dropped;
};

static void
read_piece(struct job *job)
{
	struct reading *reading = (struct reading *)job;
	char name[ATTEMPT_NAME];
	int dir = openat(reading->request.supervisor->attempts_fd,
	    launch_attempt_name(reading->given.id, reading->given.attempt, name),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (dir < 0) {
		reading->n = errno == ENOENT ? 0 : -errno;
		return;
	}
	logfile_extent(dir, &reading->end, &reading->dropped);
	reading->n =
	    logfile_read(dir, reading->given.offset, reading->data, PIECE, &reading->offset);
	fd_close(&dir);
}

static void
pack_entry(msgpack_packer *packer, const struct log_entry *entry, uint64_t offset)
{
	msgpack_pack_map(packer, 6);
	pack_kv_uint(packer, "offset", offset);
	pack_kv_uint(packer, "ts", entry->ts_ms);
	pack_kv_uint(packer, "step", entry->step);
	pack_kv_str(packer, "stream", log_stream_name((enum log_stream)entry->stream));
	pack_kv_bool(packer, "more", (entry->flags & LOG_FLAG_MORE) != 0);
	pack_str(packer, "text");
	msgpack_pack_str(packer, entry->len);
	msgpack_pack_str_body(packer, entry->text, entry->len);
}

/* Returns how many entries went into ITEMS; *ret_next is the offset behind the last one read. */
static uint32_t
pack_entries(const struct reading *reading, struct buf *items, uint64_t *ret_next)
{
	msgpack_packer packer;
	size_t at = 0, used;
	uint32_t n = 0;
	struct log_entry entry;

	buf_packer(items, &packer);
	while (reading->n > 0 &&
	       log_entry_next(reading->data + at, (size_t)reading->n - at, &entry, &used) > 0) {
		if (reading->given.step == 0 || reading->given.step == entry.step) {
			pack_entry(&packer, &entry, reading->offset + at);
			n++;
		}
		at += used;
	}
	*ret_next = at > 0 ? reading->offset + at : reading->given.offset;
	return n;
}

static void
on_read(struct job *job)
{
	struct reading *reading = (struct reading *)job;
	msgpack_packer packer;
	struct buf items, out;
	uint64_t next;
	uint32_t n;

	if (reading->n < 0) {
		reply_error(&reading->request, RPC_INTERNAL, NULL, "the log cannot be read: %s",
		    strerror((int)-reading->n));
	} else {
		buf_init(&items, LIMIT_RPC);
		n = pack_entries(reading, &items, &next);
		reply_begin(&reading->request, &out, &packer);
		msgpack_pack_map(&packer, 6);
		pack_kv_uint(&packer, "attempt", reading->given.attempt);
		pack_str(&packer, "entries");
		msgpack_pack_array(&packer, n);
		buf_add(&out, items.data, items.len);
		pack_kv_uint(&packer, "next", next);
		pack_kv_bool(&packer, "at_end", reading->n == 0 || next >= reading->end);
		pack_kv_uint(&packer, "dropped", reading->dropped);
		pack_kv_bool(&packer, "live", reading->is_live);
		reply_end(&reading->request, &out);
		buf_fini(&items);
	}
	free(reading->data);
	free(reading);
}

void
method_log(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct log_params given;
	struct reading *reading;
	struct record record;

	(void)fd;
	if (!request_decode(request, params, &log_params_codec, &given) ||
	    !request_find(request, given.id, &record))
		return;
	if (given.attempt == 0)
		given.attempt = record.attempt.number;
	reading = calloc(1, sizeof *reading);
	if (reading)
		reading->data = malloc(PIECE);
	if (!reading || !reading->data) {
		free(reading);
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
	} else {
		reading->request = *request;
		reading->given = given;
		reading->is_live = !task_state_is_end(record.state);
		reading->job = (struct job){ .work = read_piece, .done = on_read };
		jobs_add(&request->supervisor->files, &reading->job);
	}
	codec_free(&record_codec, &record);
}
