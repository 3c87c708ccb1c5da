#include "worker/pull/failure.h"

#include <stdarg.h>
#include <stdio.h>

void
failure_set(struct failure *failure, enum pull_exit exit, const char *format, ...)
{
	va_list args;

	failure->exit = exit;
	va_start(args, format);
	vsnprintf(failure->text, sizeof failure->text, format, args);
	va_end(args);
}
