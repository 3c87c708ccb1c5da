#include "tests/chaos/chaos.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_TOLD = 40,
	LINE = 128,
	MAX_ATTEMPTS = 100
};

struct judging {
	struct chaos *chaos;
	unsigned violations;
	uint64_t facts, unknown, shot;
};

__attribute__((format(printf, 2, 3))) static void
accuse(struct judging *judging, const char *format, ...)
{
	va_list args;

	if (judging->violations++ >= MAX_TOLD)
		return;
	va_start(args, format);
	fputs("VIOLATION: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* Facts of one attempt, each as `kind step sub count`, in order. */
struct facts {
	char (*lines)[LINE];
	size_t n;
	bool last_is_open; /* begun, and perhaps in the journal, perhaps not */
};

static void
add_line(struct facts *facts, const char *line)
{
	if (facts->n % 64 == 0)
		facts->lines = reallocarray(facts->lines, facts->n + 64, LINE);
	if (!facts->lines)
		abort();
	snprintf(facts->lines[facts->n++], LINE, "%s", line);
}

/* What the worker wrote down itself, beside its journal: `MARK seq kind step sub count crc`. */
static void
read_oracle(const struct chaos *chaos, uint64_t id, uint64_t attempt, struct facts *facts)
{
	char path[160], line[256], kind[64], text[LINE];
	unsigned long long seq, step, sub, count;
	char mark;
	FILE *file;

	snprintf(path, sizeof path, "%s/%llu.%llu", chaos->oracle, (unsigned long long)id,
	    (unsigned long long)attempt);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "%c %llu %63s %llu %llu %llu", &mark, &seq, kind, &step, &sub,
			&count) != 6)
			continue;
		facts->last_is_open = mark == '>';
		if (mark != '>')
			continue;
		snprintf(text, sizeof text, "%s %llu %llu %llu", kind, step, sub, count);
		add_line(facts, text);
	}
	if (file)
		fclose(file);
}

/* ---- what the service says ------------------------------------------------------------ */

struct page_request {
	uint64_t id, after;
};

static void
pack_events(msgpack_packer *packer, void *arg)
{
	const struct page_request *page = arg;

	msgpack_pack_map(packer, 2);
	pack_kv_uint(packer, "id", page->id);
	pack_kv_uint(packer, "after", page->after);
}

static void
pack_show(msgpack_packer *packer, void *arg)
{
	msgpack_pack_map(packer, 1);
	pack_kv_uint(packer, "id", *(uint64_t *)arg);
}

/* The supervisor's own events are in no journal. */
static bool
is_of_worker(const char *kind)
{
	static const char *const own[] = { "submitted", "joined", "left", "started", "cancelling",
		"interrupted", "retrying", "kept", "ended", "never_ran" };

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strcmp(kind, own[i]) == 0)
			return false;
	return true;
}

struct history {
	struct facts attempts[MAX_ATTEMPTS + 1];
	uint64_t last_seq;
};

static void
take_event(struct judging *judging, const msgpack_object *pair, struct history *history)
{
	const msgpack_object *event;
	uint64_t seq, attempt;
	char text[LINE], *kind;

	if (pair->type != MSGPACK_OBJECT_ARRAY || pair->via.array.size != 2)
		return;
	seq = mp_uint(&pair->via.array.ptr[0], 0);
	event = &pair->via.array.ptr[1];
	if (seq <= history->last_seq)
		accuse(judging, "event %llu comes after event %llu", (unsigned long long)seq,
		    (unsigned long long)history->last_seq);
	history->last_seq = seq;
	kind = mp_str_dup(mp_get(event, "event"));
	attempt = mp_uint(mp_get(event, "attempt"), 0);
	if (kind && is_of_worker(kind) && attempt > 0 && attempt <= MAX_ATTEMPTS) {
		snprintf(text, sizeof text, "%s %llu %llu %llu", kind,
		    (unsigned long long)mp_uint(mp_get(event, "step"), 0),
		    (unsigned long long)mp_uint(mp_get(event, "sub"), 0),
		    (unsigned long long)mp_uint(mp_get(event, "count"), 0));
		add_line(&history->attempts[attempt], text);
		judging->facts++;
	}
	free(kind);
}

static void
read_events(struct judging *judging, uint64_t id, struct history *history)
{
	struct page_request page = { .id = id };
	struct client_reply reply;
	bool more = true;

	while (more) {
		const msgpack_object *events;

		if (!desk_call(judging->chaos, "events", pack_events, &page, -1, &reply)) {
			accuse(judging, "task %llu has no events", (unsigned long long)id);
			return;
		}
		events = mp_get(&reply.body, "events");
		for (uint32_t i = 0; events && i < events->via.array.size; i++)
			take_event(judging, &events->via.array.ptr[i], history);
		page.after = history->last_seq;
		more = mp_bool(mp_get(&reply.body, "more"), false);
		client_reply_fini(&reply);
	}
}

/* ---- the comparison ---------------------------------------------------------------------- */

static void
compare(struct judging *judging, uint64_t id, uint64_t attempt, const struct facts *ours,
    const struct facts *told)
{
	size_t required = ours->n - (ours->last_is_open && ours->n > 0);

	for (size_t i = 0; i < told->n && i < ours->n; i++)
		if (strcmp(ours->lines[i], told->lines[i]) != 0) {
			accuse(judging, "task %llu.%llu fact %zu: \"%s\" was told as \"%s\"",
			    (unsigned long long)id, (unsigned long long)attempt, i + 1,
			    ours->lines[i], told->lines[i]);
			return;
		}
	if (told->n < required || told->n > ours->n)
		accuse(judging, "task %llu.%llu: %zu facts were written, %zu told",
		    (unsigned long long)id, (unsigned long long)attempt, ours->n, told->n);
}

static bool
has_status(const msgpack_object *doc, bool failed)
{
	const msgpack_object *status = mp_get(doc, "status");

	if (failed)
		return mp_str_is(status, "failed");
	return mp_str_is(status, "completed") || mp_str_is(status, "completed_with_warnings");
}

static void
judge_exit(struct judging *judging, uint64_t id, const msgpack_object *doc)
{
	const struct chaos *chaos = judging->chaos;
	const struct plan *plan = &chaos->plans[id];
	const msgpack_object *steps = mp_get(doc, "steps"), *ended = NULL;
	int code, signal;

	if (plan->worker_was_shot) {
		judging->shot++;
		return; /* any honest end will do; that it has one was waited for */
	}
	if (mp_str_is(mp_get(doc, "status"), "interrupted") && chaos->keeper_died) {
		judging->unknown++;
		return;
	}
	if (!has_status(doc, plan->code || plan->signal)) {
		accuse(judging, "task %llu should have %s", (unsigned long long)id,
		    plan->code || plan->signal ? "failed" : "completed");
		return;
	}
	if (steps && steps->type == MSGPACK_OBJECT_ARRAY && steps->via.array.size == 1)
		ended = mp_get(&steps->via.array.ptr[0], "exit");
	code = (int)mp_uint(mp_get(ended, "code"), 0);
	signal = (int)mp_uint(mp_get(ended, "signal"), 0);
	if (code != plan->code || signal != plan->signal)
		accuse(judging, "task %llu ended with %d/%d, told as %d/%d", (unsigned long long)id,
		    plan->code, plan->signal, code, signal);
}

static void
judge_task(struct judging *judging, uint64_t id)
{
	struct client_reply reply;
	struct history *history = calloc(1, sizeof *history);
	uint64_t attempts;

	if (!history)
		abort();
	if (!desk_call(judging->chaos, "show", pack_show, &id, -1, &reply)) {
		accuse(judging, "task %llu was accepted and is not there", (unsigned long long)id);
		free(history);
		return;
	}
	judge_exit(judging, id, &reply.body);
	attempts = mp_uint(mp_get(&reply.body, "attempt"), 0);
	client_reply_fini(&reply);
	read_events(judging, id, history);
	for (uint64_t attempt = 1; attempt <= attempts && attempt <= MAX_ATTEMPTS; attempt++) {
		struct facts ours = { 0 };

		read_oracle(judging->chaos, id, attempt, &ours);
		compare(judging, id, attempt, &ours, &history->attempts[attempt]);
		free(ours.lines);
	}
	for (size_t i = 0; i <= MAX_ATTEMPTS; i++)
		free(history->attempts[i].lines);
	free(history);
}

/* Each line of the steps' own record is one run of a step: `task attempt pid`. */
static void
judge_runs(struct judging *judging)
{
	static unsigned char runs[MAX_TASKS][4];
	unsigned long long id, attempt;
	FILE *file = fopen(judging->chaos->record, "re");
	char line[128];

	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "%llu %llu", &id, &attempt) != 2 || id >= MAX_TASKS ||
		    attempt >= 4)
			continue;
		if (++runs[id][attempt] == 2)
			accuse(judging, "task %llu.%llu was run twice", id, attempt);
	}
	if (file)
		fclose(file);
}

unsigned
judge(struct chaos *chaos)
{
	struct judging judging = { .chaos = chaos };

	for (uint64_t id = 1; id <= chaos->last_id; id++)
		if (chaos->plans[id].is_known)
			judge_task(&judging, id);
		else
			accuse(&judging, "nobody asked for task %llu", (unsigned long long)id);
	judge_runs(&judging);
	printf("%llu tasks, %llu facts compared; %llu whose worker was shot, %llu ends unknown\n",
	    (unsigned long long)chaos->last_id, (unsigned long long)judging.facts,
	    (unsigned long long)judging.shot, (unsigned long long)judging.unknown);
	return judging.violations;
}
