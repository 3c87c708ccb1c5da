#include "supervisor/ingest.h"

#include "ipc/failpoint.h"
#include "ipc/frame.h"
#include "ipc/task.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = LIMIT_FRAME + JOURNAL_HEAD
};

struct reading {
	struct ingest_cursor *cursor;
	ingest_fn fn;
	void *arg;
};

/* Takes the frames that are whole in DATA: 0 when it ran out of bytes, INGEST_BAD, or -errno. */
static int
take_frames(struct reading *reading, const uint8_t *data, size_t len)
{
	struct journal_frame frame;
	size_t at = 0;
	int r;

	while ((r = journal_frame_next(data + at, len - at, &frame)) > 0) {
		struct fact fact;

		if (frame.seq != reading->cursor->next_seq)
			return INGEST_BAD;
		r = codec_decode(&fact_codec, frame.body, frame.len, &fact, NULL);
		if (r < 0)
			return r == -ENOMEM ? r : INGEST_BAD;
		r = reading->fn(&fact, reading->arg);
		if (r < 0)
			return r;
		at += frame.used;
		reading->cursor->offset += frame.used;
		reading->cursor->next_seq++;
	}
	return r < 0 ? INGEST_BAD : 0;
}

/* What stands behind the last frame: nothing, zeros that no frame was written over yet, or a piece.
 */
static int
end_of(int fd, const struct ingest_cursor *cursor, const uint8_t *unread, size_t len)
{
	struct stat info;

	if (fstat(fd, &info) < 0)
		return -errno;
	if ((uint64_t)info.st_size < cursor->offset)
		return INGEST_CUT;
	for (size_t i = 0; i < len && i < sizeof(uint32_t); i++)
		if (unread[i] != 0)
			return INGEST_TORN;
	return INGEST_END;
}

int
ingest_read(int journal_fd, struct ingest_cursor *cursor, ingest_fn fn, void *arg)
{
	struct reading reading = { .cursor = cursor, .fn = fn, .arg = arg };
	uint64_t from = cursor->offset;
	uint8_t *data = malloc(CHUNK);
	ssize_t n;
	int r;

	if (!data)
		return -ENOMEM;
	n = pread(journal_fd, data, CHUNK, (off_t)from);
	(void)FAILPOINT("ingest.after_pread");
	if (n < 0)
		r = -errno;
	else
		r = take_frames(&reading, data, (size_t)n);
	if (r == 0 && n == CHUNK && cursor->offset > from)
		r = INGEST_MORE;
	else if (r == 0)
		r = end_of(journal_fd, cursor, data + (cursor->offset - from),
		    (size_t)n - (size_t)(cursor->offset - from));
	free(data);
	return r;
}
