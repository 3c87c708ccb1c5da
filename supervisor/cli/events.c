#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/session.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	PAGE = 500,
	OUT_MAX = 8 * 1024 * 1024,
	DETAIL_COLUMN = 42
};
enum {
	KEY_AFTER = 'a',
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_AFTER, "after", "SEQ", "only those with a larger number" },
	{ KEY_JSON, "json", NULL, "a line {seq, event} each" },
	{ 0, NULL, NULL, NULL },
};

/* Behind what stands on the line already: the first in a column of its own. */
static void
put_detail(struct line *line, struct span text)
{
	if (text.len == 0)
		return;
	if (line->columns < DETAIL_COLUMN)
		line_pad(line, DETAIL_COLUMN);
	else
		line_add(line, STYLE_PLAIN, "  ");
	line_put(line, STYLE_PLAIN, text);
}

/* Fields that say something to a person, in the order they are said. */
static void
put_details(struct line *line, const msgpack_object *event)
{
	static const char *const texts[] = { "name", "status", "outcome", "code", "message", "text",
		"detail", "question" };
	static const char *const answer[] = { "answer", "by" };
	uint64_t step = doc_uint(event, "step");
	char number[32];

	snprintf(number, sizeof number, "step %llu", (unsigned long long)step);
	if (step > 0)
		put_detail(line, span_of(number));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		put_detail(line, doc_span(event, texts[i]));
	for (size_t i = 0; i < sizeof answer / sizeof answer[0]; i++)
		put_detail(line, doc_span(mp_get(event, "answer"), answer[i]));
}

static void
put_event(struct buf *out, const struct term *term, uint64_t seq, const msgpack_object *event)
{
	uint64_t wall_ms = doc_time_ms(event, "ts");
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm = { 0 };
	char when[32] = "";
	struct line line;

	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof when, "%m-%d %H:%M:%S", &tm);
	line_begin(&line, out, term);
	line_add(&line, STYLE_DIM, "%6llu  %s.%03u  ", (unsigned long long)seq, when,
	    (unsigned)(wall_ms % 1000));
	line_put(&line, STYLE_BOLD, doc_span(event, "event"));
	put_details(&line, event);
	line_end(&line);
}

static void
put_json(struct buf *out, uint64_t seq, const msgpack_object *event)
{
	text_add(out, "{\"seq\":%llu,\"event\":", (unsigned long long)seq);
	json_write(out, event, JSON_COMPACT);
	text_add(out, "}\n");
}

/* Prints one page of [seq, event] pairs and moves *AFTER behind it. */
static int
print_page(const struct cli *cli, const msgpack_object *events, bool is_json, uint64_t *after)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	for (size_t i = 0; i < doc_count(events); i++) {
		const msgpack_object *pair = doc_at(events, i);
		uint64_t seq = mp_uint(doc_at(pair, 0), 0);
		const msgpack_object *event = doc_at(pair, 1);

		if (!event || seq <= *after)
			continue;
		if (is_json)
			put_json(&out, seq, event);
		else
			put_event(&out, &cli->out, seq, event);
		*after = seq;
	}
	status = out.len > 0 ? emit(&cli->out, &out, 0) : 0;
	buf_fini(&out);
	return status;
}

static int
print_all(const struct cli *cli, uint64_t id, uint64_t after, bool is_json)
{
	struct session session;
	bool has_more = true;
	int status = session_open(&session, false);

	if (status != 0)
		return status;
	while (status == 0 && has_more) {
		struct client_reply reply;
		struct request request;
		uint64_t before = after;

		session_begin(&session, &request, "events", 3);
		pack_kv_uint(&request.params, "id", id);
		pack_kv_uint(&request.params, "after", after);
		pack_kv_uint(&request.params, "limit", PAGE);
		status = session_ask(&session, &request, &reply);
		if (status != 0)
			break;
		status = print_page(cli, mp_get(&reply.body, "events"), is_json, &after);
		has_more = mp_bool(mp_get(&reply.body, "more"), false) && after > before;
		client_reply_fini(&reply);
	}
	session_close(&session);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct args args;
	bool is_json = false;
	uint64_t id = 0, after = 0;
	int key, status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while (status == 0 && (key = args_next(&args)) > 0) {
		if (key == KEY_AFTER)
			status = args_count(&args, "after", UINT64_MAX, &after);
		else
			is_json = true;
	}
	if (status == 0)
		status = args.is_stopped ? args.status : args_one_id(&args, &id);
	if (status == 0 && !args.is_stopped)
		status = print_all(cli, id, after, is_json);
	args_fini(&args);
	return status;
}

const struct verb verb_events = {
	.name = "events",
	.synopsis = "[options] ID",
	.summary = "list what happened to a task, fact by fact",
	.options = options,
	.examples = "reeve events 41\nreeve events --json --after 1200 41",
	.run = run,
};
