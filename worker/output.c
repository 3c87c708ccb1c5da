#include "worker/output.h"

#include "ipc/clock.h"
#include "ipc/failpoint.h"
#include "ipc/fd.h"
#include "ipc/le.h"
#include "worker/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BATCH_MAX = 128 * 1024,
	BATCH_WRITE = 48 * 1024,
	TAIL_ROOM = 4 * LIMIT_TAIL
};
enum {
	OLD_LINE_MS = 1000,
	KEPT_ROOM = 4096
};

static const char segment_magic[8] = { 'R', 'E', 'E', 'V', 'E', 'L', 'O', 'G' };

void
output_init(struct output *output, int attempts_fd, const char *name, const struct mask *mask)
{
	*output = (struct output){ .attempts_fd = attempts_fd,
		.name = name,
		.mask = mask,
		.dir_fd = -1,
		.segment_fd = -1 };
	buf_init(&output->batch, BATCH_MAX);
	buf_init(&output->tail, TAIL_ROOM);
	for (size_t i = 0; i < LOG_STREAM_ERR; i++) {
		buf_init(&output->lines[i].text, LOG_ENTRY_TEXT);
		mask_stream_init(&output->masked[i]);
	}
}

void
output_fini(struct output *output)
{
	fd_close(&output->segment_fd);
	fd_close(&output->dir_fd);
	buf_fini(&output->batch);
	buf_fini(&output->tail);
	for (size_t i = 0; i < LOG_STREAM_ERR; i++) {
		buf_fini(&output->lines[i].text);
		mask_stream_fini(&output->masked[i]);
	}
}

/* Bytes of output in DATA, whole entries. */
static uint64_t
output_bytes(const uint8_t *data, size_t len)
{
	struct log_entry entry;
	uint64_t bytes = 0;
	size_t used;

	while (log_entry_next(data, len, &entry, &used) == 1) {
		bytes += log_entry_output(&entry);
		data += used;
		len -= used;
	}
	return bytes;
}

static uint64_t *
kept_in(struct output *output, uint64_t segment)
{
	return &output->kept[segment % LOG_KEEP_TAIL];
}

static void
drop_middle_segment(struct output *output)
{
	char name[32];

	if (output->segment < LOG_KEEP_HEAD + LOG_KEEP_TAIL)
		return;
	output->dropped += *kept_in(output, output->segment - LOG_KEEP_TAIL);
	*kept_in(output, output->segment - LOG_KEEP_TAIL) = 0; /* once, if this is tried again */
	snprintf(
	    name, sizeof name, "log.%llu", (unsigned long long)(output->segment - LOG_KEEP_TAIL));
	unlinkat(output->dir_fd, name, 0);
}

static int
open_dir(struct output *output)
{
	if (output->dir_fd >= 0)
		return 0;
	if (mkdirat(output->attempts_fd, output->name, 0700) < 0 && errno != EEXIST)
		return -errno;
	output->dir_fd = openat(
	    output->attempts_fd, output->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return output->dir_fd < 0 ? -errno : 0;
}

static int
open_segment(struct output *output)
{
	uint8_t head[LOG_SEGMENT_HEAD];
	char name[32];
	int fd, r = open_dir(output);

	if (r < 0)
		return r;
	drop_middle_segment(output);
	snprintf(name, sizeof name, "log.%llu", (unsigned long long)output->segment);
	fd = openat(output->dir_fd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	memcpy(head, segment_magic, sizeof segment_magic);
	put_le(head + sizeof segment_magic, output->end, 8);
	put_le(head + sizeof segment_magic + 8, output->dropped, 8);
	if ((r = fd_write_all(fd, head, sizeof head)) < 0) {
		unlinkat(output->dir_fd, name, 0);
		fd_close(&fd);
		return r;
	}
	output->segment_fd = fd;
	*kept_in(output, output->segment++) = 0;
	output->used = sizeof head;
	return 0;
}

/* DATA are whole entries. After a failure the next ones go to a new segment, which shows the gap.
 */
static int
write_entries(struct output *output, const uint8_t *data, size_t len)
{
	ssize_t n;
	int r;

	if (output->segment_fd < 0 && (r = open_segment(output)) < 0)
		return r;
	if ((r = FAILPOINT("worker.log.before_write")) == 0) {
		do {
			n = write(output->segment_fd, data, len);
		} while (n < 0 && errno == EINTR);
		if (n >= 0 && (size_t)n == len) {
			output->used += len;
			return 0;
		}
		r = -ENOSPC;
	}
	(void)!ftruncate(output->segment_fd, (off_t)output->used);
	fd_close(&output->segment_fd);
	return r;
}

/* Bytes of whole entries from the batch that the present segment, or a new one, has room for. */
static size_t
fitting(const struct output *output)
{
	size_t room =
	    LOG_SEGMENT_BYTES - (output->segment_fd < 0 ? (size_t)LOG_SEGMENT_HEAD : output->used);
	size_t fits = 0, used = 0;
	struct log_entry entry;

	if (output->batch.len <= room)
		return output->batch.len;
	while (fits < output->batch.len &&
	       log_entry_next(output->batch.data + fits, output->batch.len - fits, &entry, &used) ==
		   1 &&
	       fits + used <= room)
		fits += used;
	return fits;
}

static void
flush_batch(struct output *output)
{
	while (output->batch.len > 0) {
		size_t len = fitting(output);
		uint64_t bytes = output_bytes(output->batch.data, len);

		if (len == 0) {
			fd_close(&output->segment_fd);
			continue;
		}
		if (write_entries(output, output->batch.data, len) == 0)
			*kept_in(output, output->segment - 1) += bytes;
		else
			output->dropped += bytes;
		output->end += len;
		buf_consume(&output->batch, len);
	}
	if (output->batch.room > KEPT_ROOM)
		buf_fini(&output->batch);
	buf_clear(&output->batch);
}

static void
remember(struct output *output, const char *text, size_t len, bool more)
{
	struct buf *tail = &output->tail;

	if (len > LIMIT_TAIL) {
		text += len - LIMIT_TAIL;
		len = LIMIT_TAIL;
	}
	if (tail->len + len + 1 > TAIL_ROOM)
		buf_consume(tail, tail->len - LIMIT_TAIL);
	buf_add(tail, text, len);
	if (!more)
		buf_add(tail, "\n", 1);
	if (buf_error(tail))
		buf_clear(tail); /* no memory for it: a failure will be told without last lines */
}

static void
add_entry(struct output *output, enum log_stream stream, const char *text, size_t len, bool more)
{
	uint8_t head[LOG_ENTRY_HEAD];
	size_t before;
	struct log_entry entry = { .ts_ms = clock_wall_ms(),
		.step = output->step,
		.stream = (uint8_t)stream,
		.flags = more ? LOG_FLAG_MORE : 0,
		.text = text,
		.len = len };

	log_entry_head(head, &entry);
	if (output->batch.len + sizeof head + len > BATCH_WRITE)
		flush_batch(output);
	before = output->batch.len;
	if (buf_add(&output->batch, head, sizeof head) < 0 ||
	    buf_add(&output->batch, text, len) < 0) {
		/* no memory: dropped, and counted */
		output->end += before + sizeof head + len;
		output->dropped +=
		    output_bytes(output->batch.data, before) + log_entry_output(&entry);
		buf_fini(&output->batch);
		fd_close(&output->segment_fd);
	}
	if (stream != LOG_STREAM_REEVE)
		remember(output, text, len, more);
}

static void
end_line(struct output *output, enum log_stream stream, bool more)
{
	struct output_line *line = &output->lines[stream - 1];

	if (line->text.len > 0 || !more)
		add_entry(output, stream, line->text.len ? (const char *)line->text.data : "",
		    line->text.len, more);
	line->goes_on = more;
	line->returned = false;
	line->drawn = 0;
	line->since_ms = 0;
	if (line->text.room > KEPT_ROOM)
		buf_fini(&line->text);
	buf_clear(&line->text);
}

/* What is the same in two versions of a line of which only numbers and marks differ. Never 0. */
static uint64_t
hash_letters(const struct buf *text)
{
	uint64_t hash = 14695981039346656037U;

	for (size_t i = 0; i < text->len; i++)
		if ((text->data[i] | 0x20) >= 'a' && (text->data[i] | 0x20) <= 'z')
			hash = (hash ^ text->data[i]) * 1099511628211U;
	return hash ? hash : 1;
}

/* Text follows a carriage return: what stood there is drawn over. */
static void
draw_over(struct output *output, enum log_stream stream)
{
	struct output_line *line = &output->lines[stream - 1];

	uint64_t letters = hash_letters(&line->text);

	if (letters == line->drawn ||
	    progress_is_bar((const char *)line->text.data, line->text.len - 1))
		buf_clear(&line->text);
	else
		end_line(output, stream, true);
	line->drawn = letters;
	line->returned = false;
}

static void
add_text(struct output *output, enum log_stream stream, const char *text, size_t len)
{
	struct output_line *line = &output->lines[stream - 1];

	while (len > 0) {
		size_t n = LOG_ENTRY_TEXT - line->text.len;

		n = len < n ? len : n;
		if (buf_add(&line->text, text, n) < 0) {
			/* no memory: dropped, and counted */
			output->end += n;
			output->dropped += line->text.len + n;
			fd_close(&output->segment_fd);
			buf_fini(&line->text);
		}
		text += n;
		len -= n;
		if (line->text.len == LOG_ENTRY_TEXT)
			end_line(output, stream, true);
	}
	if (line->since_ms == 0 && line->text.len > 0)
		line->since_ms = clock_boot_ms();
}

/* The carriage return of "\r\n" is no part of the line. */
static void
strip_return(struct output_line *line)
{
	if (line->returned && line->text.len > 0)
		line->text.len--;
	line->returned = false;
}

/* A line end or a carriage return. */
static void
take_end(struct output *output, enum log_stream stream, char end)
{
	struct output_line *line = &output->lines[stream - 1];

	if (end == '\n') {
		strip_return(line);
		end_line(output, stream, false);
		output->line_ends++;
	} else if (!line->returned && line->text.len > 0) {
		add_text(output, stream, "\r", 1);
		line->returned = line->text.len > 0;
	}
}

static void
feed_lines(struct output *output, enum log_stream stream, const void *data, size_t len)
{
	struct output_line *line = &output->lines[stream - 1];
	const char *text = data;

	while (len > 0) {
		size_t n = 0;

		if (line->returned && *text != '\n' && *text != '\r')
			draw_over(output, stream);
		while (n < len && text[n] != '\n' && text[n] != '\r')
			n++;
		add_text(output, stream, text, n);
		text += n;
		len -= n;
		if (len == 0)
			break;
		take_end(output, stream, *text);
		text++;
		len--;
	}
}

struct feeding {
	struct output *output;
	enum log_stream stream;
};

static void
on_masked(const void *data, size_t len, void *arg)
{
	const struct feeding *feeding = arg;

	feed_lines(feeding->output, feeding->stream, data, len);
}

void
output_feed(struct output *output, enum log_stream stream, const void *data, size_t len)
{
	struct feeding feeding = { output, stream };

	output->taken += len;
	mask_stream_feed(output->mask, &output->masked[stream - 1], data, len, on_masked, &feeding);
	flush_batch(output);
}

void
output_begin(struct output *output, uint16_t step)
{
	output->step = step;
	output->line_ends = 0;
	buf_fini(&output->tail);
}

void
output_say(struct output *output, const char *text)
{
	size_t len = strlen(text);

	add_entry(
	    output, LOG_STREAM_REEVE, text, len < LOG_ENTRY_TEXT ? len : LOG_ENTRY_TEXT, false);
	flush_batch(output);
}

int
output_flush_old(struct output *output, uint64_t now_ms)
{
	int next_ms = -1;

	for (int i = 0; i < LOG_STREAM_ERR; i++) {
		struct output_line *line = &output->lines[i];
		uint64_t due_ms = line->since_ms + OLD_LINE_MS;

		if (line->since_ms == 0 || line->returned)
			continue;
		if (now_ms >= due_ms)
			end_line(output, (enum log_stream)(i + 1), true);
		else if (next_ms < 0 || (int)(due_ms - now_ms) < next_ms)
			next_ms = (int)(due_ms - now_ms);
	}
	if (output->batch.len > 0)
		flush_batch(output);
	return next_ms;
}

void
output_end(struct output *output)
{
	for (int i = 0; i < LOG_STREAM_ERR; i++) {
		struct feeding feeding = { output, (enum log_stream)(i + 1) };
		struct output_line *line = &output->lines[i];

		mask_stream_end(output->mask, &output->masked[i], on_masked, &feeding);
		strip_return(line);
		if (line->text.len > 0 || line->goes_on)
			end_line(output, (enum log_stream)(i + 1), false);
		line->goes_on = false;
	}
	flush_batch(output);
}

/* Where the last LIMIT_TAIL bytes begin, moved on to a line's begin where there is one. */
static size_t
tail_begin(const struct buf *tail, size_t len)
{
	size_t begin = len - LIMIT_TAIL;
	const uint8_t *newline = memchr(tail->data + begin, '\n', len - begin);

	return newline ? (size_t)(newline + 1 - tail->data) : begin;
}

char *
output_tail(const struct output *output)
{
	const struct buf *tail = &output->tail;
	size_t len = tail->len, begin = 0;
	char *text;

	while (len > 0 && tail->data[len - 1] == '\n')
		len--;
	if (len == 0)
		return NULL;
	if (len > LIMIT_TAIL)
		begin = tail_begin(tail, len);
	text = malloc(len - begin + 1);
	if (!text)
		return NULL;
	memcpy(text, tail->data + begin, len - begin);
	text[len - begin] = '\0';
	for (size_t i = 0; i < len - begin; i++)
		if (text[i] == '\0')
			text[i] = '?';
	return text;
}
