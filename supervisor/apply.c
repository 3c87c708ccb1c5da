#include "supervisor/apply.h"

#include "supervisor/inquiry.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
	MAX_SUBS = 1024,
	LOST_ORDERS = 16 /* wishes that were sent and whose commits were lost */
};

static struct record_step *
step_of(struct record *record, const struct fact *fact)
{
	if (fact->step == 0 || fact->step > record->steps.n)
		return NULL;
	return &record->steps.v[fact->step - 1];
}

static struct record_sub *
sub_of(const struct record_step *step, uint64_t sub)
{
	for (size_t i = step->subs.n; i-- > 0;)
		if (step->subs.v[i].sub == sub)
			return &step->subs.v[i];
	return NULL;
}
static void
forget_subs(struct record_step *step)
{
	for (size_t i = 0; i < step->subs.n; i++)
		codec_free(&record_sub_codec, &step->subs.v[i]);
	step->subs.n = 0;
	step->subs_dropped = 0;
}

static int
apply_step_begin(struct record *record, const struct fact *fact)
{
	struct record_step *step = step_of(record, fact);

	if (!step || step_state_is_done(step->state))
		return -EPROTO;
	record->step = fact->step;
	if (step->state != STEP_RUNNING || step->tries > 0 || step->started_ms == 0)
		step->started_ms = fact->ts_ms; /* not anew when its check is over */
	step->state = STEP_RUNNING;
	step->tries = fact->count;
	step->was_run = step->was_run || fact->count > 0;
	step->ended_ms = 0;
	step->exit = (struct exit_info){ 0 };
	forget_subs(step);
	return str_set(&step->detail, NULL);
}

static bool
is_end_of_step(enum step_state state)
{
	return step_state_is_done(state) || state == STEP_SKIPPED || state == STEP_FAILED ||
	       state == STEP_CANCELLED;
}

/* A step has failed for good: so has the task, though its worker may die before it has undone and
 * said so. Under a cancel that decides. */
static int
apply_failure(struct record *record, const struct fact *fact)
{
	if (record->want == WANT_CANCEL || record->want == WANT_CANCEL_AFTER)
		return 0;
	record->decided_outcome = TASK_FAILED;
	if (!fact->code || record->error.code)
		return 0;
	return apply_error(record, fact->code, fact->message, fact->step, &fact->exit, fact->tail);
}

static int
apply_step_end(struct record *record, const struct fact *fact)
{
	struct record_step *step = step_of(record, fact);

	if (!step || !is_end_of_step(fact->state))
		return -EPROTO;
	record->step = fact->step;
	inquiry_close_of(record, fact->step, NULL);
	step->state = fact->state;
	step->exit = fact->exit;
	step->lines = fact->count;
	if (step->started_ms == 0)
		step->started_ms = fact->ts_ms;
	step->ended_ms = fact->ts_ms;
	if (!step_state_is_done(fact->state))
		return fact->state == STEP_FAILED ? apply_failure(record, fact) : 0;
	record->resumes = 0;
	step->progress = 1;
	return 0;
}

/* A row is written whole with each fact, so what it may grow to is bounded for the task. */
static size_t
count_subs(const struct record *record)
{
	size_t n = 0;

	for (size_t i = 0; i < record->steps.n; i++)
		n += record->steps.v[i].subs.n;
	return n;
}

/* Numbers grow and a parent is older than its children, so that the tree is one. */
static bool
is_next_sub(const struct record_step *step, const struct fact *fact)
{
	uint64_t last = step->subs.n > 0 ? step->subs.v[step->subs.n - 1].sub : 0;

	if (fact->sub <= last || fact->parent >= fact->sub)
		return false;
	return fact->parent == 0 || step->subs_dropped > 0 || sub_of(step, fact->parent);
}

static int
apply_sub_begin(struct record *record, const struct fact *fact)
{
	struct record_step *step = step_of(record, fact);
	struct record_sub *sub;

	if (!step || !is_next_sub(step, fact))
		return -EPROTO;
	if (step->subs.n >= LIMIT_SUBS || count_subs(record) >= MAX_SUBS) {
		step->subs_dropped++;
		return 0;
	}
	sub = list_add((struct list *)&step->subs, &record_sub_codec);
	if (!sub)
		return -ENOMEM;
	sub->sub = fact->sub;
	sub->parent = fact->parent;
	sub->count = fact->count;
	sub->state = STEP_RUNNING;
	sub->started_ms = fact->ts_ms;
	return str_set(&sub->name, fact->name);
}

static int
apply_sub_end(struct record *record, const struct fact *fact)
{
	struct record_step *step = step_of(record, fact);
	struct record_sub *sub = step ? sub_of(step, fact->sub) : NULL;

	if (!step)
		return -EPROTO;
	if (!sub)
		return step->subs_dropped > 0 ? 0 : -EPROTO;
	sub->state = fact->state ? fact->state : STEP_DONE;
	sub->ended_ms = fact->ts_ms;
	return str_set(&sub->detail, fact->detail);
}

static int
apply_undone(struct record *record, const struct fact *fact)
{
	const char *why = fact->message ? fact->message : "its undo failed";
	struct record_step *step = step_of(record, fact);

	if (!step)
		return -EPROTO;
	if (fact->state == STEP_UNDONE) {
		step->state = STEP_UNDONE;
		step->was_run = false;
		step->ended_ms = fact->ts_ms;
		pairs_free(&step->outputs);
		blob_free(&step->checkpoint);
		return str_set(&step->detail, NULL);
	}
	/* Half undone it is neither done nor not: a retry has to run it again. */
	step->state = STEP_FAILED;
	step->ended_ms = fact->ts_ms;
	if (str_set(&step->detail, why) < 0)
		return -ENOMEM;
	return apply_warning(record, fact->ts_ms, fact->step, why);
}

static int
apply_hello(struct record *record, const struct fact *fact)
{
	record->attempt.pid = fact->pid;
	record->attempt.start_ticks = fact->start_ticks;
	return 0;
}

static int
apply_end(struct record *record, const struct fact *fact)
{
	record->attempt.ended = true;
	record->decided_outcome = record->decided_outcome ? record->decided_outcome : fact->outcome;
	if (!fact->code || record->error.code)
		return 0;
	return apply_error(record, fact->code, fact->message, fact->step, &fact->exit, fact->tail);
}

/* The worker keeps the limits itself; one that does not would make a row that cannot be stored. */
static int
apply_output(struct record *record, struct record_step *step, const struct fact *fact)
{
	const char *value = fact->text ? fact->text : ""; /* empty is left out */
	const char *old = fact->name ? pairs_get(&step->outputs, fact->name) : NULL;
	size_t bytes = 0;

	if (!fact->name || (!old && step->outputs.n >= LIMIT_PAIRS))
		return -EPROTO;
	for (size_t i = 0; i < record->steps.n; i++)
		bytes += pairs_bytes(&record->steps.v[i].outputs);
	bytes += strlen(fact->name) + strlen(value);
	if (bytes - (old ? strlen(fact->name) + strlen(old) : 0) > LIMIT_OUTPUTS)
		return -EPROTO;
	return pairs_set(&step->outputs, fact->name, value);
}

static int
apply_value(struct record *record, const struct fact *fact)
{
	struct record_step *step = step_of(record, fact);

	if (!step)
		return -EPROTO;
	if (fact->kind == FACT_OUTPUT)
		return apply_output(record, step, fact);
	record->resumes = 0;
	return blob_set(&step->checkpoint, fact->value.data, fact->value.len);
}

static int
apply_receipt(struct record *record, const struct fact *fact)
{
	codec_free(&receipt_codec, &record->receipt);
	return codec_copy(&receipt_codec, &fact->receipt, &record->receipt);
}

int
apply_fact(struct record *record, const struct fact *fact)
{
	switch ((int)fact->kind) {
	case FACT_HELLO:
		return apply_hello(record, fact);
	case FACT_STEP_BEGIN:
		return apply_step_begin(record, fact);
	case FACT_STEP_END:
		return apply_step_end(record, fact);
	case FACT_SUB_BEGIN:
		return apply_sub_begin(record, fact);
	case FACT_SUB_END:
		return apply_sub_end(record, fact);
	case FACT_CHECKPOINT:
	case FACT_OUTPUT:
		return apply_value(record, fact);
	case FACT_WARNING:
		return apply_warning(record, fact->ts_ms, fact->step, fact->text);
	case FACT_RESULT:
		return blob_set(&record->result, fact->value.data, fact->value.len);
	case FACT_UNDONE:
		return apply_undone(record, fact);
	case FACT_KILLED:
		return apply_receipt(record, fact);
	case FACT_END:
		return apply_end(record, fact);
	case FACT_OBEYED:
		return fact->rev > record->order_rev + LOST_ORDERS ? -EPROTO : 0;
	case FACT_LEFT_RUNNING:
		return fact->pid > 0 && fact->pid <= INT32_MAX ? 0 : -EPROTO;
	case FACT_QUESTION:
		return inquiry_ask(record, fact);
	case FACT_WITHDRAWN:
		inquiry_close_of(record, fact->step, fact->name ? fact->name : "");
		return 0;
	case FACT_UNDO_BEGIN:
		inquiry_close(record);
		return 0;
	case FACT_NOTIFICATION:
	case FACT_STEP_RETRY:
		return 0; /* history only */
	default:
		return -EPROTO; /* a worker does not say this */
	}
}

void
apply_attempt_over(struct record *record, enum step_state ended, uint64_t now_ms)
{
	for (size_t i = 0; i < record->steps.n; i++) {
		struct record_step *step = &record->steps.v[i];

		if (step->state != STEP_RUNNING)
			continue;
		step->state = ended;
		step->ended_ms = now_ms;
	}
}

void
apply_attempt_begins(struct record *record)
{
	for (size_t i = 0; i < record->steps.n; i++) {
		struct record_step *step = &record->steps.v[i];

		if (step_state_is_done(step->state))
			continue;
		step->state = STEP_PENDING;
		step->progress = NAN;
		forget_subs(step);
	}
	record->step = 0;
	record->progress = NAN;
}

int
apply_error(struct record *record, const char *code, const char *message, uint64_t step,
    const struct exit_info *exit_info, const char *tail)
{
	struct record_error *error = &record->error;

	error->step = step;
	error->exit = exit_info ? *exit_info : (struct exit_info){ 0 };
	if (str_set(&error->code, code) < 0 || str_set(&error->message, message) < 0 ||
	    str_set(&error->tail, tail) < 0)
		return -ENOMEM;
	return 0;
}

int
apply_warning(struct record *record, uint64_t ts_ms, uint64_t step, const char *text)
{
	struct record_warning *warning;

	if (record->warnings.n >= LIMIT_WARNINGS) {
		record->warnings_dropped++;
		return 0;
	}
	warning = list_add((struct list *)&record->warnings, &record_warning_codec);
	if (!warning)
		return -ENOMEM;
	warning->ts_ms = ts_ms;
	warning->step = step;
	return str_set(&warning->text, text ? text : "");
}

enum {
	KEPT_INTERRUPTIONS = 32
};

int
apply_interruption(struct record *record, uint64_t now_ms, const char *code, const char *message,
    const struct exit_info *exit_info)
{
	struct record_interruption *interruption;

	if (record->interruptions.n >= KEPT_INTERRUPTIONS)
		return 0;
	interruption = list_add((struct list *)&record->interruptions, &record_interruption_codec);
	if (!interruption)
		return -ENOMEM;
	interruption->ts_ms = now_ms;
	interruption->attempt = record->attempt.number;
	interruption->step = record->step;
	interruption->exit = exit_info ? *exit_info : (struct exit_info){ 0 };
	if (str_set(&interruption->code, code) < 0 || str_set(&interruption->message, message) < 0)
		return -ENOMEM;
	return 0;
}
