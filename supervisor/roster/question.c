#include "supervisor/roster/question.h"

#include "ipc/clock.h"
#include "ipc/log.h"
#include "ipc/secrets.h"
#include "supervisor/inquiry.h"
#include "supervisor/vault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LONGEST_WAIT_MS = 5 * 60 * 1000 /* the wall clock may jump */
};

static void
die_of_memory(void)
{
	log_error("out of memory; starting afresh from the store");
	_exit(SUPERVISOR_EXIT_IO);
}

/* ---- secrets ------------------------------------------------------------------------ */

/* They have a place of their own beside the secret parameters of the task. */
static uint64_t
place_of(uint64_t id)
{
	return id | QUESTION_SECRETS;
}

/* "2/confirm/": what the names of the secrets in that answer begin with. */
enum {
	PREFIX_MAX = INQUIRY_ID + 2
};
static size_t
prefix_of(uint64_t step, const char *question, char prefix[static PREFIX_MAX])
{
	inquiry_id(step, question, prefix);
	return (size_t)snprintf(prefix + strlen(prefix), 2, "/") + strlen(prefix) - 1;
}

/* What is kept of all answers of TASK; empty where there is nothing, or it is lost. */
static struct pairs
kept_of(const struct task *task)
{
	struct pairs kept = { .v = NULL };

	if (vault_get(task->roster->env.vault, place_of(task->rec.id), &kept) == -ENOMEM)
		die_of_memory();
	return kept;
}

/* Moves the secret fields of ANSWER to where they are kept. 0; -ENOBUFS: there is no room. */
static int
split_secrets(struct task *task, const struct question *question, struct answer *answer)
{
	struct pairs open = { .v = NULL }, kept = kept_of(task);
	char name[PREFIX_MAX + LIMIT_NAME];
	size_t len = prefix_of(task->rec.question.step, question->name, name);
	int r = 0;

	answer->has_secrets = false;
	for (size_t i = 0; r == 0 && i < answer->fields.n; i++) {
		const struct pair *pair = &answer->fields.v[i];
		const struct question_field *field = question_find_field(question, pair->name);
		bool is_secret = field_type_parse(field->type) == FIELD_SECRET;

		snprintf(name + len, sizeof name - len, "%s", pair->name);
		r = is_secret ? pairs_set(&kept, name, pair->value)
			      : pairs_set(&open, pair->name, pair->value);
		answer->has_secrets = answer->has_secrets || is_secret;
	}
	if (r < 0)
		die_of_memory();
	if (answer->has_secrets &&
	    vault_put(task->roster->env.vault, place_of(task->rec.id), &kept) < 0)
		r = -ENOBUFS;
	secrets_wipe(&kept);
	secrets_wipe(&answer->fields);
	answer->fields = open;
	return r;
}

/* 0 or -ENOMEM. */
static int
add_secrets(const struct task *task, struct answer *answer)
{
	struct pairs kept = { .v = NULL };
	char prefix[PREFIX_MAX];
	size_t len = prefix_of(answer->step, answer->question, prefix);
	int r = 0;

	if (answer->has_secrets)
		kept = kept_of(task);
	for (size_t i = 0; r == 0 && i < kept.n; i++)
		if (strncmp(kept.v[i].name, prefix, len) == 0)
			r = pairs_set(&answer->fields, kept.v[i].name + len, kept.v[i].value);
	secrets_wipe(&kept);
	return r;
}

/* As its worker gets it. */
static int
copy_answer(const struct task *task, const struct answer *answer, struct answer *ret)
{
	int r = codec_copy(&answer_codec, answer, ret);

	if (r < 0)
		return r;
	blob_free(&ret->token);
	r = add_secrets(task, ret);
	if (r < 0)
		codec_free(&answer_codec, ret);
	return r;
}

int
question_answers(const struct task *task, size_t index, struct answers *ret)
{
	const struct answers *answers = &task->rec.steps.v[index].answers;
	struct answer *answer;
	int r = 0;

	for (size_t i = 0; r == 0 && i < answers->n; i++) {
		answer = list_add((struct list *)ret, &answer_codec);
		r = answer ? copy_answer(task, &answers->v[i], answer) : -ENOMEM;
	}
	return r;
}

/* What is secret in ANSWER is not kept any more. */
static bool
is_lost(const struct task *task, const struct answer *answer)
{
	struct answer whole;
	bool is_lost;

	if (!answer->has_secrets)
		return false;
	if (copy_answer(task, answer, &whole) < 0)
		die_of_memory();
	is_lost = whole.fields.n == answer->fields.n;
	secrets_wipe(&whole.fields);
	codec_free(&answer_codec, &whole);
	return is_lost;
}

void
question_forget_lost(struct task *task)
{
	for (size_t i = 0; i < task->rec.steps.n; i++) {
		struct record_step *step = &task->rec.steps.v[i];
		const struct answer *answer = answers_find(&step->answers, CONFIRM_QUESTION);

		if (step->confirms && step->state == STEP_DONE && answer && is_lost(task, answer))
			step->state = STEP_PENDING;
	}
}

void
question_drop_secrets(struct task *task)
{
	const struct record_steps *steps = &task->rec.steps;

	for (size_t i = 0; i < steps->n; i++)
		for (size_t k = 0; k < steps->v[i].answers.n; k++)
			if (steps->v[i].answers.v[k].has_secrets)
				vault_drop(task->roster->env.vault, place_of(task->rec.id));
}

bool
question_for_order(const struct task *task, struct answer *ret)
{
	const struct answer *last = inquiry_last(&task->rec);

	if (!last || step_state_is_done(task->rec.steps.v[last->step - 1].state))
		return false;
	if (copy_answer(task, last, ret) < 0)
		die_of_memory();
	return true;
}

/* ---- an answer ---------------------------------------------------------------------- */

struct telling {
	change_done_fn done;
	void *arg;
};

/* Before whoever answered hears that it was taken, the worker has it in its pipe. */
static void
on_answered(struct task *task, int result, void *arg)
{
	struct telling *telling = arg;

	change_send_order(task, false);
	if (telling->done)
		telling->done(task, result, telling->arg);
	free(telling);
}

static void
tell_answered(struct change *change, const struct answer *answer)
{
	struct fact *event = change_event(change, FACT_ANSWERED);

	event->step = answer->step;
	if (codec_copy(&answer_codec, answer, &event->answer) < 0)
		die_of_memory();
	blob_free(&event->answer.token);
	event->answer.rev = 0;
}

/* In the step's own words: "Overwrite, says unix:ann". */
static void
describe(struct record_step *step, const struct question *question, const struct answer *answer)
{
	char text[LIMIT_QUESTION_WORD + LIMIT_TITLE + 64];

	snprintf(text, sizeof text, "%s%s%s", question_word(question, answer->yes),
	    answer->by ? ", says " : ": nobody answered in time", answer->by ? answer->by : "");
	if (str_set(&step->detail, text) < 0)
		die_of_memory();
}

/* ANSWER is taken, and everybody else's prompt goes. */
static void
record_answer(struct task *task, struct answer *answer, change_done_fn done, void *arg)
{
	struct record *rec = &task->rec;
	const struct question *question = &rec->question.it;
	struct record_step *step = &rec->steps.v[rec->question.step - 1];
	struct telling *telling = malloc(sizeof *telling);
	struct change *change;

	if (!telling) {
		die_of_memory();
		return;
	}
	change = change_begin(task);
	*telling = (struct telling){ .done = done, .arg = arg };
	answer->step = rec->question.step;
	answer->ts_ms = clock_wall_ms();
	answer->rev = ++rec->order_rev;
	if (str_set(&answer->question, question->name) < 0)
		die_of_memory();
	describe(step, question, answer);
	if (!answer->yes && question->on_no == ON_NO_STOP &&
	    str_set(&rec->cancelled_by, answer->by ? answer->by : "nobody in time") < 0)
		die_of_memory();
	tell_answered(change, answer);
	if (answers_put(&step->answers, answer) < 0)
		die_of_memory();
	inquiry_close(rec);
	rec->queue_order = queue_head_order(&task->roster->queue);
	change_step(change, EV_ANSWERED);
	change_then(change, on_answered, telling);
	change_commit(change);
}

/* It is not open: it was answered, perhaps by the same who asks again after a lost reply. */
static int
refuse(struct task *task, const struct answering *answering, change_done_fn done, void *arg,
    struct answered *ret)
{
	const struct answer *last = answering->question
					? inquiry_answered(&task->rec, answering->question)
					: inquiry_last(&task->rec);
	struct change *change;

	if (inquiry_sent(&task->rec, &answering->answer.token)) {
		change = change_begin(task);
		change_then(change, done, arg);
		change_commit(change);
		return 0;
	}
	if (!last)
		return -ENOENT;
	snprintf(ret->problem, sizeof ret->problem, "it was answered already: %s by %.200s",
	    last->yes ? "yes" : "no", last->by ? last->by : "nobody in time");
	return -EALREADY;
}

int
wish_answer(struct task *task, struct answering *answering, change_done_fn done, void *arg,
    struct answered *ret)
{
	const struct record *rec = &task->rec;
	int r;

	*ret = (struct answered){ .field = NULL };
	if (!inquiry_is_open(rec) || (answering->question && !inquiry_is(rec, answering->question)))
		return refuse(task, answering, done, arg, ret);
	r = question_take(&rec->question.it, &answering->answer, &ret->field, ret->problem);
	if (r == -ENOMEM)
		die_of_memory();
	if (r == 0 && (r = split_secrets(task, &rec->question.it, &answering->answer)) < 0)
		snprintf(ret->problem, sizeof ret->problem,
		    "there is no room for more secrets in the service's memory");
	if (r < 0)
		return r;
	record_answer(task, &answering->answer, done, arg);
	return 0;
}

static void
answer_by_default(struct task *task)
{
	struct answering answering = { .question = NULL };
	struct answered ret;

	codec_init(&answer_codec, &answering.answer);
	answering.answer.yes = strcmp(task->rec.question.it.default_answer, "yes") == 0;
	if (wish_answer(task, &answering, NULL, NULL, &ret) < 0)
		log_warn("task %llu: its default answer does not answer: %s",
		    (unsigned long long)task->rec.id, ret.problem);
	codec_free(&answer_codec, &answering.answer);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct task *task = timer->data;
	uint64_t due_ms = inquiry_default_ms(&task->rec);

	(void)revents;
	ev_timer_stop(loop, timer);
	if (due_ms > 0 && clock_wall_ms() >= due_ms)
		answer_by_default(task);
	else
		question_arm(task);
}

void
question_arm(struct task *task)
{
	uint64_t due_ms = inquiry_default_ms(&task->rec), now_ms = clock_wall_ms();
	uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
	struct ev_loop *loop = task->roster->env.loop;

	ev_timer_stop(loop, &task->answer_due);
	if (due_ms == 0)
		return;
	ev_now_update(loop);
	ev_timer_set(&task->answer_due,
	    (double)(wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS) / 1000., 0.);
	ev_timer_start(loop, &task->answer_due);
}

void
question_follow(struct change *change, const struct fact *fact)
{
	struct task *task = change->task;
	const struct record *rec = &task->rec;
	bool is_open = inquiry_is_open(rec);

	if (fact->kind == FACT_QUESTION && is_open) {
		/* Asked again, its answer is not waiting for a slot any more. */
		queue_remove(&task->roster->queue, rec->queue_order, rec->id);
		change_step(change, EV_ASKED);
		question_arm(task);
	} else if ((fact->kind == FACT_WITHDRAWN || fact->kind == FACT_STEP_END) && !is_open &&
		   rec->state == TASK_WAITING) {
		change_step(change, EV_WITHDRAWN);
	}
}

void
question_grant(struct task *task)
{
	struct change *change = change_begin(task);

	task->rec.order_rev++;
	change_step(change, EV_GRANTED);
	change_commit(change);
}

void
question_init(struct task *task)
{
	ev_timer_init(&task->answer_due, on_timer, 0., 0.);
	task->answer_due.data = task;
}

void
question_fini(struct task *task)
{
	ev_timer_stop(task->roster->env.loop, &task->answer_due);
}
