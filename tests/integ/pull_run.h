/*
 * tests/integ/pull_run.h - the real reeve-pull as a child, with what it says.
 */
#ifndef TESTS_INTEG_PULL_RUN_H
#define TESTS_INTEG_PULL_RUN_H

#include "ipc/buf.h"
#include "ipc/msg.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	RUN_TEXT = 64 * 1024
};

struct run {
	pid_t pid;
	int text_fd;
	int frames_fd;       /* -1: runs unsupervised */
	char text[RUN_TEXT]; /* of its stderr, so far */
	size_t text_len;
	struct buf frames;
	size_t frames_at;
};

/* Starts reeve-pull with WORDS (NULL-terminated, without the program). */
void run_start(struct run *run, bool is_supervised, const char *const words[]);

/* The same with TERMINAL (taken) as its stderr; its text stays empty. */
void run_start_at(struct run *run, int terminal, const char *const words[]);

/* Waits until its stderr holds TEXT; the test fails when it ends before. */
void run_wait_text(struct run *run, const char *text);

/* The next message; false at the end. The caller frees it. */
bool run_next_message(struct run *run, struct step_msg *ret_message);

/* Waits until it has reported DONE bytes; false when it ended before. */
bool run_wait_bytes(struct run *run, uint64_t done);

/* Waits for its end: the exit status, or minus the signal. Closes everything. */
int run_finish(struct run *run);

/* Starts and finishes: the exit status; what it said is in the last run's text. */
int run_pull(struct run *run, const char *const words[]);
#define RUN_PULL(run, ...) run_pull((run), (const char *const[]){ __VA_ARGS__, NULL })

#endif
