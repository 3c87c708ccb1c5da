/*
 * ipc/logfile.h - the format of a task's log, and how to read it.
 *
 * attempts/ID.N/log.0, log.1, ...: segments of at most LOG_SEGMENT_BYTES. Each is a run of
 * entries; an entry never spans segments:
 *   u32 len | u8 stream | u8 flags | u16 step | u64 ts_ms | text
 * Little-endian; len counts the text; one entry is one line or a piece of one. An offset is
 * logical: bytes written ever. A segment's name carries its index, its head is
 *   "REEVELOG" | u64 logical offset of its first entry | u64 dropped before it
 * Kept: the first LOG_KEEP_HEAD segments and the last LOG_KEEP_TAIL; what was between was
 * dropped, which shows as a gap in offsets. It is counted in bytes that commands wrote: texts and
 * line ends (log_entry_output).
 */
#ifndef IPC_LOGFILE_H
#define IPC_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	LOG_SEGMENT_BYTES = 1024 * 1024,
	LOG_SEGMENT_HEAD = 24,
	LOG_ENTRY_HEAD = 16,
	LOG_ENTRY_TEXT =
	    16 * 1024, /* a longer line is cut into entries; all but the last LOG_FLAG_MORE */
	LOG_KEEP_HEAD = 2,
	LOG_KEEP_TAIL = 6
};

enum log_stream {
	LOG_STREAM_OUT = 1,
	LOG_STREAM_ERR = 2,
	LOG_STREAM_REEVE = 3
};
enum {
	LOG_FLAG_MORE = 1
}; /* the line goes on in the next entry */

const char *log_stream_name(enum log_stream stream); /* "stdout", "stderr", "reeve" */

struct log_entry {
	uint64_t offset; /* logical, of its first byte */
	uint64_t ts_ms;
	uint16_t step; /* from 1; 0: none */
	uint8_t stream, flags;
	const char *text; /* not NUL-terminated */
	size_t len;
};

void log_entry_head(uint8_t head[static LOG_ENTRY_HEAD], const struct log_entry *entry);

/* How many bytes of output ENTRY holds: none where it is reeve that speaks. */
size_t log_entry_output(const struct log_entry *entry);

/* The entry at the start of DATA: 1, 0 (more bytes needed), -EBADMSG. *ret_used: its whole size.
 * Its offset is the caller's to set. */
int log_entry_next(const void *data, size_t len, struct log_entry *ret_entry, size_t *ret_used);

/*
 * Reads entries of DIRFD's log from logical offset FROM into DATA (LEN >= 64 KiB): whole entries
 * only. Returns bytes read, 0 at the end, or -errno. *ret_offset is the logical offset of the first
 * byte returned: > FROM where bytes were dropped. A segment that vanishes meanwhile counts as
 * dropped.
 */
ssize_t logfile_read(int dirfd, uint64_t from, void *data, size_t len, uint64_t *ret_offset);

/* Logical end, and bytes of output dropped before the last segment. 0 or -errno; no log at all is
 * 0, 0. */
int logfile_extent(int dirfd, uint64_t *ret_end, uint64_t *ret_dropped);

#endif
