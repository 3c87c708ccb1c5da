#include "supervisor/cli/plain.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "supervisor/cli/cli.h"
#include "supervisor/cli/picture.h"
#include "supervisor/cli/story.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	SILENCE_MS = 30 * 1000,
	OUT_MAX = 256 * 1024,
	TASKS_MAX = 4096,
	UNSAID = -1
};

/* What was said last of one task. */
struct plain_task {
	uint64_t id;
	enum task_state state;
	uint64_t attempt;
	enum step_state steps[LIMIT_STEPS];
	int tenth; /* of the running step */
	struct doc_copy doc;
};

void
plain_init(struct plain *plain, const struct term *term, bool is_many)
{
	*plain = (struct plain){ .term = term, .is_many = is_many, .said_ms = clock_boot_ms() };
}

void
plain_fini(struct plain *plain)
{
	for (size_t i = 0; i < plain->ntasks; i++)
		doc_copy_fini(&plain->tasks[i].doc);
	free(plain->tasks);
	plain->tasks = NULL;
}

const msgpack_object *
plain_document(const struct plain *plain, uint64_t id)
{
	for (size_t i = 0; i < plain->ntasks; i++)
		if (plain->tasks[i].id == id)
			return doc_copy_get(&plain->tasks[i].doc);
	return NULL;
}

/* The oldest entry that ended gives way when there are too many; any, when none has. */
static struct plain_task *
recycle(struct plain *plain)
{
	for (size_t i = 0; i < plain->ntasks; i++)
		if (task_state_is_end(plain->tasks[i].state))
			return &plain->tasks[i];
	return plain->tasks;
}

static struct plain_task *
find(struct plain *plain, uint64_t id)
{
	struct plain_task *task = NULL;

	for (size_t i = 0; i < plain->ntasks; i++)
		if (plain->tasks[i].id == id)
			return &plain->tasks[i];
	if (plain->ntasks == plain->room && plain->room < TASKS_MAX) {
		size_t room = plain->room ? 2 * plain->room : 4;
		struct plain_task *tasks = realloc(plain->tasks, room * sizeof *tasks);

		if (!tasks)
			return NULL;
		plain->tasks = tasks;
		plain->room = room;
	}
	if (plain->ntasks < plain->room) {
		task = &plain->tasks[plain->ntasks++];
	} else {
		task = recycle(plain);
		doc_copy_fini(&task->doc);
	}
	*task = (struct plain_task){ .id = id, .tenth = UNSAID };
	doc_copy_init(&task->doc);
	return task;
}

static void
begin(const struct plain *plain, struct line *line, struct buf *out, const struct plain_task *task)
{
	line_begin(line, out, plain->term);
	if (plain->is_many)
		line_add(line, STYLE_DIM, "task %llu  ", (unsigned long long)task->id);
}

static void
begin_step(const struct plain *plain, struct line *line, struct buf *out,
    const struct plain_task *task, size_t index)
{
	const msgpack_object *doc = doc_copy_get(&task->doc), *steps = mp_get(doc, "steps");

	begin(plain, line, out, task);
	line_add(line, STYLE_PLAIN, "[%zu/%zu] ", index + 1, doc_count(steps));
	line_put(line, STYLE_PLAIN, doc_span(doc_at(steps, index), "name"));
	line_add(line, STYLE_PLAIN, ": ");
}

static void
say_state(const struct plain *plain, struct buf *out, struct plain_task *task)
{
	const msgpack_object *doc = doc_copy_get(&task->doc);
	enum task_state state = doc_state(doc);
	struct span outcome = doc_span(doc, "outcome");
	struct line line;

	begin(plain, &line, out, task);
	line_put(&line, STYLE_BOLD, doc_span(doc, "title"));
	line_add(&line, STYLE_PLAIN, ": ");
	line_words(&line, doc_state_mark(state).style, task_state_name(state));
	if (!mp_is_nil(mp_get(doc, "blocked_on"))) {
		line_add(&line, STYLE_PLAIN, ", ");
		picture_blocked(&line, doc, clock_wall_ms());
	}
	if (task_state_is_end(state) &&
	    !mp_str_is(mp_get(doc, "outcome"), task_state_name(state)) && outcome.len > 0) {
		line_add(&line, STYLE_PLAIN, ": ");
		line_put(&line, STYLE_PLAIN, outcome);
	}
	line_end(&line);
	if (!mp_is_nil(mp_get(doc, "question")))
		story_question(out, plain->term, task->id, mp_get(doc, "question"), true);
}

static void
say_step(const struct plain *plain, struct buf *out, struct plain_task *task, size_t index)
{
	const msgpack_object *doc = doc_copy_get(&task->doc);
	const msgpack_object *step = doc_at(mp_get(doc, "steps"), index);
	enum step_state state = doc_step_state(step);
	struct span detail = doc_span(step, "detail");
	struct line line;

	begin_step(plain, &line, out, task, index);
	line_words(&line, doc_step_mark(state).style,
	    state == STEP_RUNNING ? "started" : step_state_name(state));
	if (state == STEP_DONE || state == STEP_FAILED || state == STEP_CANCELLED)
		picture_duration(&line, STYLE_DIM, doc_duration_ms(step, clock_wall_ms()));
	if (detail.len > 0 && state != STEP_RUNNING) {
		line_add(&line, STYLE_PLAIN, "  ");
		line_put(&line, STYLE_PLAIN, detail);
	}
	line_end(&line);
	task->tenth = UNSAID;
}

/* A try of EVENT's step failed, and there will be another. */
static void
say_retry(const struct plain *plain, struct buf *out, const struct plain_task *task,
    const msgpack_object *event)
{
	uint64_t step = doc_uint(event, "step");
	char wait[TEXT_NUMBER];
	struct line line;

	if (step == 0)
		return;
	begin_step(plain, &line, out, task, (size_t)step - 1);
	line_put(&line, STYLE_YELLOW, doc_span(event, "message"));
	line_add(&line, STYLE_PLAIN, ", try %llu follows in %s",
	    (unsigned long long)doc_uint(event, "count"),
	    text_duration(doc_uint(event, "delay_ms"), wait));
	line_end(&line);
}

/* Where the running step stands, in one line. */
static void
say_progress(
    const struct plain *plain, struct buf *out, const struct plain_task *task, size_t index)
{
	const msgpack_object *doc = doc_copy_get(&task->doc);
	const msgpack_object *step = doc_at(mp_get(doc, "steps"), index);
	double progress = doc_double(step, "progress");
	struct span label = doc_span(doc, "label");
	struct line line;

	begin_step(plain, &line, out, task, index);
	if (isnan(progress))
		line_add(&line, STYLE_PLAIN, "goes on");
	else
		line_add(&line, STYLE_PLAIN, "%u %%", text_percent(progress));
	picture_amount(&line, doc);
	picture_elapsed(&line, STYLE_DIM, doc_duration_ms(step, clock_wall_ms()));
	if (label.len > 0) {
		line_add(&line, STYLE_PLAIN, "  ");
		line_put(&line, STYLE_PLAIN, label);
	}
	line_end(&line);
}

static void
say(struct plain *plain, const struct buf *out)
{
	if (out->len == 0)
		return;
	plain->said_ms = clock_boot_ms();
	if (plain->failed == 0)
		plain->failed = fd_write_all(plain->term->fd, out->data, out->len);
}

/* The running step's index, or the number of steps. */
static size_t
running_step(const msgpack_object *steps)
{
	size_t i = 0;

	while (i < doc_count(steps) && doc_step_state(doc_at(steps, i)) != STEP_RUNNING)
		i++;
	return i;
}

static void
say_tenth(const struct plain *plain, struct buf *out, struct plain_task *task)
{
	const msgpack_object *steps = mp_get(doc_copy_get(&task->doc), "steps");
	size_t index = running_step(steps);
	double progress = doc_double(doc_at(steps, index), "progress");
	int tenth = isnan(progress) ? 0 : (int)text_percent(progress) / 10;

	if (task->tenth != UNSAID && tenth > task->tenth)
		say_progress(plain, out, task, index);
	task->tenth = tenth;
}

/* What was done stays done in the next attempt; the rest is told again. */
static void
forget_undone(struct plain_task *task)
{
	for (size_t i = 0; i < LIMIT_STEPS; i++)
		if (task->steps[i] != STEP_DONE && task->steps[i] != STEP_ALREADY_DONE)
			task->steps[i] = 0;
}

/* Of a task seen for the first time: one that has ended is told in full elsewhere, and how the
 * steps of one that waits for another attempt failed is past. */
static bool
is_told_at_first(enum task_state task, enum step_state step)
{
	return !task_state_is_end(task) && (task != TASK_QUEUED || step != STEP_FAILED);
}

static void
say_changes(const struct plain *plain, struct buf *out, struct plain_task *task)
{
	const msgpack_object *doc = doc_copy_get(&task->doc), *steps = mp_get(doc, "steps");
	enum task_state state = doc_state(doc);
	bool is_new = task->state == 0, is_ended = task_state_is_end(state);
	uint64_t attempt = doc_uint(doc, "attempt");

	if (attempt != task->attempt)
		forget_undone(task);
	if ((is_new && (plain->is_many || !is_ended)) ||
	    (!is_new && state != task->state && state != TASK_STARTING && !is_ended))
		say_state(plain, out, task);
	for (size_t i = 0; i < doc_count(steps) && i < LIMIT_STEPS; i++) {
		enum step_state now = doc_step_state(doc_at(steps, i));

		if (now != task->steps[i] && now != STEP_PENDING &&
		    (!is_new || is_told_at_first(state, now)))
			say_step(plain, out, task, i);
		task->steps[i] = now;
	}
	/* The end of a task that is followed alone is told in full elsewhere. */
	if (plain->is_many && !is_new && is_ended && state != task->state)
		say_state(plain, out, task);
	task->state = state;
	task->attempt = attempt;
}

static void
on_item(const struct follow_item *item, void *arg)
{
	struct plain *plain = arg;
	struct plain_task *task = find(plain, doc_uint(item->task, "id"));
	struct buf out;

	if (!task || doc_copy_set(&task->doc, item->task) != 0)
		return;
	buf_init(&out, OUT_MAX);
	say_changes(plain, &out, task);
	if (mp_str_is(mp_get(item->event, "event"), "step_retry"))
		say_retry(plain, &out, task, item->event);
	say_tenth(plain, &out, task);
	say(plain, &out);
	buf_fini(&out);
}

/* After half a minute without a line, one about each step that runs. */
static int
on_tick(void *arg)
{
	struct plain *plain = arg;
	uint64_t since_ms = clock_boot_ms() - plain->said_ms;
	struct buf out;

	if (since_ms < SILENCE_MS)
		return (int)(SILENCE_MS - since_ms);
	buf_init(&out, OUT_MAX);
	for (size_t i = 0; i < plain->ntasks; i++) {
		const msgpack_object *steps = mp_get(doc_copy_get(&plain->tasks[i].doc), "steps");
		size_t index = running_step(steps);

		if (index < doc_count(steps))
			say_progress(plain, &out, &plain->tasks[i], index);
	}
	say(plain, &out);
	buf_fini(&out);
	plain->said_ms = clock_boot_ms();
	return SILENCE_MS;
}

static void
on_omitted(uint64_t count, void *arg)
{
	(void)arg;
	complain("`reeve ls --active` lists them all.",
	    "%llu more tasks are followed; how they stand is too much to tell here",
	    (unsigned long long)count);
}

const struct follow_view plain_view = { .item = on_item, .tick = on_tick, .omitted = on_omitted };
