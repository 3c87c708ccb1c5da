/* The spec of an ad-hoc command, which recipe.h promises beside those of recipes. */
#include "supervisor/recipe/recipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/expand.h"
#include "supervisor/recipe/value.h"

/* True when a shell would read WORD as this one word. */
static bool
is_plain(const char *word)
{
	return *word != '\0' &&
	       word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "%+,-./:=@_^")] == '\0';
}

/* Appends WORD so that a reader sees where it begins and ends, as a shell takes it. */
static void
add_word(struct buf *line, const char *word)
{
	if (is_plain(word)) {
		buf_add(line, word, strlen(word));
		return;
	}
	buf_add(line, "'", 1);
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_add(line, "'\\''", 4);
		else
			buf_add(line, word, 1);
	}
	buf_add(line, "'", 1);
}

/* The command line, as far as a title goes. */
static int
title_of(const struct strs *argv, char **ret_title)
{
	struct buf line;
	uint8_t *bytes = NULL;
	size_t len;
	int r;

	buf_init(&line, (size_t)LIMIT_RPC * 4);
	for (size_t i = 0; i < argv->n && line.len <= LIMIT_TITLE; i++) {
		if (i > 0)
			buf_add(&line, " ", 1);
		add_word(&line, argv->v[i]);
	}
	r = buf_add(&line, "", 1);
	if (r == 0) {
		buf_take(&line, &bytes, &len);
		*ret_title = (char *)bytes;
	}
	buf_fini(&line);
	return r;
}

static int
fill_title(const struct strs *argv, const char *title, struct spec *spec)
{
	int r;

	r = title && *title ? str_set(&spec->title, title) : title_of(argv, &spec->title);
	if (r == 0)
		value_cut_line(spec->title, LIMIT_TITLE);
	return r;
}

/* One step, named after the program. */
static int
fill_step(const struct strs *argv, struct spec *spec)
{
	struct list list = { NULL, 0 };
	struct spec_step *step = list_add(&list, &spec_step_codec);
	const char *slash = strrchr(argv->v[0], '/');
	int r;

	if (!step)
		return -ENOMEM;
	spec->steps = (struct spec_steps){ list.v, list.n };
	step->kind = STEP_KIND_CMD;
	step->cancel = CANCEL_NOW;
	r = str_set(&step->name, slash && slash[1] != '\0' ? slash + 1 : argv->v[0]);
	if (r == 0)
		value_cut_line(step->name, LIMIT_NAME);
	for (size_t i = 0; r == 0 && i < argv->n; i++) {
		/* A command line is no template: what looks like a reference is meant as it is. */
		char *word = expand_quote(argv->v[i]);

		r = word ? strs_add(&step->cmd.argv, word) : -ENOMEM;
		free(word);
	}
	return r;
}

int
recipe_command_spec(const struct strs *argv, const char *title, struct spec *ret_spec)
{
	struct spec spec;
	int r;

	if (argv->n == 0 || argv->n > LIMIT_ARGS || argv->v[0][0] == '\0')
		return -EINVAL;
	codec_init(&spec_codec, &spec);
	spec.on_interrupt = INTERRUPT_STOP;
	r = str_set(&spec.type, "command");
	if (r == 0)
		r = fill_title(argv, title, &spec);
	if (r == 0)
		r = fill_step(argv, &spec);
	if (r == 0)
		*ret_spec = spec;
	else
		codec_free(&spec_codec, &spec);
	return r;
}
