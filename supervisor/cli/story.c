#include "supervisor/cli/story.h"

#include "ipc/json.h"

#include <signal.h>
#include <string.h>

enum {
	TAIL_LINES = 12,
	WARNINGS_SHOWN = 8,
	PROCS_SHOWN = 8,
	HINT_COLUMN = 28,
	RESULT_MAX = 256 << 10,
	QUESTION_LINES = 12
};

void
story_hint(
    struct buf *out, const struct term *term, const char *verb, uint64_t id, const char *what)
{
	struct line line;

	line_begin(&line, out, term);
	line_add(&line, STYLE_CYAN, "  reeve %s %llu", verb, (unsigned long long)id);
	line_pad(&line, HINT_COLUMN);
	line_add(&line, STYLE_DIM, "  %s", what);
	line_end(&line);
}

static void
put_question_line(struct buf *out, const struct term *term, const char *mark, struct span text)
{
	struct line line;

	line_begin(&line, out, term);
	line_add(&line, STYLE_YELLOW, "  %s ", mark);
	line_put(&line, STYLE_BOLD, text);
	line_end(&line);
}

size_t
story_question(struct buf *out, const struct term *term, uint64_t id,
    const msgpack_object *question, bool hint)
{
	struct span text = doc_span(question, "text"), problem = doc_span(question, "problem");
	size_t lines = 0;

	while (text.len > 0 && lines < QUESTION_LINES) {
		const char *end = memchr(text.text, '\n', text.len);
		size_t len = end ? (size_t)(end - text.text) : text.len;

		put_question_line(
		    out, term, lines == 0 ? "?" : " ", (struct span){ text.text, len });
		len += end != NULL;
		text = (struct span){ text.text + len, text.len - len };
		lines++;
	}
	if (problem.len > 0) {
		put_question_line(out, term, "!", problem);
		lines++;
	}
	if (hint) {
		story_hint(out, term, "answer", id, "asks for the answer");
		lines++;
	}
	return lines;
}

/* Where the last LINES lines of TEXT begin. */
static size_t
tail_begin(struct span text, size_t lines)
{
	size_t at = text.len;

	while (at > 0) {
		if (text.text[at - 1] == '\n' && lines-- == 0)
			return at;
		at--;
	}
	return 0;
}

void
story_tail(struct buf *out, const struct term *term, struct span text, size_t lines)
{
	size_t at;

	while (text.len > 0 && text.text[text.len - 1] == '\n')
		text.len--;
	for (at = text.len ? tail_begin(text, lines - 1) : 0; at < text.len;) {
		const char *end = memchr(text.text + at, '\n', text.len - at);
		size_t len = end ? (size_t)(end - text.text) - at : text.len - at;
		struct line line;

		line_begin(&line, out, term);
		line_add(&line, STYLE_DIM, "  %s ", term->has_utf8 ? "│" : "|");
		line_put(&line, STYLE_PLAIN, (struct span){ text.text + at, len });
		line_end(&line);
		at += len + 1;
	}
}

static void
put_procs(struct buf *out, const struct term *term, const msgpack_object *procs, const char *what)
{
	size_t n = doc_count(procs);

	for (size_t i = 0; i < n && i < PROCS_SHOWN; i++) {
		const msgpack_object *proc = doc_at(procs, i);
		struct line line;

		line_begin(&line, out, term);
		line_add(&line, STYLE_PLAIN, "  %s: ", what);
		line_put(&line, STYLE_PLAIN, doc_span(proc, "name"));
		line_add(&line, STYLE_DIM, " (%llu", (unsigned long long)doc_uint(proc, "pid"));
		if (doc_span(proc, "how").len > 0) {
			line_add(&line, STYLE_DIM, ", ");
			line_put(&line, STYLE_DIM, doc_span(proc, "how"));
		}
		line_add(&line, STYLE_DIM, ")");
		line_end(&line);
	}
	if (n > PROCS_SHOWN)
		text_add(out, "  and %zu more\n", n - PROCS_SHOWN);
}

void
story_receipt(struct buf *out, const struct term *term, const msgpack_object *receipt)
{
	const msgpack_object *survivors = mp_get(receipt, "survivors");
	char took[TEXT_NUMBER];
	struct line line;

	if (mp_is_nil(receipt))
		return;
	line_begin(&line, out, term);
	line_add(&line, STYLE_PLAIN, "  signalled %llu, killed %llu, ",
	    (unsigned long long)doc_uint(receipt, "signalled"),
	    (unsigned long long)doc_uint(receipt, "killed"));
	if (doc_count(survivors) > 0)
		line_add(&line, STYLE_RED, "%zu survived", doc_count(survivors));
	else
		line_add(&line, STYLE_PLAIN, "nothing survived");
	line_add(&line, STYLE_DIM, " (%s", text_duration(doc_uint(receipt, "duration_ms"), took));
	if (doc_span(receipt, "method").len > 0) {
		line_add(&line, STYLE_DIM, ", ");
		line_put(&line, STYLE_DIM, doc_span(receipt, "method"));
	}
	line_add(&line, STYLE_DIM, ")");
	line_end(&line);
	put_procs(out, term, mp_get(receipt, "escaped"), "escaped and caught");
	put_procs(out, term, survivors, "still alive");
}

/* Of several steps a warning's own is named: it says "its undo". */
static void
put_warnings(struct buf *out, const struct term *term, const msgpack_object *task)
{
	const msgpack_object *warnings = mp_get(task, "warnings"), *steps = mp_get(task, "steps");
	size_t n = doc_count(warnings), nsteps = doc_count(steps);
	uint64_t left_out = doc_uint(mp_get(task, "left_out"), "warnings");

	for (size_t i = 0; i < n && i < WARNINGS_SHOWN; i++) {
		const msgpack_object *warning = doc_at(warnings, i);
		uint64_t step = doc_uint(warning, "step");
		struct line line;

		line_begin(&line, out, term);
		line_add(&line, STYLE_YELLOW, "  warning: ");
		if (nsteps > 1 && step >= 1 && step <= nsteps) {
			line_add(&line, STYLE_PLAIN, "step ");
			line_put(&line, STYLE_PLAIN, doc_span(doc_at(steps, step - 1), "name"));
			line_add(&line, STYLE_PLAIN, ": ");
		}
		line_put(&line, STYLE_PLAIN, doc_span(warning, "text"));
		line_end(&line);
	}
	if (n > WARNINGS_SHOWN)
		left_out += n - WARNINGS_SHOWN;
	if (left_out > 0)
		text_add(out, "  and %llu more warnings\n", (unsigned long long)left_out);
}

static bool
begins_with(struct span text, const char *word)
{
	size_t len = strlen(word);

	return text.len >= len && memcmp(text.text, word, len) == 0;
}

static void
put_verdict(struct buf *out, const struct term *term, const msgpack_object *task)
{
	enum task_state state = doc_state(task);
	struct doc_mark mark = doc_state_mark(state);
	struct span outcome = doc_span(task, "outcome");
	uint64_t duration_ms = doc_duration_ms(task, 0);
	char took[TEXT_NUMBER];
	struct line line;

	line_begin(&line, out, term);
	line_add(&line, mark.style, "%s ", doc_mark_text(term, mark));
	line_add(&line, STYLE_PLAIN, "task %llu ", (unsigned long long)doc_uint(task, "id"));
	if (begins_with(outcome, task_state_name(state))) {
		line_put(&line, STYLE_PLAIN, outcome);
	} else {
		line_add(&line, mark.style, "%s",
		    state == TASK_WARNED ? "completed with warnings" : task_state_name(state));
		if (state != TASK_WARNED && outcome.len > 0) {
			line_add(&line, STYLE_PLAIN, ": ");
			line_put(&line, STYLE_PLAIN, outcome);
		}
	}
	if (duration_ms > 0)
		line_add(&line, STYLE_DIM, "  %s", text_duration(duration_ms, took));
	line_end(&line);
}

static void
put_result(struct buf *out, const struct term *term, const msgpack_object *task)
{
	const msgpack_object *result = mp_get(task, "result");
	struct line line;
	struct buf json;

	if (mp_is_nil(result))
		return;
	line_begin(&line, out, term);
	line_add(&line, STYLE_PLAIN, "  result: ");
	if (doc_span(task, "result").len > 0) {
		line_put(&line, STYLE_PLAIN, doc_span(task, "result"));
	} else {
		buf_init(&json, RESULT_MAX);
		json_write(&json, result, JSON_COMPACT);
		line_put(&line, STYLE_PLAIN, (struct span){ (const char *)json.data, json.len });
		buf_fini(&json);
	}
	line_end(&line);
}

static void
put_cause(struct buf *out, const struct term *term, const msgpack_object *error)
{
	struct span tail = doc_span(error, "tail");
	uint64_t signal = doc_uint(error, "signal");
	const msgpack_object *code = mp_get(error, "exit_code");
	struct line line;

	if (mp_is_nil(error))
		return;
	/* Of a plain failure the outcome says as much. */
	if (!mp_str_is(mp_get(error, "code"), "step_failed") && (signal > 0 || !mp_is_nil(code))) {
		line_begin(&line, out, term);
		line_add(&line, STYLE_DIM, "  ");
		line_put(&line, STYLE_DIM, doc_span(error, "code"));
		if (signal > 0)
			line_add(&line, STYLE_DIM, ": killed by signal %llu (%s)",
			    (unsigned long long)signal,
			    signal < 65 ? strsignal((int)signal) : "unknown");
		else
			line_add(&line, STYLE_DIM, ": exit status %llu",
			    (unsigned long long)mp_uint(code, 0));
		line_end(&line);
	}
	if (tail.len == 0)
		return;
	text_add(out, "  its last lines:\n");
	story_tail(out, term, tail, TAIL_LINES);
}

/* What else to do about a failure, by its code. */
static const struct {
	const char *code, *advice;
} advices[] = {
	{ "exec_failed", "Is it installed? The PATH is the service's; --env PATH hands on yours." },
	{ "timed_out", "How long it may take is the step's `timeout` in its recipe." },
	{ "undeclared_output", "Its recipe must name it under the step's `outputs`." },
	{ "worker_died", "If the machine was short of memory, `dmesg` tells." },
	{ "interrupted", "With `on_interrupt: resume` its recipe would go on by itself." },
	{ "spawn_lost", "`reeve doctor` looks at what the service needs." },
};

static void
put_advice(struct buf *out, const struct term *term, const msgpack_object *error)
{
	const msgpack_object *code = mp_get(error, "code");
	struct line line;

	for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
		if (!mp_str_is(code, advices[i].code))
			continue;
		line_begin(&line, out, term);
		line_add(&line, STYLE_PLAIN, "  %s", advices[i].advice);
		line_end(&line);
	}
	if (doc_uint(error, "signal") == SIGKILL && mp_str_is(code, "step_failed")) {
		line_begin(&line, out, term);
		line_add(&line, STYLE_PLAIN,
		    "  Somebody killed it: the kernel, if memory ran out (`dmesg` tells).");
		line_end(&line);
	}
}

void
story_end(struct buf *out, const struct term *term, const msgpack_object *task, bool wrote)
{
	enum task_state state = doc_state(task);
	uint64_t id = doc_uint(task, "id");

	if (!task_state_is_end(state))
		return;
	put_verdict(out, term, task);
	put_warnings(out, term, task);
	put_result(out, term, task);
	if (state != TASK_COMPLETED && state != TASK_WARNED)
		put_cause(out, term, mp_get(task, "error"));
	if (state == TASK_FAILED || state == TASK_INTERRUPTED)
		put_advice(out, term, mp_get(task, "error"));
	story_receipt(out, term, mp_get(task, "receipt"));
	if (state == TASK_COMPLETED || state == TASK_CANCELLED)
		return;
	if (wrote)
		story_hint(out, term, "logs", id, "all it wrote");
	if (mp_bool(mp_get(mp_get(task, "can"), "retry"), false))
		story_hint(out, term, "retry", id, "runs it again from its first unfinished step");
}
