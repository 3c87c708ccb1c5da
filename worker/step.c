#include "worker/step.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "worker/step_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ten a second when it goes on for long; a short burst passes at once. */
enum {
	NEWS_INTERVAL_MS = 100,
	NEWS_AHEAD_MS = 1000
};

/* A value stands inside the message's map, so one level less than a frame has. */
static const struct walk_limits value_limits = { 7, 4000, LIMIT_VALUE };

static const char *const type_names[] = {
#define X(sym, num, name, help) [sym] = name,
	STEP_MSG_KINDS(X)
#undef X
};

/* A message before it is packed; what is zero is left out. */
struct message {
	enum step_msg_kind kind;
	bool has_fraction;
	double fraction;
	uint64_t done, total, rate, count;
	const char *label, *name, *detail, *text, *on, *holder;
	const void *value; /* msgpack bytes, or: */
	size_t value_len;
	const char *value_text;
};

static struct {
	int fd;
	uint64_t attempt;
	struct blob checkpoint;

	/* The latest news of each kind, while it is held back. */
	bool holds_fraction, holds_bytes, holds_label;
	double fraction;
	uint64_t done, total, rate;
	char label[LIMIT_TITLE + 1];
	uint64_t taken_until_ms;
} step = { .fd = -1, .attempt = 1 };

/* ---- the wire ------------------------------------------------------------------------ */

/* Bytes of TEXT up to MAX_BYTES, never half a UTF-8 character: a long label is no reason to fail.
 */
static size_t
cut(const char *text, size_t max_bytes)
{
	size_t len = strnlen(text, max_bytes + 1);

	if (len <= max_bytes)
		return len;
	len = max_bytes;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* Both return how many pairs they packed. */
static unsigned
pack_text(msgpack_packer *packer, const char *key, const char *text, size_t max_bytes)
{
	size_t len;

	if (!text)
		return 0;
	len = cut(text, max_bytes);
	pack_str(packer, key);
	msgpack_pack_str(packer, len);
	msgpack_pack_str_body(packer, text, len);
	return 1;
}

static unsigned
pack_number(msgpack_packer *packer, const char *key, uint64_t value)
{
	if (value > 0)
		pack_kv_uint(packer, key, value);
	return value > 0;
}

static void
pack(struct buf *out, const struct message *message)
{
	size_t head = out->len;
	msgpack_packer packer;
	unsigned pairs = 1;

	buf_packer(out, &packer);
	msgpack_pack_map(&packer, 0); /* the count goes in at the end: never more than 15 */
	pack_kv_str(&packer, "type", type_names[message->kind]);
	if (message->has_fraction) {
		pack_kv_double(&packer, "fraction", message->fraction);
		pairs++;
	}
	pairs += pack_number(&packer, "done", message->done);
	pairs += pack_number(&packer, "total", message->total);
	pairs += pack_number(&packer, "rate", message->rate);
	pairs += pack_number(&packer, "count", message->count);
	pairs += pack_text(&packer, "label", message->label, LIMIT_TITLE);
	pairs += pack_text(&packer, "name", message->name, LIMIT_NAME);
	pairs += pack_text(&packer, "detail", message->detail, LIMIT_TITLE);
	pairs += pack_text(&packer, "text", message->text, LIMIT_TEXT);
	pairs += pack_text(&packer, "on", message->on, LIMIT_NAME);
	pairs += pack_text(&packer, "holder", message->holder, LIMIT_TITLE);
	pairs += pack_text(&packer, "value", message->value_text, LIMIT_TEXT);
	if (message->value) {
		pack_str(&packer, "value");
		buf_add(out, message->value, message->value_len);
		pairs++;
	}
	if (buf_error(out) == 0)
		out->data[head] = (uint8_t)(0x80 | pairs);
}

static int
send_message(const struct message *message)
{
	struct buf out;
	size_t begin;
	int r;

	if (step.fd == -1)
		return 0;
	buf_init(&out, PIPE_HEAD + LIMIT_FRAME);
	begin = pipe_frame_begin(&out);
	pack(&out, message);
	r = pipe_frame_end(&out, begin, PIPE_HEAD + LIMIT_FRAME);
	if (r == 0)
		r = step_pipe_write(step.fd, out.data, out.len);
	buf_fini(&out);
	if (r == -EPIPE) {
		fd_close(&step.fd);
		r = 0;
	}
	return r;
}

/* ---- news: held to a rate, the latest wins -------------------------------------------- */

/* Each message takes up NEWS_INTERVAL_MS of time to come; at most NEWS_AHEAD_MS lie ahead. */
static bool
may_send_news(void)
{
	uint64_t now_ms = clock_boot_ms();

	if (step.taken_until_ms < now_ms)
		step.taken_until_ms = now_ms;
	if (step.taken_until_ms - now_ms >= NEWS_AHEAD_MS)
		return false;
	step.taken_until_ms += NEWS_INTERVAL_MS;
	return true;
}

static int
send_held_news(void)
{
	struct message message = { .label = step.holds_label ? step.label : NULL };
	int r = 0;

	if (step.holds_bytes) {
		message.kind = STEP_MSG_BYTES;
		message.done = step.done;
		message.total = step.total;
		message.rate = step.rate;
		r = send_message(&message);
		message = (struct message){ 0 };
	}
	if (r == 0 && step.holds_fraction) {
		message.kind = STEP_MSG_PROGRESS;
		message.has_fraction = true;
		message.fraction = step.fraction;
		r = send_message(&message);
	} else if (r == 0 && message.label) {
		message.kind = STEP_MSG_LABEL;
		r = send_message(&message);
	}
	step.holds_bytes = step.holds_fraction = step.holds_label = false;
	return r;
}

static int
offer_news(void)
{
	return may_send_news() ? send_held_news() : 0;
}

static void
hold_label(const char *label)
{
	size_t len = label ? cut(label, LIMIT_TITLE) : 0;

	if (!label)
		return;
	memcpy(step.label, label, len);
	step.label[len] = '\0';
	step.holds_label = true;
}

/* A fact never overtakes the news said before it. */
static int
send_fact(const struct message *message)
{
	int r = send_held_news();

	return r == 0 ? send_message(message) : r;
}

/* ---- opening and closing -------------------------------------------------------------- */

/* The fd named by VARIABLE, close-on-exec from here on: -ENOENT when it names none. */
static int
take_fd(const char *variable, int *ret_fd)
{
	const char *text = getenv(variable);
	char *end;
	long fd;

	if (!text || !*text)
		return -ENOENT;
	errno = 0;
	fd = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || fd > 1 << 20)
		return -EINVAL;
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	*ret_fd = (int)fd;
	return 0;
}

static int
read_body(int fd, uint8_t *body, size_t *ret_len)
{
	uint8_t head[PIPE_HEAD];
	ssize_t n = fd_read_all(fd, head, sizeof head);
	size_t len;

	if (n != (ssize_t)sizeof head)
		return n < 0 ? (int)n : -EBADMSG;
	len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
	if (len > LIMIT_FRAME)
		return -EMSGSIZE;
	n = fd_read_all(fd, body, len);
	if (n != (ssize_t)len)
		return n < 0 ? (int)n : -EBADMSG;
	*ret_len = len;
	return 0;
}

static int
read_start(int fd)
{
	struct step_start start;
	uint8_t *body = malloc(LIMIT_FRAME);
	size_t len = 0;
	int r;

	r = body ? read_body(fd, body, &len) : -ENOMEM;
	if (r == 0)
		r = codec_decode(&step_start_codec, body, len, &start, NULL);
	free(body);
	if (r != 0)
		return r;
	if (start.attempt > 0)
		step.attempt = start.attempt;
	step.checkpoint = start.checkpoint;
	start.checkpoint = (struct blob){ 0 };
	codec_free(&step_start_codec, &start);
	return 0;
}

int
step_open(void)
{
	int fd = -1, start_fd = -1, r;

	if (step.fd != -1)
		return 0;
	r = take_fd("REEVE_FD", &fd);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = take_fd("REEVE_START_FD", &start_fd);
	if (r == 0)
		r = read_start(start_fd);
	else if (r == -ENOENT)
		r = 0;
	fd_close(&start_fd);
	if (r != 0)
		return r;
	/* The channel is this program's alone: two writers would tear each other's frames. */
	unsetenv("REEVE_FD");
	unsetenv("REEVE_START_FD");
	step.fd = fd;
	return 0;
}

void
step_close(void)
{
	(void)send_held_news();
	fd_close(&step.fd);
	blob_free(&step.checkpoint);
	step.attempt = 1;
}

bool
step_is_supervised(void)
{
	return step.fd != -1;
}

uint64_t
step_attempt(void)
{
	return step.attempt;
}

const void *
step_checkpoint_given(size_t *ret_len)
{
	*ret_len = step.checkpoint.len;
	return step.checkpoint.data;
}

/* ---- what a step can say -------------------------------------------------------------- */

int
step_progress(double fraction, const char *label)
{
	if (step.fd == -1)
		return 0;
	if (isnan(fraction))
		return -EINVAL;
	step.fraction = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
	step.holds_fraction = true;
	hold_label(label);
	return offer_news();
}

int
step_bytes(uint64_t done, uint64_t total, uint64_t rate)
{
	if (step.fd == -1)
		return 0;
	step.done = done;
	step.total = total;
	step.rate = rate;
	step.holds_bytes = true;
	return offer_news();
}

int
step_label(const char *label)
{
	if (step.fd == -1)
		return 0;
	hold_label(label);
	return offer_news();
}

int
step_waiting(const char *on, const char *holder)
{
	if (on && !block_kind_by_step(on))
		return -EINVAL;
	return send_fact(&(struct message){ .kind = STEP_MSG_WAITING, .on = on, .holder = holder });
}

int
step_begin(const char *name, uint64_t count)
{
	return send_fact(&(struct message){ .kind = STEP_MSG_BEGIN, .name = name, .count = count });
}

int
step_complete(const char *detail)
{
	return send_fact(&(struct message){ .kind = STEP_MSG_COMPLETE, .detail = detail });
}

int
step_fail(const char *detail)
{
	return send_fact(&(struct message){ .kind = STEP_MSG_FAIL, .detail = detail });
}

static int
send_value(enum step_msg_kind kind, const void *msgpack, size_t len)
{
	struct message message = { .kind = kind, .value = msgpack, .value_len = len };
	int r;

	if (step.fd == -1)
		return 0;
	r = walk_whole(msgpack, len, &value_limits);
	return r == 0 ? send_fact(&message) : r;
}

static int
send_text_value(enum step_msg_kind kind, const char *text)
{
	if (step.fd != -1 && strlen(text) > LIMIT_TEXT)
		return -EMSGSIZE;
	return send_fact(&(struct message){ .kind = kind, .value_text = text });
}

int
step_checkpoint(const void *msgpack, size_t len)
{
	return send_value(STEP_MSG_CHECKPOINT, msgpack, len);
}

int
step_checkpoint_text(const char *text)
{
	return send_text_value(STEP_MSG_CHECKPOINT, text);
}

int
step_output(const char *name, const char *value)
{
	/* Outputs are used, not looked at: never cut. */
	if (step.fd != -1 && (strlen(name) > LIMIT_NAME || strlen(value) > LIMIT_TEXT))
		return -EMSGSIZE;
	return send_fact(&(struct message){ .kind = STEP_MSG_OUTPUT, .name = name, .text = value });
}

int
step_warning(const char *text)
{
	return send_fact(&(struct message){ .kind = STEP_MSG_WARNING, .text = text });
}

int
step_notification(const char *text)
{
	return send_fact(&(struct message){ .kind = STEP_MSG_NOTIFICATION, .text = text });
}

int
step_result_text(const char *text)
{
	return send_text_value(STEP_MSG_RESULT, text);
}

int
step_result(const void *msgpack, size_t len)
{
	return send_value(STEP_MSG_RESULT, msgpack, len);
}
