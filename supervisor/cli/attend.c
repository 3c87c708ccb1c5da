#include "supervisor/cli/attend.h"

#include "supervisor/cli/ends.h"
#include "supervisor/cli/live.h"
#include "supervisor/cli/logread.h"
#include "supervisor/cli/plain.h"
#include "supervisor/cli/story.h"

enum {
	STORY_MAX = 256 * 1024,
	LAST_LINES = 10
};

/* What a task that went well wrote is its result, as far as it is known here: at a terminal its
 * last lines, elsewhere only where to find them. */
static void
put_output(struct buf *out, const struct term *term, uint64_t id, const struct logread_last *last)
{
	if (last->lines == 0)
		return;
	if (term->is_tty) {
		text_add(out, last->lines > LAST_LINES ? "  its last lines:\n" : "  it wrote:\n");
		story_tail(out, term,
		    (struct span){ (const char *)last->text.data, last->text.len }, LAST_LINES);
	}
	if (!term->is_tty || last->lines > LAST_LINES)
		story_hint(out, term, "logs", id, "all it wrote");
}

static int
tell_end(const struct cli *cli, struct session *session, const msgpack_object *task, bool is_strict)
{
	uint64_t id = doc_uint(task, "id");
	struct logread_last last;
	struct buf out;
	int status;

	if (!task)
		return EXIT_FAILED;
	buf_init(&out, STORY_MAX);
	status = logread_last(session, id, &last);
	story_end(&out, &cli->out, task, status != 0 || last.lines > 0);
	if (doc_state(task) == TASK_COMPLETED)
		put_output(&out, &cli->out, id, &last);
	logread_last_fini(&last);
	status = emit(&cli->out, &out, doc_exit_status(task, is_strict));
	buf_fini(&out);
	return status;
}

static int
conclude(const struct cli *cli, const struct follow *follow, enum follow_end end,
    const msgpack_object *task, bool is_strict)
{
	if (end == FOLLOW_ENDED)
		return tell_end(cli, follow->session, task, is_strict);
	if (end != FOLLOW_SIGNALLED)
		return follow->status;
	ends_farewell(follow->ids[0], task);
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
