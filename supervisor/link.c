#include "supervisor/link.h"

#include "ipc/fd.h"
#include "ipc/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	READ_BYTES = 16 * 1024,
	MAX_DRAINED = 256 /* reads: a pipe holds no more, unless somebody fills it as fast */
};

void
link_init(struct link *link, struct ev_loop *loop, void (*on_news)(struct news *news, void *arg),
    void *arg)
{
	*link = (struct link){
		.loop = loop, .news_fd = -1, .orders_fd = -1, .on_news = on_news, .arg = arg
	};
	buf_init(&link->in, READ_BYTES + PIPE_BUF);
}

static double
tame_fraction(double fraction)
{
	if (fraction < 0)
		return 0;
	return fraction > 1 ? 1 : fraction; /* NaN stays */
}

void
link_empty_fifo(int fd)
{
	uint8_t rubbish[PIPE_BUF];

	for (int i = 0; i < MAX_DRAINED; i++)
		if (read(fd, rubbish, sizeof rubbish) <= 0)
			return;
}

/* What was written as one piece is read from its begin again. */
static void
drain(struct link *link)
{
	buf_clear(&link->in);
	link_empty_fifo(link->news_fd);
}

/* Keeps the latest snapshot of those that arrived together; true when there was one. */
static bool
take_frames(struct link *link, struct news *latest)
{
	struct pipe_frame frame;
	size_t at = 0;
	bool any = false;
	int r;

	while ((r = pipe_frame_next(link->in.data + at, link->in.len - at, PIPE_BUF, &frame)) > 0) {
		struct news news;

		at += frame.used;
		if (codec_decode(&news_codec, frame.body, frame.len, &news, NULL) < 0)
			continue;
		if (any)
			codec_free(&news_codec, latest);
		news.fraction = tame_fraction(news.fraction);
		news.progress = tame_fraction(news.progress);
		*latest = news;
		any = true;
	}
	if (r < 0)
		drain(link);
	else
		buf_consume(&link->in, at);
	return any;
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct link *link = watcher->data;
	uint8_t *into = buf_reserve(&link->in, READ_BYTES);
	struct news news;
	ssize_t n;

	(void)loop;
	(void)revents;
	if (!into) {
		buf_clear(&link->in);
		return;
	}
	n = read(link->news_fd, into, READ_BYTES);
	if (n <= 0)
		return;
	link->in.len += (size_t)n;
	if (take_frames(link, &news)) {
		link->on_news(&news, link->arg);
		codec_free(&news_codec, &news);
	} else {
		link->on_news(NULL, link->arg);
	}
}

void
link_start(struct link *link, int news_fd, int orders_fd)
{
	link->news_fd = news_fd;
	link->orders_fd = orders_fd;
	ev_io_init(&link->reader, on_readable, news_fd, EV_READ);
	link->reader.data = link;
	ev_io_start(link->loop, &link->reader);
}

void
link_stop(struct link *link)
{
	if (link->news_fd >= 0)
		ev_io_stop(link->loop, &link->reader);
	fd_close(&link->news_fd);
	fd_close(&link->orders_fd);
	buf_fini(&link->in);
}

int
link_order(struct link *link, const struct order *order)
{
	struct buf out;
	size_t begin;
	int r;

	if (link->orders_fd < 0)
		return -EAGAIN;
	buf_init(&out, PIPE_BUF);
	begin = pipe_frame_begin(&out);
	codec_encode(&order_codec, order, &out);
	r = pipe_frame_end(&out, begin, PIPE_BUF);
	if (r == 0 && write(link->orders_fd, out.data, out.len) < 0)
		r = -errno;
	buf_fini(&out);
	return r;
}

/* RUN may be a tmpfs that somebody emptied. errno is set on failure. */
static int
make_parent(const char *path)
{
	char *dir = strdup(path);
	int r = dir ? 0 : -ENOMEM;

	if (r == 0) {
		*strrchr(dir, '/') = '\0';
		r = fd_mkdir_all(dir, geteuid() == 0 ? 0755 : 0700);
	}
	free(dir);
	errno = -r;
	return r;
}

static int
make_fifo(const char *path)
{
	if (mkfifo(path, 0600) == 0)
		return 0;
	return errno == ENOENT && make_parent(path) == 0 && mkfifo(path, 0600) == 0 ? 0 : -errno;
}

int
link_open_fifo(const char *path, bool *ret_made)
{
	const int flags = O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
	struct stat info;
	int fd = open(path, flags), r;

	*ret_made = fd < 0 && errno == ENOENT;
	if (*ret_made) {
		r = make_fifo(path);
		if (r < 0)
			return r;
		fd = open(path, flags);
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &info) < 0 || !S_ISFIFO(info.st_mode)) {
		fd_close(&fd);
		return -ENOTTY;
	}
	return fd;
}
