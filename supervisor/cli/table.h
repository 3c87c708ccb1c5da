/*
 * supervisor/cli/table.h - rows with aligned columns, cut to the terminal's width. Pure.
 */
#ifndef SUPERVISOR_CLI_TABLE_H
#define SUPERVISOR_CLI_TABLE_H

#include "supervisor/cli/text.h"

enum {
	TABLE_COLUMNS = 12
};

struct table_column {
	const char *title;
	size_t max_columns; /* a wider cell is cut; 0: any */
	bool is_right;      /* aligned to the right */
	unsigned rank; /* columns of a higher rank are left out first where the width is short */
};

struct table_cell {
	struct buf text; /* clean */
	enum style style;
};

struct table {
	const struct term *term;
	const struct table_column *columns;
	size_t ncolumns;
	struct table_cell *cells; /* row by row */
	size_t nrows, room;
	int error; /* sticky: -ENOMEM */
};

void table_init(struct table *table, const struct term *term, const struct table_column *columns,
    size_t ncolumns);
void table_fini(struct table *table);

/* A new row of empty cells. */
void table_row(struct table *table);

/* Sets a cell of the latest row. Cleans TEXT. */
void table_put(struct table *table, size_t column, enum style style, struct span text);
void table_add(struct table *table, size_t column, enum style style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Columns that are empty in every row are left out. */
int table_draw(struct table *table, struct buf *out);

#endif
