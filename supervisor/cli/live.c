#include "supervisor/cli/live.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <signal.h>
#include <unistd.h>

enum {
	REDRAW_MS = 100, /* at most so often */
	SPIN_MS = 250,   /* at least so often while it runs: spinner and clock go on */
	FRAME_MS = 125,
	OUT_MAX = 256 * 1024
};

void
live_init(struct live *live, struct term *term)
{
	*live = (struct live){ .term = term };
	doc_copy_init(&live->task);
	buf_init(&live->drawn, OUT_MAX);
	buf_init(&live->out, OUT_MAX);
}

void
live_fini(struct live *live)
{
	doc_copy_fini(&live->task);
	buf_fini(&live->drawn);
	buf_fini(&live->out);
}

static void
flush(struct live *live)
{
	/* A terminal that went away: SIGHUP is on its way, and the task does not care. */
	(void)fd_write_all(live->term->fd, live->out.data, live->out.len);
	buf_clear(&live->out);
}

static void
add_cursor(struct live *live, bool hide)
{
	if (live->is_hidden != hide)
		text_add(&live->out, "%s", hide ? "\033[?25l" : "\033[?25h");
	live->is_hidden = hide;
}

/* Every line is cleared to its end behind its text, so that nothing flickers. */
static void
add_lines(struct live *live, const struct buf *picture)
{
	size_t begin = 0;

	for (size_t i = 0; i < picture->len; i++) {
		if (picture->data[i] != '\n')
			continue;
		buf_add(&live->out, picture->data + begin, i - begin);
		text_add(&live->out, "\033[K\r\n");
		begin = i + 1;
	}
	text_add(&live->out, "\033[J");
}

/* Rows that the drawn picture takes up once its lines are wrapped at the width the terminal has. */
static size_t
wrapped_rows(const struct live *live)
{
	const char *text = (const char *)live->drawn.data;
	size_t rows = 0, begin = 0;
	struct buf clean;

	buf_init(&clean, OUT_MAX);
	for (size_t i = 0; i < live->drawn.len; i++) {
		size_t columns;

		if (text[i] != '\n')
			continue;
		buf_clear(&clean);
		text_clean(&clean, (struct span){ text + begin, i - begin }, TEXT_FIELD);
		columns = text_columns((const char *)clean.data, clean.len);
		rows += columns > 0 ? (columns - 1) / live->term->columns + 1 : 1;
		begin = i + 1;
	}
	buf_fini(&clean);
	return rows;
}

static void
draw(struct live *live)
{
	uint64_t now_ms = clock_boot_ms();
	struct picture picture = { .term = live->term,
		.now_ms = clock_wall_ms(),
		.frame = (unsigned)(now_ms / FRAME_MS),
		.hides_question = live->hides_question };
	const msgpack_object *task = doc_copy_get(&live->task);
	size_t rows = live->is_resized ? wrapped_rows(live) : live->drawn_lines;

	live->drawn_ms = now_ms;
	live->is_resized = false;
	live->is_stale = false;
	if (!task)
		return;
	add_cursor(live, true);
	if (rows > 0)
		text_add(&live->out, "\033[%zuA\r", rows);
	buf_clear(&live->drawn);
	live->drawn_lines = picture_draw(&live->drawn, &picture, task);
	add_lines(live, &live->drawn);
	taskbar_put(&live->taskbar, &live->out, live->term, task);
	flush(live);
}

static void
on_item(const struct follow_item *item, void *arg)
{
	struct live *live = arg;

	if (doc_copy_set(&live->task, item->task) == 0)
		live->is_stale = true;
}

static int
on_tick(void *arg)
{
	struct live *live = arg;
	uint64_t since_ms = clock_boot_ms() - live->drawn_ms;
	uint64_t due_ms = live->is_stale ? REDRAW_MS : SPIN_MS;

	if (live->drawn_ms == 0 || since_ms >= due_ms) {
		draw(live);
		return SPIN_MS;
	}
	return (int)(due_ms - since_ms);
}

static void
on_signal(int signo, void *arg)
{
	struct live *live = arg;

	if (signo == SIGWINCH) {
		term_measure(live->term);
		live->is_resized = true;
	} else {
		add_cursor(live, false);
		taskbar_remove(&live->taskbar, &live->out);
		flush(live);
		(void)raise(SIGSTOP);
		/* The shell wrote below the old picture: begin a new one. */
		live->drawn_lines = 0;
	}
	live->is_stale = true;
}

const struct follow_view live_view = { .item = on_item, .tick = on_tick, .signal = on_signal };

void
live_yield(struct live *live)
{
	if (live->is_stale)
		draw(live);
	add_cursor(live, false);
	flush(live);
	live->drawn_lines = 0;
	live->is_stale = true;
}

void
live_finish(struct live *live)
{
	if (live->is_stale)
		draw(live);
	add_cursor(live, false);
	taskbar_remove(&live->taskbar, &live->out);
	flush(live);
}
