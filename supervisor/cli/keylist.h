/*
 * supervisor/cli/keylist.h - what a recipe may contain, told from the table of its keys.
 */
#ifndef SUPERVISOR_CLI_KEYLIST_H
#define SUPERVISOR_CLI_KEYLIST_H

#include "supervisor/cli/cli.h"

/* The whole table, for people or as JSON: an exit status. No service is needed. */
int keylist_print(const struct cli *cli, bool is_json);

#endif
