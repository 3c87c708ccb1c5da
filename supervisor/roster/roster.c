#include "supervisor/roster/roster.h"

#include "ipc/clock.h"
#include "ipc/log.h"
#include "supervisor/inquiry.h"
#include "supervisor/roster/attempt.h"
#include "supervisor/roster/change.h"
#include "supervisor/roster/daemons.h"
#include "supervisor/roster/drain.h"
#include "supervisor/roster/join.h"
#include "supervisor/roster/leftover.h"
#include "supervisor/roster/question.h"
#include "supervisor/roster/retention.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LONGEST_PAUSE_MS = 5 * 60 * 1000
};

static int
compare_ids(const void *a, const void *b)
{
	const struct task *left = a, *right = b;

	return (left->rec.id > right->rec.id) - (left->rec.id < right->rec.id);
}

/* In the row a token is msgpack: bin 8 of 16 bytes. */
enum {
	TOKEN_LEN = 18,
	TOKEN_HEAD = 2
};

static int
compare_tokens(const void *a, const void *b)
{
	const struct task *left = a, *right = b;

	return memcmp(left->rec.token.data, right->rec.token.data, TOKEN_LEN);
}

static bool
enter_token(struct task *task)
{
	return task->rec.token.len != TOKEN_LEN ||
	       tsearch(task, &task->roster->by_token, compare_tokens);
}

static void
leave_token(struct task *task)
{
	struct task *const *found;

	if (task->rec.token.len != TOKEN_LEN)
		return;
	found = tfind(task, &task->roster->by_token, compare_tokens);
	if (found && *found == task)
		tdelete(task, &task->roster->by_token, compare_tokens);
}

struct task *
roster_find_token(struct roster *roster, const uint8_t token[static 16])
{
	uint8_t packed[TOKEN_LEN] = { 0xc4, 16 };
	struct task key = { .rec.token = { .data = packed, .len = TOKEN_LEN } };
	struct task *const *found;

	memcpy(packed + TOKEN_HEAD, token, 16);
	found = tfind(&key, &roster->by_token, compare_tokens);
	return found ? *found : NULL;
}

static void
on_due(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct task *task = timer->data;
	struct change *change;

	(void)revents;
	ev_timer_stop(loop, timer);
	if (task->rec.state != TASK_RETRYING) {
		attempt_launch(task); /* an undo that was put off */
		return;
	}
	change = change_begin(task);
	task->rec.queue_order = queue_head_order(&task->roster->queue);
	change_step(change, EV_DUE);
	change_commit(change);
}

struct task *
roster_add(struct roster *roster, struct record *record)
{
	struct task *task = calloc(1, sizeof *task);

	if (!task)
		return NULL;
	task->roster = roster;
	task->rec = *record;
	codec_init(&record_codec, record);
	codec_init(&news_codec, &task->news);
	ev_timer_init(&task->due, on_due, 0., 0.);
	task->due.data = task;
	question_init(task);
	if (!tsearch(task, &roster->by_id, compare_ids) || !enter_token(task) ||
	    join_enter(task) < 0) {
		leave_token(task);
		tdelete(task, &roster->by_id, compare_ids);
		codec_free(&record_codec, &task->rec);
		free(task);
		return NULL;
	}
	task->prev = roster->last;
	if (roster->last)
		roster->last->next = task;
	else
		roster->first = task;
	roster->last = task;
	roster->ntasks++;
	if (task_state_holds_slot(task->rec.state))
		roster->queue.used++;
	return task;
}

void
roster_drop(struct task *task)
{
	struct roster *roster = task->roster;

	assert(task->commits == 0);
	attempt_free(task->attempt);
	ev_timer_stop(roster->env.loop, &task->due);
	question_fini(task);
	queue_remove(&roster->queue, task->rec.queue_order, task->rec.id);
	if (task_state_holds_slot(task->rec.state) && !task->is_unkillable)
		roster->queue.used--;
	join_leave(task);
	leave_token(task);
	tdelete(task, &roster->by_id, compare_ids);
	if (task->prev)
		task->prev->next = task->next;
	else
		roster->first = task->next;
	if (task->next)
		task->next->prev = task->prev;
	else
		roster->last = task->prev;
	roster->ntasks--;
	codec_free(&record_codec, &task->rec);
	codec_free(&news_codec, &task->news);
	free(task->seen);
	free(task);
}

struct task *
roster_find(struct roster *roster, uint64_t id)
{
	struct task key = { .rec.id = id };
	struct task *const *found = tfind(&key, &roster->by_id, compare_ids);

	return found ? *found : NULL;
}

bool
roster_uses_slot(const struct task *task)
{
	return task_state_holds_slot(task->rec.state) && !task->is_unkillable;
}

/* One that was answered waits for its slot like one that has not begun. */
bool
roster_stands_in_queue(enum task_state state)
{
	return state == TASK_QUEUED || state == TASK_WAITING;
}

void
roster_set_state(struct task *task, enum task_state state)
{
	struct roster *roster = task->roster;
	bool used = roster_uses_slot(task);

	if (roster_stands_in_queue(task->rec.state) && !roster_stands_in_queue(state))
		queue_remove(&roster->queue, task->rec.queue_order, task->rec.id);
	if (task->rec.state == TASK_RETRYING)
		ev_timer_stop(roster->env.loop, &task->due);
	task->rec.state = state;
	if (task_state_is_end(state)) {
		task->is_unkillable = false;
		join_leave(task); /* whoever submits the same now starts afresh */
	}
	roster->queue.used += roster_uses_slot(task);
	roster->queue.used -= used;
}

void
roster_set_unkillable(struct task *task, bool is_unkillable)
{
	const struct roster_listener *listener = &task->roster->listener;
	bool used = roster_uses_slot(task);

	if (is_unkillable == task->is_unkillable)
		return;
	if (is_unkillable)
		task->blocked_since_ms = clock_wall_ms();
	task->is_unkillable = is_unkillable;
	task->roster->queue.used += roster_uses_slot(task);
	task->roster->queue.used -= used;
	if (task->seen)
		listener->news(task, listener->arg);
}

void
roster_enqueue(struct task *task)
{
	bool is_asking = task->rec.state == TASK_WAITING && inquiry_is_open(&task->rec);

	if (!roster_stands_in_queue(task->rec.state) || is_asking || task->is_leaving)
		return; /* cancelled while its place was being committed */
	if (queue_add(&task->roster->queue, task->rec.queue_order, task->rec.id) < 0) {
		log_error("task %llu: no memory for its place in the queue",
		    (unsigned long long)task->rec.id);
		_exit(SUPERVISOR_EXIT_IO);
	}
	task->blocked_since_ms = clock_wall_ms();
}

void
roster_arm_due(struct task *task)
{
	uint64_t now = clock_wall_ms();
	struct ev_loop *loop = task->roster->env.loop;
	/* The wall clock may jump: never longer than the longest back-off. */
	uint64_t wait = task->rec.retry_at_ms > now ? task->rec.retry_at_ms - now : 0;

	if (wait > LONGEST_PAUSE_MS)
		wait = LONGEST_PAUSE_MS;
	ev_timer_stop(loop, &task->due);
	ev_now_update(loop);
	ev_timer_set(&task->due, (double)wait / 1000., 0.);
	ev_timer_start(loop, &task->due);
}

void
roster_leave(struct task *task)
{
	struct roster *roster = task->roster;

	if (task->rec.secrets.n > 0)
		vault_drop(roster->env.vault, task->rec.id);
	question_drop_secrets(task);
	task->is_leaving = true;
	if (task->is_on_leave)
		return;
	task->is_on_leave = true;
	task->next_leaving = roster->leaving;
	roster->leaving = task;
}

/* Its turn: the attempt is recorded before anything of it exists. */
static void
grant(struct task *task)
{
	struct record *rec = &task->rec;
	struct change *change = change_begin(task);

	attempt_record(task, ATTEMPT_RUN);
	if (rec->started_ms == 0)
		rec->started_ms = rec->attempt.started_ms;
	rec->retry_at_ms = 0;
	rec->decided_outcome = 0;
	change_step(change, EV_GRANTED);
	change_event(change, FACT_STARTED);
	change_commit(change);
}

/* Whoever waits for a commit, or is brought back meanwhile, stays. */
static void
drop_leaving(struct roster *roster)
{
	struct task *task = roster->leaving, *next;

	roster->leaving = NULL;
	for (; task; task = next) {
		next = task->next_leaving;
		task->is_on_leave = false;
		if (task->is_leaving && task->commits == 0)
			roster_drop(task);
		else if (task->is_leaving)
			roster_leave(task);
	}
}

/* The service is about to go: nobody goes on. Draining: only what has begun, and was answered. */
static uint64_t
next_granted(struct roster *roster)
{
	uint64_t id = roster->is_draining ? 0 : queue_next(&roster->queue);

	if (id == 0 || !roster->drain.boot_id)
		return id;
	return roster_find(roster, id)->rec.state == TASK_WAITING ? id : 0;
}

static void
grant_next(struct task *task)
{
	if (task->rec.state == TASK_WAITING)
		question_grant(task);
	else
		grant(task);
}

static void
on_pump(struct ev_loop *loop, ev_prepare *pump, int revents)
{
	struct roster *roster = pump->data;
	uint64_t id;

	(void)loop;
	(void)revents;
	while ((id = next_granted(roster)) != 0)
		grant_next(roster_find(roster, id));
	drop_leaving(roster);
}

int
roster_init(
    struct roster *roster, const struct roster_env *env, const struct roster_listener *listener)
{
	*roster = (struct roster){ .env = *env, .listener = *listener };
	queue_init(&roster->queue, env->slots);
	ev_prepare_init(&roster->pump, on_pump);
	roster->pump.data = roster;
	ev_prepare_start(env->loop, &roster->pump);
	retention_start(roster);
	return 0;
}

/* Ids are never used twice, not even those of a store that was restored from a copy. */
static uint64_t
last_attempt_dir(int attempts_fd)
{
	int fd = dup(attempts_fd);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	uint64_t last = 0;

	if (!dir && fd >= 0)
		close(fd);
	if (!dir)
		return 0;
	rewinddir(dir);
	while ((entry = readdir(dir))) {
		uint64_t id = strtoull(entry->d_name, NULL, 10);

		last = id > last ? id : last;
	}
	closedir(dir);
	return last;
}

static int
load_row(uint64_t id, const uint8_t *row, size_t len, void *arg)
{
	struct roster *roster = arg;
	struct record record;
	struct task *task;
	int r = codec_decode(&record_codec, row, len, &record, NULL);

	if (r < 0) {
		log_error("task %llu: its row cannot be read", (unsigned long long)id);
		return r == -ENOMEM ? r : -EUCLEAN;
	}
	task = roster_add(roster, &record);
	if (!task) {
		codec_free(&record_codec, &record);
		return -ENOMEM;
	}
	task->seen = malloc(len);
	if (!task->seen)
		return -ENOMEM;
	memcpy(task->seen, row, len);
	task->seen_len = len;
	return 0;
}

static void
take_up(struct task *task)
{
	question_arm(task);
	if (task->rec.state == TASK_WAITING)
		roster_enqueue(task); /* where it was answered */
	if (task->rec.state == TASK_QUEUED)
		roster_enqueue(task);
	else if (task->rec.state == TASK_RETRYING)
		roster_arm_due(task);
	else
		attempt_take_up(task);
}

static bool
is_live(uint64_t id, void *arg)
{
	return roster_find(arg, id & ~QUESTION_SECRETS) != NULL;
}

int
roster_load(struct roster *roster)
{
	const uint64_t last_ids[] = { store_last_id(roster->env.store),
		last_attempt_dir(roster->env.attempts_fd), berth_last_id(roster->env.journals_fd) };
	struct task *next;
	int r;

	for (size_t i = 0; i < sizeof last_ids / sizeof last_ids[0]; i++)
		if (last_ids[i] > roster->last_id)
			roster->last_id = last_ids[i];
	r = store_each_active(roster->env.store, load_row, roster);
	if (r >= 0)
		r = daemons_load(roster);
	if (r >= 0)
		r = drain_load(roster);
	if (r >= 0)
		r = leftover_sweep(roster);
	if (r < 0)
		return r;
	vault_sweep(roster->env.vault, is_live, roster);
	roster->nameless++; /* a worker that is not looked at yet is no stray of one that died */
	for (struct task *task = roster->first; task; task = next) {
		next = task->next;
		take_up(task);
	}
	roster->nameless--;
	return 0;
}

void
roster_reaped(struct roster *roster)
{
	for (struct task *task = roster->first; task && roster->dead > 0; task = task->next)
		if (task->attempt && task->attempt->phase == ATTEMPT_DEAD)
			attempt_reaped(task);
}

void
roster_fini(struct roster *roster)
{
	struct task *next;

	ev_prepare_stop(roster->env.loop, &roster->pump);
	ev_timer_stop(roster->env.loop, &roster->retention);
	daemons_fini(roster);
	drain_fini(roster);
	for (struct task *task = roster->first; task; task = next) {
		next = task->next;
		roster_drop(task);
	}
	queue_fini(&roster->queue);
	berths_fini(&roster->berths);
	berths_fini(&roster->lingering);
}
