#include "ipc/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_BYTES = 1024
};

static const char *log_name = "reeve";
static _Atomic enum log_level log_level = LOG_LEVEL_INFO; /* threads log, too */

static const char *const level_names[] = { [LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug" };

void
log_init(const char *name, enum log_level level)
{
	log_name = name;
	log_level = level;
}

void
log_set_level(enum log_level level)
{
	log_level = level;
}

enum log_level
log_level_parse(const char *name)
{
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
		if (strcmp(level_names[level], name) == 0)
			return (enum log_level)level;
	return 0;
}

enum log_level
log_level_current(void)
{
	return log_level;
}

const char *
log_level_name(enum log_level level)
{
	return level >= LOG_LEVEL_ERROR && level <= LOG_LEVEL_DEBUG ? level_names[level]
								    : "invalid";
}

/* Text may come from outside: a control character would forge a second line. */
static void
make_one_line(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
}

__attribute__((format(printf, 2, 0))) static void
write_line(enum log_level level, const char *format, va_list args)
{
	int saved_errno = errno, n;
	char line[LINE_BYTES];
	size_t len;

	if (level > log_level)
		return;
	n = snprintf(line, sizeof line, "%s[%d] %s: ", log_name, (int)getpid(), level_names[level]);
	len = n > 0 ? (size_t)n : 0;
	n = vsnprintf(line + len, sizeof line - len - 1, format, args);
	len += n > 0 ? (size_t)n : 0;
	if (len > sizeof line - 2)
		len = sizeof line - 2;
	make_one_line(line, len);
	line[len++] = '\n';
	(void)!write(STDERR_FILENO, line, len); /* nowhere to say that it failed */
	errno = saved_errno;
}

#define DEFINE_LEVEL(function, level)   \
 void function(const char *format, ...) \
 {                                      \
  va_list args;                         \
                                        \
  va_start(args, format);               \
  write_line(level, format, args);      \
  va_end(args);                         \
 }

DEFINE_LEVEL(log_error, LOG_LEVEL_ERROR)
DEFINE_LEVEL(log_warn, LOG_LEVEL_WARN)
DEFINE_LEVEL(log_info, LOG_LEVEL_INFO)
DEFINE_LEVEL(log_debug, LOG_LEVEL_DEBUG)
