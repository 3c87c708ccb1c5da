#include "supervisor/cli/cli.h"

#include "ipc/fd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	MESSAGE_MAX = 2048
};

void
complain(const char *hint, const char *format, ...)
{
	char message[MESSAGE_MAX];
	struct buf out;
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	buf_init(&out, 8 * sizeof message);
	text_add(&out, "reeve: ");
	text_clean(&out, span_of(message), TEXT_FIELD);
	text_add(&out, "\n");
	if (hint) {
		text_clean(&out, span_of(hint), TEXT_FIELD);
		text_add(&out, "\n");
	}
	(void)fd_write_all(STDERR_FILENO, out.data, out.len);
	buf_fini(&out);
}

int
emit(const struct term *term, const struct buf *out, int status)
{
	int r = buf_error(out);

	if (r == 0)
		r = fd_write_all(term->fd, out->data, out->len);
	if (r == 0)
		return status;
	if (r != -EPIPE)
		complain(NULL, "cannot write the output: %s", strerror(-r));
	return EXIT_FAILED;
}
