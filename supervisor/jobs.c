#include "supervisor/jobs.h"

#include <signal.h>
#include <stddef.h>

enum {
	STACK_BYTES = 256 * 1024
};

static void
list_init(struct job_list *list)
{
	list->first = NULL;
	list->end = &list->first;
}

static void
list_append(struct job_list *list, struct job *job)
{
	job->next = NULL;
	*list->end = job;
	list->end = &job->next;
}

static struct job *
list_take_first(struct job_list *list)
{
	struct job *job = list->first;

	if (job) {
		list->first = job->next;
		if (!list->first)
			list->end = &list->first;
	}
	return job;
}

static struct job *
wait_for_job(struct jobs *jobs)
{
	struct job *job;

	pthread_mutex_lock(&jobs->lock);
	while (!(job = list_take_first(&jobs->todo)) && !jobs->stop)
		pthread_cond_wait(&jobs->more, &jobs->lock);
	pthread_mutex_unlock(&jobs->lock);
	return job;
}

static void *
run(void *arg)
{
	struct jobs *jobs = arg;
	struct job *job;

	while ((job = wait_for_job(jobs))) {
		job->work(job);
		pthread_mutex_lock(&jobs->lock);
		list_append(&jobs->finished, job);
		pthread_mutex_unlock(&jobs->lock);
		ev_async_send(jobs->loop, &jobs->wake);
	}
	return NULL;
}

static void
deliver(struct jobs *jobs)
{
	struct job *job;

	for (;;) {
		pthread_mutex_lock(&jobs->lock);
		job = list_take_first(&jobs->finished);
		pthread_mutex_unlock(&jobs->lock);
		if (!job)
			return;
		job->done(job);
	}
}

static void
on_wake(struct ev_loop *loop, ev_async *watcher, int revents)
{
	(void)loop;
	(void)revents;
	deliver(watcher->data);
}

/* Signals are the loop's: its threads are started with all of them blocked. */
static int
start_thread(struct jobs *jobs)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	r = pthread_create(&jobs->thread, &attr, run, jobs);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}

int
jobs_start(struct jobs *jobs, struct ev_loop *loop, const char *name)
{
	int r;

	*jobs = (struct jobs){ .loop = loop };
	list_init(&jobs->todo);
	list_init(&jobs->finished);
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->more, NULL);
	ev_async_init(&jobs->wake, on_wake);
	jobs->wake.data = jobs;
	ev_async_start(loop, &jobs->wake);
	r = start_thread(jobs);
	if (r < 0) {
		ev_async_stop(loop, &jobs->wake);
		return r;
	}
	pthread_setname_np(jobs->thread, name);
	return 0;
}

void
jobs_stop(struct jobs *jobs)
{
	pthread_mutex_lock(&jobs->lock);
	jobs->stop = true;
	pthread_cond_signal(&jobs->more);
	pthread_mutex_unlock(&jobs->lock);
	pthread_join(jobs->thread, NULL);
	deliver(jobs);
	ev_async_stop(jobs->loop, &jobs->wake);
	pthread_cond_destroy(&jobs->more);
	pthread_mutex_destroy(&jobs->lock);
}

void
jobs_add(struct jobs *jobs, struct job *job)
{
	pthread_mutex_lock(&jobs->lock);
	list_append(&jobs->todo, job);
	pthread_cond_signal(&jobs->more);
	pthread_mutex_unlock(&jobs->lock);
}
