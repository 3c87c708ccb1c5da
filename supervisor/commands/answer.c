/* Method answer: somebody says yes or no to what a task asks. */
#include "supervisor/commands/commands.h"
#include "supervisor/inquiry.h"
#include "supervisor/roster/question.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	TOKEN_BYTES = 18 /* msgpack bin 8 of 16 bytes */
};

struct answer_params {
	uint64_t id;
	char *question, *answer;
	struct pairs fields;
	struct blob token;
};
static const struct codec_field answer_fields[] = {
	CODEC_FIELD(1, UINT, struct answer_params, id, 0),
	CODEC_FIELD(2, STR, struct answer_params, question, LIMIT_TITLE),
	CODEC_FIELD(3, STR, struct answer_params, answer, LIMIT_NAME),
	CODEC_FIELD(4, PAIRS, struct answer_params, fields, LIMIT_FIELDS),
	CODEC_FIELD(5, BLOB, struct answer_params, token, TOKEN_BYTES),
};
static const struct codec answer_params_codec = { .name = "params",
	.size = sizeof(struct answer_params),
	.fields = answer_fields,
	.nfields = sizeof answer_fields / sizeof answer_fields[0],
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

/* Until it is committed. */
struct call {
	struct request request;
	struct answer_params given;
	bool yes;
	char *by;
};

static void
call_free(struct call *call)
{
	codec_free(&answer_params_codec, &call->given);
	free(call->by);
	free(call);
}

static void
reply_answered(const struct request *request, bool yes, const char *by)
{
	msgpack_packer packer;
	struct buf out;

	reply_begin(request, &out, &packer);
	msgpack_pack_map(&packer, 2);
	pack_kv_str(&packer, "answer", yes ? "yes" : "no");
	pack_kv_str(&packer, "by", by);
	reply_end(request, &out);
}

static void
on_answered(struct task *task, int result, void *arg)
{
	struct call *call = arg;

	(void)task;
	(void)result; /* only submissions are refused */
	reply_answered(&call->request, call->yes, call->by);
	call_free(call);
}

static void
refuse(struct call *call, int r, const struct answered *answered)
{
	unsigned long long id = call->given.id;

	if (r == -ENOMEM)
		reply_error(&call->request, RPC_UNAVAILABLE, NULL, "out of memory");
	else if (r == -EINVAL)
		reply_error(&call->request, RPC_INVALID, answered->field, "task %llu: %s", id,
		    answered->problem);
	else if (r == -ENOBUFS)
		reply_error(
		    &call->request, RPC_UNAVAILABLE, NULL, "task %llu: %s", id, answered->problem);
	else if (r == -EALREADY)
		reply_error(
		    &call->request, RPC_CONFLICT, NULL, "task %llu: %s", id, answered->problem);
	else
		reply_error(&call->request, RPC_REFUSED, NULL, "task %llu asks nothing", id);
	call_free(call);
}

static void
answer_named(const struct person *person, void *arg)
{
	struct call *call = arg;
	struct task *task = roster_find(&call->request.supervisor->roster, call->given.id);
	struct answering answering = { .question = call->given.question };
	struct answered answered = { .field = NULL };
	char name[LIMIT_NAME];
	int r = -ENOENT;

	person_name(person, call->request.uid, name, sizeof name);
	codec_init(&answer_codec, &answering.answer);
	answering.answer.yes = call->yes;
	answering.answer.fields = call->given.fields;
	answering.answer.token = call->given.token;
	call->given.fields = (struct pairs){ .v = NULL };
	call->given.token = (struct blob){ .data = NULL };
	if (str_set(&answering.answer.by, name) < 0 || str_set(&call->by, name) < 0)
		r = -ENOMEM;
	else if (task)
		r = wish_answer(task, &answering, on_answered, call, &answered);
	if (r < 0)
		refuse(call, r, &answered);
	codec_free(&answer_codec, &answering.answer);
}

static bool
parse_word(const struct request *request, const char *word, bool *ret_yes)
{
	*ret_yes = !word || strcmp(word, "yes") == 0;
	if (*ret_yes || strcmp(word, "no") == 0)
		return true;
	reply_error(request, RPC_INVALID, "answer", "answer: it is yes or no");
	return false;
}

/* True when all is said: the task is not there, or it is an answer that is sent again. */
static bool
is_settled(const struct request *request, const struct answer_params *given)
{
	const struct answer *sent;
	struct record record;

	if (!request_find(request, given->id, &record))
		return true;
	sent = inquiry_sent(&record, &given->token);
	if (sent)
		reply_answered(request, sent->yes, sent->by);
	codec_free(&record_codec, &record);
	return sent != NULL;
}

void
method_answer(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct answer_params given;
	struct call *call;
	bool yes = true;

	(void)fd;
	if (!request_decode(request, params, &answer_params_codec, &given))
		return;
	if (!parse_word(request, given.answer, &yes) || is_settled(request, &given)) {
		codec_free(&answer_params_codec, &given);
		return;
	}
	call = malloc(sizeof *call);
	if (!call) {
		codec_free(&answer_params_codec, &given);
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
		return;
	}
	*call = (struct call){ .request = *request, .given = given, .yes = yes };
	people_look_up(request->supervisor->people, request->uid, answer_named, call);
}
