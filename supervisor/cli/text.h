/*
 * supervisor/cli/text.h - text made fit for people: cleaned of what could command a
 * terminal, measured in columns, cut, and numbers in words. Pure.
 *
 * Titles, labels, messages and logs are written by tasks and are hostile: nothing of them
 * reaches an output but through text_clean().
 */
#ifndef SUPERVISOR_CLI_TEXT_H
#define SUPERVISOR_CLI_TEXT_H

#include "ipc/buf.h"
#include "ipc/clock.h"
#include "supervisor/cli/term.h"

/* Borrowed text, not NUL-terminated. */
struct span {
	const char *text;
	size_t len;
};
struct span span_of(const char *text); /* NULL: empty */

enum text_mode {
	TEXT_FIELD = 0,  /* part of a line: tabs and line ends become spaces */
	TEXT_LOG = 1,    /* tabs stay, colours do not */
	TEXT_COLOURS = 2 /* as TEXT_LOG, and colours (SGR) stay */
};

/*
 * Appends TEXT without control characters, escape sequences and marks that turn the direction of
 * writing; what is not UTF-8 becomes U+FFFD. Returns true when a colour was let through, which the
 * caller ends.
 */
bool text_clean(struct buf *out, struct span text, enum text_mode mode);

/* Columns that clean text takes. */
size_t text_columns(const char *text, size_t len);

/* printf behind what BUF holds. The arguments are ours, or were cleaned. */
void text_add(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One line, cut to the terminal's width with an ellipsis. */
struct line {
	struct buf *out;
	const struct term *term;
	size_t columns; /* so far */
	bool is_cut;    /* nothing more is taken */
};
void line_begin(struct line *line, struct buf *out, const struct term *term);
void line_put(struct line *line, enum style style, struct span text); /* cleans */
void line_add(struct line *line, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void line_words(struct line *line, enum style style, const char *name); /* '_' becomes a space */
void line_pad(struct line *line, size_t columns); /* spaces up to that column */
void line_end(struct line *line);
/* TEXT by whole words from COLUMN on, over as many lines as that takes, and the end of the last.
 * Without a width it is one line. */
void line_wrap(struct line *line, enum style style, size_t column, struct span text);

/* A bar of COLUMNS for 0..1. */
void line_bar(struct line *line, double fraction, size_t columns, enum style style);

enum {
	TEXT_NUMBER = CLOCK_TEXT
};
/* "512 B", "18.2 MB" (powers of 1000, as networks and disks count). Returns TEXT. */
char *text_bytes(uint64_t bytes, char text[static TEXT_NUMBER]);

/* "18.2 of 42.1 MB": one unit where both share it. */
enum {
	TEXT_BYTES_OF = 2 * TEXT_NUMBER + 8
};
char *text_bytes_of(uint64_t done, uint64_t total, char text[static TEXT_BYTES_OF]);

/* "38 ms", then as clock_format_duration(). Returns TEXT. */
char *text_duration(uint64_t duration_ms, char text[static TEXT_NUMBER]);

/* 0..100, never 100 before the end. */
unsigned text_percent(double fraction);

#endif
