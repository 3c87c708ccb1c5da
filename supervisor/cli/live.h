/*
 * supervisor/cli/live.h - one task followed on a terminal: its picture, redrawn in place at
 * most ten times a second.
 */
#ifndef SUPERVISOR_CLI_LIVE_H
#define SUPERVISOR_CLI_LIVE_H

#include "supervisor/cli/follow.h"
#include "supervisor/cli/picture.h"
#include "supervisor/cli/taskbar.h"

struct live {
	struct term *term;
	struct doc_copy task;
	struct buf out;
	struct buf drawn;   /* the picture that is on the screen */
	size_t drawn_lines; /* of it */
	uint64_t drawn_ms;  /* boot clock */
	struct taskbar taskbar;
	bool is_stale;       /* the picture shows an older document */
	bool is_resized;     /* since it was drawn: its lines may be wrapped */
	bool is_hidden;      /* the cursor */
	bool hides_question; /* it is asked below the picture */
};

/* Follows with this as the view and the struct live as its arg. */
extern const struct follow_view live_view;

void live_init(struct live *live, struct term *term);
/* The terminal is somebody else's for now: the last picture stays, and a new one begins below. */
void live_yield(struct live *live);
/* The last picture stays on the screen; the cursor comes back below it. */
void live_finish(struct live *live);
void live_fini(struct live *live);

#endif
