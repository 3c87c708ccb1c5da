#include "worker/orders.h"

#include "ipc/frame.h"

#include <limits.h>
#include <unistd.h>

void
orders_init(struct orders *orders, int fd, uint64_t seen_rev)
{
	*orders = (struct orders){ .fd = fd, .rev = seen_rev, .want = WANT_RUN };
	codec_init(&answer_codec, &orders->answer);
}

void
orders_fini(struct orders *orders)
{
	codec_free(&answer_codec, &orders->answer);
}

static bool
take_order(struct orders *orders, const void *body, size_t len)
{
	struct order order;
	bool report;

	if (codec_decode(&order_codec, body, len, &order, NULL) < 0)
		return false;
	report = order.report;
	if (order.rev > orders->rev && order.want) {
		orders->rev = order.rev;
		orders->want = order.want;
		orders->force = order.force;
		orders->hold = order.hold;
		codec_free(&answer_codec, &orders->answer);
		orders->answer = order.answer;
		codec_init(&answer_codec, &order.answer);
		orders->is_new = true;
	}
	codec_free(&order_codec, &order);
	return report;
}

bool
orders_read(struct orders *orders)
{
	uint8_t data[2 * PIPE_BUF];
	struct pipe_frame frame;
	size_t have = 0;
	bool report = false;
	ssize_t n;

	while ((n = read(orders->fd, data + have, sizeof data - have)) > 0) {
		size_t at = 0;
		int r;

		have += (size_t)n;
		while ((r = pipe_frame_next(data + at, have - at, PIPE_BUF - PIPE_HEAD, &frame)) ==
		       1) {
			report |= take_order(orders, frame.body, frame.len);
			at += frame.used;
		}
		have = r < 0 ? 0 : have - at;
		for (size_t i = 0; i < have; i++)
			data[i] = data[at + i];
	}
	return report;
}

bool
orders_want_cancel(const struct orders *orders)
{
	return want_ends(orders->want) || orders->want == WANT_CANCEL_AFTER;
}
