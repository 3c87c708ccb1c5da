/*
 * supervisor/recipe/pattern_program.h - a pattern as the matcher runs it. Private to pattern*.c.
 */
#ifndef SUPERVISOR_RECIPE_PATTERN_PROGRAM_H
#define SUPERVISOR_RECIPE_PATTERN_PROGRAM_H

#include "supervisor/recipe/pattern.h"

enum {
	PATTERN_MAX_RANGES = 2 * PATTERN_MAX_BYTES
};

enum op {
	OP_SET = 1,
	OP_BEGIN,
	OP_END,
	OP_SPLIT,
	OP_JUMP,
	OP_MATCH
};

/* OP_SET takes one character: one inside ranges[x..y), or outside them when negated. */
struct instruction {
	enum op op;
	uint32_t x, y; /* OP_SPLIT, OP_JUMP: where to go on */
	bool negated;
};

struct range {
	uint32_t first, last;
};

struct pattern {
	uint32_t length, nranges;
	uint32_t weight; /* instructions, and the ranges that each of them looks through */
	struct instruction program[PATTERN_MAX_PROGRAM];
	struct range ranges[PATTERN_MAX_RANGES];
};

/* The next character of TEXT, which moves on. A byte that is no UTF-8 stands for itself, far up. */
uint32_t pattern_next_char(const char **text);

#endif
