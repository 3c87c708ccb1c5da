/* worker/step_pipe.h - writes frames for the step library (worker/step.h), which alone uses it. */
#ifndef WORKER_STEP_PIPE_H
#define WORKER_STEP_PIPE_H

#include <stddef.h>
#include <stdint.h>

/* All of it, waiting for room. 0 or -errno; -EPIPE without a SIGPIPE. */
int step_pipe_write(int fd, const uint8_t *data, size_t len);

#endif
