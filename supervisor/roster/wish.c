#include "supervisor/roster/wish.h"

#include "ipc/clock.h"
#include "ipc/log.h"
#include "ipc/proc.h"
#include "supervisor/can.h"
#include "supervisor/inquiry.h"
#include "supervisor/roster/attempt.h"
#include "supervisor/roster/closing.h"
#include "supervisor/roster/join.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- submit ----------------------------------------------------------------- */

static void
copy_pairs(struct pairs *to, const struct pairs *from)
{
	for (size_t i = 0; i < from->n; i++)
		pairs_set(to, from->v[i].name, from->v[i].value);
}

static bool
same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static void
add_step(struct record *rec, const struct spec_step *spec)
{
	struct record_step *step = list_add((struct list *)&rec->steps, &record_step_codec);

	if (!step || str_set(&step->name, spec->name) < 0)
		return;
	step->state = STEP_PENDING;
	step->cancel = spec->cancel ? spec->cancel : CANCEL_NOW;
	step->weight = spec->weight;
	step->has_undo = spec->undo.sh || spec->undo.argv.n > 0;
	step->leaves_running = spec->leave_running;
	step->confirms = spec->kind == STEP_KIND_CONFIRM;
}

static int
add_person(struct record *rec, const char *name, uint64_t uid)
{
	struct record_person *person = list_add((struct list *)&rec->persons, &record_person_codec);

	if (!person)
		return -ENOMEM;
	person->uid = uid;
	person->since_ms = clock_wall_ms();
	return str_set(&person->name, name);
}

/* msgpack bin 8 of 16 bytes. */
static void
set_token(struct record *rec, const uint8_t token[static 16])
{
	uint8_t packed[18] = { 0xc4, 16 };

	memcpy(packed + 2, token, 16);
	blob_set(&rec->token, packed, sizeof packed);
}

static void
fill_record(struct record *rec, uint64_t id, const struct submission *submission)
{
	const struct spec *spec = &submission->brief->spec;

	codec_init(&record_codec, rec);
	rec->id = id;
	set_token(rec, submission->token);
	str_set(&rec->type, spec->type);
	str_set(&rec->title, submission->title ? submission->title : spec->title);
	str_set(&rec->scope, submission->scope ? submission->scope : spec->scope);
	str_set(&rec->key, submission->key);
	str_set(&rec->dedupe_key, spec->dedupe_key);
	add_person(rec, submission->person, submission->uid);
	rec->owner_uid = submission->brief->uid;
	rec->owner_gid = submission->brief->gid;
	copy_pairs(&rec->labels, submission->labels);
	copy_pairs(&rec->params, &spec->params);
	rec->state = TASK_QUEUED;
	rec->created_ms = clock_wall_ms();
	rec->want = WANT_RUN;
	rec->on_interrupt = spec->on_interrupt;
	rec->keep_ms = spec->keep_ms;
	for (size_t i = 0; i < spec->secrets.n; i++)
		strs_add(&rec->secrets, spec->secrets.v[i]);
	str_set(&rec->cancel_note, spec->cancel_note);
	for (size_t i = 0; i < spec->steps.n; i++)
		add_step(rec, &spec->steps.v[i]);
	rec->progress = NAN;
	rec->queue_order = queue_tail_order(id);
}

static void
find_differences(
    const struct record *rec, const struct submission *submission, struct strs *differs)
{
	const struct pairs *params = &submission->brief->spec.params;

	for (size_t i = 0; i < params->n; i++)
		if (!same(pairs_get(&rec->params, params->v[i].name), params->v[i].value))
			strs_add(differs, params->v[i].name);
	if (submission->title && !same(submission->title, rec->title))
		strs_add(differs, "title");
	if (submission->scope && !same(submission->scope, rec->scope))
		strs_add(differs, "scope");
}

struct submitting {
	submitted_fn done;
	void *arg;
	struct submitted ret;
};

static void
on_submitted(struct task *task, int result, void *arg)
{
	struct submitting *submitting = arg;

	submitting->ret.id = task->rec.id;
	submitting->ret.state = TASK_QUEUED;
	if (submitting->ret.joined || submitting->ret.is_known)
		submitting->ret.state = task->rec.state;
	else if (result == 0)
		roster_enqueue(task);
	submitting->done(&submitting->ret, result, submitting->arg);
	strs_free(&submitting->ret.differs);
	free(submitting);
}

static bool
is_person_of(const struct record *rec, const char *name)
{
	for (size_t i = 0; i < rec->persons.n; i++)
		if (same(rec->persons.v[i].name, name))
			return true;
	return false;
}

static void
join(struct task *task, const struct submission *submission, struct submitting *submitting)
{
	struct change *change;

	if (!same(task->rec.type, submission->brief->spec.type)) {
		submitting->ret.conflict = task->rec.id;
		submitting->done(&submitting->ret, -EEXIST, submitting->arg);
		free(submitting);
		return;
	}
	submitting->ret.joined = true;
	find_differences(&task->rec, submission, &submitting->ret.differs);
	change = change_begin(task);
	if (!is_person_of(&task->rec, submission->person))
		add_person(&task->rec, submission->person, submission->uid);
	str_set(&change_event(change, FACT_JOINED)->text, submission->person);
	change_then(change, on_submitted, submitting);
	change_commit(change);
}

/* An answer once everything decided about TASK so far is committed. */
static void
wait_for_commit(struct task *task, submitted_fn done, void *arg)
{
	struct submitting *submitting = calloc(1, sizeof *submitting);
	struct change *change;

	if (!submitting)
		_exit(SUPERVISOR_EXIT_IO);
	*submitting = (struct submitting){ .done = done, .arg = arg, .ret.is_known = true };
	change = change_begin(task);
	change_then(change, on_submitted, submitting);
	change_commit(change);
}

/* The same token from the same person: a resend after a lost reply. */
static bool
answer_resent(
    struct roster *roster, const struct submission *submission, submitted_fn done, void *arg)
{
	struct submitted ret = { 0 };
	struct task *task = roster_find_token(roster, submission->token);
	struct store_bytes row;
	struct record rec;

	if (task && is_person_of(&task->rec, submission->person)) {
		wait_for_commit(task, done, arg);
		return true;
	}
	if (store_find_token(roster->env.store, submission->uid, submission->token, &ret.id) < 0 ||
	    store_get_task(roster->env.store, ret.id, &row) < 0)
		return false;
	if (codec_decode(&record_codec, row.data, row.len, &rec, NULL) == 0) {
		ret.state = rec.state;
		codec_free(&record_codec, &rec);
	}
	store_bytes_free(&row);
	done(&ret, 0, arg);
	return true;
}

static void
add_new(struct roster *roster, const struct submission *submission, struct record *rec,
    struct submitting *submitting)
{
	struct task *task = roster_add(roster, rec);
	struct change *change;
	struct buf spec;

	buf_init(&spec, LIMIT_SPEC + LIMIT_RPC);
	if (!task || codec_encode(&brief_codec, submission->brief, &spec) < 0) {
		log_error("out of memory; starting afresh from the store");
		_exit(SUPERVISOR_EXIT_IO);
	}
	change = change_begin(task);
	str_set(&change_event(change, FACT_SUBMITTED)->text, submission->person);
	change_then(change, on_submitted, submitting);
	change_commit_new(change, spec.data, spec.len);
	buf_fini(&spec);
}

/* One of them must not keep the others out, nor fill the store with what waits. */
static bool
has_too_many(const struct roster *roster, const struct submission *submission)
{
	uint64_t n = 0;

	if (submission->is_admin)
		return false;
	for (const struct task *task = roster->first; task; task = task->next)
		n += !task_state_is_end(task->rec.state) && task->rec.persons.n > 0 &&
		     task->rec.persons.v[0].uid == submission->uid;
	return n >= roster->env.user_tasks;
}

void
wish_submit(
    struct roster *roster, const struct submission *submission, submitted_fn done, void *arg)
{
	struct submitting *submitting;
	struct record rec;
	struct task *other;
	char *key;

	if (answer_resent(roster, submission, done, arg))
		return;
	submitting = calloc(1, sizeof *submitting);
	if (!submitting)
		_exit(SUPERVISOR_EXIT_IO);
	*submitting = (struct submitting){ .done = done, .arg = arg };
	fill_record(&rec, roster->last_id + 1, submission);
	key = join_of(&rec);
	other = key ? join_find(roster, key) : NULL;
	free(key);
	if (other) {
		join(other, submission, submitting);
	} else if (roster->drain.boot_id) {
		submitting->done(&submitting->ret, -ESHUTDOWN, arg);
		free(submitting);
	} else if (has_too_many(roster, submission)) {
		submitting->done(&submitting->ret, -EUSERS, arg);
		free(submitting);
	} else if (rec.secrets.n > 0 &&
		   vault_put(roster->env.vault, rec.id, submission->secrets) < 0) {
		submitting->done(&submitting->ret, -ENOBUFS, submitting->arg);
		free(submitting);
	} else {
		roster->last_id++;
		add_new(roster, submission, &rec, submitting);
	}
	codec_free(&record_codec, &rec);
}

/* ---- cancel ----------------------------------------------------------------- */

static struct cancel_answer
refuse(const char *reason)
{
	return (struct cancel_answer){ .reason = reason };
}

/* One of several goes; the task stays for the others. When the first leaves, the next owns it. */
static struct cancel_answer
leave(struct task *task, const char *person)
{
	struct record_persons *persons = &task->rec.persons;
	struct change *change = change_begin(task);

	for (size_t i = 0; i < persons->n; i++) {
		if (!same(persons->v[i].name, person))
			continue;
		codec_free(&record_person_codec, &persons->v[i]);
		memmove(
		    persons->v + i, persons->v + i + 1, (persons->n - i - 1) * sizeof *persons->v);
		persons->n--;
		break;
	}
	join_leave(task);
	if (join_enter(task) < 0)
		log_warn(
		    "task %llu: no memory; it cannot be joined", (unsigned long long)task->rec.id);
	str_set(&change_event(change, FACT_LEFT)->text, person);
	change_commit(change);
	return (struct cancel_answer){ .accepted = true, .left = true };
}

static struct cancel_answer
abandon(struct task *task, const struct cancel_request *request)
{
	struct change *change;

	if (!request->is_admin)
		return refuse("only an administrator may abandon a task");
	if (task->rec.state != TASK_CANCELLING || !task->is_unkillable)
		return refuse("only a task whose processes cannot be killed may be abandoned");
	change = change_begin(task);
	if (task->attempt && task->attempt->pidfd >= 0)
		proc_pidfd_signal(task->attempt->pidfd, SIGKILL); /* it waits for them, too */
	attempt_free(task->attempt);
	task->rec.attempt.closed = true;
	change_step(change, EV_ABANDON);
	closing_end_task(change);
	change_commit(change);
	return (struct cancel_answer){ .accepted = true };
}

/* No worker lives: it ends at once, or an undo attempt is started for what was done before. */
static void
cancel_waiting(struct task *task, struct change *change)
{
	bool undo = can_undo_something(&task->rec) && !task->rec.force;

	if (undo) {
		task->rec.decided_outcome = TASK_CANCELLED;
		task->rec.resumes = 0;
		task->rec.retry_at_ms = 0;
		attempt_record(task, ATTEMPT_UNDO);
	}
	change_step(change, undo ? EV_CANCEL_UNDO : EV_CANCEL);
	if (!undo)
		closing_end_task(change);
}

struct cancel_answer
wish_cancel(struct task *task, const struct cancel_request *request)
{
	struct record *rec = &task->rec;
	struct can can = can_do(rec);
	bool is_forcing = request->force && request->is_admin;
	bool again = rec->state == TASK_CANCELLING || rec->state == TASK_UNDOING;
	struct change *change;

	if (request->abandon)
		return abandon(task, request);
	if (task_state_is_end(rec->state))
		return refuse(can.reason);
	if (rec->persons.n > 1 && is_person_of(rec, request->person) && !is_forcing)
		return leave(task, request->person);
	if (request->force && !request->is_admin)
		return refuse("only an administrator may force a cancel");
	if (again && !is_forcing) /* accepted already */
		return (struct cancel_answer){ .accepted = rec->state == TASK_CANCELLING,
			.reason = can.reason };
	if (can.cancel == CANCEL_NEVER && !is_forcing)
		return refuse(can.reason);
	change = change_begin(task);
	inquiry_close(rec);
	rec->want = WANT_CANCEL;
	rec->force = rec->force || is_forcing;
	rec->order_rev++;
	str_set(&rec->cancelled_by, request->person);
	str_set(&change_event(change, FACT_CANCELLING)->text, request->person);
	if (rec->state == TASK_QUEUED || rec->state == TASK_RETRYING) {
		cancel_waiting(task, change);
	} else {
		change_step(change, EV_CANCEL);
		change_send_order(task, false); /* need not wait for its commit */
	}
	task->cancel_pending = true;
	change_commit(change);
	return (struct cancel_answer){ .accepted = true };
}
