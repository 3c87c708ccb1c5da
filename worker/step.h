/*
 * worker/step.h - the library for people who write step programs in C.
 *
 * Link libreeve-step.a, include this, and report. Everything is optional: outside reeve
 * (no REEVE_FD) each call does nothing and returns 0, so a program runs the same by hand.
 * The wire is ipc/PROTOCOL.md; any language with msgpack can speak it.
 *
 * Progress calls are cheap and may be made often: beyond a short burst they are held to ten a
 * second, and the latest that was held goes out with the next call or step_close. Facts are
 * written at once, after it. Texts that are only looked at are cut to their limit. Not
 * thread-safe. A worker that went away is ignored (no SIGPIPE). The calls may block while the
 * pipe is full. Programs started from here do not get the channel.
 */
#ifndef WORKER_STEP_H
#define WORKER_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens the channel named in the environment. 0, or -errno when the environment lies. */
int step_open(void);
void step_close(void); /* sends what is held back */

/* True when a worker listens. */
bool step_is_supervised(void);

uint64_t step_attempt(void); /* from 1; 1 outside reeve */

/* The checkpoint of the last time: msgpack bytes (borrowed until step_close), or NULL. */
const void *step_checkpoint_given(size_t *ret_len);

int step_progress(double fraction, const char *label);        /* 0..1; label may be NULL */
int step_bytes(uint64_t done, uint64_t total, uint64_t rate); /* total 0: unknown */
int step_label(const char *label);
/* It does not move because of ON, "lock", "disk" or "network", which HOLDER (may be NULL) keeps;
 * NULL: it moves again, as it does when it reports progress. Other words: -EINVAL. */
int step_waiting(const char *on, const char *holder);

/* A sub-step, nested in the open one; count 0: unknown. */
int step_begin(const char *name, uint64_t count);
int step_complete(const char *detail); /* ends the innermost; detail may be NULL */
int step_fail(const char *detail);

int step_checkpoint(const void *msgpack, size_t len); /* any one msgpack value, <= 32 KiB */
int step_checkpoint_text(const char *text);
int step_output(const char *name, const char *value);
int step_warning(const char *text);
int step_notification(const char *text);
int step_result_text(const char *text);
int step_result(const void *msgpack, size_t len);

#endif
