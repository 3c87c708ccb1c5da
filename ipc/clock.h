/* ipc/clock.h - the two clocks: wall time for people, boot time for deadlines. */
#ifndef IPC_CLOCK_H
#define IPC_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970, CLOCK_REALTIME. For stamps only: it jumps. */
uint64_t clock_wall_ms(void);

/* Nanoseconds of CLOCK_BOOTTIME: monotonic and counts through suspend. For every deadline. */
uint64_t clock_boot_ns(void);
uint64_t clock_boot_ms(void);

enum {
	CLOCK_TEXT = 32
};

/* RFC 3339 in UTC with milliseconds: 2026-11-25T15:04:05.678Z. Returns TEXT. */
char *clock_format(uint64_t wall_ms, char text[static CLOCK_TEXT]);

/* Parses `30s`, `10m`, `2h`, `7d`, `500ms`. 0, or -EINVAL. */
int clock_parse_duration(const char *text, uint64_t *ret_ms);

/* "1.2 s", "3 min 04 s", "2 h 05 min", for people. Returns TEXT. */
char *clock_format_duration(uint64_t duration_ms, char text[static CLOCK_TEXT]);

/* A moment for --since: a duration before now, or an RFC 3339 date or date and time, such as
 * clock_format writes; without a zone it is UTC. 0 or -EINVAL. */
int clock_parse_since(const char *text, uint64_t now_wall_ms, uint64_t *ret_wall_ms);

#endif
