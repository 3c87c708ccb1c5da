/* From an extended regular expression to a small tree, and from there to the matcher's program. */
#include "supervisor/recipe/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/recipe/pattern_program.h"

enum {
	MAX_PARTS = 2 * PATTERN_MAX_BYTES
};
#define NO_LIMIT UINT32_MAX
#define NO_SPLIT UINT32_MAX

enum part_kind {
	PART_LEAF = 1,
	PART_THEN,
	PART_OR,
	PART_REPEAT
};

struct part {
	enum part_kind kind;
	struct instruction leaf; /* PART_LEAF */
	uint32_t left, right;    /* parts */
	uint32_t min, max;       /* PART_REPEAT of left */
};

struct parser {
	const char *at;
	struct pattern *pattern;
	const char *problem;
	uint32_t nparts;
	struct part parts[MAX_PARTS];
};

/* ---- the parser: every function returns a part, or 0 with parser->problem set ---- */

static uint32_t
fail(struct parser *parser, const char *problem)
{
	if (!parser->problem)
		parser->problem = problem;
	return 0;
}

static uint32_t
add(struct parser *parser, struct part part)
{
	if (parser->nparts >= MAX_PARTS)
		return fail(parser, "it is too long");
	parser->parts[parser->nparts] = part;
	return parser->nparts++;
}

static void
add_range(struct parser *parser, uint32_t first, uint32_t last)
{
	struct pattern *pattern = parser->pattern;

	if (pattern->nranges >= PATTERN_MAX_RANGES)
		fail(parser, "it is too long");
	else
		pattern->ranges[pattern->nranges++] = (struct range){ first, last };
}

static uint32_t
set_from(struct parser *parser, uint32_t first_range, bool negated)
{
	struct instruction leaf = {
		.op = OP_SET, .x = first_range, .y = parser->pattern->nranges, .negated = negated
	};

	return parser->problem ? 0 : add(parser, (struct part){ .kind = PART_LEAF, .leaf = leaf });
}

static uint32_t
literal(struct parser *parser, uint32_t c)
{
	uint32_t first = parser->pattern->nranges;

	add_range(parser, c, c);
	return set_from(parser, first, false);
}

static const struct {
	const char *name;
	const char *ranges; /* pairs of first and last */
} classes[] = {
	{ "alnum", "09AZaz" },
	{ "alpha", "AZaz" },
	{ "blank", "\t\t  " },
	{ "cntrl", "\x01\x1f\x7f\x7f" },
	{ "digit", "09" },
	{ "graph", "!~" },
	{ "lower", "az" },
	{ "print", " ~" },
	{ "punct", "!/:@[`{~" },
	{ "space", "\t\r  " },
	{ "upper", "AZ" },
	{ "xdigit", "09AFaf" },
};

/* [:name:], of which "[:" was seen. */
static void
bracket_class(struct parser *parser)
{
	const char *name = parser->at + 2, *end = strstr(name, ":]");

	for (size_t i = 0; end && i < sizeof classes / sizeof classes[0]; i++) {
		const char *r = classes[i].ranges;

		if (strlen(classes[i].name) != (size_t)(end - name) ||
		    strncmp(classes[i].name, name, (size_t)(end - name)) != 0)
			continue;
		for (; *r != '\0'; r += 2)
			add_range(parser, (uint32_t)r[0], (uint32_t)r[1]);
		parser->at = end + 2;
		return;
	}
	fail(parser, "there is no such [:class:]");
}

static bool
is_bracket_start(const char *at, char second)
{
	return at[0] == '[' && at[1] == second;
}

/* A character or a range inside brackets. */
static void
bracket_item(struct parser *parser)
{
	uint32_t first, last;

	if (is_bracket_start(parser->at, ':')) {
		bracket_class(parser);
		return;
	}
	if (is_bracket_start(parser->at, '.') || is_bracket_start(parser->at, '=')) {
		fail(parser, "[. .] and [= =] are not supported");
		return;
	}
	first = last = pattern_next_char(&parser->at);
	if (parser->at[0] == '-' && parser->at[1] != ']' && parser->at[1] != '\0') {
		parser->at++;
		last = pattern_next_char(&parser->at);
	}
	if (last < first)
		fail(parser, "a range in [] runs backwards");
	add_range(parser, first, last);
}

static uint32_t
bracket(struct parser *parser)
{
	uint32_t first = parser->pattern->nranges;
	bool negated = *parser->at == '^';
	const char *start;

	parser->at += negated;
	start = parser->at;
	while (!parser->problem && (*parser->at != ']' || parser->at == start)) {
		if (*parser->at == '\0')
			return fail(parser, "a [ has no ]");
		bracket_item(parser);
	}
	parser->at++;
	return set_from(parser, first, negated);
}

static uint32_t either(struct parser *parser);

static uint32_t
group(struct parser *parser)
{
	uint32_t inner = either(parser);

	if (parser->problem)
		return 0;
	if (*parser->at != ')')
		return fail(parser, "a ( has no )");
	parser->at++;
	return inner;
}

static uint32_t
escape(struct parser *parser)
{
	char c = *parser->at;

	if (c == '\0')
		return fail(parser, "it ends in a \\");
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return fail(parser,
		    "\\ before a letter or digit means nothing here (write [0-9], [[:space:]], ...)");
	return literal(parser, pattern_next_char(&parser->at));
}

static uint32_t
atom(struct parser *parser)
{
	char c = *parser->at;

	switch (c) {
	case '(':
		parser->at++;
		return group(parser);
	case '[':
		parser->at++;
		return bracket(parser);
	case '\\':
		parser->at++;
		return escape(parser);
	case '.':
		parser->at++;
		return set_from(parser, parser->pattern->nranges, true);
	case '^':
	case '$':
		parser->at++;
		return add(parser,
		    (struct part){ .kind = PART_LEAF, .leaf.op = c == '^' ? OP_BEGIN : OP_END });
	case '*':
	case '+':
	case '?':
	case '{':
		return fail(parser, "there is nothing to repeat before * + ? or {");
	default:
		return literal(parser, pattern_next_char(&parser->at));
	}
}

/* A number of at most three digits, else NO_LIMIT. */
static uint32_t
number(struct parser *parser)
{
	uint32_t n = 0, digits = 0;

	for (; *parser->at >= '0' && *parser->at <= '9' && digits < 4; parser->at++, digits++)
		n = n * 10 + (uint32_t)(*parser->at - '0');
	return digits == 0 || digits > 3 ? NO_LIMIT : n;
}

/* {n}, {n,} or {n,m}, of which "{" was seen. */
static bool
bounds(struct parser *parser, uint32_t *ret_min, uint32_t *ret_max)
{
	uint32_t min = number(parser), max = min;
	bool open = false;

	if (*parser->at == ',') {
		parser->at++;
		open = *parser->at == '}';
		max = open ? NO_LIMIT : number(parser);
	}
	if (*parser->at != '}' || min > PATTERN_MAX_REPEAT ||
	    (!open && (max > PATTERN_MAX_REPEAT || max < min || max == 0))) {
		fail(parser, "{} wants {n}, {n,} or {n,m} with n <= m, from 1 to 255");
		return false;
	}
	parser->at++;
	*ret_min = min;
	*ret_max = max;
	return true;
}

static uint32_t
repeated(struct parser *parser)
{
	uint32_t part = atom(parser);

	while (!parser->problem && *parser->at != '\0' && strchr("*+?{", *parser->at)) {
		char c = *parser->at++;
		uint32_t min = c == '+' ? 1 : 0, max = c == '?' ? 1 : NO_LIMIT;

		if (c == '{' && !bounds(parser, &min, &max))
			return 0;
		part = add(parser,
		    (struct part){ .kind = PART_REPEAT, .left = part, .min = min, .max = max });
	}
	return part;
}

static uint32_t
sequence(struct parser *parser)
{
	uint32_t part = 0;

	if (*parser->at == '\0' || strchr("|)", *parser->at))
		return fail(parser, "a group or alternative is empty");
	while (!parser->problem && *parser->at != '\0' && !strchr("|)", *parser->at)) {
		uint32_t next = repeated(parser);

		part = part == 0
			   ? next
			   : add(parser,
				 (struct part){ .kind = PART_THEN, .left = part, .right = next });
	}
	return part;
}

static uint32_t
either(struct parser *parser)
{
	uint32_t part = sequence(parser);

	while (!parser->problem && *parser->at == '|') {
		uint32_t next;

		parser->at++;
		next = sequence(parser);
		part = add(parser, (struct part){ .kind = PART_OR, .left = part, .right = next });
	}
	return part;
}

/* ---- the compiler ---- */

static uint32_t
put(struct parser *parser, struct instruction instruction)
{
	struct pattern *pattern = parser->pattern;

	if (pattern->length >= PATTERN_MAX_PROGRAM) {
		fail(parser, "its repetitions are too large");
		return 0;
	}
	pattern->weight += 1 + (instruction.op == OP_SET ? instruction.y - instruction.x : 0);
	pattern->program[pattern->length] = instruction;
	return pattern->length++;
}

static void emit(struct parser *parser, uint32_t n);

/* SPLIT a, b; a: left; JUMP end; b: right; end: */
static void
emit_or(struct parser *parser, const struct part *part)
{
	struct instruction *program = parser->pattern->program;
	uint32_t split = put(parser, (struct instruction){ .op = OP_SPLIT }), jump;

	program[split].x = parser->pattern->length;
	emit(parser, part->left);
	jump = put(parser, (struct instruction){ .op = OP_JUMP });
	program[split].y = parser->pattern->length;
	emit(parser, part->right);
	program[jump].x = parser->pattern->length;
}

/* SPLIT a, end; a: left; JUMP back to SPLIT; end: */
static void
emit_loop(struct parser *parser, const struct part *part)
{
	struct pattern *pattern = parser->pattern;
	uint32_t split = put(parser, (struct instruction){ .op = OP_SPLIT });

	pattern->program[split].x = pattern->length;
	emit(parser, part->left);
	put(parser, (struct instruction){ .op = OP_JUMP, .x = split });
	pattern->program[split].y = pattern->length;
}

/* N copies, before each of which the path may leave to the end. */
static void
emit_optional(struct parser *parser, const struct part *part, uint32_t n)
{
	struct instruction *program = parser->pattern->program;
	uint32_t last = NO_SPLIT;

	for (uint32_t i = 0; i < n && !parser->problem; i++) {
		uint32_t split = put(parser, (struct instruction){ .op = OP_SPLIT });

		/* Until the end is known, each points to the one before. */
		program[split].y = last;
		program[split].x = parser->pattern->length;
		last = split;
		emit(parser, part->left);
	}
	while (last != NO_SPLIT && !parser->problem) {
		uint32_t before = program[last].y;

		program[last].y = parser->pattern->length;
		last = before;
	}
}

static void
emit_repeat(struct parser *parser, const struct part *part)
{
	for (uint32_t i = 0; i < part->min && !parser->problem; i++)
		emit(parser, part->left);
	if (part->max == NO_LIMIT)
		emit_loop(parser, part);
	else
		emit_optional(parser, part, part->max - part->min);
}

static void
emit(struct parser *parser, uint32_t n)
{
	const struct part *part = &parser->parts[n];

	if (parser->problem)
		return;
	switch (part->kind) {
	case PART_LEAF:
		put(parser, part->leaf);
		return;
	case PART_THEN:
		emit(parser, part->left);
		emit(parser, part->right);
		return;
	case PART_OR:
		emit_or(parser, part);
		return;
	case PART_REPEAT:
		emit_repeat(parser, part);
		return;
	}
}

static void
compile(struct parser *parser)
{
	uint32_t root;

	if (strlen(parser->at) > PATTERN_MAX_BYTES) {
		fail(parser, "it is longer than 512 bytes");
		return;
	}
	root = either(parser);
	if (!parser->problem && *parser->at == ')')
		fail(parser, "a ) has no (");
	if (parser->problem)
		return;
	emit(parser, root);
	put(parser, (struct instruction){ .op = OP_MATCH });
}

int
pattern_new(const char *ere, struct pattern **ret_pattern, const char **ret_problem)
{
	struct parser *parser = calloc(1, sizeof *parser);
	struct pattern *pattern = calloc(1, sizeof *pattern);
	int r = -ENOMEM;

	if (!parser || !pattern)
		goto out;
	parser->at = ere;
	parser->pattern = pattern;
	parser->nparts = 1; /* 0 means none */
	compile(parser);
	if (parser->problem) {
		*ret_problem = parser->problem;
		r = -EINVAL;
		goto out;
	}
	*ret_pattern = pattern;
	pattern = NULL;
	r = 0;
out:
	free(parser);
	free(pattern);
	return r;
}
