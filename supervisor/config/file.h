/* supervisor/config/file.h - finds and reads the configuration file, and checks whose it is. */
#ifndef SUPERVISOR_CONFIG_FILE_H
#define SUPERVISOR_CONFIG_FILE_H

#include "supervisor/config/config.h"

/* The file's text, owned; "" when there is none and none was asked for. -EINVAL with *ret_error for
 * whatever keeps it from being read; -ENOMEM. */
int config_file_read(
    const struct config_layers *layers, char **ret_text, struct recipe_error *ret_error);

/*
 * Where it is: $REEVE_CONFIG_FILE, which must be there, else reeve.yaml in $REEVE_CONFIG_DIR, else
 * in /etc/reeve or, for who is not root, in $XDG_CONFIG_HOME/reeve. Owned; NULL: no memory.
 */
char *config_file_path(bool *ret_is_named);

#endif
