#include "supervisor/cli/doc.h"

#include "ipc/client.h"
#include "supervisor/cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	NAME_MAX_BYTES = 64
};

struct span
doc_span(const msgpack_object *map, const char *key)
{
	const msgpack_object *value = mp_get(map, key);

	if (value && value->type == MSGPACK_OBJECT_STR)
		return (struct span){ value->via.str.ptr, value->via.str.size };
	if (value && value->type == MSGPACK_OBJECT_BIN)
		return (struct span){ value->via.bin.ptr, value->via.bin.size };
	return span_of(NULL);
}

uint64_t
doc_uint(const msgpack_object *map, const char *key)
{
	return mp_uint(mp_get(map, key), 0);
}

double
doc_double(const msgpack_object *map, const char *key)
{
	return mp_double(mp_get(map, key), NAN);
}

/* A short string as C wants it; false when it is none or too long. */
static bool
copy(const msgpack_object *map, const char *key, char text[static NAME_MAX_BYTES])
{
	struct span span = doc_span(map, key);

	if (span.len == 0 || span.len >= NAME_MAX_BYTES)
		return false;
	memcpy(text, span.text, span.len);
	text[span.len] = '\0';
	return true;
}

uint64_t
doc_time_ms(const msgpack_object *map, const char *key)
{
	char text[NAME_MAX_BYTES];
	uint64_t ms = 0;
	struct tm tm = { 0 };
	const char *rest;
	time_t seconds;

	if (!copy(map, key, text))
		return 0;
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	seconds = rest ? timegm(&tm) : -1;
	if (seconds < 0)
		return 0;
	/* As clock_format() writes it: milliseconds, Z. */
	if (rest[0] == '.' && strspn(rest + 1, "0123456789") == 3)
		ms = strtoull(rest + 1, NULL, 10);
	return (uint64_t)seconds * 1000 + ms;
}

size_t
doc_count(const msgpack_object *list)
{
	return list && list->type == MSGPACK_OBJECT_ARRAY ? list->via.array.size : 0;
}

const msgpack_object *
doc_at(const msgpack_object *list, size_t i)
{
	return i < doc_count(list) ? &list->via.array.ptr[i] : NULL;
}

enum task_state
doc_state(const msgpack_object *task)
{
	char text[NAME_MAX_BYTES];

	return copy(task, "status", text) ? task_state_parse(text) : 0;
}

enum step_state
doc_step_state(const msgpack_object *step)
{
	for (int state = 1; state < STEP_STATE_MAX; state++)
		if (mp_str_is(mp_get(step, "status"), step_state_name((enum step_state)state)))
			return (enum step_state)state;
	return 0;
}

bool
doc_is_ended(const msgpack_object *task)
{
	return task_state_is_end(doc_state(task));
}

int
doc_exit_status(const msgpack_object *task, bool is_strict)
{
	enum task_state state = doc_state(task);

	if (state == TASK_COMPLETED)
		return EXIT_OK;
	if (state == TASK_WARNED)
		return is_strict ? EXIT_WARNINGS : EXIT_OK;
	if (state == TASK_CANCELLED)
		return EXIT_CANCELLED;
	return state == TASK_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_FAILED;
}

uint64_t
doc_duration_ms(const msgpack_object *map, uint64_t now_ms)
{
	uint64_t begun_ms = doc_time_ms(map, "started_at"), ended_ms = doc_time_ms(map, "ended_at");

	if (begun_ms == 0)
		return 0;
	if (ended_ms == 0)
		ended_ms = now_ms;
	return ended_ms > begun_ms ? ended_ms - begun_ms : 0;
}

char *
doc_ago(uint64_t then_ms, uint64_t now_ms, char text[static TEXT_NUMBER])
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	uint64_t seconds = now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0;

	snprintf(text, TEXT_NUMBER, "now");
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (seconds >= units[i].seconds) {
			snprintf(text, TEXT_NUMBER, "%llu %s ago",
			    (unsigned long long)(seconds / units[i].seconds), units[i].unit);
			break;
		}
	return text;
}

void
doc_copy_init(struct doc_copy *copy)
{
	*copy = (struct doc_copy){ .is_set = false };
	buf_init(&copy->bytes, client_limits.max_bytes);
}

static void
doc_copy_clear(struct doc_copy *copy)
{
	if (copy->is_set)
		mp_free(&copy->doc);
	copy->is_set = false;
	buf_clear(&copy->bytes);
}

void
doc_copy_fini(struct doc_copy *copy)
{
	doc_copy_clear(copy);
	buf_fini(&copy->bytes);
}

int
doc_copy_set(struct doc_copy *copy, const msgpack_object *task)
{
	msgpack_packer packer;
	int r;

	doc_copy_clear(copy);
	buf_packer(&copy->bytes, &packer);
	msgpack_pack_object(&packer, *task);
	r = buf_error(&copy->bytes);
	if (r == 0)
		r = mp_parse(&copy->doc, copy->bytes.data, copy->bytes.len, &client_limits);
	copy->is_set = r == 0;
	return r;
}

const msgpack_object *
doc_copy_get(const struct doc_copy *copy)
{
	return copy->is_set ? &copy->doc.root : NULL;
}

struct doc_mark
doc_state_mark(enum task_state state)
{
	/* clang-format off */
	static const struct doc_mark marks[TASK_STATE_MAX] = {
		[TASK_QUEUED]      = { "○", ".", STYLE_DIM },
		[TASK_STARTING]    = { "●", "*", STYLE_CYAN },
		[TASK_RUNNING]     = { "●", "*", STYLE_CYAN },
		[TASK_WAITING]     = { "?", "?", STYLE_YELLOW },
		[TASK_PAUSED]      = { "◌", "=", STYLE_YELLOW },
		[TASK_RETRYING]    = { "↻", "~", STYLE_YELLOW },
		[TASK_CANCELLING]  = { "◍", "-", STYLE_YELLOW },
		[TASK_UNDOING]     = { "↶", "<", STYLE_YELLOW },
		[TASK_COMPLETED]   = { "✓", "+", STYLE_GREEN },
		[TASK_WARNED]      = { "✓", "!", STYLE_YELLOW },
		[TASK_FAILED]      = { "✗", "x", STYLE_RED },
		[TASK_CANCELLED]   = { "⊘", "-", STYLE_YELLOW },
		[TASK_INTERRUPTED] = { "✗", "x", STYLE_YELLOW },
	};
	/* clang-format on */

	if (state > 0 && state < TASK_STATE_MAX)
		return marks[state];
	return (struct doc_mark){ "?", "?", STYLE_PLAIN };
}

struct doc_mark
doc_step_mark(enum step_state state)
{
	/* clang-format off */
	static const struct doc_mark marks[STEP_STATE_MAX] = {
		[STEP_PENDING]      = { "○", ".", STYLE_DIM },
		[STEP_RUNNING]      = { "●", "*", STYLE_CYAN },
		[STEP_DONE]         = { "✓", "+", STYLE_GREEN },
		[STEP_ALREADY_DONE] = { "✓", "+", STYLE_GREEN },
		[STEP_SKIPPED]      = { "○", ".", STYLE_DIM },
		[STEP_FAILED]       = { "✗", "x", STYLE_RED },
		[STEP_UNDONE]       = { "↶", "<", STYLE_YELLOW },
		[STEP_CANCELLED]    = { "⊘", "-", STYLE_YELLOW },
	};
	/* clang-format on */

	if (state > 0 && state < STEP_STATE_MAX)
		return marks[state];
	return (struct doc_mark){ "?", "?", STYLE_PLAIN };
}

const char *
doc_mark_text(const struct term *term, struct doc_mark mark)
{
	return term->has_utf8 ? mark.utf8 : mark.ascii;
}
