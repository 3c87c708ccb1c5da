/*
 * supervisor/cli/term.h - what stands at the other end of an output: a terminal with
 * colours and a size, or a file. NO_COLOR, TERM=dumb and the locale are honoured here.
 */
#ifndef SUPERVISOR_CLI_TERM_H
#define SUPERVISOR_CLI_TERM_H

#include "ipc/buf.h"

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_RED,
	STYLE_GREEN,
	STYLE_YELLOW,
	STYLE_CYAN
};
#define STYLE_COUNT 7

struct term {
	int fd;
	bool is_tty;
	bool is_live;     /* a terminal that can move its cursor */
	bool has_taskbar; /* one that shows progress by itself: OSC 9;4 */
	bool has_colour;
	bool has_utf8;          /* marks and bars may be other than ASCII */
	unsigned columns, rows; /* 0 when it is no terminal: nothing is cut */
};

/* Borrows FD. Once per output, after setlocale(). */
void term_init(struct term *term, int fd);

/* Asks for the size again, after SIGWINCH. */
void term_measure(struct term *term);

/* The escape sequence that starts STYLE, and the one that ends any; "" without colours. */
const char *term_style(const struct term *term, enum style style);
const char *term_plain(const struct term *term);

#endif
