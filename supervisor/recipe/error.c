#include "supervisor/recipe/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_NAME = 128
};

/* Where it is: `file:line:column: `, of a long path its end. Returns the length. */
static size_t
put_place(const struct source *source, struct mark at, char *text, size_t size)
{
	const char *name = source->name;
	size_t len = strlen(name);

	if (len > MAX_NAME)
		name += len - MAX_NAME;
	while (((unsigned char)*name & 0xc0) == 0x80)
		name++;
	(void)snprintf(text, size, "%s:%u:%u: ", name, at.line, at.column);
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return strlen(text);
}

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
		used = put_place(source, at, error->message, room);
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
