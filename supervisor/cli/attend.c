#include "supervisor/cli/attend.h"

#include "supervisor/cli/asker.h"
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

/* A task's picture, and in its place the question that it asks. */
struct scene {
	struct live live;
	struct asker asker;
	bool may_ask, is_asking;
};

static void
on_item(const struct follow_item *item, void *arg)
{
	struct scene *scene = arg;

	live_view.item(item, &scene->live);
	if (!scene->may_ask)
		return;
	if (!scene->is_asking && !mp_is_nil(mp_get(item->task, "question")))
		live_yield(&scene->live);
	asker_look(&scene->asker, item->task);
}

static int
on_tick(void *arg)
{
	struct scene *scene = arg;

	scene->is_asking = asker_tick(&scene->asker);
	return scene->is_asking ? -1 : live_view.tick(&scene->live);
}

static void
on_signal(int signo, void *arg)
{
	struct scene *scene = arg;

	live_view.signal(signo, &scene->live);
}

static void
on_input(void *arg)
{
	struct scene *scene = arg;

	asker_input(&scene->asker);
}

static const struct follow_view scene_view = {
	.item = on_item, .tick = on_tick, .signal = on_signal, .input = on_input
};

static int
attend_live(struct cli *cli, struct session *session, uint64_t id, enum attend_as as)
{
	struct scene scene = { .may_ask = as != ATTEND_WATCHING && ask_can() };
	struct follow follow = {
		.session = session, .ids = &id, .nids = 1, .view = &scene_view, .arg = &scene
	};
	enum follow_end end;
	int status;

	live_init(&scene.live, &cli->out);
	scene.live.hides_question = scene.may_ask;
	asker_init(&scene.asker, &follow, &cli->out);
	end = follow_run(&follow);
	asker_fini(&scene.asker);
	live_finish(&scene.live);
	status = conclude(cli, &follow, end, doc_copy_get(&scene.live.task), as == ATTEND_STRICTLY);
	live_fini(&scene.live);
	return status;
}

int
attend(struct cli *cli, struct session *session, uint64_t id, enum attend_as as)
{
	struct follow follow = { .session = session, .ids = &id, .nids = 1 };
	enum follow_end end;
	struct plain plain;
	int status;

	if (cli->out.is_live)
		return attend_live(cli, session, id, as);
	plain_init(&plain, &cli->out, false);
	follow.view = &plain_view;
	follow.arg = &plain;
	end = follow_run(&follow);
	status = conclude(cli, &follow, end, plain_document(&plain, id), as == ATTEND_STRICTLY);
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
