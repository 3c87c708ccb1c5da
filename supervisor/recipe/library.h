/*
 * supervisor/recipe/library.h - where recipes by name are found, and whom they trust.
 *
 * CONFIG_DIR/recipes (/etc/reeve/recipes; in user mode $XDG_CONFIG_HOME/reeve/recipes), then the
 * package's own: PREFIX/share/reeve/recipes, or, for a program in a build tree, that tree's
 * contrib/recipes (ipc/install.h). A name found earlier wins. Blocks on the file system: call it on
 * the file thread or in the command line.
 */
#ifndef SUPERVISOR_RECIPE_LIBRARY_H
#define SUPERVISOR_RECIPE_LIBRARY_H

#include "supervisor/recipe/recipe.h"

struct recipe_library {
	struct strs dirs; /* absolute, in the order searched */
};

/* LISTED (absolute) replaces all of them unless it is empty. CONFIG_DIR is absolute, or NULL for
 * none. 0 or -ENOMEM. */
int recipe_library_init(
    struct recipe_library *library, const char *config_dir, const struct strs *listed);
void recipe_library_fini(struct recipe_library *library);

struct recipe_file {
	char *path, *text; /* owned */
	size_t len;
	/* Every directory above it and the file are root's (or the service's own user's) and
	 * writable by nobody else: run_as and allow count. */
	bool trusted;
};
void recipe_file_fini(struct recipe_file *file);

/* NAME is a plain name (letters, digits, - _ .), else -EINVAL. 0, -ENOENT, -EFBIG, -errno. */
int recipe_library_find(
    const struct recipe_library *library, const char *name, struct recipe_file *ret_file);

/* Calls FN with the name and path of every recipe, sorted by name, the first of equal names only.
 * Stops at the first that FN does not return 0 for, and returns that; -ENOMEM. */
int recipe_library_each(const struct recipe_library *library,
    int (*fn)(const char *name, const char *path, void *arg), void *arg);

#endif
