/*
 * supervisor/recipe/leaf.h - values that hold no further keys: texts, numbers, lists of texts.
 * Private to supervisor/recipe.
 */
#ifndef SUPERVISOR_RECIPE_LEAF_H
#define SUPERVISOR_RECIPE_LEAF_H

#include "supervisor/recipe/keys.h"
#include "supervisor/recipe/node.h"

/* Reads NODE into MEMBER as KEY's type says. All here: 0, -EINVAL with the error told, -ENOMEM. */
int leaf_read(const struct source *source, const struct recipe_key *key, const struct node *node,
    void *member);

/* NODE, the value of KEY, must be of KIND; and have at least MIN and at most key->max entries. */
int leaf_want(const struct source *source, const struct recipe_key *key, const struct node *node,
    enum node_kind kind);
int leaf_want_items(const struct source *source, const struct recipe_key *key,
    const struct node *node, enum node_kind kind, size_t min);

#endif
