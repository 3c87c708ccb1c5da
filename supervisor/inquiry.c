#include "supervisor/inquiry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
inquiry_is_open(const struct record *record)
{
	return record->question.it.text != NULL;
}

static struct record_step *
step_of(const struct record *record, uint64_t step)
{
	return step > 0 && step <= record->steps.n ? &record->steps.v[step - 1] : NULL;
}

static bool
is_open_one(const struct record *record, uint64_t step, const char *name)
{
	return inquiry_is_open(record) && record->question.step == step &&
	       strcmp(record->question.it.name, name) == 0;
}

bool
inquiry_is_known(const struct record *record, const struct fact *fact)
{
	const struct record_step *step = step_of(record, fact->step);
	const char *name = fact->question.name;

	if (!step || !name || fact->question.problem)
		return false;
	return is_open_one(record, fact->step, name) || answers_find(&step->answers, name);
}

/* Its worker has said HELLO and not its end; a cancel may have crossed the question. */
static bool
may_ask(enum task_state state)
{
	return state == TASK_RUNNING || state == TASK_WAITING || state == TASK_CANCELLING;
}

int
inquiry_ask(struct record *record, const struct fact *fact)
{
	struct record_step *step = step_of(record, fact->step);
	struct record_question *question = &record->question;
	char problem[QUESTION_PROBLEM];
	uint64_t asked_ms = fact->ts_ms;

	if (!step || step->state != STEP_RUNNING || !may_ask(record->state) ||
	    question_problem(&fact->question, problem))
		return -EPROTO;
	if (record->state == TASK_CANCELLING || inquiry_is_known(record, fact))
		return 0;
	if (is_open_one(record, fact->step, fact->question.name))
		asked_ms = question->asked_ms;
	answers_drop(&step->answers, fact->question.name);
	codec_free(&record_question_codec, question);
	question->step = fact->step;
	question->asked_ms = asked_ms;
	return codec_copy(&question_codec, &fact->question, &question->it);
}

void
inquiry_close(struct record *record)
{
	codec_free(&record_question_codec, &record->question);
}

void
inquiry_close_of(struct record *record, uint64_t step, const char *name)
{
	if (record->question.step == step && (!name || is_open_one(record, step, name)))
		inquiry_close(record);
}

uint64_t
inquiry_default_ms(const struct record *record)
{
	const struct record_question *question = &record->question;

	return inquiry_is_open(record) && question->it.default_answer
		   ? question->asked_ms + question->it.after_ms
		   : 0;
}

const struct answer *
inquiry_last(const struct record *record)
{
	const struct answer *last = NULL;

	for (size_t i = 0; i < record->steps.n; i++) {
		const struct answers *answers = &record->steps.v[i].answers;

		for (size_t k = 0; k < answers->n; k++)
			if (!last || answers->v[k].rev > last->rev)
				last = &answers->v[k];
	}
	return last;
}

char *
inquiry_id(uint64_t step, const char *name, char id[static INQUIRY_ID])
{
	snprintf(id, INQUIRY_ID, "%llu/%s", (unsigned long long)step, name);
	return id;
}

bool
inquiry_is(const struct record *record, const char *id)
{
	char own[INQUIRY_ID];

	return inquiry_is_open(record) &&
	       strcmp(id, inquiry_id(record->question.step, record->question.it.name, own)) == 0;
}

const struct answer *
inquiry_answered(const struct record *record, const char *id)
{
	char *name;
	const struct record_step *step = step_of(record, strtoull(id, &name, 10));

	return step && *name == '/' ? answers_find(&step->answers, name + 1) : NULL;
}

const struct answer *
inquiry_sent(const struct record *record, const struct blob *token)
{
	for (size_t i = 0; token->data && i < record->steps.n; i++) {
		const struct answers *answers = &record->steps.v[i].answers;

		for (size_t k = 0; k < answers->n; k++) {
			const struct blob *sent = &answers->v[k].token;

			if (sent->data && sent->len == token->len &&
			    memcmp(sent->data, token->data, token->len) == 0)
				return &answers->v[k];
		}
	}
	return NULL;
}

bool
inquiry_is_all(const struct record *record)
{
	const struct record_step *step = step_of(record, record->step);

	return step && step->confirms && step->state == STEP_RUNNING;
}

void
inquiry_forget_no(struct record *record)
{
	for (size_t i = 0; i < record->steps.n; i++) {
		struct record_step *step = &record->steps.v[i];
		const struct answer *answer = answers_find(&step->answers, CONFIRM_QUESTION);

		if (step->confirms && answer && !answer->yes && !step_state_is_done(step->state))
			answers_drop(&step->answers, CONFIRM_QUESTION);
	}
}
