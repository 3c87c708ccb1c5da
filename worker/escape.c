#include "worker/escape.h"

#include <string.h>

enum state {
	IN_TEXT = 0,
	AFTER_ESC,
	IN_CHARSET, /* ESC ( and the like: one more byte */
	IN_CSI,
	IN_COMMAND, /* OSC */
	IN_STRING,  /* DCS, SOS, PM, APC */
	AFTER_ESC_IN_COMMAND,
	AFTER_ESC_IN_STRING
};

enum {
	ESC = 0x1b,
	BEL = 0x07,
	CAN = 0x18,
	SUB = 0x1a,
	DEL = 0x7f
};

static enum escape_kind
step_text(struct escape *escape, unsigned char c)
{
	if (c == ESC) {
		escape->state = AFTER_ESC;
		return ESCAPE_NOTHING;
	}
	if (c == '\b')
		return ESCAPE_MOVE;
	return c >= ' '                              ? c == DEL ? ESCAPE_NOTHING : ESCAPE_TEXT
	       : c == '\n' || c == '\r' || c == '\t' ? ESCAPE_TEXT
						     : ESCAPE_NOTHING;
}

/* What a terminal carries out even within a sequence ends it for us. */
static enum escape_kind
leave(struct escape *escape, unsigned char c)
{
	escape->state = IN_TEXT;
	return step_text(escape, c);
}

static enum escape_kind
step_esc(struct escape *escape, unsigned char c)
{
	static const struct {
		char byte;
		enum state next;
	} ways[] = { { '[', IN_CSI }, { ']', IN_COMMAND }, { 'P', IN_STRING }, { 'X', IN_STRING },
		{ '^', IN_STRING }, { '_', IN_STRING }, { '(', IN_CHARSET }, { ')', IN_CHARSET },
		{ '*', IN_CHARSET }, { '+', IN_CHARSET }, { '#', IN_CHARSET }, { '%', IN_CHARSET },
		{ ' ', IN_CHARSET } };

	if (c < ' ' || c > '~')
		return leave(escape, c);
	escape->len = 0;
	escape->state = IN_TEXT;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		if (ways[i].byte == (char)c)
			escape->state = ways[i].next;
	return c == 'M' || c == '8' ? ESCAPE_MOVE : ESCAPE_NOTHING;
}

static enum escape_kind
step_csi(struct escape *escape, unsigned char c)
{
	if (c < ' ' || c > '~')
		return leave(escape, c);
	if (c < '@')
		return ESCAPE_NOTHING;
	escape->state = IN_TEXT;
	return strchr("ABDEFGHTSdfu", c) ? ESCAPE_MOVE : ESCAPE_NOTHING;
}

static enum escape_kind
step_string(struct escape *escape, unsigned char c)
{
	bool is_command = escape->state == IN_COMMAND;

	if (c == ESC) {
		escape->state = is_command ? AFTER_ESC_IN_COMMAND : AFTER_ESC_IN_STRING;
	} else if (c == BEL) {
		escape->state = IN_TEXT;
		return is_command && escape->len <= ESCAPE_STRING ? ESCAPE_COMMAND : ESCAPE_NOTHING;
	} else if (c == '\n' || c == CAN || c == SUB) {
		return leave(escape, c);
	} else if (escape->len < ESCAPE_STRING) {
		escape->string[escape->len++] = (char)c;
	} else {
		escape->len = ESCAPE_STRING + 1;
	}
	return ESCAPE_NOTHING;
}

static enum escape_kind
step_string_end(struct escape *escape, unsigned char c)
{
	bool is_command = escape->state == AFTER_ESC_IN_COMMAND;

	escape->state = IN_TEXT;
	if (c != '\\')
		return step_esc(escape, c);
	return is_command && escape->len <= ESCAPE_STRING ? ESCAPE_COMMAND : ESCAPE_NOTHING;
}

enum escape_kind
escape_step(struct escape *escape, char c)
{
	unsigned char byte = (unsigned char)c;

	switch ((enum state)escape->state) {
	case IN_TEXT:
		return step_text(escape, byte);
	case AFTER_ESC:
		return step_esc(escape, byte);
	case IN_CHARSET:
		if (byte < ' ')
			return leave(escape, byte);
		escape->state = IN_TEXT;
		return ESCAPE_NOTHING;
	case IN_CSI:
		return step_csi(escape, byte);
	case IN_COMMAND:
	case IN_STRING:
		return step_string(escape, byte);
	case AFTER_ESC_IN_COMMAND:
	case AFTER_ESC_IN_STRING:
		return step_string_end(escape, byte);
	}
	return ESCAPE_NOTHING;
}

size_t
escape_clean(struct escape *escape, char *data, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		enum escape_kind kind = escape_step(escape, data[i]);

		if (kind == ESCAPE_TEXT)
			data[n++] = data[i];
		else if (kind == ESCAPE_MOVE && (n == 0 || data[n - 1] != '\r'))
			data[n++] = '\r';
	}
	return n;
}
