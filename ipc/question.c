#include "ipc/question.h"

#include "ipc/task.h"
#include "ipc/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TOKEN_BYTES = 18 /* msgpack bin 8 of 16 bytes */
};

#define CODEC_TABLE(type_, fields_, ...)                                                     \
 {                                                                                           \
  .name = #type_, .size = sizeof(struct type_), .fields = (fields_),                         \
  .nfields = sizeof(fields_) / sizeof(fields_)[0], .limits = &walk_frame_limits, __VA_ARGS__ \
 }
/* `default` is a word of C. */
#define DEFAULT(num, type_, member, max_)                                               \
 {                                                                                      \
  .number = (num), .type = CODEC_STR, .offset = offsetof(type_, member), .max = (max_), \
  .name = "default"                                                                     \
 }

/* Numbers are on disk and in pipes: never change, never reuse. */
/* clang-format off */
static const struct codec_field field_fields[] = {
	CODEC_FIELD(1, STR,  struct question_field, name,     LIMIT_NAME),
	CODEC_FIELD(2, STR,  struct question_field, type,     LIMIT_NAME),
	CODEC_FIELD(3, STR,  struct question_field, label,    LIMIT_TITLE),
	DEFAULT(4,           struct question_field, default_value, LIMIT_ANSWER),
	CODEC_FIELD(5, STRS, struct question_field, choices,  LIMIT_CHOICES),
	CODEC_FIELD(6, BOOL, struct question_field, optional, 0),
};
const struct codec question_field_codec = CODEC_TABLE(question_field, field_fields, .strict = false);
static const struct codec field_named_codec =
    CODEC_TABLE(question_field, field_fields, .by_name = true);

static const struct codec_field question_fields[] = {
	CODEC_FIELD(1,  STR,  struct question, name,     LIMIT_NAME),
	CODEC_FIELD(2,  STR,  struct question, text,     LIMIT_QUESTION),
	CODEC_FIELD(3,  STR,  struct question, yes,      LIMIT_QUESTION_WORD),
	CODEC_FIELD(4,  STR,  struct question, no,       LIMIT_QUESTION_WORD),
	CODEC_NESTED(5, LIST, struct question, fields,   LIMIT_FIELDS, &question_field_codec),
	DEFAULT(6,            struct question, default_answer, LIMIT_NAME),
	CODEC_FIELD(7,  UINT, struct question, after_ms, 0),
	CODEC_FIELD(8,  ENUM, struct question, on_no,    ON_NO_MAX),
	CODEC_FIELD(9,  STR,  struct question, problem,  QUESTION_PROBLEM),
};
const struct codec question_codec = CODEC_TABLE(question, question_fields, .strict = false);

/* What a program may say of it; what a no means it knows itself. */
static const struct codec_field named_fields[] = {
	CODEC_FIELD(1,  STR,  struct question, name,     LIMIT_NAME),
	CODEC_FIELD(2,  STR,  struct question, text,     LIMIT_QUESTION),
	CODEC_FIELD(3,  STR,  struct question, yes,      LIMIT_QUESTION_WORD),
	CODEC_FIELD(4,  STR,  struct question, no,       LIMIT_QUESTION_WORD),
	CODEC_NESTED(5, LIST, struct question, fields,   LIMIT_FIELDS, &field_named_codec),
	DEFAULT(6,            struct question, default_answer, LIMIT_NAME),
	CODEC_FIELD(7,  UINT, struct question, after_ms, 0),
};
const struct codec question_named_codec = CODEC_TABLE(question, named_fields, .by_name = true);

static const struct codec_field answer_fields[] = {
	CODEC_FIELD(1, UINT,  struct answer, step,     LIMIT_STEPS),
	CODEC_FIELD(2, STR,   struct answer, question, LIMIT_NAME),
	CODEC_FIELD(3, BOOL,  struct answer, yes,      0),
	CODEC_FIELD(4, PAIRS, struct answer, fields,   LIMIT_FIELDS),
	CODEC_FIELD(5, STR,   struct answer, by,       LIMIT_TITLE),
	CODEC_FIELD(6, UINT,  struct answer, ts_ms,    0),
	CODEC_FIELD(7, UINT,  struct answer, rev,      0),
	CODEC_FIELD(8, BLOB,  struct answer, token,    TOKEN_BYTES),
	CODEC_FIELD(9, BOOL,  struct answer, has_secrets, 0),
};
const struct codec answer_codec = CODEC_TABLE(answer, answer_fields, .strict = false);

static const struct codec_field answer_named_fields[] = {
	CODEC_FIELD(1, STR,   struct answer, question, LIMIT_NAME),
	CODEC_FIELD(2, BOOL,  struct answer, yes,      0),
	CODEC_FIELD(3, PAIRS, struct answer, fields,   LIMIT_FIELDS),
	CODEC_FIELD(4, STR,   struct answer, by,       LIMIT_TITLE),
	CODEC_FIELD(5, STR,   struct answer, problem,  QUESTION_PROBLEM),
};
const struct codec answer_named_codec = CODEC_TABLE(answer, answer_named_fields, .by_name = true);
/* clang-format on */

enum field_type
field_type_parse(const char *name)
{
	static const struct {
		enum field_type type;
		const char *name;
	} types[] = {
#define X(sym, num, name_, help) { sym, name_ },
		FIELD_TYPES(X)
#undef X
	};

	if (!name)
		return FIELD_TEXT;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	return 0;
}

/* ---- what people may be asked ----------------------------------------------------- */

static bool
is_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	return text && *text && *text != '_' && *text != '-' &&
	       strspn(text, letters) == strlen(text);
}

static bool
is_word(const char *text)
{
	return strcmp(text, "yes") == 0 || strcmp(text, "no") == 0;
}

static const char *fail(char problem[static QUESTION_PROBLEM], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *
fail(char problem[static QUESTION_PROBLEM], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem, QUESTION_PROBLEM, format, args);
	va_end(args);
	return problem;
}

static int check_value(
    const struct question_field *field, const char *value, char problem[static QUESTION_PROBLEM]);

static const char *
field_problem(const struct question *question, size_t i, char problem[static QUESTION_PROBLEM])
{
	const struct question_field *field = &question->fields.v[i];
	enum field_type type = field_type_parse(field->type);

	if (!is_name(field->name))
		return fail(problem, "\"%.64s\" is no name of a field (a-z 0-9 _ -)",
		    field->name ? field->name : "");
	if (question_find_field(question, field->name) != field)
		return fail(problem, "two fields are called \"%.64s\"", field->name);
	if (type == 0)
		return fail(problem,
		    "field \"%.64s\": its type is text, secret, number, choice or file",
		    field->name);
	if ((type == FIELD_CHOICE) != (field->choices.n > 0))
		return fail(problem, "field \"%.64s\": choices and the type choice go together",
		    field->name);
	if (field->default_value && type == FIELD_SECRET)
		return fail(problem, "field \"%.64s\": a secret has no default", field->name);
	if (field->default_value && check_value(field, field->default_value, problem) < 0)
		return problem;
	return NULL;
}

/* Nobody is there to fill in a field when the time is over. */
static const char *
default_problem(const struct question *question, char problem[static QUESTION_PROBLEM])
{
	if (!question->default_answer != (question->after_ms == 0))
		return fail(problem, "a default answer needs its time, and a time its answer");
	if (!question->default_answer)
		return NULL;
	if (!is_word(question->default_answer))
		return fail(problem, "the default answer is yes or no, not \"%.64s\"",
		    question->default_answer);
	for (size_t i = 0; i < question->fields.n; i++) {
		const struct question_field *field = &question->fields.v[i];

		if (*question->default_answer == 'y' && !field->optional && !field->default_value)
			return fail(problem,
			    "the default answer is yes, but field \"%.64s\" has no default",
			    field->name);
	}
	return NULL;
}

static bool
is_too_large(const struct question *question)
{
	struct buf out;
	int r;

	buf_init(&out, LIMIT_QUESTION_WHOLE);
	r = codec_encode(&question_codec, question, &out);
	buf_fini(&out);
	return r < 0;
}

const char *
question_problem(const struct question *question, char problem[static QUESTION_PROBLEM])
{
	if (!is_name(question->name))
		return fail(
		    problem, "\"%.64s\" is no name of a question (a-z 0-9 _ -)", question->name);
	if (!question->text)
		return fail(problem, "a question needs a text");
	for (size_t i = 0; i < question->fields.n; i++)
		if (field_problem(question, i, problem))
			return problem;
	if (default_problem(question, problem))
		return problem;
	if (is_too_large(question))
		return fail(problem, "the question and its fields are longer than 16 KiB");
	return NULL;
}

const struct question_field *
question_find_field(const struct question *question, const char *name)
{
	for (size_t i = 0; i < question->fields.n; i++)
		if (strcmp(question->fields.v[i].name, name) == 0)
			return &question->fields.v[i];
	return NULL;
}

bool
question_has_secret(const struct question *question)
{
	for (size_t i = 0; i < question->fields.n; i++)
		if (field_type_parse(question->fields.v[i].type) == FIELD_SECRET)
			return true;
	return false;
}

const char *
question_word(const struct question *question, bool yes)
{
	const char *word = yes ? question->yes : question->no;

	return word ? word : yes ? "yes" : "no";
}

/* ---- what they may answer --------------------------------------------------------- */

static bool
is_number(const char *text)
{
	char *end;

	if (!*text || strspn(text, "0123456789+-.eE") != strlen(text))
		return false;
	return isfinite(strtod(text, &end)) && *end == '\0';
}

static bool
is_choice(const struct strs *choices, const char *text)
{
	for (size_t i = 0; i < choices->n; i++)
		if (strcmp(choices->v[i], text) == 0)
			return true;
	return false;
}

/* "a, b or c", as far as there is room. */
static void
list_choices(const struct strs *choices, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < choices->n && used < size; i++) {
		const char *before = i == 0 ? "" : i + 1 < choices->n ? ", " : " or ";

		used +=
		    (size_t)snprintf(text + used, size - used, "%s%.64s", before, choices->v[i]);
	}
}

/* Letters, tabs and ends of lines, as UTF-8: it goes into environments and onto screens. */
static bool
is_text(const char *text)
{
	size_t len = strlen(text), used;

	for (size_t i = 0; i < len; i += used) {
		unsigned char c = (unsigned char)text[i];

		if (!utf8_next((const uint8_t *)text + i, len - i, &used) || c == 0x7f ||
		    (c < ' ' && c != '\t' && c != '\n'))
			return false;
	}
	return true;
}

/* An empty value is none. 0 or -EINVAL with PROBLEM told. */
static int
check_value(
    const struct question_field *field, const char *value, char problem[static QUESTION_PROBLEM])
{
	char choices[160] = "";
	const char *takes = NULL;

	switch (field_type_parse(field->type)) {
	case FIELD_NUMBER:
		takes = is_number(value) ? NULL : "a number";
		break;
	case FIELD_CHOICE:
		list_choices(&field->choices, choices, sizeof choices);
		takes = is_choice(&field->choices, value) ? NULL : choices;
		break;
	case FIELD_FILE:
		takes = *value == '/' && is_text(value) ? NULL : "the absolute path of a file";
		break;
	case FIELD_TEXT:
	case FIELD_SECRET:
		takes = is_text(value) ? NULL : "text without control characters";
		break;
	}
	if (!takes)
		return 0;
	snprintf(problem, QUESTION_PROBLEM, "field \"%.64s\" takes %s", field->name, takes);
	return -EINVAL;
}

static int
take_field(
    const struct question_field *field, struct pairs *fields, char problem[static QUESTION_PROBLEM])
{
	const char *value = pairs_get(fields, field->name);

	if (value && *value)
		return check_value(field, value, problem);
	if (field->default_value)
		return pairs_set(fields, field->name, field->default_value);
	if (field->optional)
		return 0;
	snprintf(problem, QUESTION_PROBLEM, "field \"%.64s\" needs a value", field->name);
	return -EINVAL;
}

static int
check_names(const struct question *question, const struct answer *answer, const char **ret_field,
    char problem[static QUESTION_PROBLEM])
{
	for (size_t i = 0; i < answer->fields.n; i++) {
		*ret_field = answer->fields.v[i].name;
		if (!answer->yes)
			snprintf(problem, QUESTION_PROBLEM, "field \"%.64s\": fields go with a yes",
			    *ret_field);
		else if (!question_find_field(question, *ret_field))
			snprintf(problem, QUESTION_PROBLEM, "the question has no field \"%.64s\"",
			    *ret_field);
		else
			continue;
		return -EINVAL;
	}
	return 0;
}

int
question_take(const struct question *question, struct answer *answer, const char **ret_field,
    char problem[static QUESTION_PROBLEM])
{
	int r = check_names(question, answer, ret_field, problem);

	for (size_t i = 0; r == 0 && answer->yes && i < question->fields.n; i++) {
		*ret_field = question->fields.v[i].name;
		r = take_field(&question->fields.v[i], &answer->fields, problem);
	}
	if (r == 0 && pairs_bytes(&answer->fields) > LIMIT_ANSWER) {
		*ret_field = NULL;
		snprintf(problem, QUESTION_PROBLEM,
		    "all fields together may have %d bytes; a file may have more", LIMIT_ANSWER);
		r = -EINVAL;
	}
	return r;
}

/* ---- answers ---------------------------------------------------------------------- */

struct answer *
answers_find(const struct answers *answers, const char *name)
{
	for (size_t i = 0; i < answers->n; i++)
		if (answers->v[i].question && strcmp(answers->v[i].question, name) == 0)
			return &answers->v[i];
	return NULL;
}

static void
remove_at(struct answers *answers, size_t i)
{
	codec_free(&answer_codec, &answers->v[i]);
	memmove(answers->v + i, answers->v + i + 1, (answers->n - i - 1) * sizeof *answers->v);
	answers->n--;
}

void
answers_drop(struct answers *answers, const char *name)
{
	struct answer *answer = answers_find(answers, name);

	if (answer)
		remove_at(answers, (size_t)(answer - answers->v));
}

int
answers_put(struct answers *answers, struct answer *answer)
{
	struct answer *place;

	answers_drop(answers, answer->question);
	if (answers->n >= LIMIT_ANSWERS)
		remove_at(answers, 0);
	place = list_add((struct list *)answers, &answer_codec);
	if (!place)
		return -ENOMEM;
	*place = *answer;
	codec_init(&answer_codec, answer);
	return 0;
}
