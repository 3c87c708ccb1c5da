/*
 * supervisor/recipe/listing.h - a recipe as a list of recipes shows it: the service's list and
 * the user's own are of one form.
 */
#ifndef SUPERVISOR_RECIPE_LISTING_H
#define SUPERVISOR_RECIPE_LISTING_H

#include "supervisor/recipe/recipe.h"

#include <msgpack.h>

/* Packs one map: {name, title, description, path, trusted, params}. */
void recipe_pack(msgpack_packer *packer, const struct recipe *recipe, const char *name,
    const char *path, bool trusted);

#endif
