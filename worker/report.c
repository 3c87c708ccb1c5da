#include "worker/report.h"

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
report_init(struct report *report, int fd, const struct brief *brief)
{
	*report = (struct report){ .fd = fd, .fraction_floor = NAN };
	codec_init(&news_codec, &report->news);
	for (size_t i = 0; i < brief->spec.steps.n; i++) {
		report->weight_all += weight_of(brief, i);
		if (i < brief->steps.n && step_state_is_done(brief->steps.v[i].state))
			report->weight_done += weight_of(brief, i);
	}
}

void
report_fini(struct report *report)
{
	codec_free(&news_codec, &report->news);
}

/* What is done by weight, and the present step's share; nothing at all stays unknown. */
static void
update_progress(struct report *report)
{
	double fraction = report->fraction_floor;
	double done = report->weight_done;
	double progress;

	if (report->weight_all <= 0 || (done <= 0 && isnan(fraction)))
		return;
	progress =
	    (done + (isnan(fraction) ? 0 : fraction * report->weight_step)) / report->weight_all;
	progress = progress > 1 ? 1 : progress;
	if (isnan(report->news.progress) || progress > report->news.progress)
		report->news.progress = progress;
}

void
report_step_begin(struct report *report, const struct brief *brief, size_t index)
{
	double progress = report->news.progress;
	uint64_t log_bytes = report->news.log_bytes;

	codec_free(&news_codec, &report->news);
	report->news.step = index + 1;
	report->news.progress = progress;
	report->news.log_bytes = log_bytes;
	report->weight_step = weight_of(brief, index);
	report->fraction_floor = NAN;
	report->rate_since_ms = 0;
	report->changed = true;
	update_progress(report);
}

void
report_step_done(struct report *report, const struct brief *brief, size_t index)
{
	report->weight_done += weight_of(brief, index);
	report->weight_step = 0;
	update_progress(report);
}

void
report_fraction(struct report *report, double fraction)
{
	if (isnan(fraction))
		return;
	fraction = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
	if (!isnan(report->fraction_floor) && fraction <= report->fraction_floor)
		return;
	report->fraction_floor = fraction;
	report->news.fraction = fraction;
	report->changed = true;
	update_progress(report);
}

/* Bytes per second over the last second or more, half of it remembered. */
static void
measure_rate(struct report *report, uint64_t done, uint64_t now_ms)
{
	uint64_t elapsed_ms = now_ms - report->rate_since_ms;

	if (report->rate_since_ms == 0 || done < report->rate_from) {
		report->rate_since_ms = now_ms;
		report->rate_from = done;
		return;
	}
	if (elapsed_ms < RATE_MS)
		return;
	report->news.rate = (report->news.rate + (uint64_t)((double)(done - report->rate_from) *
							    1000 / (double)elapsed_ms)) /
			    (report->news.rate ? 2 : 1);
	report->rate_since_ms = now_ms;
	report->rate_from = done;
}

void
report_bytes(struct report *report, const struct step_msg *msg, uint64_t now_ms)
{
	struct news *news = &report->news;

	if (msg->rate)
		news->rate = msg->rate;
	else
		measure_rate(report, msg->done, now_ms);
	news->bytes_done = msg->done;
	news->bytes_total = msg->total;
	news->eta_s = 0;
	if (msg->total > 0 && msg->done <= msg->total) {
		report_fraction(report, (double)msg->done / (double)msg->total);
		if (news->rate > 0)
			news->eta_s = (msg->total - msg->done + news->rate - 1) / news->rate;
	}
	report->changed = true;
}

void
report_label(struct report *report, const char *label)
{
	if (label && *label == '\0')
		label = NULL;
	if (str_set(&report->news.label, label) == 0)
		report->changed = true;
}

void
report_log_bytes(struct report *report, uint64_t log_bytes)
{
	if (report->news.log_bytes == log_bytes)
		return;
	report->news.log_bytes = log_bytes;
	report->changed = true;
}

void
report_ring(struct report *report)
{
	report->ring = true;
}

static void
send_news(struct report *report, uint64_t now_ms)
{
	struct buf frame;
	size_t begin;

	buf_init(&frame, PIPE_BUF);
	begin = pipe_frame_begin(&frame);
	if (codec_encode(&news_codec, &report->news, &frame) == 0 &&
	    pipe_frame_end(&frame, begin, PIPE_BUF) == 0) {
		ssize_t n = write(report->fd, frame.data, frame.len);

		report->dropped = n != (ssize_t)frame.len;
	}
	buf_fini(&frame);
	report->sent_ms = now_ms;
	report->changed = false;
	report->ring = false;
}

int
report_flush(struct report *report, uint64_t now_ms)
{
	uint64_t wait_ms = report->changed ? INTERVAL_MS : RESEND_MS;
	uint64_t due_ms = report->sent_ms + wait_ms;

	if (!report->ring && !report->changed && !report->dropped)
		return -1;
	if (!report->ring && now_ms < due_ms)
		return (int)(due_ms - now_ms);
	send_news(report, now_ms);
	return report->dropped ? RESEND_MS : -1;
}
