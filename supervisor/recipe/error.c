#include "supervisor/recipe/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
error_set(const struct source *source, struct mark at, const char *field, const char *format, ...)
{
	struct recipe_error *error = source->error;
	size_t room = sizeof error->message, used = 0;
	va_list args;

	memset(error, 0, sizeof *error);
	error->line = at.line;
	error->column = at.column;
	(void)snprintf(error->field, sizeof error->field, "%s", field);
	if (source->name && at.line > 0)
		used = (size_t)snprintf(
		    error->message, room, "%.128s:%u:%u: ", source->name, at.line, at.column);
	va_start(args, format);
	(void)vsnprintf(error->message + used, room - used, format, args);
	va_end(args);
	return -EINVAL;
}

char *
quote(const char *text, char quoted[static QUOTE_TEXT])
{
	static const char cut[] = "\u2026";
	size_t len = strlen(text), keep = len, end = 0;

	if (len > QUOTE_TEXT - 3) {
		keep = QUOTE_TEXT - 3 - (sizeof cut - 1);
		while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80)
			keep--;
	}
	quoted[end++] = '"';
	for (size_t i = 0; i < keep; i++) {
		bool is_control = (unsigned char)text[i] < ' ' || text[i] == 0x7f;

		quoted[end++] = text[i];
		if (is_control)
			quoted[end - 1] = '?';
	}
	if (keep < len) {
		memcpy(quoted + end, cut, sizeof cut - 1);
		end += sizeof cut - 1;
	}
	quoted[end++] = '"';
	quoted[end] = '\0';
	return quoted;
}
