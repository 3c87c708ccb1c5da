/* supervisor/recipe/dedupe.h - what makes two submissions the same work. Private to
 * supervisor/recipe. */
#ifndef SUPERVISOR_RECIPE_DEDUPE_H
#define SUPERVISOR_RECIPE_DEDUPE_H

#include "supervisor/recipe/model.h"

/*
 * The key that joining compares besides type and owner, from RECIPE with its scope filled in and
 * the parameters' VALUES. 0 with *ret_key owned, or NULL for work that never joins; -ENOMEM.
 *
 *   scope=SCOPE    the recipe has a scope and no `dedupe:`
 *   params=HASH    it has neither: all parameters
 *   fields=HASH    `dedupe: [names]`
 *   any            `dedupe: []`
 *
 * The hash is 128 bits of FNV-1a over lengths and bytes of names and values, sorted by name. It
 * keeps apart the work of one owner, who gains nothing by a collision.
 */
int dedupe_key(const struct recipe *recipe, const struct pairs *values, char **ret_key);

#endif
