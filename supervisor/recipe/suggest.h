/* supervisor/recipe/suggest.h - the known word nearest to the one that was written. */
#ifndef SUPERVISOR_RECIPE_SUGGEST_H
#define SUPERVISOR_RECIPE_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *word; /* borrowed */
	const char *best; /* NULL while nothing offered was near enough */
	size_t distance;
};

void suggest_init(struct suggest *suggest, const char *word);

/* CANDIDATE must outlive SUGGEST. The first of equally near ones stays. */
void suggest_offer(struct suggest *suggest, const char *candidate);

enum {
	SUGGEST_TEXT = 96
};

/* ` (did you mean "timeout"?)`, or "" when nothing was near. Returns TEXT. */
char *suggest_text(const struct suggest *suggest, char text[static SUGGEST_TEXT]);

#endif
