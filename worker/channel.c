#include "worker/channel.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/frame.h"
#include "worker/outputs.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	READ_BYTES = 16 * 1024,
	KEPT_ROOM = 4096,
	MAX_LIMITS_WARNED = 8 /* of one try: who goes beyond a limit does so in every message */
};

void
channel_init(struct channel *channel, int fd, size_t step, uint64_t last_sub)
{
	*channel = (struct channel){ .fd = fd, .answer_fd = -1, .step = step, .sub = last_sub };
	buf_init(&channel->in, PIPE_HEAD + LIMIT_FRAME + READ_BYTES);
}

void
channel_fini(struct channel *channel)
{
	fd_close(&channel->fd);
	fd_close(&channel->answer_fd);
	buf_fini(&channel->in);
	blob_free(&channel->checkpoint);
	free(channel->undeclared);
	channel->undeclared = NULL;
}

static void
say(struct channel *channel, struct attempt *attempt, struct fact *fact)
{
	struct allowance *left = &attempt->allowance;
	off_t before = attempt->journal.end + (off_t)journal_waiting(&attempt->journal);

	fact->step = channel->step + 1;
	attempt_fact(attempt, fact);
	left->facts -= 1;
	left->bytes -=
	    (double)(attempt->journal.end + (off_t)journal_waiting(&attempt->journal) - before);
	if (left->was_used_up || (left->facts > 0 && left->bytes > 0))
		return;
	left->was_used_up = true;
	attempt_warn(attempt, channel->step + 1,
	    "the step reports so much that it is read more slowly from now on");
}

/* Checkpoints that came in one go: the last one counts, and is on the disk before we go on. */
static void
put_checkpoint(struct channel *channel, struct attempt *attempt)
{
	struct blob *kept = &attempt->brief.steps.v[channel->step].checkpoint;
	struct fact fact;

	if (!channel->has_checkpoint)
		return;
	channel->has_checkpoint = false;
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_CHECKPOINT;
	fact.value = channel->checkpoint;
	say(channel, attempt, &fact);
	(void)journal_sync(&attempt->journal);
	blob_free(kept);
	*kept = channel->checkpoint;
	channel->checkpoint = (struct blob){ 0 };
}

/* Something the step said is left out. */
static void
warn_left_out(struct channel *channel, struct attempt *attempt, const char *text)
{
	if (channel->limits_warned++ < MAX_LIMITS_WARNED)
		attempt_warn(attempt, channel->step + 1, text);
}

/* A value that holds a secret would be stored. True: it is left out. */
static bool
is_secret(struct channel *channel, struct attempt *attempt, const struct step_msg *msg)
{
	char text[96];

	if (!mask_finds(&attempt->mask, msg->value.data, msg->value.len))
		return false;
	snprintf(text, sizeof text, "a %s that holds a secret parameter was left out", msg->type);
	warn_left_out(channel, attempt, text);
	return true;
}

static void
take_checkpoint(struct channel *channel, struct attempt *attempt, struct step_msg *msg)
{
	if (is_secret(channel, attempt, msg))
		return;
	blob_free(&channel->checkpoint);
	channel->checkpoint = msg->value;
	channel->has_checkpoint = true;
	msg->value = (struct blob){ 0 };
}

static void
begin_sub(struct channel *channel, struct attempt *attempt, const struct step_msg *msg)
{
	struct fact fact;

	if (channel->untold > 0 || channel->depth == LIMIT_SUB_DEPTH ||
	    channel->begun == LIMIT_SUBS) {
		channel->untold++;
		if (!channel->warned_subs)
			attempt_warn(attempt, channel->step + 1,
			    "the step has more, or deeper, sub-steps than are shown");
		channel->warned_subs = true;
		return;
	}
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_SUB_BEGIN;
	fact.sub = ++channel->sub;
	fact.parent = channel->depth ? channel->open[channel->depth - 1] : 0;
	fact.name = msg->name;
	fact.count = msg->count;
	channel->begun++;
	channel->open[channel->depth++] = fact.sub;
	say(channel, attempt, &fact);
}

static void
end_sub(struct channel *channel, struct attempt *attempt, enum step_state state, char *detail)
{
	struct fact fact;

	if (channel->untold > 0) {
		channel->untold--;
		return;
	}
	if (channel->depth == 0)
		return;
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_SUB_END;
	fact.sub = channel->open[--channel->depth];
	fact.state = state;
	fact.detail = detail;
	say(channel, attempt, &fact);
}

static void
take_output(struct channel *channel, struct attempt *attempt, const struct step_msg *msg)
{
	const char *name = msg->name ? msg->name : "";
	int r = outputs_set(attempt, channel->step, name, msg->text ? msg->text : "");
	char text[OUTPUTS_WHY];

	if (r == -ENOENT && !channel->undeclared)
		channel->undeclared = strdup(name);
	else if (r < 0 && r != -ENOENT)
		warn_left_out(channel, attempt, outputs_why(r, name, text));
	attempt->allowance.facts -= 1;
	attempt->allowance.bytes -= msg->text ? (double)strlen(msg->text) : 0;
}

static void
take_text(
    struct channel *channel, struct attempt *attempt, enum fact_kind kind, struct step_msg *msg)
{
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.kind = kind;
	fact.text = msg->text;
	fact.value = msg->value;
	attempt->has_warned |= kind == FACT_WARNING;
	say(channel, attempt, &fact);
}

static void
take_news(struct channel *channel, struct attempt *attempt, enum step_msg_kind kind,
    const struct step_msg *msg)
{
	const struct news *news = &attempt->bulletin.news;
	uint64_t bytes_before = news->bytes_done;
	double fraction_before = news->fraction;

	channel->has_progress |= kind != STEP_MSG_LABEL;
	if (kind == STEP_MSG_PROGRESS)
		bulletin_fraction(&attempt->bulletin, msg->fraction);
	if (kind == STEP_MSG_BYTES)
		bulletin_bytes(&attempt->bulletin, msg, clock_boot_ms());
	/* It moves, whatever it said. */
	if (news->bytes_done != bytes_before ||
	    (!isnan(news->fraction) && news->fraction != fraction_before))
		bulletin_waiting(&attempt->bulletin, 0, NULL, 0);
	if (msg->label || kind == STEP_MSG_LABEL)
		bulletin_label(&attempt->bulletin, msg->label);
}

/* What stops it is one of a few words; another one is no news. */
static void
take_waiting(struct attempt *attempt, const struct step_msg *msg)
{
	enum block_kind kind = msg->on ? block_kind_by_step(msg->on) : 0;

	if (kind || !msg->on || !*msg->on)
		bulletin_waiting(&attempt->bulletin, kind, msg->holder, clock_wall_ms());
}

/* Whole frames or none, without waiting: who does not read its answers gets no more. */
static void
put_answer(struct channel *channel, struct attempt *attempt, const struct answer *answer)
{
	struct buf frame;
	size_t begin;
	int r;

	if (channel->answer_fd < 0)
		return;
	buf_init(&frame, PIPE_BUF);
	begin = pipe_frame_begin(&frame);
	r = codec_encode(&answer_named_codec, answer, &frame);
	if (r == 0)
		r = pipe_frame_end(&frame, begin, PIPE_BUF);
	if (r == 0 && write(channel->answer_fd, frame.data, frame.len) < 0)
		r = -errno;
	buf_fini(&frame);
	if (r == 0)
		return;
	fd_close(&channel->answer_fd);
	attempt_warn(attempt, channel->step + 1, "the step does not read the answers it asked for");
}

static void
refuse_question(struct channel *channel, struct attempt *attempt, struct question *question,
    char problem[static QUESTION_PROBLEM])
{
	struct answer answer = { .question = question->name, .problem = problem };

	warn_left_out(channel, attempt, problem);
	put_answer(channel, attempt, &answer);
}

static void
take_question(struct channel *channel, struct attempt *attempt, struct question *question)
{
	char problem[QUESTION_PROBLEM];
	int r;

	if (question_problem(question, problem)) {
		refuse_question(channel, attempt, question, problem);
		return;
	}
	attempt->allowance.facts -= 1;
	r = asking_begin(attempt, channel->step, question);
	if (r < 0 && !attempt->journal.error) {
		snprintf(problem, sizeof problem, "%s",
		    r == -EBUSY ? "another question of the step is open" : strerror(-r));
		refuse_question(channel, attempt, question, problem);
		return;
	}
	(void)journal_sync(&attempt->journal);
	channel->is_asking = true;
	channel_answer(channel, attempt);
}

static void
withdraw(struct channel *channel, struct attempt *attempt, const char *name)
{
	if (!channel->is_asking || !name || strcmp(name, attempt->asking.question.name) != 0)
		return;
	channel->is_asking = false;
	asking_end(attempt);
}

void
channel_answer(struct channel *channel, struct attempt *attempt)
{
	const struct answer *answer = channel->is_asking ? asking_answer(attempt) : NULL;

	if (!answer)
		return;
	channel->is_asking = false;
	put_answer(channel, attempt, answer);
	asking_end(attempt);
}

static void
act(struct channel *channel, struct attempt *attempt, struct step_msg *msg)
{
	enum step_msg_kind kind = step_msg_kind_parse(msg->type ? msg->type : "");

	if (kind > STEP_MSG_LABEL && kind != STEP_MSG_CHECKPOINT && kind != STEP_MSG_WAITING)
		put_checkpoint(channel, attempt);
	switch (kind) {
	case STEP_MSG_PROGRESS:
	case STEP_MSG_BYTES:
	case STEP_MSG_LABEL:
		take_news(channel, attempt, kind, msg);
		break;
	case STEP_MSG_BEGIN:
		begin_sub(channel, attempt, msg);
		break;
	case STEP_MSG_COMPLETE:
		end_sub(channel, attempt, STEP_DONE, msg->detail);
		break;
	case STEP_MSG_FAIL:
		end_sub(channel, attempt, STEP_FAILED, msg->detail);
		break;
	case STEP_MSG_CHECKPOINT:
		take_checkpoint(channel, attempt, msg);
		break;
	case STEP_MSG_OUTPUT:
		take_output(channel, attempt, msg);
		break;
	case STEP_MSG_WARNING:
		take_text(channel, attempt, FACT_WARNING, msg);
		break;
	case STEP_MSG_NOTIFICATION:
		take_text(channel, attempt, FACT_NOTIFICATION, msg);
		break;
	case STEP_MSG_RESULT:
		if (!is_secret(channel, attempt, msg))
			take_text(channel, attempt, FACT_RESULT, msg);
		break;
	case STEP_MSG_WAITING:
		take_waiting(attempt, msg);
		break;
	case STEP_MSG_QUESTION:
		take_question(channel, attempt, &msg->question);
		break;
	case STEP_MSG_WITHDRAW:
		withdraw(channel, attempt, msg->name);
		break;
	}
}

/* True when only a field of it was beyond its limit. */
static bool
is_left_out(struct channel *channel, struct attempt *attempt, const struct codec_error *error)
{
	char text[256];

	if (error->max == 0)
		return false;
	snprintf(text, sizeof text,
	    "a message of the step was left out: \"%s\" has %llu, the limit is %llu", error->field,
	    (unsigned long long)error->given, (unsigned long long)error->max);
	warn_left_out(channel, attempt, text);
	return true;
}

/* Every whole frame. False: the bytes are no frames. */
static bool
take_frames(struct channel *channel, struct attempt *attempt)
{
	struct pipe_frame frame;
	struct codec_error error;
	struct step_msg msg;
	size_t at = 0;
	int r;

	while ((r = pipe_frame_next(
		    channel->in.data + at, channel->in.len - at, LIMIT_FRAME, &frame)) == 1) {
		at += frame.used;
		if (codec_decode(&step_msg_codec, frame.body, frame.len, &msg, &error) < 0) {
			if (!is_left_out(channel, attempt, &error))
				return false;
			continue;
		}
		act(channel, attempt, &msg);
		codec_free(&step_msg_codec, &msg);
	}
	buf_consume(&channel->in, at);
	return r == 0;
}

void
channel_read(struct channel *channel, struct attempt *attempt)
{
	uint8_t *room = buf_reserve(&channel->in, READ_BYTES);
	ssize_t n;

	if (!room) {
		buf_clear(&channel->in);
		fd_close(&channel->fd);
		attempt_warn(attempt, channel->step + 1, "no memory to hear what the step reports");
		return;
	}
	n = read(channel->fd, room, READ_BYTES);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fd_close(&channel->fd);
		buf_fini(&channel->in);
		return;
	}
	channel->in.len += (size_t)n;
	if (!take_frames(channel, attempt)) {
		fd_close(&channel->fd);
		attempt_warn(attempt, channel->step + 1,
		    "the step wrote something to REEVE_FD that is no message; it is not listened to "
		    "any more");
	}
	put_checkpoint(channel, attempt);
	if (channel->in.len == 0 && channel->in.room > KEPT_ROOM)
		buf_fini(&channel->in);
}

void
channel_end(struct channel *channel, struct attempt *attempt, enum step_state state)
{
	fd_close(&channel->fd);
	fd_close(&channel->answer_fd);
	if (channel->is_asking)
		asking_end(attempt);
	channel->is_asking = false;
	channel->untold = 0;
	while (channel->depth > 0)
		end_sub(channel, attempt, state, NULL);
}
