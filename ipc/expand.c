#include "ipc/expand.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char expand_later[] = "${}"; /* no value has this address */

enum piece_kind {
	PIECE_LITERAL,   /* text as it is */
	PIECE_ESCAPE,    /* $${ */
	PIECE_DOLLAR,    /* ${$} */
	PIECE_REFERENCE, /* ${…}: text is what stands between the braces */
};

struct piece {
	enum piece_kind kind;
	const char *text;
	size_t len;
	size_t used; /* bytes of the template */
};

/* The piece at AT, which is not the end. 0 or -EINVAL. */
static int
next_piece(const char *at, struct piece *ret_piece)
{
	size_t len;

	if (strncmp(at, "$${", 3) == 0) {
		*ret_piece = (struct piece){ PIECE_ESCAPE, at, 3, 3 };
		return 0;
	}
	if (strncmp(at, "${", 2) != 0) {
		len = 1 + strcspn(at + 1, "$");
		*ret_piece = (struct piece){ PIECE_LITERAL, at, len, len };
		return 0;
	}
	len = strcspn(at + 2, "}");
	if (len == 0 || at[2 + len] != '}')
		return -EINVAL;
	*ret_piece = (struct piece){ PIECE_REFERENCE, at + 2, len, len + 3 };
	if (len == 1 && at[2] == '$')
		ret_piece->kind = PIECE_DOLLAR;
	return 0;
}

/*
 * Appends VALUE so that a later pass finds nothing in it. A `$` matters only before `{`, before
 * another `$` and at the end, where it would meet what comes next.
 */
static void
add_quoted(struct buf *out, const char *value)
{
	for (const char *at = value; *at; at++) {
		if (*at == '$' && strchr("${", at[1])) /* the end of VALUE is found by strchr too */
			buf_add(out, "${$}", 4);
		else
			buf_add(out, at, 1);
	}
}

struct expansion {
	enum expand_mode mode;
	expand_fn lookup;
	void *arg;
	struct buf out;
	char **ret_missing;
};

static int
expand_reference(struct expansion *expansion, const struct piece *piece)
{
	char *reference = strndup(piece->text, piece->len);
	const char *value;

	if (!reference)
		return -ENOMEM;
	value = expansion->lookup(reference, expansion->arg);
	if (!value) {
		*expansion->ret_missing = reference;
		return -ENOENT;
	}
	if (value == expand_later)
		buf_add(&expansion->out, piece->text - strlen("${"), piece->used);
	else if (expansion->mode == EXPAND_PARAMS)
		add_quoted(&expansion->out, value);
	else
		buf_add(&expansion->out, value, strlen(value));
	free(reference);
	return 0;
}

/* True when the piece is for EXPAND_ALL to deal with. */
static bool
is_for_later(const struct piece *piece)
{
	static const char steps[] = "steps.";

	return piece->kind == PIECE_ESCAPE || piece->kind == PIECE_DOLLAR ||
	       (piece->kind == PIECE_REFERENCE && piece->len >= strlen(steps) &&
		   memcmp(piece->text, steps, strlen(steps)) == 0);
}

static int
expand_piece(struct expansion *expansion, const char *at, const struct piece *piece)
{
	struct buf *out = &expansion->out;

	if (expansion->mode == EXPAND_PARAMS && is_for_later(piece))
		return buf_add(out, at, piece->used);
	switch (piece->kind) {
	case PIECE_LITERAL:
		return buf_add(out, piece->text, piece->len);
	case PIECE_ESCAPE:
		return buf_add(out, "${", 2);
	case PIECE_DOLLAR:
		return buf_add(out, "$", 1);
	case PIECE_REFERENCE:
		return expand_reference(expansion, piece);
	}
	return -EINVAL;
}

static int
expand_text(struct expansion *expansion, const char *text)
{
	struct piece piece;
	int r = 0;

	while (r == 0 && *text) {
		r = next_piece(text, &piece);
		if (r < 0)
			break;
		r = expand_piece(expansion, text, &piece);
		text += piece.used;
	}
	return r < 0 ? r : buf_error(&expansion->out);
}

int
expand(const char *text, enum expand_mode mode, expand_fn lookup, void *arg, char **ret_text,
    char **ret_missing)
{
	struct expansion expansion = { mode, lookup, arg, { .data = NULL }, ret_missing };
	uint8_t *data = NULL;
	size_t len;
	int r;

	buf_init(&expansion.out, LIMIT_TEXT + 1);
	r = expand_text(&expansion, text);
	if (r == 0)
		r = buf_add(&expansion.out, "", 1);
	if (r == 0) {
		buf_take(&expansion.out, &data, &len);
		*ret_text = (char *)data;
	}
	buf_fini(&expansion.out);
	return r;
}

char *
expand_quote(const char *text)
{
	struct buf out;
	uint8_t *data = NULL;
	size_t len;

	buf_init(&out, SIZE_MAX);
	add_quoted(&out, text);
	if (buf_add(&out, "", 1) == 0)
		buf_take(&out, &data, &len);
	buf_fini(&out);
	return (char *)data;
}

static int
add_reference(struct strs *references, const struct piece *piece)
{
	char *reference = strndup(piece->text, piece->len);
	int r = reference ? strs_add(references, reference) : -ENOMEM;

	free(reference);
	return r;
}

int
expand_references(const char *text, struct strs *ret_references)
{
	struct strs references = { .v = NULL };
	struct piece piece;
	int r = 0;

	while (r == 0 && *text) {
		r = next_piece(text, &piece);
		if (r < 0)
			break;
		if (piece.kind == PIECE_REFERENCE)
			r = add_reference(&references, &piece);
		text += piece.used;
	}
	if (r == 0)
		*ret_references = references;
	else
		strs_free(&references);
	return r;
}

char *
expand_env_name(const char *prefix, const char *name)
{
	char *text;

	if (asprintf(&text, "%s%s", prefix, name) < 0)
		return NULL;
	for (char *at = text + strlen(prefix); *at; at++)
		*at = isascii(*at) && isalnum((unsigned char)*at)
			  ? (char)toupper((unsigned char)*at)
			  : '_';
	return text;
}
