/*
 * supervisor/cli/plan.h - `run --plan`: what a recipe would do, and what is there already.
 *
 * Runs the checks, as whoever asks, and nothing else. No service is needed but to find a recipe by
 * its name.
 */
#ifndef SUPERVISOR_CLI_PLAN_H
#define SUPERVISOR_CLI_PLAN_H

#include "supervisor/cli/cli.h"
#include "supervisor/cli/submit.h"

/* SUBMISSION names a recipe or has a text, and parameters; SECRETS as far as they were given.
 * Returns an exit status. */
int plan_print(const struct cli *cli, struct submission *submission, const struct pairs *secrets,
    bool is_json);

#endif
