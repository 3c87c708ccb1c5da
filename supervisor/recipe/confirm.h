/* supervisor/recipe/confirm.h - a step that asks. Private to supervisor/recipe. */
#ifndef SUPERVISOR_RECIPE_CONFIRM_H
#define SUPERVISOR_RECIPE_CONFIRM_H

#include "supervisor/recipe/model.h"
#include "supervisor/recipe/node.h"

/* STEP, read from NODE with a `confirm`: is that a question, and does nothing stand beside it that
 * means nothing there? Its fields become outputs. 0, -EINVAL with the error told, -ENOMEM. */
int confirm_finish(const struct source *source, const struct node *node, struct spec_step *step);

/* True when OUTPUT of STEP is the secret field of its question. */
bool confirm_is_secret(const struct spec_step *step, const char *output);

#endif
