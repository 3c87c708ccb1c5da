#include "worker/asking.h"

#include "ipc/fd.h"
#include "worker/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

void
asking_init(struct asking *asking)
{
	*asking = (struct asking){ 0 };
	codec_init(&question_codec, &asking->question);
	codec_init(&answer_codec, &asking->answer);
}

void
asking_fini(struct asking *asking)
{
	codec_free(&question_codec, &asking->question);
	codec_free(&answer_codec, &asking->answer);
	asking->is_told = false;
}

bool
asking_is_open(const struct attempt *attempt)
{
	return attempt->asking.question.text != NULL;
}

const struct answer *
asking_answer(const struct attempt *attempt)
{
	const struct asking *asking = &attempt->asking;

	return asking->answer.question && !attempt->orders.hold ? &asking->answer : NULL;
}

/* ---- does an answer do? ------------------------------------------------------------- */

/* A file, and it can be read. 0 or -errno. */
static int
try_file(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), r = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	fd_close(&fd);
	if (r == 0 && (fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) < 0)
		r = -errno;
	fd_close(&fd);
	return r;
}

/* The same with no more rights than the task's owner has. */
static int
try_file_as_owner(const struct attempt *attempt, const char *path)
{
	const struct brief *brief = &attempt->brief;
	const gid_t none = (gid_t)brief->gid;
	gid_t *own;
	int nown, r;

	if (!brief->change_user)
		return try_file(path);
	if ((nown = getgroups(0, NULL)) < 0 || !(own = calloc((size_t)nown + 1, sizeof *own)))
		return -ENOMEM;
	nown = getgroups(nown, own);
	r = setgroups(
	    attempt->ngroups ? attempt->ngroups : 1, attempt->ngroups ? attempt->groups : &none);
	(void)setfsgid((gid_t)brief->gid);
	(void)setfsuid((uid_t)brief->uid);
	r = r < 0 || setfsuid((uid_t)-1) != (int)brief->uid ? -EPERM : try_file(path);
	(void)setfsuid(geteuid());
	(void)setfsgid(getegid());
	(void)setgroups((size_t)nown, own);
	free(own);
	return r;
}

static const char *
why_not(int r)
{
	return r == -EISDIR ? "it is a directory" : r == -EINVAL ? "it is no file" : strerror(-r);
}

static bool
are_files_readable(const struct attempt *attempt, const struct question *question,
    const struct answer *answer, char problem[static QUESTION_PROBLEM])
{
	for (size_t i = 0; i < question->fields.n; i++) {
		const struct question_field *field = &question->fields.v[i];
		const char *path = pairs_get(&answer->fields, field->name);
		int r;

		if (!path || !*path || field_type_parse(field->type) != FIELD_FILE)
			continue;
		r = try_file_as_owner(attempt, path);
		if (r == 0)
			continue;
		snprintf(problem, QUESTION_PROBLEM,
		    "field \"%.64s\": %.128s cannot be read by the task's owner: %s", field->name,
		    path, why_not(r));
		return false;
	}
	return true;
}

static bool
has_lost_secrets(const struct question *question, const struct answer *answer)
{
	for (size_t i = 0; answer->has_secrets && i < question->fields.n; i++) {
		const struct question_field *field = &question->fields.v[i];

		if (field_type_parse(field->type) == FIELD_SECRET &&
		    pairs_get(&answer->fields, field->name))
			return false;
	}
	return answer->has_secrets;
}

static bool
does_answer(const struct attempt *attempt, const struct question *question, struct answer *answer,
    char problem[static QUESTION_PROBLEM])
{
	const char *field = NULL;

	if (has_lost_secrets(question, answer)) {
		snprintf(problem, QUESTION_PROBLEM,
		    "the secret in its answer was kept in memory alone, and is lost");
		return false;
	}
	return question_take(question, answer, &field, problem) == 0 &&
	       are_files_readable(attempt, question, answer, problem);
}

/* ---- asking ------------------------------------------------------------------------- */

static int
tell(struct attempt *attempt, struct asking *asking, const char *problem)
{
	struct question shown = asking->question;
	char *why = *problem ? strdup(problem) : NULL;
	struct fact fact;
	int r;

	shown.problem = why;
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_QUESTION;
	fact.step = asking->step + 1;
	fact.question = shown;
	r = attempt_fact(attempt, &fact);
	asking->is_told = true;
	free(why);
	return r;
}

/* From now on they are masked in what steps say. */
static int
hide_secrets(struct attempt *attempt, const struct question *question, const struct answer *answer)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < question->fields.n; i++) {
		const struct question_field *field = &question->fields.v[i];
		const char *value = pairs_get(&answer->fields, field->name);

		if (value && field_type_parse(field->type) == FIELD_SECRET)
			r = mask_add(&attempt->mask, value);
	}
	return r;
}

/* Takes the answer that is known where it does; else people are asked, and told what was wrong with
 * it. */
static int
consult(struct attempt *attempt)
{
	struct asking *asking = &attempt->asking;
	struct answers *known = &attempt->brief.steps.v[asking->step].answers;
	const struct answer *answer = answers_find(known, asking->question.name);
	char problem[QUESTION_PROBLEM] = "";

	if (answer && codec_copy(&answer_codec, answer, &asking->answer) < 0)
		return -ENOMEM;
	if (answer && does_answer(attempt, &asking->question, &asking->answer, problem))
		return hide_secrets(attempt, &asking->question, &asking->answer);
	codec_free(&answer_codec, &asking->answer);
	answers_drop(known, asking->question.name);
	return tell(attempt, asking, problem);
}

int
asking_begin(struct attempt *attempt, size_t step, struct question *question)
{
	struct asking *asking = &attempt->asking;

	if (asking_is_open(attempt))
		return -EBUSY;
	asking->step = step;
	asking->question = *question;
	asking->is_told = false;
	codec_init(&question_codec, question);
	return consult(attempt);
}

void
asking_end(struct attempt *attempt)
{
	struct asking *asking = &attempt->asking;
	struct fact fact;

	if (asking->is_told && !asking->answer.question) {
		codec_init(&fact_codec, &fact);
		fact.kind = FACT_WITHDRAWN;
		fact.step = asking->step + 1;
		fact.name = asking->question.name;
		attempt_fact(attempt, &fact);
	}
	asking_fini(asking);
}

void
asking_hear(struct attempt *attempt)
{
	struct asking *asking = &attempt->asking;
	struct answer *answer = &attempt->orders.answer;
	uint64_t step = answer->step;
	bool is_ours;

	if (!answer->question || step == 0 || step > attempt->brief.steps.n) {
		codec_free(&answer_codec, answer);
		return;
	}
	is_ours = asking_is_open(attempt) && !asking->answer.question && step == asking->step + 1 &&
		  strcmp(answer->question, asking->question.name) == 0;
	if (answers_put(&attempt->brief.steps.v[step - 1].answers, answer) < 0)
		codec_free(&answer_codec, answer);
	if (is_ours)
		(void)consult(attempt); /* a journal that fails ends the attempt anyway */
}
