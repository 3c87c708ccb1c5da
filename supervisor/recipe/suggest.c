#include "supervisor/recipe/suggest.h"

#include <stdio.h>
#include <string.h>

enum {
	MAX_WORD = 48
};

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits that turn A into B: insert, delete, replace a letter, or swap two neighbours. */
static size_t
distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][MAX_WORD + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			row[j] = smaller(
			    smaller(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[nb];
}

void
suggest_init(struct suggest *suggest, const char *word)
{
	size_t len = strlen(word);

	/* Of a short word one letter may be wrong, of a longer one about a third. */
	*suggest = (struct suggest){ .word = word, .distance = (len < 5 ? 1 : len / 3 + 1) + 1 };
}

void
suggest_offer(struct suggest *suggest, const char *candidate)
{
	size_t na = strlen(suggest->word), nb = strlen(candidate), d;

	if (na == 0 || na > MAX_WORD || nb > MAX_WORD)
		return;
	d = distance(suggest->word, na, candidate, nb);
	/* A word of which nothing is left is no suggestion. */
	if (d < suggest->distance && d < smaller(na, nb)) {
		suggest->best = candidate;
		suggest->distance = d;
	}
}

char *
suggest_text(const struct suggest *suggest, char text[static SUGGEST_TEXT])
{
	text[0] = '\0';
	if (suggest->best)
		(void)snprintf(text, SUGGEST_TEXT, " (did you mean \"%s\"?)", suggest->best);
	return text;
}
