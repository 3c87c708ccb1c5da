#include "ipc/clock.h"
#include "ipc/json.h"
#include "ipc/task.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/logread.h"

#include <poll.h>
#include <stdlib.h>

enum {
	POLL_MS = 200,
	OUT_MAX = 8 * LOGREAD_LINE_MAX,
	TAIL_MAX = 1000 * 1000
};
enum {
	KEY_FOLLOW = 'f',
	KEY_STEP = 's',
	KEY_TAIL = 'n',
	KEY_ATTEMPT = 'a',
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_FOLLOW, "follow", NULL, "go on until the task has ended" },
	{ KEY_STEP, "step", "NAME|N", "only what this step wrote" },
	{ KEY_TAIL, "tail", "N", "only the last N lines of what is there" },
	{ KEY_ATTEMPT, "attempt", "N", "an earlier attempt's log" },
	{ KEY_JSON, "json", NULL, "a line {ts, step, stream, text} each" },
	{ 0, NULL, NULL, NULL },
};

struct logs {
	const struct cli *cli;
	uint64_t id, attempt, tail;
	const char *step;
	bool follows, is_json;

	struct buf out;
	struct buf *last; /* ring of the last `tail` lines as they will be printed; owned */
	uint64_t seen;    /* lines ever put into the ring */
};

/* ---- one line -------------------------------------------------------------------- */

static void
put_json(struct buf *out, const struct logread_line *line)
{
	char ts[CLOCK_TEXT];

	text_add(out, "{\"ts\":\"%s\",\"step\":", clock_format(line->ts_ms, ts));
	if (line->step > 0)
		text_add(out, "%llu", (unsigned long long)line->step);
	else
		text_add(out, "null");
	text_add(out, ",\"stream\":");
	json_write_string(out, line->stream.text, line->stream.len);
	text_add(out, ",\"text\":");
	json_write_string(out, line->text.text, line->text.len);
	text_add(out, "}\n");
}

/* What a carriage return leaves to be seen. */
static struct span
visible(struct span text)
{
	while (text.len > 0 && text.text[text.len - 1] == '\r')
		text.len--;
	for (size_t i = text.len; i > 0; i--)
		if (text.text[i - 1] == '\r')
			return (struct span){ text.text + i, text.len - i };
	return text;
}

/* As it was, but for what could command the terminal it goes to. */
static void
put_text(struct buf *out, const struct term *term, const struct logread_line *line)
{
	if (!term->is_tty) {
		buf_add(out, line->text.text, line->text.len);
	} else if (text_clean(
		       out, visible(line->text), term->has_colour ? TEXT_COLOURS : TEXT_LOG)) {
		text_add(out, "%s", term_plain(term));
	}
	text_add(out, "\n");
}

static void
put_line(const struct logs *logs, struct buf *out, const struct logread_line *line)
{
	if (logs->is_json)
		put_json(out, line);
	else
		put_text(out, &logs->cli->out, line);
}

static int
on_line(const struct logread_line *line, void *arg)
{
	struct logs *logs = arg;

	put_line(logs, &logs->out, line);
	return buf_error(&logs->out) ? EXIT_FAILED : 0;
}

/* Keeps the line in place of the one that is `tail` lines older. */
static int
on_tail_line(const struct logread_line *line, void *arg)
{
	struct logs *logs = arg;
	struct buf *slot = &logs->last[logs->seen++ % logs->tail];

	buf_fini(slot);
	buf_init(slot, OUT_MAX);
	put_line(logs, slot, line);
	return buf_error(slot) ? EXIT_FAILED : 0;
}

/* ---- the whole -------------------------------------------------------------------- */

static int
flush(struct logs *logs)
{
	int status = logs->out.len > 0 ? emit(&logs->cli->out, &logs->out, 0) : 0;

	buf_clear(&logs->out);
	return status;
}

static int
print_tail(struct logs *logs)
{
	uint64_t n = logs->seen < logs->tail ? logs->seen : logs->tail;
	int status = 0;

	for (uint64_t i = logs->seen - n; i < logs->seen && status == 0; i++) {
		const struct buf *line = &logs->last[i % logs->tail];

		status = emit(&logs->cli->out, line, 0);
	}
	return status;
}

static int
read_tail(struct logs *logs, struct logread *logread)
{
	int status = 0;

	logs->last = calloc(logs->tail, sizeof *logs->last);
	if (!logs->last) {
		complain(NULL, "out of memory");
		return EXIT_FAILED;
	}
	while (status == 0 && !logread->is_at_end)
		status = logread_next(logread, on_tail_line, logs);
	return status ? status : print_tail(logs);
}

static void
say_dropped(const struct logread *logread)
{
	if (logread->dropped > 0)
		complain(NULL, "%llu bytes in the middle were dropped to keep the log small",
		    (unsigned long long)logread->dropped);
}

static int
read_all(struct logs *logs, struct logread *logread)
{
	int status = logs->tail > 0 ? read_tail(logs, logread) : 0;

	while (status == 0) {
		if (logread->is_at_end && (!logs->follows || !logread->is_live))
			break;
		if (logread->is_at_end)
			(void)poll(NULL, 0, POLL_MS);
		status = logread_next(logread, on_line, logs);
		if (status == 0)
			status = flush(logs);
	}
	if (status == 0)
		say_dropped(logread);
	return status;
}

/* The step's number, from its number or name. 0 or an exit status. */
static int
find_step(const struct logs *logs, struct session *session, uint64_t *ret_step)
{
	char *end;
	unsigned long number = strtoul(logs->step, &end, 10);
	struct client_reply reply;
	const msgpack_object *steps;
	int status = session_ask_id(session, "show", logs->id, &reply);

	if (status != 0)
		return status;
	steps = mp_get(&reply.body, "steps");
	*ret_step = 0;
	for (size_t i = 0; i < doc_count(steps); i++)
		if (mp_str_is(mp_get(doc_at(steps, i), "name"), logs->step))
			*ret_step = i + 1;
	if (*ret_step == 0 && *end == '\0' && number > 0 && number <= doc_count(steps))
		*ret_step = number;
	if (*ret_step == 0) {
		complain(
		    NULL, "task %llu has no step \"%s\"", (unsigned long long)logs->id, logs->step);
		status = EXIT_USAGE;
	}
	client_reply_fini(&reply);
	return status;
}

static int
read_logs(struct logs *logs)
{
	struct session session;
	struct logread logread;
	int status = session_open(&session, false);

	if (status != 0)
		return status;
	logread_init(&logread, &session, logs->id);
	logread.attempt = logs->attempt;
	logread.is_pinned = logs->attempt > 0;
	if (logs->step)
		status = find_step(logs, &session, &logread.step);
	if (status == 0)
		status = read_all(logs, &logread);
	logread_fini(&logread);
	session_close(&session);
	return status;
}

static int
parse(struct args *args, struct logs *logs)
{
	int key, status = 0;

	while (status == 0 && (key = args_next(args)) > 0) {
		if (key == KEY_FOLLOW)
			logs->follows = true;
		else if (key == KEY_STEP)
			logs->step = args->value;
		else if (key == KEY_TAIL)
			status = args_count(args, "tail", TAIL_MAX, &logs->tail);
		else if (key == KEY_ATTEMPT)
			status = args_count(args, "attempt", UINT32_MAX, &logs->attempt);
		else
			logs->is_json = true;
		if (status != 0)
			return status;
	}
	return key == ARGS_STOP ? args->status : args_one_id(args, &logs->id);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct logs logs = { .cli = cli };
	struct args args;
	int status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	buf_init(&logs.out, OUT_MAX);
	status = parse(&args, &logs);
	if (status == 0 && !args.is_stopped)
		status = read_logs(&logs);
	for (uint64_t i = 0; logs.last && i < logs.tail; i++)
		buf_fini(&logs.last[i]);
	free(logs.last);
	buf_fini(&logs.out);
	args_fini(&args);
	return status;
}

const struct verb verb_logs = {
	.name = "logs",
	.synopsis = "[options] ID",
	.summary = "print what a task's steps wrote",
	.help = "Lines of stdout and stderr in the order they came, and the service's own remarks.",
	.options = options,
	.examples = "reeve logs 41\n"
		    "reeve logs -f --tail 20 41\n"
		    "reeve logs --step fetch --json 41",
	.run = run,
};
