#include "supervisor/cli/ends.h"

#include "ipc/json.h"
#include "supervisor/cli/logread.h"
#include "supervisor/cli/story.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	OUT_MAX = 64 * 1024 * 1024,
	FAREWELL_MAX = 4096,
	FAREWELLS = 4
};

int
ends_init(struct ends *ends, const uint64_t *ids, size_t n)
{
	*ends = (struct ends){ .ids = ids, .n = n };
	ends->docs = calloc(n, sizeof *ends->docs);
	ends->statuses = calloc(n, sizeof *ends->statuses);
	if (!ends->docs || !ends->statuses) {
		free(ends->docs);
		free(ends->statuses);
		complain(NULL, "out of memory");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < n; i++)
		doc_copy_init(&ends->docs[i]);
	return 0;
}

void
ends_fini(struct ends *ends)
{
	for (size_t i = 0; i < ends->n; i++)
		doc_copy_fini(&ends->docs[i]);
	free(ends->docs);
	free(ends->statuses);
}

int
ends_look(struct ends *ends, struct session *session)
{
	for (size_t i = 0; i < ends->n; i++) {
		struct client_reply reply;

		ends->statuses[i] = session_ask_id(session, "show", ends->ids[i], &reply);
		if (ends->statuses[i] == EXIT_NO_SUPERVISOR)
			return EXIT_NO_SUPERVISOR;
		if (ends->statuses[i] != 0)
			continue;
		if (doc_copy_set(&ends->docs[i], &reply.body) != 0)
			ends->statuses[i] = EXIT_FAILED;
		client_reply_fini(&reply);
	}
	return 0;
}

static void
on_item(const struct follow_item *item, void *arg)
{
	struct ends *ends = arg;
	uint64_t id = doc_uint(item->task, "id");

	for (size_t i = 0; i < ends->n; i++)
		if (ends->ids[i] == id && doc_copy_set(&ends->docs[i], item->task) != 0)
			ends->statuses[i] = EXIT_FAILED;
}

static void
on_missing(uint64_t id, int status, void *arg)
{
	struct ends *ends = arg;

	for (size_t i = 0; i < ends->n; i++)
		if (ends->ids[i] == id)
			ends->statuses[i] = status;
}

static const struct follow_view view = { .item = on_item, .missing = on_missing };

void
ends_farewell(uint64_t id, const msgpack_object *task)
{
	enum task_state state = task ? doc_state(task) : 0;
	struct term term;
	struct buf out;

	term_init(&term, STDERR_FILENO);
	buf_init(&out, FAREWELL_MAX);
	if (term.is_tty)
		text_add(&out, "\n"); /* the terminal has written ^C */
	text_add(&out, "task %llu goes on%s without you.\n", (unsigned long long)id,
	    state == TASK_UNDOING      ? " undoing its steps"
	    : state == TASK_CANCELLING ? " being cancelled"
				       : "");
	story_hint(&out, &term, "watch", id, "follows it again");
	if (state == TASK_UNDOING || state == TASK_CANCELLING)
		story_hint(&out, &term, "cancel --force", id,
		    "stops the undoing too (administrators only)");
	else
		story_hint(&out, &term, "cancel", id, "stops it");
	(void)emit(&term, &out, 0);
	buf_fini(&out);
}

/* Of many a few. */
static void
take_leave(const struct ends *ends)
{
	for (size_t i = 0, said = 0; i < ends->n && said < FAREWELLS; i++) {
		const msgpack_object *task = doc_copy_get(&ends->docs[i]);

		if (ends->statuses[i] != 0 || !task || doc_is_ended(task))
			continue;
		ends_farewell(ends->ids[i], task);
		said++;
	}
}

int
ends_wait(struct ends *ends, struct session *session, uint64_t timeout_ms)
{
	uint64_t *live = calloc(ends->n + 1, sizeof *live);
	struct follow follow = { .session = session,
		.ids = live,
		.timeout_ms = timeout_ms,
		.wants_ends = true,
		.view = &view,
		.arg = ends };
	enum follow_end end = FOLLOW_ENDED;
	int status = 0;

	if (!live) {
		complain(NULL, "out of memory");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < ends->n; i++)
		if (ends->statuses[i] == 0 && !doc_is_ended(doc_copy_get(&ends->docs[i])))
			live[follow.nids++] = ends->ids[i];
	if (follow.nids > 0)
		end = follow_run(&follow);
	if (end == FOLLOW_SIGNALLED || end == FOLLOW_TIMED_OUT)
		(void)ends_look(ends, session); /* what has not ended has moved on unheard */
	if (end == FOLLOW_SIGNALLED) {
		take_leave(ends);
		status = EXIT_SIGNALLED + follow.signal;
	} else if (end == FOLLOW_TIMED_OUT) {
		status = EXIT_TIMED_OUT;
	} else if (end == FOLLOW_FAILED) {
		status = follow.status;
	}
	free(live);
	return status;
}

int
ends_status(const struct ends *ends, bool is_strict)
{
	for (size_t i = 0; i < ends->n; i++) {
		const msgpack_object *task = doc_copy_get(&ends->docs[i]);
		int status = ends->statuses[i];

		if (status == 0)
			status = task ? doc_exit_status(task, is_strict) : EXIT_FAILED;
		if (status != 0)
			return status;
	}
	return 0;
}

int
ends_print(const struct ends *ends, const struct cli *cli, struct session *session)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	for (size_t i = 0; i < ends->n; i++) {
		const msgpack_object *task = doc_copy_get(&ends->docs[i]);

		if (task && doc_is_ended(task))
			story_end(&out, &cli->out, task, logread_has_some(session, ends->ids[i]));
	}
	status = out.len > 0 ? emit(&cli->out, &out, 0) : 0;
	buf_fini(&out);
	return status;
}

int
ends_print_json(const struct ends *ends, const struct cli *cli, bool is_list)
{
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	if (is_list)
		text_add(&out, "[");
	for (size_t i = 0; i < ends->n; i++) {
		const msgpack_object *task = doc_copy_get(&ends->docs[i]);

		if (i > 0)
			text_add(&out, ",\n");
		if (task)
			json_write(&out, task, JSON_PRETTY);
		else if (is_list)
			text_add(&out, "null");
	}
	if (is_list)
		text_add(&out, "]");
	if (out.len > 0)
		text_add(&out, "\n");
	status = emit(&cli->out, &out, 0);
	buf_fini(&out);
	return status;
}
