#include "supervisor/cli/logread.h"

#include "supervisor/cli/doc.h"

#include <string.h>

void
logread_init(struct logread *logread, struct session *session, uint64_t id)
{
	*logread = (struct logread){ .session = session, .id = id };
	for (size_t i = 0; i < LOGREAD_STREAMS; i++)
		buf_init(&logread->parts[i], LOGREAD_LINE_MAX);
}

void
logread_fini(struct logread *logread)
{
	for (size_t i = 0; i < LOGREAD_STREAMS; i++)
		buf_fini(&logread->parts[i]);
}

static struct buf *
part_of(struct logread *logread, struct span stream)
{
	if (stream.len == 6 && memcmp(stream.text, "stdout", 6) == 0)
		return &logread->parts[0];
	if (stream.len == 6 && memcmp(stream.text, "stderr", 6) == 0)
		return &logread->parts[1];
	return &logread->parts[2];
}

/* One entry is a line or a piece of one. */
static int
take_entry(struct logread *logread, const msgpack_object *entry, logread_fn fn, void *arg)
{
	struct logread_line line = { .ts_ms = doc_uint(entry, "ts"),
		.step = doc_uint(entry, "step"),
		.stream = doc_span(entry, "stream"),
		.text = doc_span(entry, "text") };
	bool has_more = mp_bool(mp_get(entry, "more"), false);
	struct buf *part = part_of(logread, line.stream);
	bool has_room = part->len + line.text.len < LOGREAD_LINE_MAX;
	int r;

	if (has_more && has_room)
		return buf_add(part, line.text.text, line.text.len);
	if (part->len == 0)
		return fn(&line, arg);
	if (!has_room) {
		struct logread_line piece = line;

		piece.text = (struct span){ (const char *)part->data, part->len };
		r = fn(&piece, arg);
		buf_clear(part);
		return r != 0 ? r : take_entry(logread, entry, fn, arg);
	}
	buf_add(part, line.text.text, line.text.len);
	line.text = (struct span){ (const char *)part->data, part->len };
	r = fn(&line, arg);
	buf_clear(part);
	return r;
}

static int
take_piece(struct logread *logread, const msgpack_object *piece, logread_fn fn, void *arg)
{
	const msgpack_object *entries = mp_get(piece, "entries");
	uint64_t attempt = doc_uint(piece, "attempt");
	int status = 0;

	logread->is_live = mp_bool(mp_get(piece, "live"), false);
	if (logread->attempt != 0 && attempt != logread->attempt) {
		logread->attempt = attempt;
		logread->offset = 0;
		logread->is_at_end = false;
		return 0;
	}
	logread->attempt = attempt;
	logread->dropped = doc_uint(piece, "dropped");
	logread->is_at_end = mp_bool(mp_get(piece, "at_end"), true);
	for (size_t i = 0; i < doc_count(entries) && status == 0; i++)
		status = take_entry(logread, doc_at(entries, i), fn, arg);
	logread->offset = mp_uint(mp_get(piece, "next"), logread->offset);
	return status;
}

int
logread_next(struct logread *logread, logread_fn fn, void *arg)
{
	/* At the end of one attempt's log the latest one is asked for: it may be another. */
	bool is_latest = logread->attempt == 0 || (logread->is_at_end && !logread->is_pinned);
	struct client_reply reply;
	struct request request;
	int status;

	session_begin(logread->session, &request, "log", 4);
	pack_kv_uint(&request.params, "id", logread->id);
	pack_kv_uint(&request.params, "attempt", is_latest ? 0 : logread->attempt);
	pack_kv_uint(&request.params, "offset", logread->offset);
	pack_kv_uint(&request.params, "step", logread->step);
	status = session_ask(logread->session, &request, &reply);
	if (status != 0)
		return status;
	status = take_piece(logread, &reply.body, fn, arg);
	client_reply_fini(&reply);
	return status;
}

/* ---- its end ---------------------------------------------------------------------- */

static int
keep_line(const struct logread_line *line, void *arg)
{
	struct logread_last *last = arg;
	struct buf *text = &last->text;
	size_t len = line->text.len < LOGREAD_LAST ? line->text.len : LOGREAD_LAST;

	last->lines++;
	if (text->len + len + 1 > 2 * (size_t)LOGREAD_LAST)
		buf_consume(text, text->len > LOGREAD_LAST ? text->len - LOGREAD_LAST : 0);
	buf_add(text, line->text.text + (line->text.len - len), len);
	return buf_add(text, "\n", 1);
}

int
logread_last(struct session *session, uint64_t id, struct logread_last *ret_last)
{
	struct logread logread;
	int status = 0;

	*ret_last = (struct logread_last){ .lines = 0 };
	buf_init(&ret_last->text, 4 * (size_t)LOGREAD_LAST);
	logread_init(&logread, session, id);
	logread.is_pinned = true;
	while (status == 0 && !logread.is_at_end)
		status = logread_next(&logread, keep_line, ret_last);
	logread_fini(&logread);
	return status;
}

void
logread_last_fini(struct logread_last *last)
{
	buf_fini(&last->text);
}

bool
logread_has_some(struct session *session, uint64_t id)
{
	struct logread_last first = { .lines = 0 };
	struct logread logread;
	int status;

	buf_init(&first.text, 4 * (size_t)LOGREAD_LAST);
	logread_init(&logread, session, id);
	status = logread_next(&logread, keep_line, &first);
	logread_fini(&logread);
	logread_last_fini(&first);
	return status != 0 || first.lines > 0 || !logread.is_at_end;
}
