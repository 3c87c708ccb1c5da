/* An ended task is asked for again: retry, and keep. */
#include "ipc/clock.h"
#include "ipc/log.h"
#include "supervisor/can.h"
#include "supervisor/inquiry.h"
#include "supervisor/roster/closing.h"
#include "supervisor/roster/join.h"
#include "supervisor/roster/wish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An ended task, brought back into the roster from its row. 0 or -errno. */
static int
bring_back(struct roster *roster, uint64_t id, struct task **ret_task)
{
	struct task *task = roster_find(roster, id);
	struct store_bytes row;
	struct record rec;
	int r;

	if (task) {
		*ret_task = task;
		return 0;
	}
	r = store_get_task(roster->env.store, id, &row);
	if (r < 0)
		return r;
	r = codec_decode(&record_codec, row.data, row.len, &rec, NULL);
	if (r < 0) {
		store_bytes_free(&row);
		return -EUCLEAN;
	}
	task = roster_add(roster, &rec);
	if (!task) {
		codec_free(&record_codec, &rec);
		store_bytes_free(&row);
		return -ENOMEM;
	}
	join_leave(task); /* it has ended: nobody joins it */
	task->seen = row.data;
	task->seen_len = row.len;
	*ret_task = task;
	return 0;
}

/* Each that it needs, and no other. *ret_name: the first that is wrong. */
static bool
lacks_secret(
    const struct strs *needed, const struct pairs *given, char ret_name[static LIMIT_NAME + 1])
{
	for (size_t i = 0; i < needed->n; i++) {
		snprintf(ret_name, LIMIT_NAME + 1, "%s", needed->v[i]);
		if (!pairs_get(given, needed->v[i]))
			return true;
	}
	for (size_t i = 0; i < given->n; i++) {
		size_t k = 0;

		while (k < needed->n && strcmp(needed->v[k], given->v[i].name) != 0)
			k++;
		snprintf(ret_name, LIMIT_NAME + 1, "%.*s", LIMIT_NAME, given->v[i].name);
		if (k == needed->n)
			return true;
	}
	return false;
}

/* Not beside the same work: who wants that joins it, and there is only ever one. */
static int
check_retry(struct roster *roster, const struct task *task, const struct retry_request *request,
    struct retry_refusal *ret_refusal)
{
	const struct strs *secrets = &task->rec.secrets;
	const struct task *other;
	char *join;

	if (!can_do(&task->rec).retry)
		return -EINVAL;
	if (lacks_secret(secrets, request->secrets, ret_refusal->secret))
		return -ENOKEY;
	join = join_of(&task->rec);
	other = join ? join_find(roster, join) : NULL;
	free(join);
	if (!other)
		return roster->drain.boot_id ? -ESHUTDOWN : 0;
	ret_refusal->active = other->rec.id;
	return -EEXIST;
}

int
wish_retry(struct roster *roster, uint64_t id, const struct retry_request *request,
    change_done_fn done, void *arg, struct retry_refusal *ret_refusal)
{
	struct task *task;
	struct change *change;
	int r = bring_back(roster, id, &task);

	if (r < 0)
		return r;
	r = check_retry(roster, task, request, ret_refusal);
	if (r == 0 && request->secrets->n > 0 &&
	    vault_put(roster->env.vault, id, request->secrets) < 0)
		r = -ENOBUFS;
	if (r < 0) {
		if (task_state_is_end(task->rec.state))
			roster_leave(task);
		return r;
	}
	task->is_leaving = false;
	change = change_begin(task);
	inquiry_forget_no(&task->rec);
	task->rec.want = WANT_RUN;
	task->rec.force = false;
	task->rec.order_rev++;
	task->rec.ended_ms = task->rec.expires_ms = task->rec.retry_at_ms = 0;
	task->rec.decided_outcome = 0;
	task->rec.resumes = 0;
	str_set(&task->rec.cancelled_by, NULL);
	str_set(&task->rec.outcome, NULL);
	codec_free(&receipt_codec, &task->rec.receipt);
	str_set(&task->rec.error.code, NULL);
	str_set(&task->rec.error.message, NULL);
	str_set(&task->rec.error.tail, NULL);
	task->rec.error.step = 0;
	task->rec.error.exit = (struct exit_info){ 0 };
	task->rec.queue_order = queue_head_order(&roster->queue);
	str_set(&change_event(change, FACT_RETRYING)->text, request->person);
	change_step(change, EV_RETRY);
	if (join_enter(task) < 0)
		log_warn("task %llu: no memory; it cannot be joined", (unsigned long long)id);
	change_then(change, done, arg);
	change_commit(change);
	return 0;
}

static void
on_kept(struct change *change, bool keep)
{
	struct record *rec = &change->task->rec;

	rec->keep = keep;
	change_event(change, FACT_KEPT)->count = keep;
	if (task_state_is_end(rec->state))
		rec->expires_ms = closing_expiry(change->task, clock_wall_ms());
}

int
wish_keep(struct roster *roster, uint64_t id, bool keep, change_done_fn done, void *arg)
{
	struct task *task;
	struct change *change;
	int r = bring_back(roster, id, &task);

	if (r < 0)
		return r;
	change = change_begin(task);
	on_kept(change, keep);
	if (task_state_is_end(task->rec.state))
		roster_leave(task);
	change_then(change, done, arg);
	change_commit(change);
	return 0;
}
