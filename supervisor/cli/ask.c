#include "supervisor/cli/ask.h"

#include "ipc/fd.h"
#include "ipc/question.h"
#include "ipc/secrets.h"
#include "supervisor/cli/story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	OUT_MAX = 64 * 1024,
	CHOICES_SHOWN = 8
};

bool
ask_can(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void
ask_init(struct ask *ask, const struct term *term)
{
	*ask = (struct ask){ .term = term };
	doc_copy_init(&ask->question);
}

/* ---- what is shown ------------------------------------------------------------------ */

static void
hide(struct ask *ask)
{
	struct termios hidden;

	if (ask->is_hidden || tcgetattr(STDIN_FILENO, &ask->shown) < 0)
		return;
	hidden = ask->shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	hidden.c_lflag |= ICANON | ECHONL;
	ask->is_hidden = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
}

static void
show(struct ask *ask)
{
	if (ask->is_hidden)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &ask->shown);
	ask->is_hidden = false;
}

void
ask_end(struct ask *ask)
{
	show(ask);
	ask->state = ASK_NOTHING;
	ask->has_word = false;
	secrets_wipe(&ask->fields);
}

void
ask_fini(struct ask *ask)
{
	ask_end(ask);
	doc_copy_fini(&ask->question);
}

static void
say(const struct ask *ask, const struct buf *out)
{
	/* Who went away is no reason to fail: SIGHUP is on its way. */
	(void)fd_write_all(ask->term->fd, out->data, out->len);
}

static const msgpack_object *
question_of(const struct ask *ask)
{
	return doc_copy_get(&ask->question);
}

static const msgpack_object *
field_of(const struct ask *ask)
{
	return doc_at(mp_get(question_of(ask), "fields"), ask->at);
}

struct span
ask_id(const struct ask *ask)
{
	return ask->state == ASK_NOTHING ? (struct span){ "", 0 }
					 : doc_span(question_of(ask), "id");
}

static void
put_choices(struct line *line, const msgpack_object *choices)
{
	size_t n = doc_count(choices);

	for (size_t i = 0; i < n && i < CHOICES_SHOWN; i++) {
		const msgpack_object *choice = doc_at(choices, i);

		line_add(line, STYLE_DIM, i == 0 ? " (" : ", ");
		if (choice->type == MSGPACK_OBJECT_STR)
			line_put(line, STYLE_DIM,
			    (struct span){ choice->via.str.ptr, choice->via.str.size });
	}
	if (n > 0)
		line_add(line, STYLE_DIM, n > CHOICES_SHOWN ? ", ...)" : ")");
}

static void
put_field(struct line *line, const msgpack_object *field)
{
	struct span usual = doc_span(field, "default");

	line_put(line, STYLE_BOLD, doc_span(field, "label"));
	put_choices(line, mp_get(field, "choices"));
	if (mp_str_is(mp_get(field, "type"), "secret"))
		line_add(line, STYLE_DIM, " (is not shown)");
	if (usual.len > 0) {
		line_add(line, STYLE_DIM, " [");
		line_put(line, STYLE_DIM, usual);
		line_add(line, STYLE_DIM, "]");
	} else if (mp_bool(mp_get(field, "optional"), false)) {
		line_add(line, STYLE_DIM, " (may be empty)");
	}
}

static void
put_words(struct line *line, const msgpack_object *question)
{
	line_put(line, STYLE_BOLD, doc_span(question, "yes"));
	line_add(line, STYLE_DIM, " (y) or ");
	line_put(line, STYLE_BOLD, doc_span(question, "no"));
	line_add(line, STYLE_DIM, " (n)");
}

static void
prompt(struct ask *ask)
{
	struct line line;
	struct buf out;

	buf_init(&out, OUT_MAX);
	line_begin(&line, &out, ask->term);
	line_add(&line, STYLE_PLAIN, "  ");
	if (ask->state == ASK_WORD)
		put_words(&line, question_of(ask));
	else
		put_field(&line, field_of(ask));
	line_add(&line, STYLE_PLAIN, ": ");
	line_end(&line);
	if (out.len > 0 && out.data[out.len - 1] == '\n')
		out.len--;
	say(ask, &out);
	buf_fini(&out);
	if (ask->state == ASK_FIELD && mp_str_is(mp_get(field_of(ask), "type"), "secret"))
		hide(ask);
}

/* ---- what is asked ------------------------------------------------------------------- */

static bool
is_given(const struct ask *ask)
{
	char *name = mp_str_dup(mp_get(field_of(ask), "name"));
	bool is_given = name && pairs_get(&ask->fields, name);

	free(name);
	return is_given;
}

/* The next field that has no value; without one it is ready. */
static void
go_on(struct ask *ask)
{
	size_t n = doc_count(mp_get(question_of(ask), "fields"));

	show(ask);
	while (ask->at < n && is_given(ask))
		ask->at++;
	ask->state = ask->yes && ask->at < n ? ASK_FIELD : ASK_READY;
	if (ask->state == ASK_FIELD)
		prompt(ask);
}

/* A plain question for values, as programs ask: whoever gives them says yes. */
static bool
is_only_fields(const msgpack_object *question)
{
	return doc_count(mp_get(question, "fields")) > 0 &&
	       mp_str_is(mp_get(question, "yes"), "yes") && mp_str_is(mp_get(question, "no"), "no");
}

void
ask_begin(struct ask *ask, uint64_t id, const msgpack_object *question)
{
	struct buf out;

	ask->state = ASK_NOTHING;
	if (doc_copy_set(&ask->question, question) != 0)
		return;
	buf_init(&out, OUT_MAX);
	story_question(&out, ask->term, id, question_of(ask), false);
	say(ask, &out);
	buf_fini(&out);
	ask->at = 0;
	ask->yes = true;
	if (ask->has_word || ask->fields.n > 0 || is_only_fields(question_of(ask))) {
		go_on(ask);
		return;
	}
	ask->state = ASK_WORD;
	prompt(ask);
}

static bool
is_word(struct span word, const char *line)
{
	return word.len == strlen(line) && strncasecmp(word.text, line, word.len) == 0;
}

/* yes and no by their own names, in English, or by a letter. */
static void
take_word(struct ask *ask, const char *line)
{
	const msgpack_object *question = question_of(ask);
	bool is_yes = is_word(doc_span(question, "yes"), line) || strcasecmp(line, "yes") == 0 ||
		      strcasecmp(line, "y") == 0;
	bool is_no = is_word(doc_span(question, "no"), line) || strcasecmp(line, "no") == 0 ||
		     strcasecmp(line, "n") == 0;

	if (is_yes == is_no) {
		prompt(ask);
		return;
	}
	ask->yes = is_yes;
	go_on(ask);
}

static void
take_field(struct ask *ask, const char *line)
{
	const msgpack_object *field = field_of(ask);
	char *name = mp_str_dup(mp_get(field, "name"));
	bool may_be_empty =
	    mp_bool(mp_get(field, "optional"), false) || doc_span(field, "default").len > 0;

	if (!*line && !may_be_empty) {
		free(name);
		prompt(ask);
		return;
	}
	if (name && *line)
		(void)pairs_set(&ask->fields, name, line); /* without memory it is refused */
	free(name);
	ask->at++;
	go_on(ask);
}

void
ask_line(struct ask *ask, const char *line)
{
	if (ask->state == ASK_WORD)
		take_word(ask, line);
	else if (ask->state == ASK_FIELD)
		take_field(ask, line);
}

bool
ask_again(struct ask *ask, const char *field)
{
	const msgpack_object *fields = mp_get(question_of(ask), "fields");

	for (size_t i = 0; i < doc_count(fields); i++) {
		if (!mp_str_is(mp_get(doc_at(fields, i), "name"), field))
			continue;
		ask->at = i;
		ask->state = ASK_FIELD;
		prompt(ask);
		return true;
	}
	return false;
}

ssize_t
ask_read(char *line, size_t size)
{
	ssize_t n = read(STDIN_FILENO, line, size - 1);

	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	if (line[n - 1] == '\n')
		n--;
	line[n] = '\0';
	return n;
}
