#include "worker/bulletin.h"

#include "ipc/frame.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	INTERVAL_MS = 100,
	RESEND_MS = 1000,
	RATE_MS = 1000,
	HOUR_MS = 3600 * 1000
};

void
bulletin_init(struct bulletin *bulletin, int fd, const struct brief *brief, const struct mask *mask)
{
	*bulletin =
	    (struct bulletin){ .fd = fd, .brief = brief, .mask = mask, .fraction_floor = NAN };
	codec_init(&news_codec, &bulletin->news);
	estimate_weights(brief, bulletin->weights);
	for (size_t i = 0; i < brief->spec.steps.n; i++) {
		bulletin->weight_all += bulletin->weights[i];
		if (i < brief->steps.n && step_state_is_done(brief->steps.v[i].state))
			bulletin->weight_done += bulletin->weights[i];
	}
}

void
bulletin_fini(struct bulletin *bulletin)
{
	codec_free(&news_codec, &bulletin->news);
}

/* What is done by weight, and the present step's share; nothing at all stays unknown. */
static void
update_progress(struct bulletin *bulletin)
{
	double fraction = bulletin->fraction_floor;
	double done = bulletin->weight_done;
	double progress;

	if (bulletin->weight_all <= 0 || (done <= 0 && isnan(fraction)))
		return;
	progress = (done + (isnan(fraction) ? 0 : fraction * bulletin->weight_step)) /
		   bulletin->weight_all;
	progress = progress > 1 ? 1 : progress;
	if (isnan(bulletin->news.progress) || progress > bulletin->news.progress)
		bulletin->news.progress = progress;
}

void
bulletin_step_begin(struct bulletin *bulletin, size_t index)
{
	double progress = bulletin->news.progress;
	uint64_t log_bytes = bulletin->news.log_bytes;

	codec_free(&news_codec, &bulletin->news);
	bulletin->news.step = index + 1;
	bulletin->news.progress = progress;
	bulletin->news.log_bytes = log_bytes;
	bulletin->weight_step = bulletin->weights[index];
	bulletin->fraction_floor = bulletin->first_fraction = NAN;
	bulletin->begun_ms = bulletin->doubt_ms = bulletin->rate_since_ms = 0;
	bulletin->is_blocked_by_step = false;
	bulletin->changed = true;
	update_progress(bulletin);
}

void
bulletin_step_done(struct bulletin *bulletin, size_t index)
{
	bulletin->weight_done += bulletin->weights[index];
	bulletin->weight_step = 0;
	update_progress(bulletin);
}

void
bulletin_fraction(struct bulletin *bulletin, double fraction)
{
	if (isnan(fraction))
		return;
	fraction = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
	if (!isnan(bulletin->fraction_floor) && fraction <= bulletin->fraction_floor)
		return;
	bulletin->fraction_floor = fraction;
	bulletin->news.fraction = fraction;
	bulletin->changed = true;
	update_progress(bulletin);
}

/* Bytes per second over the last second or more, half of it remembered. */
static void
measure_rate(struct bulletin *bulletin, uint64_t done, uint64_t now_ms)
{
	uint64_t elapsed_ms = now_ms - bulletin->rate_since_ms;

	if (bulletin->rate_since_ms == 0 || done < bulletin->rate_from) {
		bulletin->rate_since_ms = now_ms;
		bulletin->rate_from = done;
		return;
	}
	if (elapsed_ms < RATE_MS)
		return;
	bulletin->news.rate =
	    (bulletin->news.rate +
		(uint64_t)((double)(done - bulletin->rate_from) * 1000 / (double)elapsed_ms)) /
	    (bulletin->news.rate ? 2 : 1);
	bulletin->rate_since_ms = now_ms;
	bulletin->rate_from = done;
}

void
bulletin_bytes(struct bulletin *bulletin, const struct step_msg *msg, uint64_t now_ms)
{
	struct news *news = &bulletin->news;

	if (msg->rate)
		news->rate = msg->rate;
	else
		measure_rate(bulletin, msg->done, now_ms);
	news->bytes_done = msg->done;
	news->bytes_total = msg->total;
	if (msg->total > 0 && msg->done <= msg->total)
		bulletin_fraction(bulletin, (double)msg->done / (double)msg->total);
	bulletin->changed = true;
}

void
bulletin_label(struct bulletin *bulletin, const char *label)
{
	char *masked;
	int error = 0;

	if (label && *label == '\0')
		label = NULL;
	masked = label ? mask_text(bulletin->mask, label, &error) : NULL;
	if (error == 0 && str_set(&bulletin->news.label, masked ? masked : label) == 0)
		bulletin->changed = true;
	free(masked);
}

void
bulletin_log_bytes(struct bulletin *bulletin, uint64_t log_bytes)
{
	if (bulletin->news.log_bytes == log_bytes)
		return;
	bulletin->news.log_bytes = log_bytes;
	bulletin->changed = true;
}

static void
set_blocked(struct bulletin *bulletin, enum block_kind kind, const char *holder, uint64_t wall_ms)
{
	struct news *news = &bulletin->news;

	if (kind == 0 && news->blocked == 0)
		return;
	if (kind != news->blocked)
		news->blocked_since_ms = kind ? wall_ms : 0;
	news->blocked = kind;
	(void)str_set(&news->holder, kind ? holder : NULL); /* else it is told without */
	bulletin->changed = true;
}

void
bulletin_waiting(
    struct bulletin *bulletin, enum block_kind kind, const char *holder, uint64_t wall_ms)
{
	if (kind == 0 && !bulletin->is_blocked_by_step)
		return;
	bulletin->is_blocked_by_step = kind != 0;
	set_blocked(bulletin, kind, holder, wall_ms);
}

void
bulletin_blocked(
    struct bulletin *bulletin, enum block_kind kind, const char *holder, uint64_t wall_ms)
{
	if (!bulletin->is_blocked_by_step)
		set_blocked(bulletin, kind, holder, wall_ms);
}

/* The step under way, or NULL. */
static const struct brief_step *
running_step(const struct bulletin *bulletin)
{
	uint64_t step = bulletin->news.step;

	if (step == 0 || step > bulletin->brief->steps.n ||
	    bulletin->brief->steps.v[step - 1].state != STEP_RUNNING)
		return NULL;
	return &bulletin->brief->steps.v[step - 1];
}

/* What is left of the present step and what those to come took before; 0 when any is unknown. */
static uint64_t
left_ms(const struct bulletin *bulletin, const struct brief_step *running, uint64_t now_ms)
{
	const struct news *news = &bulletin->news;
	bool is_transfer = news->bytes_total > 0 && news->bytes_done <= news->bytes_total;
	const struct estimate_step step = { .runs = &running->runs,
		.elapsed_ms = now_ms - bulletin->begun_ms,
		.fraction = bulletin->fraction_floor,
		.first_fraction = bulletin->first_fraction,
		.first_ms = bulletin->first_ms,
		.bytes_left = is_transfer ? news->bytes_total - news->bytes_done : 0,
		.rate = is_transfer ? news->rate : 0 };
	uint64_t left = estimate_left_ms(&step);

	for (size_t i = news->step; left > 0 && i < bulletin->brief->steps.n; i++) {
		const struct brief_step *next = &bulletin->brief->steps.v[i];
		uint64_t ms = estimate_typical_ms(&next->runs);

		if (!step_state_is_done(next->state))
			left = ms > 0 ? left + ms : 0;
	}
	return left;
}

/* The time left as of now, and when to look again. */
static void
update_left(struct bulletin *bulletin, uint64_t now_ms)
{
	const struct brief_step *running = running_step(bulletin);
	uint64_t elapsed_ms;

	bulletin->news.left_ms = bulletin->doubt_ms = 0;
	if (!running || bulletin->news.blocked)
		return;
	elapsed_ms = now_ms - bulletin->begun_ms;
	if (isnan(bulletin->first_fraction) && !isnan(bulletin->fraction_floor)) {
		bulletin->first_fraction = bulletin->fraction_floor;
		bulletin->first_ms = elapsed_ms;
	}
	bulletin->news.left_ms = left_ms(bulletin, running, now_ms);
	bulletin->doubt_ms = estimate_changes_ms(&running->runs, elapsed_ms);
}

void
bulletin_ring(struct bulletin *bulletin)
{
	bulletin->ring = true;
}

static void
send_news(struct bulletin *bulletin, uint64_t now_ms)
{
	struct buf frame;
	size_t begin;

	update_left(bulletin, now_ms);
	buf_init(&frame, PIPE_BUF);
	begin = pipe_frame_begin(&frame);
	if (codec_encode(&news_codec, &bulletin->news, &frame) == 0 &&
	    pipe_frame_end(&frame, begin, PIPE_BUF) == 0) {
		ssize_t n = write(bulletin->fd, frame.data, frame.len);

		bulletin->dropped = n != (ssize_t)frame.len;
	}
	buf_fini(&frame);
	bulletin->sent_ms = now_ms;
	bulletin->changed = false;
	bulletin->ring = false;
}

/* Until the time left is another without any news; -1: never. */
static int
doubt_in_ms(const struct bulletin *bulletin, uint64_t now_ms)
{
	uint64_t then_ms = bulletin->begun_ms + bulletin->doubt_ms;

	if (bulletin->doubt_ms == 0)
		return -1;
	return then_ms <= now_ms            ? 0
	       : then_ms - now_ms > HOUR_MS ? HOUR_MS
					    : (int)(then_ms - now_ms);
}

int
bulletin_flush(struct bulletin *bulletin, uint64_t now_ms)
{
	uint64_t due_ms;

	if (bulletin->begun_ms == 0)
		bulletin->begun_ms = now_ms;
	bulletin->changed |= doubt_in_ms(bulletin, now_ms) == 0;
	if (!bulletin->ring && !bulletin->changed && !bulletin->dropped)
		return doubt_in_ms(bulletin, now_ms);
	due_ms = bulletin->sent_ms + (bulletin->changed ? INTERVAL_MS : RESEND_MS);
	if (!bulletin->ring && now_ms < due_ms)
		return (int)(due_ms - now_ms);
	send_news(bulletin, now_ms);
	return bulletin->dropped ? RESEND_MS : doubt_in_ms(bulletin, now_ms);
}
