#include "worker/oracle.h"

#ifdef REEVE_FAILPOINTS

# include "ipc/frame.h"
# include "ipc/msg.h"

# include <fcntl.h>
# include <stdio.h>
# include <stdlib.h>
# include <string.h>
# include <unistd.h>

static int oracle_fd = -1;

void
oracle_open(const char *name)
{
	const char *dir = getenv("REEVE_ORACLE");
	char *path;

	if (!dir || oracle_fd >= 0 || asprintf(&path, "%s/%s", dir, name) < 0)
		return;
	oracle_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	free(path);
}

void
oracle_mark(char mark, const void *frame, size_t len)
{
	struct journal_frame head;
	struct fact fact;
	uint32_t crc;
	char line[128];
	int n;

	if (oracle_fd < 0 || journal_frame_next(frame, len, &head) != 1 ||
	    codec_decode(&fact_codec, head.body, head.len, &fact, NULL) < 0)
		return;
	memcpy(&crc, (const char *)frame + 4, sizeof crc);
	n = snprintf(line, sizeof line, "%c %llu %s %llu %llu %llu %08x\n", mark,
	    (unsigned long long)head.seq, fact_kind_name(fact.kind), (unsigned long long)fact.step,
	    (unsigned long long)fact.sub, (unsigned long long)fact.count, crc);
	if (write(oracle_fd, line, (size_t)n) != n)
		abort(); /* a test without its witness proves nothing */
	codec_free(&fact_codec, &fact);
}

void
oracle_sync(void)
{
	if (oracle_fd >= 0)
		fdatasync(oracle_fd);
}

#else
typedef int oracle_is_not_in_this_build;
#endif
