#include "ipc/clock.h"
#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/picture.h"
#include "supervisor/cli/query.h"
#include "supervisor/cli/submit.h"
#include "supervisor/cli/table.h"
#include "supervisor/recipe/suggest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUT_MAX = 256 * 1024 * 1024,
	BAR = 8,
	BLOCKED_MAX = 4096
};

enum {
	KEY_ACTIVE = 'a',
	KEY_FAILED = 'f',
	KEY_STATUS = 's',
	KEY_TYPE = 't',
	KEY_SCOPE = 256
};
enum {
	KEY_OWNER = 257,
	KEY_LABEL = 'l',
	KEY_SINCE = 258,
	KEY_LIMIT = 'n',
	KEY_ALL = 259
};
enum {
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_ACTIVE, "active", NULL, "only those that have not ended" },
	{ KEY_FAILED, "failed", NULL, "only failed and interrupted ones" },
	{ KEY_STATUS, "status", "NAME[,NAME]", "only those in these states, see above" },
	{ KEY_TYPE, "type", "TYPE", "only this recipe's" },
	{ KEY_SCOPE, "scope", "TEXT", "only those that work on this" },
	{ KEY_OWNER, "owner", "NAME", "only this person's" },
	{ KEY_LABEL, "label", "NAME=VALUE", "only those with this label; may be repeated" },
	{ KEY_SINCE, "since", "WHEN", "also those that ended since: 7d, 2026-01-31" },
	{ KEY_LIMIT, "limit", "N", "only the newest N" },
	{ KEY_ALL, "all", NULL, "also those that ended more than 24 hours ago" },
	{ KEY_JSON, "json", NULL, "an array of tasks" },
	{ 0, NULL, NULL, NULL },
};

enum column {
	ID,
	STATUS,
	TASK,
	SCOPE,
	PROGRESS,
	STEP,
	WHEN,
	TOOK,
	OUTCOME,
	COLUMNS
};

/* clang-format off */
static const struct table_column columns[COLUMNS] = {
	[ID]       = { "id",       0,  true,  0 },
	[STATUS]   = { "status",   0,  false, 0 },
	[TASK]     = { "task",     48, false, 0 },
	[SCOPE]    = { "scope",    20, false, 6 },
	[PROGRESS] = { "progress", 0,  false, 2 },
	[STEP]     = { "step",     24, false, 4 },
	[WHEN]     = { "started",  0,  true,  3 },
	[TOOK]     = { "took",     0,  true,  5 },
	[OUTCOME]  = { "outcome",  0,  false, 1 }, /* why it failed, what it waits for */
};
/* clang-format on */

static const char *const state_names[] = {
#define X(sym, num, name, end, worker, slot) name,
	TASK_STATES(X)
#undef X
};
enum {
	STATES = sizeof state_names / sizeof state_names[0],
	NAMES_MAX = 1024
};

static void
put_states(struct buf *out, const struct term *page, const char *which, bool is_end)
{
	struct line line;
	struct buf names;

	buf_init(&names, NAMES_MAX);
	for (size_t i = 0; i < STATES; i++)
		if (task_state_is_end(task_state_parse(state_names[i])) == is_end)
			text_add(&names, "%s%s", names.len > 0 ? " " : "", state_names[i]);
	text_add(out, "%s\n", which);
	line_begin(&line, out, page);
	line_wrap(&line, STYLE_PLAIN, 2, (struct span){ (const char *)names.data, names.len });
	buf_fini(&names);
}

static void
put_help(struct buf *out, const struct term *page)
{
	text_add(out, "\n");
	put_states(out, page, "States of active tasks:", false);
	put_states(out, page, "States of ended ones:", true);
}

static int
unknown_state(const struct args *args, const char *name)
{
	char near[SUGGEST_TEXT];
	struct suggest suggest;

	suggest_init(&suggest, name);
	for (size_t i = 0; i < STATES; i++)
		suggest_offer(&suggest, state_names[i]);
	return args_wrong(args, "there is no status \"%s\"%s", name, suggest_text(&suggest, near));
}

static int
add_states(const struct args *args, struct query *query)
{
	char *list = strdup(args->value), *rest = NULL;

	for (char *name = list ? strtok_r(list, ",", &rest) : NULL; name;
	     name = strtok_r(NULL, ",", &rest)) {
		if (!task_state_parse(name)) {
			int status = unknown_state(args, name);

			free(list);
			return status;
		}
		strs_add(&query->states, name);
	}
	free(list);
	return 0;
}

static int
take_option(const struct args *args, int key, struct query *query, bool *ret_json)
{
	switch (key) {
	case KEY_ACTIVE:
		query->active = true;
		return 0;
	case KEY_FAILED:
		query->failed = true;
		return 0;
	case KEY_STATUS:
		return add_states(args, query);
	case KEY_TYPE:
		query->type = args->value;
		return 0;
	case KEY_SCOPE:
		query->scope = args->value;
		return 0;
	case KEY_OWNER:
		query->owner = args->value;
		return 0;
	case KEY_LABEL:
		if (submission_pair(&query->labels, args->value) == 0)
			return 0;
		return args_wrong(args, "label \"%s\": expected name=value", args->value);
	case KEY_SINCE:
		if (clock_parse_since(args->value, clock_wall_ms(), &query->since_ms) == 0)
			return 0;
		return args_wrong(
		    args, "--since \"%s\": expected 7d, 2026-01-31 or a whole time", args->value);
	case KEY_LIMIT:
		return args_count(args, "limit", UINT32_MAX, &query->limit);
	case KEY_ALL:
		query->all = true;
		return 0;
	default:
		*ret_json = true;
		return 0;
	}
}

static void
put_progress(struct table *table, const msgpack_object *task)
{
	double progress = doc_double(task, "progress");
	struct term plain = { .has_utf8 = table->term->has_utf8 };
	struct line line;
	struct buf text;

	if (isnan(progress) || doc_is_ended(task))
		return;
	buf_init(&text, 256);
	line_begin(&line, &text, &plain);
	line_bar(&line, progress, BAR, STYLE_PLAIN);
	text_add(&text, " %3u %%", text_percent(progress));
	table_put(table, PROGRESS, STYLE_CYAN, (struct span){ (char *)text.data, text.len });
	buf_fini(&text);
}

static void
put_times(struct table *table, const msgpack_object *task)
{
	uint64_t now_ms = clock_wall_ms(), took_ms = doc_duration_ms(task, now_ms);
	uint64_t begun_ms = doc_time_ms(task, "started_at");
	char text[TEXT_NUMBER], ago[TEXT_NUMBER];

	if (begun_ms > 0)
		table_add(table, WHEN, STYLE_DIM, "%s", doc_ago(begun_ms, now_ms, ago));
	if (took_ms > 0)
		table_add(table, TOOK, STYLE_PLAIN, "%s", text_duration(took_ms, text));
}

static void
put_blocked(struct table *table, const msgpack_object *task)
{
	struct term plain = { .has_utf8 = table->term->has_utf8 };
	struct line line;
	struct buf text;

	buf_init(&text, BLOCKED_MAX);
	line_begin(&line, &text, &plain);
	picture_blocked(&line, task, 0);
	table_put(table, OUTCOME, STYLE_YELLOW, (struct span){ (char *)text.data, text.len });
	buf_fini(&text);
}

static void
put_outcome(struct table *table, const msgpack_object *task)
{
	const msgpack_object *blocked = mp_get(task, "blocked_on");
	struct span outcome = doc_span(task, "outcome"), label = doc_span(task, "label");

	if (doc_is_ended(task))
		table_put(table, OUTCOME, STYLE_PLAIN, outcome);
	else if (mp_is_nil(blocked))
		table_put(table, OUTCOME, STYLE_DIM, label);
	else
		put_blocked(table, task);
}

static int
add_row(const msgpack_object *task, void *arg)
{
	struct table *table = arg;
	enum task_state state = doc_state(task);
	const msgpack_object *step = mp_get(task, "step");
	bool is_pending = mp_str_is(mp_get(task, "pending"), "cancelling");

	if (is_pending)
		state = TASK_CANCELLING;
	table_row(table);
	table_add(table, ID, STYLE_BOLD, "%llu", (unsigned long long)doc_uint(task, "id"));
	table_add(table, STATUS, doc_state_mark(state).style, "%s %s",
	    doc_mark_text(table->term, doc_state_mark(state)),
	    state == TASK_WARNED ? "with warnings" : task_state_name(state));
	table_put(table, TASK, STYLE_PLAIN, doc_span(task, "title"));
	table_put(table, SCOPE, STYLE_PLAIN, doc_span(task, "scope"));
	put_progress(table, task);
	if (!doc_is_ended(task) && doc_uint(step, "count") > 1 && doc_uint(step, "index") > 0) {
		table_add(table, STEP, STYLE_PLAIN, "%llu/%llu ",
		    (unsigned long long)doc_uint(step, "index"),
		    (unsigned long long)doc_uint(step, "count"));
		table_put(table, STEP, STYLE_PLAIN, doc_span(step, "name"));
	}
	put_times(table, task);
	put_outcome(table, task);
	return 0;
}

static int
list_table(const struct cli *cli, const struct query *query, struct session *session)
{
	struct table table;
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	table_init(&table, &cli->out, columns, COLUMNS);
	status = query_run(query, session, add_row, &table);
	if (status == 0 && table.nrows == 0)
		complain(NULL,
		    query->all ? "no tasks" : "no tasks; `reeve ls --all` looks further back");
	else if (status == 0 && table_draw(&table, &out) == 0)
		status = emit(&cli->out, &out, 0);
	table_fini(&table);
	buf_fini(&out);
	return status;
}

struct array {
	struct buf out;
	bool has_items;
};

static int
add_item(const msgpack_object *task, void *arg)
{
	struct array *array = arg;

	text_add(&array->out, array->has_items ? ",\n" : "");
	json_write(&array->out, task, JSON_PRETTY);
	array->has_items = true;
	return 0;
}

static int
list_json(const struct cli *cli, const struct query *query, struct session *session)
{
	struct array array = { .has_items = false };
	int status;

	buf_init(&array.out, OUT_MAX);
	text_add(&array.out, "[");
	status = query_run(query, session, add_item, &array);
	text_add(&array.out, "]\n");
	if (status == 0)
		status = emit(&cli->out, &array.out, 0);
	buf_fini(&array.out);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct query query = { .active = false };
	struct session session;
	struct args args;
	bool is_json = false;
	int key, status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while (status == 0 && (key = args_next(&args)) > 0)
		status = take_option(&args, key, &query, &is_json);
	if (status != 0 || key == ARGS_STOP) {
		status = status ? status : args.status;
		goto out;
	}
	status = args_no_words(&args);
	if (status == 0)
		status = session_open(&session, false);
	if (status != 0)
		goto out;
	status = is_json ? list_json(cli, &query, &session) : list_table(cli, &query, &session);
	session_close(&session);
out:
	query_fini(&query);
	args_fini(&args);
	return status;
}

const struct verb verb_ls = {
	.name = "ls",
	.synopsis = "[options]",
	.summary = "list tasks: active, kept, and ended within 24 hours",
	.put_help = put_help,
	.options = options,
	.examples = "reeve ls\n"
		    "reeve ls --failed --since 7d\n"
		    "reeve ls --scope srv-7 --active --json | jq '.[].id'",
	.run = run,
};
