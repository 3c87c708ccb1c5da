/*
 * supervisor/jobs.h - a thread that does what may block, one job after the other.
 *
 * The loop hands a job over and gets it back, done, in its own thread and in order.
 * There is one such thread for files and spawns, one for kills, one for name look-ups, one that
 * removes what tasks left behind, so that a slow one holds up nothing else.
 */
#ifndef SUPERVISOR_JOBS_H
#define SUPERVISOR_JOBS_H

#include <ev.h>
#include <pthread.h>
#include <stdbool.h>

/* Embedded in the owner's struct. Between jobs_add and `done` it belongs to the thread. */
struct job {
	void (*work)(struct job *job); /* on the thread; may block */
	void (*done)(struct job *job); /* on the loop; may free it */
	struct job *next;
};

struct job_list {
	struct job *first, **end;
};

struct jobs {
	struct ev_loop *loop;
	ev_async wake;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job_list todo, finished; /* under lock */
	bool stop;                      /* under lock */
};

/* Starts the thread, called NAME (at most 15 bytes) in ps. 0 or -errno. JOBS must not move. */
int jobs_start(struct jobs *jobs, struct ev_loop *loop, const char *name);

/* Finishes what was added, calls every `done`, and ends the thread. Blocks. */
void jobs_stop(struct jobs *jobs);

void jobs_add(struct jobs *jobs, struct job *job);

#endif
