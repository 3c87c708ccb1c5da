#include "worker/confirm.h"

#include "ipc/expand.h"
#include "worker/outputs.h"
#include "worker/pump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
fill_text(struct attempt *attempt, struct question *question, char why[static CONFIRM_WHY])
{
	char *text = NULL, *missing = NULL;
	size_t len;
	int r =
	    expand(question->text, EXPAND_ALL, outputs_lookup, &attempt->brief, &text, &missing);

	if (r == -ENOENT)
		snprintf(why, CONFIRM_WHY, "${%.200s} has no value", missing ? missing : "?");
	else if (r < 0)
		snprintf(why, CONFIRM_WHY, "its question cannot be filled in: %s", strerror(-r));
	free(missing);
	if (r < 0)
		return r;
	len = strlen(text);
	/* What steps put out may be long; a question is cut, and still one. */
	if (len > LIMIT_QUESTION) {
		for (len = LIMIT_QUESTION; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
		text[len] = '\0';
	}
	free(question->text);
	question->text = text;
	return 0;
}

static int
ask(struct attempt *attempt, size_t index, char why[static CONFIRM_WHY])
{
	struct question question;
	int r = codec_copy(&question_codec, &attempt->brief.spec.steps.v[index].confirm, &question);

	snprintf(why, CONFIRM_WHY, "there is no memory for its question");
	if (r < 0)
		return r;
	r = fill_text(attempt, &question, why);
	if (r == 0 && question_problem(&question, why))
		r = -EINVAL;
	if (r == 0)
		r = asking_begin(attempt, index, &question);
	codec_free(&question_codec, &question);
	return r;
}

/* The question is on the disk before anybody may think that he saw it. */
static enum confirmed
await(struct attempt *attempt)
{
	int r = pump_sync(attempt, true);

	while (r == -ECANCELED || (r == 0 && !asking_answer(attempt))) {
		enum pump_event event = pump(attempt, NULL, 0);

		if (event == PUMP_BROKEN)
			return CONFIRMED_BROKEN;
		attempt_obey(attempt, attempt->orders.want);
		if (orders_want_cancel(&attempt->orders))
			return CONFIRMED_CANCELLED;
		r = pump_sync(attempt, true);
	}
	return r == 0 ? CONFIRMED_YES : CONFIRMED_BROKEN;
}

/* All but secrets, which stay in memory: outputs_lookup() finds them there. */
static int
put_out(struct attempt *attempt, size_t index, const struct answer *answer)
{
	const struct question *question = &attempt->asking.question;
	int r = outputs_set(attempt, index, "answer", answer->yes ? "yes" : "no");

	for (size_t i = 0; r == 0 && i < question->fields.n; i++) {
		const struct question_field *field = &question->fields.v[i];
		const char *value = pairs_get(&answer->fields, field->name);

		if (field_type_parse(field->type) != FIELD_SECRET)
			r = outputs_set(attempt, index, field->name, value ? value : "");
	}
	return r;
}

static enum confirmed
take(struct attempt *attempt, size_t index, char why[static CONFIRM_WHY])
{
	const struct answer *answer = asking_answer(attempt);
	int r;

	if (!answer->yes && attempt->asking.question.on_no != ON_NO_GO_ON)
		return CONFIRMED_NO;
	r = put_out(attempt, index, answer);
	if (r == 0)
		return CONFIRMED_YES;
	if (attempt->journal.error)
		return CONFIRMED_BROKEN;
	snprintf(why, CONFIRM_WHY, "its answer cannot be put out: %s", strerror(-r));
	return CONFIRMED_UNASKED;
}

enum confirmed
confirm_step(struct attempt *attempt, size_t index, char ret_why[static CONFIRM_WHY])
{
	enum confirmed confirmed = CONFIRMED_UNASKED;
	int r = ask(attempt, index, ret_why);

	if (r < 0)
		return attempt->journal.error ? CONFIRMED_BROKEN : CONFIRMED_UNASKED;
	confirmed = await(attempt);
	if (confirmed == CONFIRMED_YES)
		confirmed = take(attempt, index, ret_why);
	/* Only stopped, it asks the same again. */
	if (confirmed != CONFIRMED_YES && attempt->orders.want == WANT_SUSPEND)
		asking_fini(&attempt->asking);
	else
		asking_end(attempt);
	return confirmed;
}
