/*
 * All paths through the program at once (R. Cox, "Regular Expression Matching Can Be Simple And
 * Fast"; K. Thompson, 1968): pattern_parse.c writes the program.
 */
#include "supervisor/recipe/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/recipe/pattern_program.h"

#define MAX_CHAR UINT32_C(0x7fffffff)

void
pattern_free(struct pattern *pattern)
{
	free(pattern);
}

uint64_t
pattern_cost(const struct pattern *pattern, const char *value)
{
	return (uint64_t)pattern->weight * (strlen(value) + 1);
}

uint32_t
pattern_next_char(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	uint32_t c = *at;
	size_t more = c < 0xc2 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 0;

	(*text)++;
	if (c < 0x80)
		return c;
	if (more == 0)
		return MAX_CHAR - c;
	c &= 0x3fU >> more;
	for (size_t i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return MAX_CHAR - *at;
		c = c << 6 | (at[i] & 0x3f);
	}
	*text += more;
	return c;
}

/* ---- the match: a set of places in the program, moved on by one character at a time ---- */

struct places {
	uint32_t n;
	uint32_t at[PATTERN_MAX_PROGRAM];
	bool has[PATTERN_MAX_PROGRAM];
};

static void
clear(struct places *places)
{
	for (uint32_t i = 0; i < places->n; i++)
		places->has[places->at[i]] = false;
	places->n = 0;
}

/* Adds PC and all that is reached from there without taking a character. */
static void
reach(const struct pattern *pattern, struct places *places, uint32_t pc, bool begin, bool end)
{
	uint32_t todo[PATTERN_MAX_PROGRAM + 1], ntodo = 0;

	todo[ntodo++] = pc;
	while (ntodo > 0) {
		const struct instruction *in;

		pc = todo[--ntodo];
		if (places->has[pc])
			continue;
		in = &pattern->program[pc];
		places->has[pc] = true;
		places->at[places->n++] = pc;
		if (in->op == OP_SPLIT)
			todo[ntodo++] = in->y;
		if (in->op == OP_SPLIT || in->op == OP_JUMP)
			todo[ntodo++] = in->x;
		if ((in->op == OP_BEGIN && begin) || (in->op == OP_END && end))
			todo[ntodo++] = pc + 1;
	}
}

static bool
takes(const struct pattern *pattern, const struct instruction *in, uint32_t c)
{
	for (uint32_t i = in->x; i < in->y; i++)
		if (c >= pattern->ranges[i].first && c <= pattern->ranges[i].last)
			return !in->negated;
	return in->negated;
}

bool
pattern_matches(const struct pattern *pattern, const char *value)
{
	struct places sets[2] = { { .n = 0 }, { .n = 0 } };
	struct places *now = &sets[0], *next = &sets[1], *spare;

	reach(pattern, now, 0, true, *value == '\0');
	while (*value != '\0' && now->n > 0) {
		uint32_t c = pattern_next_char(&value);

		for (uint32_t i = 0; i < now->n; i++) {
			const struct instruction *in = &pattern->program[now->at[i]];

			if (in->op == OP_SET && takes(pattern, in, c))
				reach(pattern, next, now->at[i] + 1, false, *value == '\0');
		}
		clear(now);
		spare = now;
		now = next;
		next = spare;
	}
	return *value == '\0' && now->has[pattern->length - 1];
}
