#include "store/dump.h"

#include "ipc/clock.h"

static int
dump_task(uint64_t id, const uint8_t *row, size_t len, void *arg)
{
	struct record record;

	if (codec_decode(&record_codec, row, len, &record, NULL) < 0) {
		fprintf(arg, "task %llu: cannot be decoded\n", (unsigned long long)id);
		return 0;
	}
	fprintf(arg, "task %llu: %s %s \"%s\" attempt %llu cursor %llu want %d error %s\n",
	    (unsigned long long)id, task_state_name(record.state), record.type ? record.type : "-",
	    record.title ? record.title : "-", (unsigned long long)record.attempt.number,
	    (unsigned long long)record.attempt.cursor, (int)record.want,
	    record.error.code ? record.error.code : "-");
	for (size_t i = 0; i < record.steps.n; i++)
		fprintf(arg, "  step %zu %s: %s\n", i + 1,
		    record.steps.v[i].name ? record.steps.v[i].name : "-",
		    step_state_name(record.steps.v[i].state));
	codec_free(&record_codec, &record);
	return 0;
}

static int
dump_event(uint64_t seq, const uint8_t *bytes, size_t len, void *arg)
{
	char text[CLOCK_TEXT];
	struct fact event;

	if (codec_decode(&fact_codec, bytes, len, &event, NULL) < 0) {
		fprintf(arg, "event %llu: cannot be decoded\n", (unsigned long long)seq);
		return 0;
	}
	fprintf(arg, "event %llu: %s task %llu.%llu %s step %llu %s%s\n", (unsigned long long)seq,
	    clock_format(event.ts_ms, text), (unsigned long long)event.task,
	    (unsigned long long)event.attempt, fact_kind_name(event.kind),
	    (unsigned long long)event.step, event.state ? step_state_name(event.state) : "",
	    event.outcome ? task_state_name(event.outcome) : "");
	codec_free(&fact_codec, &event);
	return 0;
}

void
store_dump(FILE *out, struct store *store)
{
	struct store_page page = { .owner_uid = UINT64_MAX, .max_rows = 1000 };

	do
		store_each_task(store, &page, dump_task, out, &page.before_id);
	while (page.before_id > 0);
	store_each_event(store, 0, 0, SIZE_MAX, dump_event, out);
}
