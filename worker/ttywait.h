/*
 * worker/ttywait.h - whether somebody at a terminal is being waited for, as far as the kernel
 * tells: proc(5), /proc/PID/syscall.
 */
#ifndef WORKER_TTYWAIT_H
#define WORKER_TTYWAIT_H

#include <sys/types.h>

enum tty_wait {
	TTY_WAIT_NONE = 0, /* it does something else */
	TTY_WAIT_READS,    /* it stands in a read of the terminal */
	TTY_WAIT_WATCHES,  /* in a poll or select that has the terminal in it */
	TTY_WAIT_HIDDEN    /* it is not ours to know: another user's program */
};

/* What PID's first thread does about TTY, the number of the device. */
enum tty_wait tty_wait_of(pid_t pid, dev_t tty);

#endif
