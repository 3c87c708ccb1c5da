#include "supervisor/cli/attend.h"

#include "supervisor/cli/ends.h"
#include "supervisor/cli/live.h"
#include "supervisor/cli/plain.h"
#include "supervisor/cli/story.h"

enum {
	STORY_MAX = 256 * 1024
};

static int
tell_end(const struct cli *cli, const msgpack_object *task, bool is_strict)
{
	struct buf out;
	int status;

	if (!task)
		return EXIT_FAILED;
	buf_init(&out, STORY_MAX);
	story_end(&out, &cli->out, task);
	status = emit(&cli->out, &out, doc_exit_status(task, is_strict));
	buf_fini(&out);
	return status;
}

static int
conclude(const struct cli *cli, const struct follow *follow, enum follow_end end,
    const msgpack_object *task, bool is_strict)
{
	if (end == FOLLOW_ENDED)
		return tell_end(cli, task, is_strict);
	if (end != FOLLOW_SIGNALLED)
		return follow->status;
	ends_farewell(follow->ids, follow->nids);
	return EXIT_SIGNALLED + follow->signal;
}

int
attend(struct cli *cli, struct session *session, uint64_t id, bool is_strict)
{
	struct follow follow = { .session = session, .ids = &id, .nids = 1 };
	enum follow_end end;
	struct plain plain;
	struct live live;
	int status;

	if (cli->out.is_live) {
		live_init(&live, &cli->out);
		follow.view = &live_view;
		follow.arg = &live;
		end = follow_run(&follow);
		live_finish(&live);
		status = conclude(cli, &follow, end, doc_copy_get(&live.task), is_strict);
		live_fini(&live);
		return status;
	}
	plain_init(&plain, &cli->out, false);
	follow.view = &plain_view;
	follow.arg = &plain;
	end = follow_run(&follow);
	status = conclude(cli, &follow, end, plain_document(&plain, id), is_strict);
	plain_fini(&plain);
	return status;
}

int
attend_json(struct cli *cli, struct session *session, uint64_t id, bool is_strict)
{
	struct ends ends;
	int status = ends_init(&ends, &id, 1);

	if (status != 0)
		return status;
	status = ends_look(&ends, session);
	if (status == 0)
		status = ends_wait(&ends, session, 0);
	if (status == 0) {
		status = ends_print_json(&ends, cli, false);
		if (status == 0)
			status = ends_status(&ends, is_strict);
	}
	ends_fini(&ends);
	return status;
}
