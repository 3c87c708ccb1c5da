#include "ipc/clock.h"
#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/attend.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/follow.h"
#include "supervisor/cli/plain.h"

#include <stdlib.h>

enum {
	OUT_MAX = 8 * 1024 * 1024
};
enum {
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_JSON, "json", NULL, "a line {seq, event, task} for each event" },
	{ 0, NULL, NULL, NULL },
};

struct lines {
	const struct term *term;
	int status;
};

/* The begin of a line that is no event of the service's, in the form of one that is news. */
static void
begin_own(struct buf *out, const char *event)
{
	char ts[CLOCK_TEXT];

	text_add(out, "{\"seq\":null,\"event\":{\"event\":\"%s\",\"ts\":\"%s\"", event,
	    clock_format(clock_wall_ms(), ts));
}

/* How a task stood when the watching began. */
static void
put_standing(struct buf *out, const msgpack_object *task)
{
	begin_own(out, "standing");
	text_add(out,
	    ",\"task\":%llu,\"attempt\":%llu},\"task\":", (unsigned long long)doc_uint(task, "id"),
	    (unsigned long long)doc_uint(task, "attempt"));
	json_write(out, task, JSON_COMPACT);
	text_add(out, "}\n");
}

static void
on_item(const struct follow_item *item, void *arg)
{
	struct lines *lines = arg;
	struct buf out;

	if (lines->status != 0)
		return;
	buf_init(&out, OUT_MAX);
	if (item->whole) {
		json_write(&out, item->whole, JSON_COMPACT);
		text_add(&out, "\n");
	} else {
		put_standing(&out, item->task);
	}
	lines->status = emit(lines->term, &out, 0);
	buf_fini(&out);
}

static void
put_own(struct lines *lines, const char *event, const char *key, uint64_t value)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	begin_own(&out, event);
	text_add(&out, ",\"%s\":%llu},\"task\":null}\n", key, (unsigned long long)value);
	if (lines->status == 0)
		lines->status = emit(lines->term, &out, 0);
	buf_fini(&out);
}

static void
on_missing(uint64_t id, int status, void *arg)
{
	(void)status;
	put_own(arg, "missing", "task", id);
}

static void
on_omitted(uint64_t count, void *arg)
{
	put_own(arg, "omitted", "count", count);
}

static const struct follow_view json_view = {
	.item = on_item, .missing = on_missing, .omitted = on_omitted
};

static int
conclude(const struct follow *follow, enum follow_end end)
{
	if (end == FOLLOW_SIGNALLED)
		return EXIT_SIGNALLED + follow->signal;
	return end == FOLLOW_FAILED ? follow->status : follow->missing;
}

/* Which tasks: none means all. */
struct which {
	const uint64_t *ids;
	size_t n;
};

static int
watch_json(const struct cli *cli, struct session *session, struct which which)
{
	struct lines lines = { .term = &cli->out };
	struct follow follow = { .session = session,
		.ids = which.ids,
		.nids = which.n,
		.wants_facts = true,
		.view = &json_view,
		.arg = &lines };
	int status = conclude(&follow, follow_run(&follow));

	return lines.status ? lines.status : status;
}

static int
watch_lines(const struct cli *cli, struct session *session, struct which which)
{
	struct plain plain;
	struct follow follow = { .session = session,
		.ids = which.ids,
		.nids = which.n,
		.view = &plain_view,
		.arg = &plain };
	int status;

	plain_init(&plain, &cli->out, true);
	status = conclude(&follow, follow_run(&follow));
	plain_fini(&plain);
	return status;
}

/* One task alone ends with its own status only for who waits: watching it went well. */
static int
watch_one(struct cli *cli, struct session *session, uint64_t id)
{
	int status = attend(cli, session, id, ATTEND_WATCHING);

	return status == EXIT_NO_SUPERVISOR || status == EXIT_NOT_FOUND || status >= EXIT_SIGNALLED
		   ? status
		   : EXIT_OK;
}

static int
watch(struct cli *cli, struct which which, bool is_json)
{
	struct session session;
	int status = session_open(&session, false);

	if (status != 0)
		return status;
	if (is_json)
		status = watch_json(cli, &session, which);
	else if (which.n == 1)
		status = watch_one(cli, &session, which.ids[0]);
	else
		status = watch_lines(cli, &session, which);
	session_close(&session);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct args args;
	bool is_json = false;
	uint64_t *ids = NULL;
	size_t n = 0;
	int key, status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while ((key = args_next(&args)) > 0)
		is_json = true;
	if (key == ARGS_STOP)
		status = args.status;
	else if (args.nwords + args.nrest > 0)
		status = args_ids(&args, &ids, &n);
	if (status == 0 && !args.is_stopped)
		status = watch(cli, (struct which){ ids, n }, is_json);
	free(ids);
	args_fini(&args);
	return status;
}

const struct verb verb_watch = {
	.name = "watch",
	.synopsis = "[--json] [ID ...]",
	.summary = "follow tasks as things happen",
	.help =
	    "Without an id: every task you may see, until Ctrl-C. With ids: until those have ended.\n"
	    "Nothing is missed while the service restarts. `reeve wait` gives an exit status.\n"
	    "With --json the first line of each task is how it stands (event \"standing\"); an id that\n"
	    "is not there is told as \"missing\", and how many more tasks there are, where they are too\n"
	    "many to tell how all of them stand, as \"omitted\".",
	.options = options,
	.examples = "reeve watch 41\nreeve watch\nreeve watch --json 41 42",
	.run = run,
};
