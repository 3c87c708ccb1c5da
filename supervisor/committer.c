#include "supervisor/committer.h"

#include "ipc/failpoint.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

enum {
	MAX_BATCHES = 1000,
	MAX_BYTES = 4 * 1024 * 1024,
	GATHER_NS = 200 * 1000,
	PATIENCE_MS = 3
};

static void
list_init(struct commit_list *list)
{
	list->first = NULL;
	list->end = &list->first;
	list->n = 0;
}

static void
list_append(struct commit_list *list, struct commit *commit)
{
	commit->next = NULL;
	*list->end = commit;
	list->end = &commit->next;
	list->n++;
}

static struct commit *
list_take_first(struct commit_list *list)
{
	struct commit *commit = list->first;

	if (!commit)
		return NULL;
	list->first = commit->next;
	if (!list->first)
		list->end = &list->first;
	list->n--;
	return commit;
}

static struct timespec
in_ms(long ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* Returns with the lock held. While the disk is full it looks again each second. */
static void
wait_for_work(struct committer *committer)
{
	struct timespec until;

	pthread_mutex_lock(&committer->lock);
	while (!committer->todo.first && !committer->stop && !committer->is_full)
		pthread_cond_wait(&committer->more, &committer->lock);
	if (!committer->todo.first && !committer->stop) {
		until = in_ms(1000);
		pthread_cond_timedwait(&committer->more, &committer->lock, &until);
		return;
	}
	until = in_ms(PATIENCE_MS);
	while (committer->urgent == 0 && !committer->stop)
		if (pthread_cond_timedwait(&committer->more, &committer->lock, &until) != 0)
			return;
}

/*
 * Moves as much as one transaction should hold from `todo` to GROUP, waiting for something to do.
 * False: there is nothing more and there will not be.
 */
static bool
take_group(struct committer *committer, struct commit_list *group)
{
	size_t bytes = 0;
	bool stop;

	wait_for_work(committer);
	stop = committer->stop;
	while (committer->todo.first && group->n < MAX_BATCHES && bytes < MAX_BYTES) {
		struct commit *commit = list_take_first(&committer->todo);

		bytes += store_batch_bytes(commit->batch);
		committer->urgent -= !commit->may_wait;
		list_append(group, commit);
	}
	pthread_mutex_unlock(&committer->lock);
	return group->first || !stop;
}

static int
apply(struct committer *committer, const struct commit_list *group)
{
	struct store_batch *batches[MAX_BATCHES];
	size_t n = 0;

	for (struct commit *commit = group->first; commit; commit = commit->next)
		batches[n++] = commit->batch;
	return n > 0 ? store_apply(committer->store, batches, n) : 0;
}

static void
set_full(struct committer *committer, bool is_full)
{
	pthread_mutex_lock(&committer->lock);
	committer->is_full = is_full;
	pthread_mutex_unlock(&committer->lock);
}

static void
finish(struct committer *committer, struct commit_list *group, int result)
{
	struct commit *commit;

	pthread_mutex_lock(&committer->lock);
	while ((commit = list_take_first(group))) {
		commit->result = result;
		list_append(&committer->finished, commit);
	}
	pthread_mutex_unlock(&committer->lock);
	ev_async_send(committer->loop, &committer->wake);
}

/* Moves what may fail from LIST to REFUSED. */
static void
split(struct commit_list *list, struct commit_list *refused)
{
	size_t n = list->n;
	struct commit *commit;

	while (n-- > 0 && (commit = list_take_first(list)))
		list_append(commit->class == COMMIT_NEW ? refused : list, commit);
}

static size_t
count_urgent(const struct commit_list *list)
{
	size_t n = 0;

	for (const struct commit *commit = list->first; commit; commit = commit->next)
		n += !commit->may_wait;
	return n;
}

/* Fails what may fail and leaves in GROUP what must not; what came meanwhile likewise. */
static void
refuse_new_work(struct committer *committer, struct commit_list *group)
{
	struct commit_list refused;

	list_init(&refused);
	split(group, &refused);
	pthread_mutex_lock(&committer->lock);
	split(&committer->todo, &refused);
	committer->urgent = count_urgent(&committer->todo);
	pthread_mutex_unlock(&committer->lock);
	finish(committer, &refused, -ENOSPC);
}

/* False when the service stops meanwhile. */
static bool
wait_a_second(struct committer *committer)
{
	struct timespec until = in_ms(1000);
	bool stop;
	int r = 0;

	pthread_mutex_lock(&committer->lock);
	while (!committer->stop && r == 0)
		r = pthread_cond_timedwait(&committer->more, &committer->lock, &until);
	stop = committer->stop;
	pthread_mutex_unlock(&committer->lock);
	return !stop;
}

/* The disk is full: free the ballast and write what was accepted, again until it succeeds. */
static int
apply_when_full(struct committer *committer, struct commit_list *group)
{
	int r = 0;

	set_full(committer, true);
	store_ballast_release(committer->store);
	do {
		refuse_new_work(committer, group);
		r = apply(committer, group);
	} while (r == -ENOSPC && wait_a_second(committer));
	return r;
}

static void
die(struct committer *committer, int error)
{
	pthread_mutex_lock(&committer->lock);
	committer->dead = error;
	pthread_mutex_unlock(&committer->lock);
	ev_async_send(committer->loop, &committer->wake);
}

/* 0; -ENOSPC when the service stops on a full disk; -errno when the store is dead. */
static int
write_group(struct committer *committer, struct commit_list *group)
{
	int r = FAILPOINT("commit.before");

	if (r == 0)
		r = apply(committer, group);
	if (r == -ENOSPC)
		return apply_when_full(committer, group);
	if (r == 0 && committer_is_full(committer) && store_ballast_restore(committer->store) == 0)
		set_full(committer, false);
	return r;
}

/* Where several come at once more are on their way: one commit for them costs half of two. A lone
 * change never waits. */
static void
gather(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = GATHER_NS }, NULL);
}

static void *
run(void *arg)
{
	struct committer *committer = arg;
	struct commit_list group;

	list_init(&group);
	while (take_group(committer, &group)) {
		size_t n = group.n;
		int r = write_group(committer, &group);

		if (r < 0 && r != -ENOSPC) {
			die(committer, r);
			return NULL;
		}
		(void)FAILPOINT("commit.after");
		finish(committer, &group, r);
		if (n > 1)
			gather();
	}
	return NULL;
}

static void
deliver(struct committer *committer)
{
	struct commit *commit;

	for (;;) {
		pthread_mutex_lock(&committer->lock);
		commit = list_take_first(&committer->finished);
		pthread_mutex_unlock(&committer->lock);
		if (!commit)
			return;
		commit->done(commit, commit->result);
	}
}

static void
on_wake(struct ev_loop *loop, ev_async *watcher, int revents)
{
	struct committer *committer = watcher->data;
	int dead;

	(void)loop;
	(void)revents;
	deliver(committer);
	pthread_mutex_lock(&committer->lock);
	dead = committer->dead;
	pthread_mutex_unlock(&committer->lock);
	if (dead < 0)
		committer->on_dead(dead, committer->arg);
}

/* The wall clock may be set back by an hour: nothing here waits for it. */
static void
init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

int
committer_start(struct committer *committer, struct ev_loop *loop, struct store *store,
    void (*on_dead)(int error, void *arg), void *arg)
{
	sigset_t all, old;
	int r;

	*committer =
	    (struct committer){ .store = store, .loop = loop, .on_dead = on_dead, .arg = arg };
	list_init(&committer->todo);
	list_init(&committer->finished);
	pthread_mutex_init(&committer->lock, NULL);
	init_cond(&committer->more);
	ev_async_init(&committer->wake, on_wake);
	committer->wake.data = committer;
	ev_async_start(loop, &committer->wake);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&committer->thread, NULL, run, committer);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0) {
		ev_async_stop(loop, &committer->wake);
		return -r;
	}
	pthread_setname_np(committer->thread, "committer");
	return 0;
}

void
committer_stop(struct committer *committer)
{
	pthread_mutex_lock(&committer->lock);
	committer->stop = true;
	pthread_cond_signal(&committer->more);
	pthread_mutex_unlock(&committer->lock);
	pthread_join(committer->thread, NULL);
	deliver(committer);
	ev_async_stop(committer->loop, &committer->wake);
	pthread_cond_destroy(&committer->more);
	pthread_mutex_destroy(&committer->lock);
}

void
committer_add(struct committer *committer, struct commit *commit)
{
	pthread_mutex_lock(&committer->lock);
	list_append(&committer->todo, commit);
	committer->urgent += !commit->may_wait;
	if (!commit->may_wait || committer->todo.n == 1)
		pthread_cond_signal(&committer->more);
	pthread_mutex_unlock(&committer->lock);
}

bool
committer_is_full(struct committer *committer)
{
	bool is_full;

	pthread_mutex_lock(&committer->lock);
	is_full = committer->is_full;
	pthread_mutex_unlock(&committer->lock);
	return is_full;
}
