/*
 * ipc/question.h - what a task asks a person, and what was answered. Pure.
 *
 * A question has a name that is its own within its step: the same question of the same step,
 * asked again by a later try or attempt, has the same answer. Questions come from recipes and
 * from programs that run as steps; both are held to question_problem().
 *
 * A secret answer is in the `fields` of an answer only on its way to the worker: never in the
 * store, a journal, a log or an event.
 */
#ifndef IPC_QUESTION_H
#define IPC_QUESTION_H

#include "ipc/codec.h"

enum {
	LIMIT_QUESTION = 2 * 1024,        /* bytes of a question's text */
	LIMIT_QUESTION_WORD = 64,         /* bytes of what yes and no are called */
	LIMIT_QUESTION_WHOLE = 16 * 1024, /* bytes of a question, encoded */
	LIMIT_FIELDS = 16,                /* of a question */
	LIMIT_CHOICES = 64,               /* of a field */
	LIMIT_ANSWER = 3 * 1024, /* bytes of all values: an order must fit a pipe's PIPE_BUF */
	LIMIT_ANSWERS = 32       /* kept per step; the oldest is forgotten first */
};

/* clang-format off */
/* X(symbol, number, name, help) */
#define FIELD_TYPES(X)                                                          \
	X(FIELD_TEXT,   1, "text",   "any text")                                \
	X(FIELD_SECRET, 2, "secret", "any text, never stored or shown")         \
	X(FIELD_NUMBER, 3, "number", "a number")                                \
	X(FIELD_CHOICE, 4, "choice", "one of its choices")                      \
	X(FIELD_FILE,   5, "file",   "the absolute path of a file that the task's owner can read")
/* clang-format on */

enum field_type {
#define X(sym, num, name, help) sym = num,
	FIELD_TYPES(X)
#undef X
};
#define FIELD_TYPE_MAX 5

enum field_type field_type_parse(const char *name); /* NULL is text; 0 for none */

struct question_field {
	char *name;
	char *type;  /* a name from the table; NULL: text */
	char *label; /* NULL: its name */
	char *default_value;
	struct strs choices;
	bool optional;
};
struct question_fields {
	struct question_field *v;
	size_t n;
};

/* What a no of a recipe's own question means. */
enum on_no {
	ON_NO_STOP = 1, /* the task is cancelled */
	ON_NO_GO_ON = 2
};
#define ON_NO_MAX 2

struct question {
	char *name;
	char *text;     /* NULL: there is no question */
	char *yes, *no; /* what they are called; NULL: yes, no */
	struct question_fields fields;
	char *default_answer; /* "yes" or "no", counts after after_ms; NULL: it waits for ever */
	uint64_t after_ms;
	enum on_no on_no; /* 0: asked by a program, which knows itself what to do */
	char *problem;    /* why it is asked again; NULL: it is asked for the first time */
};

struct answer {
	uint64_t step; /* from 1 */
	char *question;
	bool yes;
	struct pairs fields;
	char *by;      /* unix:NAME; NULL: nobody, its time was over */
	char *problem; /* to a step alone: why its question is not asked */
	uint64_t ts_ms;
	uint64_t rev;      /* of the order that told the worker */
	struct blob token; /* of who answered: the same answer sent again is known by it */
	bool has_secrets;  /* some of its fields are secrets, and may not be here */
};
struct answers {
	struct answer *v;
	size_t n;
};

extern const struct codec question_codec, question_field_codec, answer_codec;
extern const struct codec question_named_codec; /* as steps write it: keys are names */
extern const struct codec answer_named_codec;   /* as steps read it */

enum {
	QUESTION_PROBLEM = 320
};

/* What is wrong with a question, in PROBLEM, which is returned; NULL: nothing. */
const char *question_problem(
    const struct question *question, char problem[static QUESTION_PROBLEM]);

/*
 * Does ANSWER answer QUESTION? Fills in the defaults of fields that are missing. 0; -EINVAL with
 * *ret_field (borrowed from either; NULL: none is to blame) and what is wrong; -ENOMEM.
 */
int question_take(const struct question *question, struct answer *answer, const char **ret_field,
    char problem[static QUESTION_PROBLEM]);

const struct question_field *question_find_field(const struct question *question, const char *name);
bool question_has_secret(const struct question *question);

/* What the answer is called: "Overwrite". Borrowed. */
const char *question_word(const struct question *question, bool yes);

/* The answer to question NAME, or NULL. */
struct answer *answers_find(const struct answers *answers, const char *name);
/* Takes ANSWER (left empty) as the one to its question; the oldest goes where they are too many. 0
 * or -ENOMEM. */
int answers_put(struct answers *answers, struct answer *answer);
void answers_drop(struct answers *answers, const char *name);

#endif
