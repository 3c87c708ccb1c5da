#include "worker/journal.h"

#include "ipc/failpoint.h"
#include "ipc/frame.h"
#include "worker/oracle.h"

#include <errno.h>
#include <unistd.h>

enum {
	SCRATCH_KEPT = 4096
};

int
journal_open(struct journal *journal, int fd, uint64_t first_seq)
{
	uint32_t first = 0;

	*journal = (struct journal){ .fd = fd, .seq = first_seq - 1 };
	buf_init(&journal->scratch, JOURNAL_HEAD + LIMIT_FRAME);
	buf_init(&journal->waiting, JOURNAL_WAITING_MAX);
	if (pread(fd, &first, sizeof first, 0) < 0)
		return -errno;
	return first != 0 ? -EEXIST : 0; /* a length */
}

void
journal_fini(struct journal *journal)
{
	buf_fini(&journal->scratch);
	buf_fini(&journal->waiting);
}

size_t
journal_waiting(const struct journal *journal)
{
	return journal->waiting.len;
}

/* Errors that go away when somebody makes room. */
static bool
is_about_room(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG || error == -ENOMEM ||
	       error == -EAGAIN || error == -EINTR;
}

static int
settle(struct journal *journal, int error)
{
	if (is_about_room(error))
		return -EAGAIN;
	journal->error = error;
	return error;
}

static int
cut_torn(struct journal *journal)
{
	if (!journal->torn)
		return 0;
	if (ftruncate(journal->fd, journal->end) < 0)
		return -errno;
	journal->torn = false;
	return 0;
}

/* One frame, one write. */
static int
append(struct journal *journal, const uint8_t *frame, size_t len)
{
	ssize_t n;
	int r;

	if ((r = cut_torn(journal)) < 0 || (r = FAILPOINT("worker.journal.before_write")) < 0)
		return r;
	do {
		n = pwrite(journal->fd, frame, len, journal->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n < len) {
		journal->torn = true;
		(void)cut_torn(journal);
		return -ENOSPC;
	}
	journal->end += n;
	journal->unsynced = true;
	oracle_mark('=', frame, len);
	(void)FAILPOINT("worker.journal.after_write");
	return 0;
}

static int
keep_waiting(struct journal *journal, const uint8_t *frame, size_t len)
{
	if (buf_add(&journal->waiting, frame, len) < 0) {
		journal->error = -ENOBUFS;
		return -ENOBUFS;
	}
	return 0;
}

static int
take_frame(struct journal *journal, const uint8_t *frame, size_t len)
{
	int r;

	journal->seq++;
	oracle_mark('>', frame, len);
	if (journal->waiting.len > 0)
		return keep_waiting(journal, frame, len);
	r = append(journal, frame, len);
	if (r < 0)
		r = settle(journal, r);
	return r == -EAGAIN ? keep_waiting(journal, frame, len) : r;
}

int
journal_add(struct journal *journal, const struct fact *fact)
{
	struct buf frame;
	int r;

	if (journal->error)
		return journal->error;
	buf_init(&frame, JOURNAL_HEAD + LIMIT_FRAME);
	buf_clear(&journal->scratch);
	r = codec_encode(&fact_codec, fact, &journal->scratch);
	if (r == 0)
		r = journal_frame_encode(
		    &frame, journal->seq + 1, journal->scratch.data, journal->scratch.len);
	if (r == 0)
		r = take_frame(journal, frame.data, frame.len);
	buf_fini(&frame);
	if (journal->scratch.room > SCRATCH_KEPT)
		buf_fini(&journal->scratch);
	return r;
}

int
journal_retry(struct journal *journal)
{
	struct journal_frame frame;
	int r = 0;

	if (journal->error)
		return journal->error;
	while (journal->waiting.len > 0) {
		if (journal_frame_next(journal->waiting.data, journal->waiting.len, &frame) != 1)
			return settle(journal, -EBADMSG);
		if ((r = append(journal, journal->waiting.data, frame.used)) < 0)
			return settle(journal, r);
		buf_consume(&journal->waiting, frame.used);
	}
	if ((r = cut_torn(journal)) < 0)
		return settle(journal, r);
	if (journal->waiting.room > 0)
		buf_fini(&journal->waiting);
	return 0;
}

int
journal_sync(struct journal *journal)
{
	int r = journal_retry(journal);

	if (r < 0)
		return r;
	if (!journal->unsynced)
		return 0;
	if ((r = FAILPOINT("worker.journal.before_sync")) < 0)
		return settle(journal, r);
	if (fdatasync(journal->fd) < 0)
		return settle(journal, -errno);
	journal->unsynced = false;
	oracle_sync();
	(void)FAILPOINT("worker.journal.after_sync");
	return 0;
}
