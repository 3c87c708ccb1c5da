#include "supervisor/roster/learn.h"

#include "ipc/log.h"

#include <errno.h>
#include <string.h>

static bool
teaches(const struct record *rec)
{
	return (rec->state == TASK_COMPLETED || rec->state == TASK_WARNED) &&
	       rec->attempt.number == 1 && rec->type && strcmp(rec->type, "command") != 0;
}

/* One that was already done says nothing about how long it takes. */
static int
add_step(struct history *history, const struct record_step *from)
{
	struct history_step *step = list_add((struct list *)&history->steps, &history_step_codec);
	struct past_run *run;

	if (!step || str_set(&step->name, from->name) < 0)
		return -ENOMEM;
	if (from->state != STEP_DONE || from->ended_ms < from->started_ms)
		return 0;
	run = list_add((struct list *)&step->runs, &past_run_codec);
	if (!run)
		return -ENOMEM;
	run->took_ms = from->ended_ms - from->started_ms;
	run->took_ms += run->took_ms == 0; /* 0 is unknown */
	run->lines = from->lines;
	return 0;
}

void
learn_from(struct change *change)
{
	const struct record *rec = &change->task->rec;
	struct history history;
	int r;

	if (!teaches(rec))
		return;
	codec_init(&history_codec, &history);
	history.ended_ms = rec->ended_ms;
	r = str_set(&history.type, rec->type);
	for (size_t i = 0; r == 0 && i < rec->steps.n; i++)
		r = add_step(&history, &rec->steps.v[i]);
	if (r == 0)
		r = store_batch_add_run(change->commit.batch, &history);
	if (r < 0)
		log_warn("task %llu: nothing is learned from it: %s", (unsigned long long)rec->id,
		    strerror(-r));
	codec_free(&history_codec, &history);
}
