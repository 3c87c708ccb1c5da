/*
 * supervisor/cli/ask.h - a task's question put to the person at the terminal, line by line.
 *
 * Knows nothing of the service and waits for nothing: it is given the lines that were typed, and
 * has an answer in the end. A secret is read without echo; ask_end() sets the terminal back.
 */
#ifndef SUPERVISOR_CLI_ASK_H
#define SUPERVISOR_CLI_ASK_H

#include "ipc/codec.h"
#include "supervisor/cli/doc.h"

#include <termios.h>

enum ask_state {
	ASK_NOTHING,
	ASK_WORD,  /* yes or no */
	ASK_FIELD, /* number `at` */
	ASK_READY  /* yes and fields are the answer */
};

struct ask {
	const struct term *term; /* where the questions go */
	enum ask_state state;
	struct doc_copy question;
	size_t at;
	bool yes;
	bool has_word;        /* yes is given already */
	struct pairs fields;  /* some may be, too */
	struct termios shown; /* how the terminal was, while is_hidden */
	bool is_hidden;
};

/* True when stdin is a terminal that is ours to read. */
bool ask_can(void);

void ask_init(struct ask *ask, const struct term *term);
void ask_fini(struct ask *ask);

/* Shows QUESTION of task ID, and asks the first thing that is not in fields. */
void ask_begin(struct ask *ask, uint64_t id, const msgpack_object *question);

/* Its id, or an empty span while nothing is asked. */
struct span ask_id(const struct ask *ask);

/* A line was typed, without its end. */
void ask_line(struct ask *ask, const char *line);

/* FIELD was refused: it is asked for again. False: there is no such field. */
bool ask_again(struct ask *ask, const char *field);

/* Nothing is asked any more. */
void ask_end(struct ask *ask);

/* One line of stdin, up to SIZE - 1 bytes, without its end: its length; -errno, -EPIPE at the end.
 */
ssize_t ask_read(char *line, size_t size);

#endif
