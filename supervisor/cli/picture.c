#include "supervisor/cli/picture.h"

#include "supervisor/cli/story.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	NAME_WIDTH_MAX = 24,
	BAR_MIN = 8,
	BAR_MAX = 28,
	SUBS_SHOWN = 6,
	CLOCK_WIDTH = 8, /* 14:03:22 */
	FIXED_LINES = 4  /* head, blocked, total, and one free for the cursor */
};

/* One task being drawn. */
struct sketch {
	const struct picture *picture;
	const msgpack_object *task, *steps;
	struct buf *out;
	struct line line;
	size_t lines;
	size_t name_width;
};

static void
open_line(struct sketch *sketch)
{
	line_begin(&sketch->line, sketch->out, sketch->picture->term);
}

static void
close_line(struct sketch *sketch)
{
	line_end(&sketch->line);
	sketch->lines++;
}

static void
put_mark(struct sketch *sketch, struct doc_mark mark)
{
	line_add(&sketch->line, mark.style, "%s", doc_mark_text(sketch->picture->term, mark));
}

static void
put_spinner(struct sketch *sketch)
{
	static const char *const smooth[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };
	static const char *const plain[] = { "|", "/", "-", "\\" };
	unsigned frame = sketch->picture->frame;

	line_add(&sketch->line, STYLE_CYAN, "%s",
	    sketch->picture->term->has_utf8 ? smooth[frame % 10] : plain[frame % 4]);
}

void
picture_duration(struct line *line, enum style style, uint64_t duration_ms)
{
	char text[TEXT_NUMBER];

	if (duration_ms == 0)
		return;
	line_add(line, style, "  %s", text_duration(duration_ms, text));
}

/* Of what goes on: whole seconds. */
static char *
elapsed_text(uint64_t duration_ms, char text[static TEXT_NUMBER])
{
	if (duration_ms >= 60000)
		return text_duration(duration_ms, text);
	(void)snprintf(text, TEXT_NUMBER, "%u s", (unsigned)(duration_ms / 1000));
	return text;
}

void
picture_elapsed(struct line *line, enum style style, uint64_t duration_ms)
{
	char text[TEXT_NUMBER];

	if (duration_ms > 0)
		line_add(line, style, "  %s", elapsed_text(duration_ms, text));
}

void
picture_amount(struct line *line, const msgpack_object *task)
{
	const msgpack_object *bytes = mp_get(task, "bytes");
	uint64_t done = doc_uint(bytes, "done"), total = doc_uint(bytes, "total");
	uint64_t rate = doc_uint(bytes, "rate"), left_s = 0;
	char text[TEXT_BYTES_OF];

	if (total > 0)
		line_add(line, STYLE_PLAIN, "  %s", text_bytes_of(done, total, text));
	else if (done > 0)
		line_add(line, STYLE_PLAIN, "  %s", text_bytes(done, text));
	if (rate > 0)
		line_add(line, STYLE_DIM, "  %s/s", text_bytes(rate, text));
	/* Of a transfer what is left of itself; of the task as a whole it is told elsewhere. */
	if (rate > 0 && total > done)
		left_s = (total - done + rate - 1) / rate;
	else if (doc_count(mp_get(task, "steps")) < 2)
		left_s = doc_uint(task, "eta_s");
	picture_left(line, left_s);
}

void
picture_left(struct line *line, uint64_t left_s)
{
	if (left_s == 0)
		return;
	picture_elapsed(line, STYLE_DIM, left_s * 1000);
	line_add(line, STYLE_DIM, " left");
}

/* What keeps a task, in words; one that a newer service knows is told by its name. */
static const struct {
	const char *kind, *words;
} kinds[] = { { "slot", "waits for a slot" }, { "lock", "waits for a lock" },
	{ "disk", "waits for room on the disk" }, { "network", "waits for the network" },
	{ "question", "waits for an answer" }, { "drain", "waits" }, { "stall", "stands still" },
	{ "unkillable", "cannot be ended" } };

static const char *
blocked_words(struct span kind)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kind.len == strlen(kinds[i].kind) &&
		    memcmp(kind.text, kinds[i].kind, kind.len) == 0)
			return kinds[i].words;
	return NULL;
}

void
picture_blocked(struct line *line, const msgpack_object *task, uint64_t now_ms)
{
	const msgpack_object *blocked = mp_get(task, "blocked_on");
	struct span kind = doc_span(blocked, "kind"), text = doc_span(blocked, "holder");
	uint64_t holder = doc_uint(blocked, "holder"), since_ms = doc_time_ms(blocked, "since");
	const char *words = blocked_words(kind);
	char silent[TEXT_NUMBER];

	if (mp_is_nil(blocked))
		return;
	line_add(line, STYLE_YELLOW, "%s", words ? words : "waits for ");
	if (!words)
		line_put(line, STYLE_YELLOW, kind);
	if (since_ms > 0 && now_ms >= since_ms + 1000)
		line_add(line, STYLE_YELLOW, " for %s", elapsed_text(now_ms - since_ms, silent));
	if (holder > 0) {
		line_add(line, STYLE_YELLOW, ": task %llu has it", (unsigned long long)holder);
	} else if (text.len > 0) {
		line_add(line, STYLE_YELLOW, ": ");
		line_put(line, STYLE_YELLOW, text);
	}
}

char *
picture_clock(uint64_t wall_ms, char text[static PICTURE_CLOCK])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;

	text[0] = '\0';
	if (wall_ms > 0 && localtime_r(&seconds, &tm))
		(void)strftime(text, PICTURE_CLOCK, "%H:%M:%S", &tm);
	return text;
}

/* Where the marks of steps stand. */
static size_t
indent(const struct sketch *sketch)
{
	return sketch->picture->has_times ? 2 + CLOCK_WIDTH + 2 : 2;
}

static size_t
widest_name(const msgpack_object *steps)
{
	size_t widest = 0;

	for (size_t i = 0; i < doc_count(steps); i++) {
		struct span name = doc_span(doc_at(steps, i), "name");
		size_t columns = text_columns(name.text, name.len);

		if (columns > widest)
			widest = columns;
	}
	return widest < NAME_WIDTH_MAX ? widest : NAME_WIDTH_MAX;
}

static void
draw_head(struct sketch *sketch)
{
	enum task_state state = doc_state(sketch->task);
	uint64_t attempt = doc_uint(sketch->task, "attempt");

	open_line(sketch);
	line_put(&sketch->line, STYLE_BOLD, doc_span(sketch->task, "title"));
	line_add(&sketch->line, STYLE_DIM, "  task %llu",
	    (unsigned long long)doc_uint(sketch->task, "id"));
	if (attempt > 1)
		line_add(&sketch->line, STYLE_DIM, ", attempt %llu", (unsigned long long)attempt);
	if (mp_str_is(mp_get(sketch->task, "pending"), "cancelling"))
		state = TASK_CANCELLING;
	if (state != TASK_RUNNING && state != TASK_STARTING) {
		line_add(&sketch->line, STYLE_PLAIN, "  ");
		line_words(&sketch->line, doc_state_mark(state).style, task_state_name(state));
	}
	close_line(sketch);
}

static size_t
bar_width(const struct sketch *sketch)
{
	size_t columns = sketch->picture->term->columns;
	size_t width = columns > 0 ? columns / 5 : BAR_MAX;

	return width < BAR_MIN ? BAR_MIN : width > BAR_MAX ? BAR_MAX : width;
}

/* The one step that runs: bar, percent, bytes, label. */
static void
put_running(struct sketch *sketch, const msgpack_object *step)
{
	double progress = doc_double(step, "progress");
	struct span label = doc_span(sketch->task, "label");

	if (!isnan(progress)) {
		line_add(&sketch->line, STYLE_PLAIN, "  ");
		line_bar(&sketch->line, progress, bar_width(sketch), STYLE_CYAN);
		line_add(&sketch->line, STYLE_BOLD, " %3u %%", text_percent(progress));
	}
	picture_amount(&sketch->line, sketch->task);
	picture_elapsed(&sketch->line, STYLE_DIM, doc_duration_ms(step, sketch->picture->now_ms));
	if (label.len > 0) {
		line_add(&sketch->line, STYLE_PLAIN, "  ");
		line_put(&sketch->line, STYLE_PLAIN, label);
	}
}

/* Why the Ith step failed, where it is the one that the task failed of. */
static struct span
cause_of(const struct sketch *sketch, size_t i)
{
	const msgpack_object *error = mp_get(sketch->task, "error");

	return doc_uint(error, "step") == i + 1 ? doc_span(error, "message")
						: (struct span){ NULL, 0 };
}

static void
put_ended(struct sketch *sketch, const msgpack_object *step, enum step_state state)
{
	struct span detail = doc_span(step, "detail");

	if (state == STEP_ALREADY_DONE || state == STEP_SKIPPED || state == STEP_UNDONE)
		line_add(&sketch->line, STYLE_DIM, "  %s",
		    state == STEP_ALREADY_DONE ? "already done"
		    : state == STEP_SKIPPED    ? "skipped"
					       : "undone");
	else if (doc_time_ms(step, "started_at") > 0)
		picture_duration(
		    &sketch->line, STYLE_DIM, doc_duration_ms(step, sketch->picture->now_ms));
	if (detail.len > 0) {
		line_add(&sketch->line, STYLE_PLAIN, "  ");
		line_put(&sketch->line, state == STEP_FAILED ? STYLE_RED : STYLE_DIM, detail);
	}
}

static void
draw_sub(struct sketch *sketch, const msgpack_object *sub, int depth)
{
	enum step_state state = doc_step_state(sub);

	open_line(sketch);
	line_pad(&sketch->line, indent(sketch) + 2 + 2 * (size_t)depth);
	put_mark(sketch, doc_step_mark(state));
	line_add(&sketch->line, STYLE_PLAIN, " ");
	line_put(
	    &sketch->line, state == STEP_RUNNING ? STYLE_PLAIN : STYLE_DIM, doc_span(sub, "name"));
	if (state != STEP_PENDING && state != STEP_RUNNING)
		put_ended(sketch, sub, state);
	close_line(sketch);
}

static size_t
subs_shown(size_t n, int depth)
{
	size_t most = depth == 0 ? SUBS_SHOWN : 2;

	return n < most ? n : most;
}

/* The last few sub-steps, and below the last one its own. */
static void
draw_subs(struct sketch *sketch, const msgpack_object *step)
{
	for (int depth = 0; depth < LIMIT_SUB_DEPTH; depth++) {
		const msgpack_object *subs = mp_get(step, "steps");
		size_t n = doc_count(subs);

		if (n == 0)
			return;
		for (size_t i = n - subs_shown(n, depth); i < n; i++)
			draw_sub(sketch, doc_at(subs, i), depth);
		step = doc_at(subs, n - 1);
	}
}

static void
draw_step(struct sketch *sketch, size_t i)
{
	const msgpack_object *step = doc_at(sketch->steps, i);
	enum step_state state = doc_step_state(step);
	struct span cause = cause_of(sketch, i);
	char clock[PICTURE_CLOCK];

	open_line(sketch);
	line_add(&sketch->line, STYLE_PLAIN, "  ");
	if (sketch->picture->has_times) {
		line_add(&sketch->line, STYLE_DIM, "%s",
		    picture_clock(doc_time_ms(step, "started_at"), clock));
		line_pad(&sketch->line, indent(sketch));
	}
	if (state == STEP_RUNNING)
		put_spinner(sketch);
	else
		put_mark(sketch, doc_step_mark(state));
	line_add(&sketch->line, STYLE_PLAIN, " ");
	line_put(
	    &sketch->line, state == STEP_PENDING ? STYLE_DIM : STYLE_PLAIN, doc_span(step, "name"));
	if (state != STEP_PENDING)
		line_pad(&sketch->line, indent(sketch) + 2 + sketch->name_width);
	if (state == STEP_RUNNING)
		put_running(sketch, step);
	else if (state != STEP_PENDING)
		put_ended(sketch, step, state);
	if (cause.len > 0) {
		line_add(&sketch->line, STYLE_PLAIN, "  ");
		line_put(&sketch->line, STYLE_RED, cause);
	}
	close_line(sketch);
	if (state == STEP_RUNNING)
		draw_subs(sketch, step);
}

static void
draw_more(struct sketch *sketch, size_t n, const char *what)
{
	if (n == 0)
		return;
	open_line(sketch);
	line_add(&sketch->line, STYLE_DIM, "    %zu more %s", n, what);
	close_line(sketch);
}

/* Lines that draw_subs() takes for the step that runs. */
static size_t
sub_lines(const msgpack_object *steps)
{
	const msgpack_object *step = NULL;
	size_t lines = 0;

	for (size_t i = 0; i < doc_count(steps); i++)
		if (doc_step_state(doc_at(steps, i)) == STEP_RUNNING)
			step = doc_at(steps, i);
	for (int depth = 0; step && depth < LIMIT_SUB_DEPTH; depth++) {
		const msgpack_object *subs = mp_get(step, "steps");

		lines += subs_shown(doc_count(subs), depth);
		step = doc_at(subs, doc_count(subs) - 1);
	}
	return lines;
}

/* All steps, or where they are too many for the screen those around the current one. */
static void
draw_steps(struct sketch *sketch)
{
	size_t n = doc_count(sketch->steps), rows = sketch->picture->term->rows;
	size_t current = doc_uint(mp_get(sketch->task, "step"), "index");
	size_t room = n, first = 0;

	if (rows > 0) {
		size_t taken = FIXED_LINES + 2 + sub_lines(sketch->steps);

		if (taken + n > rows)
			room = rows > taken + 1 ? rows - taken : 1;
	}
	if (room < n && current > room / 2)
		first = current - room / 2 - 1;
	if (first + room > n)
		first = n > room ? n - room : 0;
	draw_more(sketch, first, "before");
	for (size_t i = first; i < first + room && i < n; i++)
		draw_step(sketch, i);
	if (first + room < n)
		draw_more(sketch, n - first - room, "to come");
}

/* The whole task's bar and time: of use only where there are several steps. */
static void
draw_total(struct sketch *sketch)
{
	double progress = doc_double(sketch->task, "progress");
	uint64_t elapsed_ms = doc_duration_ms(sketch->task, sketch->picture->now_ms);

	if (doc_count(sketch->steps) < 2 || elapsed_ms == 0 || doc_is_ended(sketch->task))
		return;
	open_line(sketch);
	line_pad(&sketch->line, indent(sketch) + 2 + sketch->name_width);
	if (!isnan(progress)) {
		line_add(&sketch->line, STYLE_PLAIN, "  ");
		line_bar(&sketch->line, progress, bar_width(sketch), STYLE_GREEN);
		line_add(&sketch->line, STYLE_PLAIN, " %3u %%", text_percent(progress));
	}
	picture_elapsed(&sketch->line, STYLE_DIM, elapsed_ms);
	line_add(&sketch->line, STYLE_DIM, " in all");
	picture_left(&sketch->line, doc_uint(sketch->task, "eta_s"));
	close_line(sketch);
}

static void
draw_question(struct sketch *sketch)
{
	sketch->lines += story_question(sketch->out, sketch->picture->term,
	    doc_uint(sketch->task, "id"), mp_get(sketch->task, "question"), true);
}

static void
draw_blocked(struct sketch *sketch)
{
	open_line(sketch);
	line_add(&sketch->line, STYLE_PLAIN, "  ");
	picture_blocked(&sketch->line, sketch->task, sketch->picture->now_ms);
	close_line(sketch);
}

size_t
picture_draw(struct buf *out, const struct picture *picture, const msgpack_object *task)
{
	const msgpack_object *steps = mp_get(task, "steps");
	struct sketch sketch = { .picture = picture,
		.task = task,
		.steps = steps,
		.out = out,
		.name_width = widest_name(steps) };

	draw_head(&sketch);
	draw_steps(&sketch);
	if (!mp_is_nil(mp_get(task, "question")) && !picture->hides_question)
		draw_question(&sketch);
	else if (!mp_is_nil(mp_get(task, "blocked_on")) && mp_is_nil(mp_get(task, "question")))
		draw_blocked(&sketch);
	draw_total(&sketch);
	return sketch.lines;
}
