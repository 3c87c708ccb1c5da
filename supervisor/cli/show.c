#include "ipc/clock.h"
#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/logread.h"
#include "supervisor/cli/story.h"

#include <string.h>

enum {
	OUT_MAX = 16 * 1024 * 1024,
	LAST_LINES = 5
};
enum {
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_JSON, "json", NULL, "the whole task as JSON" },
	{ 0, NULL, NULL, NULL },
};

/* A failed task has them in its document. */
static int
put_last_lines(struct buf *out, const struct cli *cli, struct session *session, uint64_t id)
{
	struct logread_last last;
	int status = logread_last(session, id, &last);

	if (status == 0 && last.lines > 0) {
		text_add(out, "\n  its last lines:\n");
		story_tail(out, &cli->out,
		    (struct span){ (const char *)last.text.data, last.text.len }, LAST_LINES);
	}
	logread_last_fini(&last);
	return status;
}

static int
show(const struct cli *cli, uint64_t id, bool is_json)
{
	struct client_reply reply;
	struct session session;
	struct buf out;
	int status = session_open(&session, false);

	if (status != 0)
		return status;
	status = session_ask_id(&session, "show", id, &reply);
	if (status != 0) {
		session_close(&session);
		return status;
	}
	buf_init(&out, OUT_MAX);
	if (is_json) {
		json_write(&out, &reply.body, JSON_PRETTY);
		text_add(&out, "\n");
	} else {
		story_all(
		    &out, &cli->out, &reply.body, clock_wall_ms(), logread_has_some(&session, id));
		if (mp_is_nil(mp_get(&reply.body, "error")))
			status = put_last_lines(&out, cli, &session, id);
	}
	if (status == 0)
		status = emit(&cli->out, &out, 0);
	buf_fini(&out);
	client_reply_fini(&reply);
	session_close(&session);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct args args;
	bool is_json = false;
	uint64_t id = 0;
	int key, status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while ((key = args_next(&args)) > 0)
		is_json = true;
	status = key == ARGS_STOP ? args.status : args_one_id(&args, &id);
	args_fini(&args);
	return status == 0 && !args.is_stopped ? show(cli, id, is_json) : status;
}

const struct verb verb_show = {
	.name = "show",
	.synopsis = "[--json] ID",
	.summary = "tell everything about one task, and what to do next",
	.options = options,
	.examples = "reeve show 41\nreeve show --json 41 | jq .error",
	.run = run,
};
