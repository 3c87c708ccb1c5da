#include "ipc/log.h"

#include "ipc/fd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	MAX_LINE = 2048
};

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static const char *program = "reeve";
static enum log_level max_level = LOG_LEVEL_INFO;

void
log_init(const char *name, enum log_level level)
{
	program = name;
	max_level = level;
}

enum log_level
log_level_parse(const char *name)
{
	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		if (strcmp(name, level_names[level]) == 0)
			return (enum log_level)level;
	}
	return (enum log_level)0;
}

enum log_level
log_level_current(void)
{
	return max_level;
}

const char *
log_level_name(enum log_level level)
{
	return level >= LOG_LEVEL_ERROR && level <= LOG_LEVEL_DEBUG ? level_names[level]
								    : "invalid";
}

/* What a peer chose must not end the line or drive a terminal. */
static void
make_printable(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = text[i] == '\t' ? ' ' : '?';
	}
}

/* Length of what snprintf left in SIZE bytes. */
static size_t
written(int result, size_t size)
{
	if (result < 0)
		return 0;
	return (size_t)result < size ? (size_t)result : size - 1;
}

static void __attribute__((format(printf, 2, 0)))
log_line(enum log_level level, const char *format, va_list args)
{
	int saved_errno = errno;
	char line[MAX_LINE];
	size_t head, len;
	int r;

	if (level > max_level)
		return;
	r = snprintf(line, sizeof line, "%s[%d] %s: ", program, (int)getpid(), level_names[level]);
	head = written(r, sizeof line);
	r = vsnprintf(line + head, sizeof line - head, format, args);
	len = head + written(r, sizeof line - head);
	make_printable(line + head, len - head);
	line[len++] = '\n';                           /* in the NUL's place */
	(void)fd_write_all(STDERR_FILENO, line, len); /* whom could we tell? */
	errno = saved_errno;
}

void
log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_ERROR, format, args);
	va_end(args);
}

void
log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_WARN, format, args);
	va_end(args);
}

void
log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_INFO, format, args);
	va_end(args);
}

void
log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_DEBUG, format, args);
	va_end(args);
}
