#include "supervisor/cli/story.h"

#include "ipc/clock.h"
#include "supervisor/cli/picture.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	KEY_COLUMN = 12,
	MOMENT_TEXT = 64
};

static void
put_key(struct line *line, const char *key)
{
	line_add(line, STYLE_DIM, "  %s", key);
	line_pad(line, KEY_COLUMN);
}

static void
put_field(struct buf *out, const struct term *term, const char *key, struct span value)
{
	struct line line;

	if (value.len == 0)
		return;
	line_begin(&line, out, term);
	put_key(&line, key);
	line_put(&line, STYLE_PLAIN, value);
	line_end(&line);
}

/* Local time, as clocks on walls have it. */
static char *
moment(uint64_t wall_ms, char text[static MOMENT_TEXT])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    strftime(text, MOMENT_TEXT, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(text, MOMENT_TEXT, "?");
	return text;
}

static void
put_moment(
    struct buf *out, const struct term *term, const char *key, uint64_t wall_ms, uint64_t now_ms)
{
	char when[MOMENT_TEXT], ago[TEXT_NUMBER];
	struct line line;

	if (wall_ms == 0)
		return;
	line_begin(&line, out, term);
	put_key(&line, key);
	line_add(&line, STYLE_PLAIN, "%s", moment(wall_ms, when));
	if (wall_ms <= now_ms)
		line_add(&line, STYLE_DIM, "  %s", doc_ago(wall_ms, now_ms, ago));
	line_end(&line);
}

static void
put_owner(struct buf *out, const struct term *term, const msgpack_object *task)
{
	uint64_t joined = doc_uint(task, "joined");
	struct line line;

	line_begin(&line, out, term);
	put_key(&line, "owner");
	line_put(&line, STYLE_PLAIN, doc_span(task, "owner"));
	if (joined > 1)
		line_add(
		    &line, STYLE_DIM, ", and %llu more who joined", (unsigned long long)joined - 1);
	line_end(&line);
}

/* A map's pairs, each `name = value` on its line behind KEY. */
static void
put_pairs(struct buf *out, const struct term *term, const char *key, const char *prefix,
    const msgpack_object *map)
{
	if (!map || map->type != MSGPACK_OBJECT_MAP)
		return;
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *pair = &map->via.map.ptr[i];
		struct line line;

		if (pair->key.type != MSGPACK_OBJECT_STR || pair->val.type != MSGPACK_OBJECT_STR)
			continue;
		line_begin(&line, out, term);
		put_key(&line, key);
		line_put(&line, STYLE_PLAIN, span_of(prefix));
		line_put(&line, STYLE_PLAIN,
		    (struct span){ pair->key.via.str.ptr, pair->key.via.str.size });
		line_add(&line, STYLE_DIM, " = ");
		line_put(&line, STYLE_PLAIN,
		    (struct span){ pair->val.via.str.ptr, pair->val.via.str.size });
		line_end(&line);
	}
}

/* Outputs stand below the step that set them. */
static void
put_outputs(struct buf *out, const struct term *term, const msgpack_object *outputs)
{
	if (!outputs || outputs->type != MSGPACK_OBJECT_MAP)
		return;
	for (uint32_t i = 0; i < outputs->via.map.size; i++) {
		const msgpack_object_kv *step = &outputs->via.map.ptr[i];
		char prefix[LIMIT_NAME + 2];

		if (step->key.type != MSGPACK_OBJECT_STR)
			continue;
		snprintf(prefix, sizeof prefix, "%.*s.", (int)step->key.via.str.size,
		    step->key.via.str.ptr);
		put_pairs(out, term, "output", prefix, &step->val);
	}
}

static void
put_interruptions(struct buf *out, const struct term *term, const msgpack_object *list)
{
	for (size_t i = 0; i < doc_count(list); i++) {
		const msgpack_object *interruption = doc_at(list, i);
		char when[MOMENT_TEXT];
		struct line line;

		line_begin(&line, out, term);
		put_key(&line, "interrupted");
		line_add(&line, STYLE_PLAIN,
		    " %s  attempt %llu: ", moment(doc_time_ms(interruption, "ts"), when),
		    (unsigned long long)doc_uint(interruption, "attempt"));
		line_put(&line, STYLE_PLAIN, doc_span(interruption, "message"));
		line_end(&line);
	}
}

/* What the document was too small for; each of them is among the events. */
static void
put_left_out(struct buf *out, const struct term *term, const msgpack_object *task)
{
	const msgpack_object *left_out = mp_get(task, "left_out");
	const char *gap = "";
	struct line line;

	if (!left_out || left_out->type != MSGPACK_OBJECT_MAP)
		return;
	line_begin(&line, out, term);
	put_key(&line, "left out");
	for (uint32_t i = 0; i < left_out->via.map.size; i++) {
		const msgpack_object_kv *pair = &left_out->via.map.ptr[i];
		uint64_t n = mp_uint(&pair->val, 0);

		if (n == 0 || pair->key.type != MSGPACK_OBJECT_STR)
			continue;
		line_add(&line, STYLE_YELLOW, "%s%llu ", gap, (unsigned long long)n);
		line_put(&line, STYLE_YELLOW,
		    (struct span){ pair->key.via.str.ptr, pair->key.via.str.size });
		gap = ", ";
	}
	line_end(&line);
}

/* What can be done while it goes on. */
static void
put_next(struct buf *out, const struct term *term, const msgpack_object *task)
{
	const msgpack_object *can = mp_get(task, "can");
	uint64_t id = doc_uint(task, "id");
	struct line line;

	if (doc_uint(mp_get(task, "blocked_on"), "holder") > 0)
		story_hint(out, term, "show", doc_uint(mp_get(task, "blocked_on"), "holder"),
		    "tells about the one before it");
	story_hint(out, term, "watch", id, "follows it");
	story_hint(out, term, "logs -f", id, "follows what it writes");
	if (!mp_str_is(mp_get(can, "cancel"), "never"))
		story_hint(out, term, "cancel", id,
		    mp_str_is(mp_get(can, "cancel"), "after") ? "stops it after the current step"
							      : "stops it");
	else if (doc_state(task) == TASK_UNDOING)
		story_hint(
		    out, term, "cancel --force", id, "stops the undoing (administrators only)");
	if (mp_str_is(mp_get(mp_get(task, "blocked_on"), "kind"), "stall")) {
		char clock[PICTURE_CLOCK];

		text_add(out,
		    "  No progress, output, CPU time or I/O since %s. It is left alone;\n"
		    "  `stall_after` in its recipe says after how long this is told.\n",
		    picture_clock(doc_time_ms(mp_get(task, "blocked_on"), "since"), clock));
	}
	if (doc_span(can, "reason").len == 0)
		return;
	line_begin(&line, out, term);
	line_add(&line, STYLE_DIM, "  ");
	line_put(&line, STYLE_DIM, doc_span(can, "reason"));
	line_end(&line);
}

void
story_all(struct buf *out, const struct term *term, const msgpack_object *task, uint64_t now_ms,
    bool wrote)
{
	/* All steps, however many, and no spinner that stands still. */
	struct term whole = *term;
	struct picture picture = { .term = &whole, .now_ms = now_ms, .has_times = true };

	whole.rows = 0;
	picture_draw(out, &picture, task);
	text_add(out, "\n");
	put_field(out, term, "type", doc_span(task, "type"));
	put_field(out, term, "scope", doc_span(task, "scope"));
	put_owner(out, term, task);
	put_pairs(out, term, "label", "", mp_get(task, "labels"));
	put_moment(out, term, "created", doc_time_ms(task, "created_at"), now_ms);
	put_moment(out, term, "started", doc_time_ms(task, "started_at"), now_ms);
	put_moment(out, term, "ended", doc_time_ms(task, "ended_at"), now_ms);
	put_interruptions(out, term, mp_get(task, "interruptions"));
	put_outputs(out, term, mp_get(task, "outputs"));
	put_left_out(out, term, task);
	if (doc_is_ended(task) && mp_bool(mp_get(task, "keep"), false))
		put_field(out, term, "kept", span_of("until you say otherwise"));
	else
		put_moment(out, term, "kept to", doc_time_ms(task, "expires_at"), now_ms);
	text_add(out, "\n");
	if (doc_is_ended(task))
		story_end(out, term, task, wrote);
	else
		put_next(out, term, task);
}
