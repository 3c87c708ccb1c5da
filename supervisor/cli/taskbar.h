/*
 * supervisor/cli/taskbar.h - progress where the terminal itself shows it, in its tab or in the
 * desktop's taskbar: OSC 9;4, as ConEmu defined it and others took it over
 * (https://conemu.github.io/en/AnsiEscapeCodes.html#ConEmu_specific_OSC).
 */
#ifndef SUPERVISOR_CLI_TASKBAR_H
#define SUPERVISOR_CLI_TASKBAR_H

#include "supervisor/cli/doc.h"

/* What was said last. All zero: nothing is shown. */
struct taskbar {
	int state;
	unsigned percent;
};

/* Appends what is to be written for TASK to be shown as it stands; nothing when that is the same,
 * or when TERM does not understand it. Of an ended task nothing is shown. */
void taskbar_put(
    struct taskbar *taskbar, struct buf *out, const struct term *term, const msgpack_object *task);
void taskbar_remove(struct taskbar *taskbar, struct buf *out);

#endif
