/* supervisor/recipe/error.h - what is wrong, said so that its author can mend it. */
#ifndef SUPERVISOR_RECIPE_ERROR_H
#define SUPERVISOR_RECIPE_ERROR_H

#include "supervisor/recipe/recipe.h"

/* A place in the text; both from 1, 0 when there is none. Columns count characters. */
struct mark {
	uint32_t line, column;
};

/* Whose text is being read, and where to put the first thing wrong with it. */
struct source {
	const char *name;           /* of the file; NULL: the error is about parameters */
	struct recipe_error *error; /* never NULL */
	const char *noun;           /* what it is; NULL: a recipe. Others may be empty */
};

/* Writes the error, prefixed with file:line:column where AT has them. Always -EINVAL. */
int error_set(const struct source *source, struct mark at, const char *field, const char *format,
    ...) __attribute__((format(printf, 4, 5)));
enum {
	QUOTE_TEXT = 72
};

/* TEXT in double quotes, shortened and without control characters. Returns QUOTED. */
char *quote(const char *text, char quoted[static QUOTE_TEXT]);

#endif
