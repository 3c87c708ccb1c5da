#include "worker/bulletin.h"

#include "ipc/frame.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum {
	INTERVAL_MS = 100,
	RESEND_MS = 1000,
	RATE_MS = 1000
};

static double
weight_of(const struct brief *brief, size_t index)
{
	double weight = brief->spec.steps.v[index].weight;

	return isnan(weight) || weight < 0 ? 1 : weight;
}

void
bulletin_init(struct bulletin *bulletin, int fd, const struct brief *brief)
{
	*bulletin = (struct bulletin){ .fd = fd, .fraction_floor = NAN };
	codec_init(&news_codec, &bulletin->news);
	for (size_t i = 0; i < brief->spec.steps.n; i++) {
		bulletin->weight_all += weight_of(brief, i);
		if (i < brief->steps.n && step_state_is_done(brief->steps.v[i].state))
			bulletin->weight_done += weight_of(brief, i);
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
bulletin_step_begin(struct bulletin *bulletin, const struct brief *brief, size_t index)
{
	double progress = bulletin->news.progress;
	uint64_t log_bytes = bulletin->news.log_bytes;

	codec_free(&news_codec, &bulletin->news);
	bulletin->news.step = index + 1;
	bulletin->news.progress = progress;
	bulletin->news.log_bytes = log_bytes;
	bulletin->weight_step = weight_of(brief, index);
	bulletin->fraction_floor = NAN;
	bulletin->rate_since_ms = 0;
	bulletin->changed = true;
	update_progress(bulletin);
}

void
bulletin_step_done(struct bulletin *bulletin, const struct brief *brief, size_t index)
{
	bulletin->weight_done += weight_of(brief, index);
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
	news->eta_s = 0;
	if (msg->total > 0 && msg->done <= msg->total) {
		bulletin_fraction(bulletin, (double)msg->done / (double)msg->total);
		if (news->rate > 0)
			news->eta_s = (msg->total - msg->done + news->rate - 1) / news->rate;
	}
	bulletin->changed = true;
}

void
bulletin_label(struct bulletin *bulletin, const char *label)
{
	if (label && *label == '\0')
		label = NULL;
	if (str_set(&bulletin->news.label, label) == 0)
		bulletin->changed = true;
}

void
bulletin_log_bytes(struct bulletin *bulletin, uint64_t log_bytes)
{
	if (bulletin->news.log_bytes == log_bytes)
		return;
	bulletin->news.log_bytes = log_bytes;
	bulletin->changed = true;
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

int
bulletin_flush(struct bulletin *bulletin, uint64_t now_ms)
{
	uint64_t wait_ms = bulletin->changed ? INTERVAL_MS : RESEND_MS;
	uint64_t due_ms = bulletin->sent_ms + wait_ms;

	if (!bulletin->ring && !bulletin->changed && !bulletin->dropped)
		return -1;
	if (!bulletin->ring && now_ms < due_ms)
		return (int)(due_ms - now_ms);
	send_news(bulletin, now_ms);
	return bulletin->dropped ? RESEND_MS : -1;
}
