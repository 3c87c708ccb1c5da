#include "supervisor/cli/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	FORMATTED_MAX = 512,
	NARROWEST = 24 /* of what is wrapped, however narrow the terminal */
};

void
line_begin(struct line *line, struct buf *out, const struct term *term)
{
	*line = (struct line){ .out = out, .term = term };
}

/* The last column stays free: for the ellipsis, and because terminals differ in how they wrap
 * there. */
static size_t
room(const struct line *line)
{
	return line->term->columns > 0 ? line->term->columns - 1 : SIZE_MAX;
}

static size_t
point_len(const char *text, size_t len)
{
	size_t n = 1;

	while (n < len && ((unsigned char)text[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Takes clean text as far as there is room. */
static void
put_clean(struct line *line, const char *text, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t n = point_len(text + i, len - i);
		size_t columns = text_columns(text + i, n);

		if (line->columns + columns > room(line)) {
			line->is_cut = true;
			text_add(line->out, "%s", line->term->has_utf8 ? "…" : ">");
			return;
		}
		buf_add(line->out, text + i, n);
		line->columns += columns;
		i += n;
	}
}

void
line_put(struct line *line, enum style style, struct span text)
{
	struct buf clean;

	if (line->is_cut || text.len == 0)
		return;
	buf_init(&clean, 4 * text.len + 1);
	text_clean(&clean, text, TEXT_FIELD);
	text_add(line->out, "%s", term_style(line->term, style));
	put_clean(line, (const char *)clean.data, clean.len);
	if (style != STYLE_PLAIN)
		text_add(line->out, "%s", term_plain(line->term));
	buf_fini(&clean);
}

void
line_add(struct line *line, enum style style, const char *format, ...)
{
	char text[FORMATTED_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	line_put(line, style, span_of(text));
}

void
line_words(struct line *line, enum style style, const char *name)
{
	for (const char *end; *name; name = end + (*end == '_')) {
		end = name + strcspn(name, "_");
		line_add(line, style, "%.*s%s", (int)(end - name), name, *end ? " " : "");
	}
}

void
line_pad(struct line *line, size_t columns)
{
	while (!line->is_cut && line->columns < columns)
		put_clean(line, " ", 1);
}

void
line_end(struct line *line)
{
	buf_add(line->out, "\n", 1);
}

/* How much of TEXT goes on a line of ROOM bytes: columns or, beyond ASCII, less. */
static size_t
fitting(struct span text, size_t room)
{
	size_t end = room;

	if (text.len <= room)
		return text.len;
	while (end > 0 && text.text[end] != ' ')
		end--;
	if (end > 0)
		return end;
	for (end = room; end > 1 && ((unsigned char)text.text[end] & 0xc0) == 0x80;)
		end--;
	return end;
}

/* Bytes of wrapped text that go on the line. */
static size_t
wrap_room(const struct line *line)
{
	size_t all = room(line);

	return all == SIZE_MAX                   ? all
	       : all > line->columns + NARROWEST ? all - line->columns
						 : NARROWEST;
}

void
line_wrap(struct line *line, enum style style, size_t column, struct span text)
{
	do {
		size_t end;

		if (text.len > 0)
			line_pad(line, column);
		end = fitting(text, wrap_room(line));
		line_put(line, style, (struct span){ text.text, end });
		line_end(line);
		line_begin(line, line->out, line->term);
		while (end < text.len && text.text[end] == ' ')
			end++;
		text = (struct span){ text.text + end, text.len - end };
	} while (text.len > 0);
}

void
line_bar(struct line *line, double fraction, size_t columns, enum style style)
{
	const char *full = line->term->has_utf8 ? "━" : "#";
	const char *rest = line->term->has_utf8 ? (line->term->has_colour ? "━" : "─") : "-";
	size_t filled =
	    isnan(fraction) || fraction < 0 ? 0 : (size_t)(fraction * (double)columns + 0.5);
	struct buf part;

	buf_init(&part, 4 * columns + 1);
	for (size_t i = 0; i < filled && i < columns; i++)
		buf_add(&part, full, strlen(full));
	line_put(line, style, (struct span){ (const char *)part.data, part.len });
	buf_clear(&part);
	for (size_t i = filled; i < columns; i++)
		buf_add(&part, rest, strlen(rest));
	line_put(line, STYLE_DIM, (struct span){ (const char *)part.data, part.len });
	buf_fini(&part);
}
