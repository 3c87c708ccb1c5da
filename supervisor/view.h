/*
 * supervisor/view.h - a task's document and an event's, as clients see them. Pure.
 *
 * Keys and meaning: ipc/task.schema.json. Every key is always there.
 */
#ifndef SUPERVISOR_VIEW_H
#define SUPERVISOR_VIEW_H

#include "store/record.h"

/* Why it does not move. */
struct blocked {
	enum block_kind kind; /* 0: it is not blocked */
	uint64_t holder;      /* task id, or 0 */
	const char *text;     /* instead of a holder: static or borrowed; NULL */
	uint64_t since_ms;
};

/* What is known beside the committed row. */
struct view_live {
	const struct news *news; /* NULL: none in this attempt */
	uint64_t news_age_ms;    /* since they came: the time left has gone on */
	const char *pending;     /* "cancelling" before that is committed; NULL */
	struct blocked blocked;
	uint64_t now_ms;
};

/* Less than LIMIT_RPC less LIMIT_FRAME bytes: what is long is left out behind its first items, and
 * counted. */
void view_task(msgpack_packer *out, const struct record *record, const struct view_live *live);

/* {seq is not part of it} event, ts, task, attempt and the fields the kind uses. */
void view_event(msgpack_packer *out, const struct fact *event);

/* "event", ts, task, ...: an event that is news. */
void view_news_event(
    msgpack_packer *out, const struct record *record, const struct news *news, uint64_t now_ms);

#endif
