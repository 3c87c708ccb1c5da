#include "supervisor/cli/asker.h"

#include "ipc/question.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = LIMIT_ANSWER + 2,
	OUT_MAX = 8 * 1024
};

int
answer_pack(struct answer_call *call, struct session *session, struct request *request)
{
	int r = client_draw_token(call->token);
	msgpack_packer *params = &request->params;

	if (r < 0) {
		complain(NULL, "no random bytes: %s", strerror(-r));
		return EXIT_FAILED;
	}
	session_begin(session, request, "answer", call->question.len > 0 ? 5 : 4);
	pack_kv_uint(params, "id", call->id);
	pack_kv_str(params, "answer", call->yes ? "yes" : "no");
	pack_str(params, "token");
	msgpack_pack_bin(params, sizeof call->token);
	msgpack_pack_bin_body(params, call->token, sizeof call->token);
	if (call->question.len > 0) {
		pack_str(params, "question");
		msgpack_pack_str(params, call->question.len);
		msgpack_pack_str_body(params, call->question.text, call->question.len);
	}
	pack_str(params, "fields");
	msgpack_pack_map(params, call->yes ? call->fields->n : 0);
	for (size_t i = 0; call->yes && i < call->fields->n; i++)
		pack_kv_str(params, call->fields->v[i].name, call->fields->v[i].value);
	return 0;
}

void
asker_init(struct asker *asker, struct follow *follow, const struct term *term)
{
	*asker = (struct asker){ .follow = follow, .term = term };
	ask_init(&asker->ask, term);
}

void
asker_fini(struct asker *asker)
{
	ask_fini(&asker->ask);
}

static bool
is_same(struct span a, struct span b)
{
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* Somebody else was quicker: what he said stands beside the step. */
static void
tell_gone(const struct asker *asker, const msgpack_object *task)
{
	const msgpack_object *question = doc_copy_get(&asker->ask.question);
	uint64_t step = doc_uint(question, "step");
	struct span detail =
	    doc_span(doc_at(mp_get(task, "steps"), step > 0 ? step - 1 : 0), "detail");
	struct line line;
	struct buf out;

	buf_init(&out, OUT_MAX);
	text_add(&out, "\n");
	line_begin(&line, &out, asker->term);
	line_add(&line, STYLE_YELLOW, "  no answer is needed any more");
	if (detail.len > 0) {
		line_add(&line, STYLE_YELLOW, ": ");
		line_put(&line, STYLE_YELLOW, detail);
	}
	line_end(&line);
	(void)emit(asker->term, &out, 0);
	buf_fini(&out);
}

void
asker_look(struct asker *asker, const msgpack_object *task)
{
	const msgpack_object *question = mp_get(task, "question");
	struct span id = doc_span(question, "id");
	bool is_open = id.len > 0 && mp_bool(mp_get(mp_get(task, "can"), "answer"), false);

	asker->id = doc_uint(task, "id");
	if (asker->ask.state == ASK_READY)
		return; /* ours is under way: the service says what became of it */
	if (asker->ask.state != ASK_NOTHING && !is_same(id, ask_id(&asker->ask))) {
		tell_gone(asker, task);
		ask_end(&asker->ask);
	}
	if (asker->ask.state == ASK_NOTHING && is_open && !asker->is_answered && !asker->is_deaf)
		ask_begin(&asker->ask, asker->id, question);
	asker->is_answered = asker->is_answered && is_open;
}

void
asker_input(struct asker *asker)
{
	char line[LINE_MAX_BYTES];
	ssize_t n = ask_read(line, sizeof line);

	if (n == -EINTR || n == -EAGAIN)
		return;
	asker->is_deaf = asker->is_deaf || n < 0;
	if (n < 0)
		ask_end(&asker->ask);
	else
		ask_line(&asker->ask, line);
	explicit_bzero(line, sizeof line);
}

/* Refused for a field, that is asked for again; for anything else there is nothing to ask. */
static void
take_refusal(struct asker *asker, const struct client_reply *reply)
{
	char *field = mp_str_dup(mp_get(&reply->body, "field"));

	asker->status = session_refused(reply);
	if (!field || !ask_again(&asker->ask, field))
		ask_end(&asker->ask);
	free(field);
}

static void
send_answer(struct asker *asker)
{
	struct answer_call call = { .id = asker->id,
		.question = ask_id(&asker->ask),
		.yes = asker->ask.yes,
		.fields = &asker->ask.fields };
	struct client_reply reply;
	struct request request;
	int r;

	asker->status = answer_pack(&call, asker->follow->session, &request);
	if (asker->status != 0) {
		ask_end(&asker->ask);
		return;
	}
	r = follow_call(asker->follow, &request, &reply);
	if (r == -EINTR)
		return; /* the signal first; then it is sent again */
	if (r != 0)
		asker->status = session_lost(asker->follow->session, r);
	else if (reply.is_error)
		take_refusal(asker, &reply);
	else
		asker->is_answered = true;
	if (r != 0 || !reply.is_error)
		ask_end(&asker->ask);
	if (r == 0)
		client_reply_fini(&reply);
}

bool
asker_tick(struct asker *asker)
{
	if (asker->ask.state == ASK_READY)
		send_answer(asker);
	asker->follow->wants_input = asker->ask.state == ASK_WORD || asker->ask.state == ASK_FIELD;
	return asker->ask.state != ASK_NOTHING;
}
