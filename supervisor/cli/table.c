#include "supervisor/cli/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CELL_MAX = 4096,
	GAP = 2,
	LEAST_FLEXIBLE = 16,
	LEAST_SENTENCE = 24
};

void
table_init(struct table *table, const struct term *term, const struct table_column *columns,
    size_t ncolumns)
{
	*table = (struct table){ .term = term, .columns = columns, .ncolumns = ncolumns };
}

void
table_fini(struct table *table)
{
	for (size_t i = 0; i < table->nrows * table->ncolumns; i++)
		buf_fini(&table->cells[i].text);
	free(table->cells);
	table->cells = NULL;
	table->nrows = 0;
}

static struct table_cell *
cell_at(const struct table *table, size_t row, size_t column)
{
	return &table->cells[row * table->ncolumns + column];
}

void
table_row(struct table *table)
{
	if (table->nrows == table->room) {
		size_t room = table->room ? 2 * table->room : 32;
		struct table_cell *cells =
		    realloc(table->cells, room * table->ncolumns * sizeof *cells);

		if (!cells) {
			table->error = -ENOMEM;
			return;
		}
		table->cells = cells;
		table->room = room;
	}
	for (size_t i = 0; i < table->ncolumns; i++) {
		struct table_cell *cell = cell_at(table, table->nrows, i);

		cell->style = STYLE_PLAIN;
		buf_init(&cell->text, CELL_MAX);
	}
	table->nrows++;
}

void
table_put(struct table *table, size_t column, enum style style, struct span text)
{
	struct table_cell *cell;

	if (table->error || table->nrows == 0)
		return;
	cell = cell_at(table, table->nrows - 1, column);
	cell->style = style;
	text_clean(&cell->text, text, TEXT_FIELD);
}

void
table_add(struct table *table, size_t column, enum style style, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	table_put(table, column, style, span_of(text));
}

static size_t
cell_columns(const struct table_cell *cell)
{
	return text_columns((const char *)cell->text.data, cell->text.len);
}

static size_t
natural_width(const struct table *table, size_t column)
{
	size_t width = 0, max = table->columns[column].max_columns;

	for (size_t row = 0; row < table->nrows; row++) {
		size_t columns = cell_columns(cell_at(table, row, column));

		if (columns > width)
			width = columns;
	}
	/* A column without content has no title either. */
	if (width > 0 && strlen(table->columns[column].title) > width)
		width = strlen(table->columns[column].title);
	return max > 0 && width > max ? max : width;
}

static size_t
total_width(const size_t *widths, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += widths[i] ? widths[i] + GAP : 0;
	return total > 0 ? total - GAP : 0;
}

/* Leaves out the column of the highest rank; false when only rank 0 remains. */
static bool
leave_out(const struct table *table, size_t *widths)
{
	size_t victim = table->ncolumns;

	for (size_t i = 0; i < table->ncolumns; i++)
		if (widths[i] > 0 && table->columns[i].rank > 0 &&
		    (victim == table->ncolumns ||
			table->columns[i].rank > table->columns[victim].rank))
			victim = i;
	if (victim == table->ncolumns)
		return false;
	widths[victim] = 0;
	return true;
}

/* How much it can give up, a width that still says something being left: more of one that ends the
 * row and is as wide as it happens to be, for that holds sentences. */
static size_t
spare_width(const struct table *table, const size_t *widths, size_t column)
{
	bool is_last = column + 1 == table->ncolumns && table->columns[column].max_columns == 0;
	size_t least = is_last ? LEAST_SENTENCE : LEAST_FLEXIBLE;

	return widths[column] > least ? widths[column] - least : 0;
}

/* The widest column that can gives up what is too much. */
static void
squeeze(const struct table *table, size_t *widths, size_t room)
{
	for (;;) {
		size_t total = total_width(widths, table->ncolumns), widest = 0;

		if (total <= room)
			return;
		for (size_t i = 1; i < table->ncolumns; i++)
			if (spare_width(table, widths, i) > spare_width(table, widths, widest))
				widest = i;
		if (spare_width(table, widths, widest) > 0) {
			size_t excess = total - room, spare = spare_width(table, widths, widest);

			widths[widest] -= excess < spare ? excess : spare;
		} else if (leave_out(table, widths)) {
			/* those that stay have more room again */
			for (size_t i = 0; i < table->ncolumns; i++)
				widths[i] = widths[i] ? natural_width(table, i) : 0;
		} else {
			return;
		}
	}
}

static void
put_cell(const struct table *table, struct line *line, size_t column, size_t width,
    const struct table_cell *cell)
{
	size_t begin = line->columns, columns = cell_columns(cell);
	struct term narrow = *table->term;
	struct line part;

	if (table->columns[column].is_right && columns < width)
		line_pad(line, begin + width - columns);
	/* A cell is a line of its own that ends where the next column begins. */
	narrow.columns = columns > width ? (unsigned)width : 0;
	line_begin(&part, line->out, &narrow);
	line_put(
	    &part, cell->style, (struct span){ (const char *)cell->text.data, cell->text.len });
	line->columns += part.columns + (part.is_cut ? 1 : 0);
}

static void
put_row(const struct table *table, struct buf *out, const size_t *widths, size_t row)
{
	struct line line;
	size_t at = 0;

	line_begin(&line, out, table->term);
	for (size_t i = 0; i < table->ncolumns; i++) {
		const struct table_cell *cell = cell_at(table, row, i);

		if (widths[i] == 0)
			continue;
		/* Nothing is padded behind the last text of a row. */
		if (cell->text.len > 0) {
			line_pad(&line, at);
			put_cell(table, &line, i, widths[i], cell);
		}
		at += widths[i] + GAP;
	}
	line_end(&line);
}

static void
put_titles(const struct table *table, struct buf *out, const size_t *widths)
{
	struct line line;
	size_t at = 0;

	line_begin(&line, out, table->term);
	for (size_t i = 0; i < table->ncolumns; i++) {
		const char *title = table->columns[i].title;

		if (widths[i] == 0)
			continue;
		line_pad(&line, at);
		if (table->columns[i].is_right && strlen(title) < widths[i])
			line_pad(&line, at + widths[i] - strlen(title));
		line_add(&line, STYLE_DIM, "%s", title);
		at += widths[i] + GAP;
	}
	line_end(&line);
}

int
table_draw(struct table *table, struct buf *out)
{
	size_t widths[TABLE_COLUMNS];

	if (table->error)
		return table->error;
	for (size_t i = 0; i < table->ncolumns; i++)
		widths[i] = natural_width(table, i);
	if (table->term->columns > 0)
		squeeze(table, widths, table->term->columns - 1);
	put_titles(table, out, widths);
	for (size_t row = 0; row < table->nrows; row++)
		put_row(table, out, widths, row);
	return buf_error(out);
}
