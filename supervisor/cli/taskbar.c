#include "supervisor/cli/taskbar.h"

#include <math.h>

enum {
	SHOW_NOTHING = 0,
	SHOW_PERCENT = 1,
	SHOW_UNKNOWN = 3,
	SHOW_WAITING = 4
};

static void
say(struct taskbar *taskbar, struct buf *out, int state, unsigned percent)
{
	if (state == taskbar->state && percent == taskbar->percent)
		return;
	taskbar->state = state;
	taskbar->percent = percent;
	text_add(out, "\033]9;4;%d;%u\033\\", state, percent);
}

void
taskbar_put(
    struct taskbar *taskbar, struct buf *out, const struct term *term, const msgpack_object *task)
{
	double progress = doc_double(task, "progress");
	unsigned percent = isnan(progress) ? 0 : text_percent(progress);

	if (!term->has_taskbar)
		return;
	if (doc_is_ended(task))
		say(taskbar, out, SHOW_NOTHING, 0);
	else if (!mp_is_nil(mp_get(task, "blocked_on")) || doc_state(task) == TASK_WAITING)
		say(taskbar, out, SHOW_WAITING, percent);
	else
		say(taskbar, out, isnan(progress) ? SHOW_UNKNOWN : SHOW_PERCENT, percent);
}

void
taskbar_remove(struct taskbar *taskbar, struct buf *out)
{
	if (taskbar->state != SHOW_NOTHING)
		say(taskbar, out, SHOW_NOTHING, 0);
}
