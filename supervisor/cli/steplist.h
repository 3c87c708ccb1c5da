/*
 * supervisor/cli/steplist.h - the steps of a recipe for people: what each would do.
 */
#ifndef SUPERVISOR_CLI_STEPLIST_H
#define SUPERVISOR_CLI_STEPLIST_H

#include "ipc/spec.h"
#include "supervisor/cli/text.h"

/* What is known of it already, beside its name. */
struct steplist_note {
	const char *text;
	enum style style;
	bool is_done; /* and so nothing more need be said */
};

/* NOTE may be NULL. */
void steplist_put(struct buf *out, const struct term *term, const struct spec_step *step,
    size_t number, const struct steplist_note *note);

#endif
