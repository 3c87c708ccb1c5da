#include "ipc/logfile.h"

#include "ipc/fd.h"
#include "ipc/le.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = { 'R', 'E', 'E', 'V', 'E', 'L', 'O', 'G' };

enum {
	SEGMENTS_MAX = 64 /* looked at; the writer keeps LOG_KEEP_HEAD + LOG_KEEP_TAIL */
};

const char *
log_stream_name(enum log_stream stream)
{
	switch (stream) {
	case LOG_STREAM_OUT:
		return "stdout";
	case LOG_STREAM_ERR:
		return "stderr";
	case LOG_STREAM_REEVE:
		return "reeve";
	}
	return "invalid";
}

void
log_entry_head(uint8_t head[static LOG_ENTRY_HEAD], const struct log_entry *entry)
{
	put_le(head, entry->len, 4);
	head[4] = entry->stream;
	head[5] = entry->flags;
	put_le(head + 6, entry->step, 2);
	put_le(head + 8, entry->ts_ms, 8);
}

int
log_entry_next(const void *data, size_t len, struct log_entry *ret_entry, size_t *ret_used)
{
	const uint8_t *head = data;
	size_t text_len;

	if (len < LOG_ENTRY_HEAD)
		return 0;
	text_len = (size_t)get_le(head, 4);
	if (text_len > LOG_ENTRY_TEXT || head[4] < LOG_STREAM_OUT || head[4] > LOG_STREAM_REEVE)
		return -EBADMSG;
	if (len < LOG_ENTRY_HEAD + text_len)
		return 0;
	ret_entry->ts_ms = get_le(head + 8, 8);
	ret_entry->step = (uint16_t)get_le(head + 6, 2);
	ret_entry->stream = head[4];
	ret_entry->flags = head[5];
	ret_entry->text = (const char *)head + LOG_ENTRY_HEAD;
	ret_entry->len = text_len;
	*ret_used = LOG_ENTRY_HEAD + text_len;
	return 1;
}

size_t
log_entry_output(const struct log_entry *entry)
{
	if (entry->stream == LOG_STREAM_REEVE)
		return 0;
	return entry->len + !(entry->flags & LOG_FLAG_MORE);
}

/* ---- segments --------------------------------------------------------------------- */

struct segment {
	uint64_t index;
	uint64_t begin; /* logical offset of its first entry */
	uint64_t dropped;
	uint64_t end;
};

static int
open_segment(int dirfd, uint64_t index)
{
	char name[32];
	int fd;

	snprintf(name, sizeof name, "log.%" PRIu64, index);
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ELOOP ? -ENOENT : -errno; /* the writer makes no links */
	return fd;
}

/* What the segment's own head and size say. 0, -ENOENT for none (yet), -EBADMSG, -errno. */
static int
look_at(int fd, struct segment *segment)
{
	uint8_t head[LOG_SEGMENT_HEAD];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	n = pread(fd, head, sizeof head, 0);
	if (n < 0)
		return -errno;
	if (n < (ssize_t)sizeof head)
		return -ENOENT;
	if (memcmp(head, magic, sizeof magic) != 0)
		return -EBADMSG;
	segment->begin = get_le(head + sizeof magic, 8);
	segment->dropped = get_le(head + sizeof magic + 8, 8);
	segment->end = segment->begin + (uint64_t)st.st_size - LOG_SEGMENT_HEAD;
	return segment->end < segment->begin ? -EBADMSG : 0;
}

static bool
parse_name(const char *name, uint64_t *ret_index)
{
	static const char prefix[] = "log.";
	char *end;

	if (strncmp(name, prefix, strlen(prefix)) != 0 || !name[4] ||
	    strspn(name + 4, "0123456789") > 18)
		return false;
	*ret_index = strtoull(name + 4, &end, 10);
	return *end == '\0';
}

static int
compare_segments(const void *left, const void *right)
{
	const struct segment *a = left, *b = right;

	return (a->index > b->index) - (a->index < b->index);
}

/* Notes the segment called NAME, if it is one that can be read. 1 noted, 0 not, -errno. */
static int
note_segment(int dirfd, const char *name, struct segment *segment)
{
	int fd, r;

	if (!parse_name(name, &segment->index))
		return 0;
	fd = open_segment(dirfd, segment->index);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = look_at(fd, segment);
	fd_close(&fd);
	if (r == -ENOENT || r == -EBADMSG)
		return 0;
	return r < 0 ? r : 1;
}

/* Every segment there is, in order: their number, or -errno. */
static int
list_segments(int dirfd, struct segment segments[static SEGMENTS_MAX])
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int n = 0, r = dir ? 0 : -errno;
	struct dirent *entry;

	if (!dir) {
		fd_close(&fd);
		return r;
	}
	while (r >= 0 && n < SEGMENTS_MAX && (entry = readdir(dir))) {
		r = note_segment(dirfd, entry->d_name, &segments[n]);
		if (r > 0)
			n++;
	}
	closedir(dir);
	if (r < 0)
		return r;
	qsort(segments, (size_t)n, sizeof *segments, compare_segments);
	return n;
}

/* ---- reading ------------------------------------------------------------------------ */

/* How many of LEN bytes are whole entries that begin before logical offset UNTIL. */
static size_t
whole_entries(const uint8_t *data, size_t len, uint64_t begin, uint64_t until)
{
	struct log_entry entry;
	size_t at = 0, used;

	while (begin + at < until && log_entry_next(data + at, len - at, &entry, &used) == 1)
		at += used;
	return at;
}

/* A piece of one segment: room the caller gave, and where in the log its bytes stand. */
struct view {
	uint8_t *data;
	size_t room;
	size_t len;
	uint64_t offset;
};

/* Fills VIEW from its offset. 0 or -errno. */
static int
load(int fd, const struct segment *segment, struct view *view)
{
	off_t at = (off_t)(view->offset - segment->begin + LOG_SEGMENT_HEAD);
	ssize_t n = pread(fd, view->data, view->room, at);

	if (n < 0)
		return -errno;
	view->len = (size_t)n;
	return 0;
}

/*
 * Leaves in VIEW the whole entries from FROM on, of SEGMENT alone; none is an empty view, standing
 * where they end. Entries are followed from the segment's beginning: an offset from outside need
 * not be that of one.
 */
static int
load_entries(int fd, const struct segment *segment, uint64_t from, struct view *view)
{
	size_t before = 0;

	view->offset = segment->begin;
	do {
		int r;

		view->offset += before;
		r = load(fd, segment, view);
		if (r < 0)
			return r;
		before = whole_entries(view->data, view->len, view->offset, from);
	} while (before > 0);
	view->len = whole_entries(view->data, view->len, view->offset, UINT64_MAX);
	return 0;
}

static int
read_segment(int dirfd, const struct segment *segment, uint64_t from, struct view *view)
{
	int fd = open_segment(dirfd, segment->index), r;

	view->len = 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = load_entries(fd, segment, from, view);
	fd_close(&fd);
	return r;
}

ssize_t
logfile_read(int dirfd, uint64_t from, void *data, size_t len, uint64_t *ret_offset)
{
	struct view view = { .data = data, .room = len };
	struct segment segments[SEGMENTS_MAX] = { { .index = 0 } };
	int n = list_segments(dirfd, segments);

	if (n < 0)
		return n;
	for (int i = 0; i < n && view.len == 0; i++) {
		int r = segments[i].end > from ? read_segment(dirfd, &segments[i], from, &view) : 0;

		if (r < 0)
			return r;
	}
	*ret_offset = view.len > 0 ? view.offset : from;
	return (ssize_t)view.len;
}

/* The end of SEGMENT's last whole entry: a worker that was killed leaves a torn one behind it. */
static int
find_end(int dirfd, const struct segment *segment, uint64_t *ret_end)
{
	struct view view = { .room = (size_t)64 * 1024, .offset = segment->begin };
	int r;

	view.data = malloc(view.room);
	if (!view.data)
		return -ENOMEM;
	r = read_segment(dirfd, segment, UINT64_MAX, &view);
	free(view.data);
	if (r == 0)
		*ret_end = view.offset;
	return r;
}

int
logfile_extent(int dirfd, uint64_t *ret_end, uint64_t *ret_dropped)
{
	struct segment segments[SEGMENTS_MAX] = { { .index = 0 } };
	uint64_t end = 0, dropped = 0;
	int n = list_segments(dirfd, segments);

	if (n < 0)
		return n;
	if (n > 0) {
		int r = find_end(dirfd, &segments[n - 1], &end);

		if (r < 0)
			return r;
		dropped = segments[n - 1].dropped;
	}
	*ret_end = end;
	*ret_dropped = dropped;
	return 0;
}
