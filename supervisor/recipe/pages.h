/* supervisor/recipe/pages.h - the table of keys as three documents. */
#ifndef SUPERVISOR_RECIPE_PAGES_H
#define SUPERVISOR_RECIPE_PAGES_H

#include "ipc/buf.h"

/* Appends contrib/recipe.schema.json, by which editors complete and check recipes. JSON Schema
 * 2020-12. buf_error() tells. */
void recipe_schema(struct buf *out);

/* Appends contrib/RECIPES.md, the reference. */
void recipe_reference(struct buf *out);

/* Appends a sound recipe called NAME to begin with, in which every other key stands in comments. */
void recipe_start(struct buf *out, const char *name);

#endif
