/* supervisor/cli/recipes.h - the recipes there are, as one list: the service's and the user's own.
 */
#ifndef SUPERVISOR_CLI_RECIPES_H
#define SUPERVISOR_CLI_RECIPES_H

#include "supervisor/cli/session.h"

/* Appends one msgpack array of what recipe_pack() makes. 0, or an exit status after a complaint. */
int recipes_collect(struct session *session, struct buf *ret_list);

/* Appends what recipe_pack() makes of the file at PATH. 0 or -errno, -EINVAL when it is wrong. */
int recipes_read_file(const char *path, struct buf *ret_recipe);

#endif
