/*
 * ipc/log.h - the service's own log: one line per fact on stderr, for journald or a person.
 * Not for the output of steps (ipc/logfile.h). One write() a line; never blocks on anything else.
 */
#ifndef IPC_LOG_H
#define IPC_LOG_H

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 1,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* NAME is the program ("reeved"); lines read `NAME[pid] level: text`. */
void log_init(const char *name, enum log_level level);

void log_set_level(enum log_level level); /* from any thread */

/* "error", "warn", "info", "debug" -> level, or 0. */
enum log_level log_level_parse(const char *name);
enum log_level log_level_current(void);
const char *log_level_name(enum log_level level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
