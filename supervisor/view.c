#include "supervisor/view.h"

#include "ipc/clock.h"
#include "supervisor/can.h"
#include "supervisor/inquiry.h"
#include "supervisor/shares.h"
#include "supervisor/view_pack.h"

#include <math.h>
#include <string.h>

static void
pack_subs(
    msgpack_packer *out, const struct record_subs *subs, size_t nsubs, uint64_t parent, int depth)
{
	size_t n = 0;

	for (size_t i = 0; i < nsubs; i++)
		n += subs->v[i].parent == parent;
	pack_kv_array(out, "steps", depth < LIMIT_SUB_DEPTH ? n : 0);
	for (size_t i = 0; depth < LIMIT_SUB_DEPTH && i < nsubs; i++) {
		const struct record_sub *sub = &subs->v[i];

		if (sub->parent != parent)
			continue;
		msgpack_pack_map(out, 8);
		pack_kv_str(out, "name", sub->name);
		pack_kv_str(out, "status", step_state_name(sub->state));
		pack_kv_str(out, "detail", sub->detail);
		pack_kv_nil(out, "progress");
		pack_kv_time(out, "started_at", sub->started_ms);
		pack_kv_time(out, "ended_at", sub->ended_ms);
		pack_kv_nil(out, "exit");
		pack_subs(out, subs, nsubs, sub->sub, depth + 1);
	}
}

static void
pack_steps(msgpack_packer *out, const struct record *record, const struct news *news,
    struct shares *shares)
{
	pack_kv_array(out, "steps", record->steps.n);
	for (size_t i = 0; i < record->steps.n; i++) {
		const struct record_step *step = &record->steps.v[i];
		double progress = step->progress;

		if (step_state_is_done(step->state))
			progress = 1;
		else if (news && news->step == i + 1 && step->state == STEP_RUNNING)
			progress = news->fraction;
		msgpack_pack_map(out, 8);
		pack_kv_str(out, "name", step->name);
		pack_kv_str(out, "status", step_state_name(step->state));
		pack_kv_str(out, "detail", step->detail);
		pack_kv_double(out, "progress", progress);
		pack_kv_time(out, "started_at", step->started_ms);
		pack_kv_time(out, "ended_at", step->ended_ms);
		pack_kv_exit(out, &step->exit);
		pack_subs(out, &step->subs, shares_subs(shares, step), 0, 1);
	}
}

static void
pack_error(msgpack_packer *out, const struct record_error *error)
{
	if (!error->code) {
		pack_kv_nil(out, "error");
		return;
	}
	pack_kv_map(out, "error", 6);
	pack_kv_str(out, "code", error->code);
	pack_kv_str(out, "message", error->message);
	pack_kv_count(out, "step", error->step);
	if (error->exit.known && !error->exit.signal)
		pack_kv_int(out, "exit_code", error->exit.code);
	else
		pack_kv_nil(out, "exit_code");
	if (error->exit.known && error->exit.signal)
		pack_kv_int(out, "signal", error->exit.signal);
	else
		pack_kv_nil(out, "signal");
	pack_kv_str(out, "tail", error->tail);
}

static void
pack_procs(msgpack_packer *out, const char *key, const struct receipt_procs *procs)
{
	pack_kv_array(out, key, procs->n);
	for (size_t i = 0; i < procs->n; i++) {
		msgpack_pack_map(out, 3);
		pack_kv_uint(out, "pid", procs->v[i].pid);
		pack_kv_str(out, "name", procs->v[i].name);
		pack_kv_str(out, "how", procs->v[i].how);
	}
}

static void
pack_receipt(msgpack_packer *out, const struct receipt *receipt)
{
	if (!receipt->method) {
		pack_kv_nil(out, "receipt");
		return;
	}
	pack_kv_map(out, "receipt", 6);
	pack_kv_uint(out, "signalled", receipt->signalled);
	pack_kv_uint(out, "killed", receipt->killed);
	pack_procs(out, "escaped", &receipt->escaped);
	pack_procs(out, "survivors", &receipt->survivors);
	pack_kv_str(out, "method", receipt->method);
	pack_kv_uint(out, "duration_ms", receipt->duration_ms);
}

static void
pack_warnings(msgpack_packer *out, const struct record *record, struct shares *shares)
{
	size_t n = shares_warnings(shares, record);

	pack_kv_array(out, "warnings", n);
	for (size_t i = 0; i < n; i++) {
		msgpack_pack_map(out, 3);
		pack_kv_str(out, "text", record->warnings.v[i].text);
		pack_kv_count(out, "step", record->warnings.v[i].step);
		pack_kv_time(out, "ts", record->warnings.v[i].ts_ms);
	}
}

static void
pack_interruptions(
    msgpack_packer *out, const struct record_interruptions *interruptions, struct shares *shares)
{
	size_t n = shares_interruptions(shares, interruptions);

	pack_kv_array(out, "interruptions", n);
	for (size_t i = 0; i < n; i++) {
		const struct record_interruption *interruption = &interruptions->v[i];

		msgpack_pack_map(out, 6);
		pack_kv_time(out, "ts", interruption->ts_ms);
		pack_kv_uint(out, "attempt", interruption->attempt);
		pack_kv_count(out, "step", interruption->step);
		pack_kv_str(out, "code", interruption->code);
		pack_kv_str(out, "message", interruption->message);
		pack_kv_exit(out, &interruption->exit);
	}
}

static void
pack_outputs(msgpack_packer *out, const struct record_steps *steps, struct shares *shares)
{
	size_t n = 0;

	for (size_t i = 0; i < steps->n; i++)
		n += steps->v[i].outputs.n > 0;
	pack_kv_map(out, "outputs", n);
	for (size_t i = 0; i < steps->n; i++) {
		const struct pairs *outputs = &steps->v[i].outputs;

		if (outputs->n > 0)
			pack_kv_pairs(
			    out, steps->v[i].name, outputs, shares_outputs(shares, outputs));
	}
}

static void
pack_left_out(msgpack_packer *out, const struct shares *shares)
{
	if (!shares_left_out(shares)) {
		pack_kv_nil(out, "left_out");
		return;
	}
	pack_kv_map(out, "left_out", SHARES);
	for (int i = 0; i < SHARES; i++)
		pack_kv_uint(out, share_name(i), shares->of[i].left_out);
}

static void
pack_blocked(msgpack_packer *out, const struct blocked *blocked)
{
	if (!blocked->kind) {
		pack_kv_nil(out, "blocked_on");
		return;
	}
	pack_kv_map(out, "blocked_on", 3);
	pack_kv_str(out, "kind", block_kind_name(blocked->kind));
	if (blocked->holder)
		pack_kv_uint(out, "holder", blocked->holder);
	else
		pack_kv_str(out, "holder", blocked->text);
	pack_kv_time(out, "since", blocked->since_ms);
}

static void
pack_strs(msgpack_packer *out, const char *key, const struct strs *strs)
{
	pack_kv_array(out, key, strs->n);
	for (size_t i = 0; i < strs->n; i++)
		pack_str(out, strs->v[i]);
}

static void
pack_fields(msgpack_packer *out, const struct question_fields *fields)
{
	pack_kv_array(out, "fields", fields->n);
	for (size_t i = 0; i < fields->n; i++) {
		const struct question_field *field = &fields->v[i];

		msgpack_pack_map(out, 6);
		pack_kv_str(out, "name", field->name);
		pack_kv_str(out, "type", field->type ? field->type : "text");
		pack_kv_str(out, "label", field->label ? field->label : field->name);
		pack_kv_str(out, "default", field->default_value);
		pack_strs(out, "choices", &field->choices);
		pack_kv_bool(out, "optional", field->optional);
	}
}

static void
pack_question(msgpack_packer *out, const struct record *record)
{
	const struct question *question = &record->question.it;
	char id[INQUIRY_ID];

	if (!inquiry_is_open(record)) {
		pack_kv_nil(out, "question");
		return;
	}
	pack_kv_map(out, "question", 10);
	pack_kv_str(out, "id", inquiry_id(record->question.step, question->name, id));
	pack_kv_uint(out, "step", record->question.step);
	pack_kv_str(out, "text", question->text);
	pack_kv_str(out, "yes", question_word(question, true));
	pack_kv_str(out, "no", question_word(question, false));
	pack_fields(out, &question->fields);
	pack_kv_str(out, "default", question->default_answer);
	pack_kv_time(out, "default_at", inquiry_default_ms(record));
	pack_kv_time(out, "asked_at", record->question.asked_ms);
	pack_kv_str(out, "problem", question->problem);
}

/* Of an event: no secret is in it. */
static void
pack_answer(msgpack_packer *out, const struct answer *answer)
{
	char id[INQUIRY_ID];

	pack_kv_map(out, "answer", 4);
	pack_kv_str(out, "question", inquiry_id(answer->step, answer->question, id));
	pack_kv_str(out, "answer", answer->yes ? "yes" : "no");
	pack_kv_str(out, "by", answer->by);
	pack_kv_pairs(out, "fields", &answer->fields, answer->fields.n);
}

static void
pack_can(msgpack_packer *out, const struct record *record)
{
	struct can can = can_do(record);

	pack_kv_map(out, "can", 5);
	pack_kv_str(out, "cancel", cancel_mode_name(can.cancel));
	pack_kv_str(out, "reason", can.reason);
	pack_kv_bool(out, "pause", false);
	pack_kv_bool(out, "retry", can.retry);
	pack_kv_bool(out, "answer", can.answer);
}

static void
pack_bytes(msgpack_packer *out, const struct news *news)
{
	pack_kv_map(out, "bytes", 3);
	pack_kv_count(out, "done", news ? news->bytes_done : 0);
	pack_kv_count(out, "total", news ? news->bytes_total : 0);
	pack_kv_count(out, "rate", news ? news->rate : 0);
}

static double
progress_of(const struct record *record, const struct news *news)
{
	if (record->state == TASK_COMPLETED || record->state == TASK_WARNED)
		return 1;
	if (record->state == TASK_QUEUED && record->attempt.number == 0)
		return NAN;
	if (news && !isnan(news->progress))
		return news->progress;
	return record->progress;
}

/* What was said to be left, less the time since; once that is over it was wrong, and unknown. */
static uint64_t
eta_of(const struct record *record, const struct view_live *live)
{
	const struct news *news = live->news;
	uint64_t seconds;

	if (!news || record->state != TASK_RUNNING || news->left_ms <= live->news_age_ms)
		return 0;
	seconds = (news->left_ms - live->news_age_ms + 500) / 1000;
	return seconds ? seconds : 1;
}

static void
pack_identity(msgpack_packer *out, const struct record *record, struct shares *shares)
{
	const struct record_person *owner = record->persons.n > 0 ? record->persons.v : NULL;

	pack_kv_uint(out, "id", record->id);
	pack_kv_str(out, "type", record->type);
	pack_kv_str(out, "title", record->title);
	pack_kv_str(out, "scope", record->scope);
	pack_kv_str(out, "owner", owner ? owner->name : NULL);
	pack_kv_uint(out, "owner_uid", record->owner_uid);
	pack_kv_pairs(out, "labels", &record->labels, shares_labels(shares, &record->labels));
	pack_kv_str(out, "status", task_state_name(record->state));
}

static void
pack_where(msgpack_packer *out, const struct record *record, const struct news *news,
    struct shares *shares)
{
	bool in_step = record->step > 0 && record->step <= record->steps.n;

	pack_kv_double(out, "progress", progress_of(record, news));
	pack_kv_str(out, "label", news && !task_state_is_end(record->state) ? news->label : NULL);
	pack_kv_map(out, "step", 3);
	pack_kv_count(out, "index", in_step ? record->step : 0);
	pack_kv_uint(out, "count", record->steps.n);
	pack_kv_str(out, "name", in_step ? record->steps.v[record->step - 1].name : NULL);
	pack_steps(out, record, news, shares);
	pack_kv_uint(out, "attempt", record->attempt.number);
}

void
view_task(msgpack_packer *out, const struct record *record, const struct view_live *live)
{
	static const struct blob none;
	struct shares shares = shares_whole();
	bool in_step = record->step > 0 && record->step <= record->steps.n;

	msgpack_pack_map(out, 34);
	pack_identity(out, record, &shares); /* 8 */
	pack_kv_str(out, "pending", live->pending);
	pack_kv_str(out, "outcome", record->outcome);
	pack_where(out, record, live->news, &shares); /* 5 */
	pack_kv_time(out, "created_at", record->created_ms);
	pack_kv_time(out, "started_at", record->started_ms);
	pack_kv_time(out, "ended_at", record->ended_ms);
	pack_bytes(out, live->news);
	pack_kv_count(out, "eta_s", eta_of(record, live));
	pack_outputs(out, &record->steps, &shares);
	pack_kv_blob(
	    out, "checkpoint", in_step ? &record->steps.v[record->step - 1].checkpoint : &none);
	pack_kv_blob(out, "result", &record->result);
	pack_warnings(out, record, &shares);
	pack_question(out, record);
	pack_error(out, &record->error);
	pack_blocked(out, &live->blocked);
	pack_can(out, record);
	pack_receipt(out, &record->receipt);
	pack_kv_uint(out, "joined", record->persons.n);
	pack_interruptions(out, &record->interruptions, &shares);
	pack_kv_bool(out, "keep", record->keep);
	pack_kv_time(out, "expires_at", record->expires_ms);
	pack_left_out(out, &shares);
}

static void
pack_event_head(
    msgpack_packer *out, const char *name, uint64_t ts_ms, uint64_t task, uint64_t attempt)
{
	pack_kv_str(out, "event", name);
	pack_kv_time(out, "ts", ts_ms);
	pack_kv_uint(out, "task", task);
	pack_kv_count(out, "attempt", attempt);
}

static size_t
count_texts(const char *const *texts, size_t n)
{
	size_t present = 0;

	for (size_t i = 0; i < n; i++)
		present += texts[i] != NULL;
	return present;
}

void
view_event(msgpack_packer *out, const struct fact *event)
{
	const char *const texts[] = { event->name, event->text, event->detail, event->code,
		event->message, event->tail };
	static const char *const keys[] = { "name", "text", "detail", "code", "message", "tail" };
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = { { "step", event->step }, { "sub", event->sub }, { "parent", event->parent },
		{ "count", event->count }, { "killed", event->killed },
		{ "delay_ms", event->delay_ms }, { "rev", event->rev } };
	size_t n = 4 + count_texts(texts, 6);

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		n += numbers[i].value != 0;
	n += (size_t)((event->state != 0) + (event->outcome != 0) + event->exit.known +
		      (event->value.data != NULL) + (event->receipt.method != NULL) +
		      (event->question.text != NULL) + (event->answer.question != NULL));
	msgpack_pack_map(out, n);
	pack_event_head(
	    out, fact_kind_name(event->kind), event->ts_ms, event->task, event->attempt);
	for (size_t i = 0; i < 6; i++)
		if (texts[i])
			pack_kv_str(out, keys[i], texts[i]);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (numbers[i].value)
			pack_kv_uint(out, numbers[i].key, numbers[i].value);
	if (event->state)
		pack_kv_str(out, "status", step_state_name(event->state));
	if (event->outcome)
		pack_kv_str(out, "outcome", task_state_name(event->outcome));
	if (event->exit.known)
		pack_kv_exit(out, &event->exit);
	if (event->value.data)
		pack_kv_blob(out, "value", &event->value);
	if (event->receipt.method)
		pack_receipt(out, &event->receipt);
	if (event->question.text)
		pack_kv_str(out, "question", event->question.text);
	if (event->answer.question)
		pack_answer(out, &event->answer);
}

void
view_news_event(
    msgpack_packer *out, const struct record *record, const struct news *news, uint64_t now_ms)
{
	msgpack_pack_map(out, 6);
	pack_event_head(out, "progress", now_ms, record->id, record->attempt.number);
	pack_kv_double(out, "progress", news->progress);
	pack_kv_str(out, "label", news->label);
}
