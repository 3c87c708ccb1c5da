/*
 * supervisor/recipe/read.h - from the tree to the struct, driven by the table of keys.
 * Private to supervisor/recipe.
 */
#ifndef SUPERVISOR_RECIPE_READ_H
#define SUPERVISOR_RECIPE_READ_H

#include "supervisor/recipe/model.h"
#include "supervisor/recipe/node.h"

/* Fills RECIPE, codec_init'ed, from ROOT: 0, -EINVAL with the error told, -ENOMEM. */
int read_recipe(const struct source *source, const struct node *root, struct recipe *recipe);

/*
 * What only the whole shows: references to parameters and outputs that there are, and that
 * are set before they are used; names that are given once. ROOT is what RECIPE was read from.
 */
int check_recipe(const struct source *source, const struct node *root, const struct recipe *recipe);

#endif
