/* worker/undo.h - the undo commands of what was done or under way, in reverse order. */
#ifndef WORKER_UNDO_H
#define WORKER_UNDO_H

#include "worker/runner.h"

/* Goes on when one fails. A forced cancel stops it; what is left is named in runner->end.message.
 */
void undo_steps(struct runner *runner);

#endif
