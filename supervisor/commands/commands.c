#include "supervisor/commands/commands.h"

#include "ipc/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct method methods[] = {
	{ "version", method_version, false },
	{ "submit", method_submit, false },
	{ "list", method_list, false },
	{ "show", method_show, false },
	{ "watch", method_watch, false },
	{ "unwatch", method_unwatch, false },
	{ "events", method_events, false },
	{ "log", method_log, false },
	{ "cancel", method_cancel, false },
	{ "retry", method_retry, false },
	{ "keep", method_keep, false },
	{ "answer", method_answer, false },
	{ "recipes", method_recipes, false },
	{ "doctor", method_doctor, false },
	{ "config", method_config, false },
	{ "reload", method_reload, true },
	{ "drain", method_drain, true },
	{ "shutdown", method_shutdown, true },
	{ NULL, NULL, false },
};

static const struct codec_field id_params_fields[] = {
	CODEC_FIELD(1, UINT, struct id_params, id, 0),
};
const struct codec id_params_codec = { .name = "params",
	.size = sizeof(struct id_params),
	.fields = id_params_fields,
	.nfields = 1,
	.by_name = true,
	.strict = true,
	.limits = &walk_rpc_limits };

void
reply_begin(const struct request *request, struct buf *out, msgpack_packer *packer)
{
	buf_init(out, (size_t)LIMIT_RPC * 2);
	rpc_begin_result(out, request->id);
	buf_packer(out, packer);
}

void
reply_end(const struct request *request, struct buf *out)
{
	struct conn *conn = control_find(&request->supervisor->control, request->conn);

	if (conn)
		conn_send(conn, out, true);
	buf_fini(out);
}

void
reply_error(
    const struct request *request, enum rpc_error error, const char *field, const char *format, ...)
{
	char message[1024];
	struct buf out;
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	buf_init(&out, LIMIT_RPC);
	rpc_put_error(&out, request->id, error, field, message);
	reply_end(request, &out);
}

void
reply_empty(const struct request *request)
{
	msgpack_packer packer;
	struct buf out;

	reply_begin(request, &out, &packer);
	msgpack_pack_map(&packer, 0);
	reply_end(request, &out);
}

bool
request_decode(const struct request *request, const struct rpc_slice *params,
    const struct codec *codec, void *ret_params)
{
	struct codec_error error = { .field = "", .problem = "malformed" };
	char excess[80] = "";

	if (codec_decode(codec, params->data, params->len, ret_params, &error) == 0)
		return true;
	if (error.max > 0)
		snprintf(excess, sizeof excess, " (%llu%s; the limit is %llu)",
		    (unsigned long long)error.given,
		    strstr(error.problem, "too long") ? " bytes" : "",
		    (unsigned long long)error.max);
	reply_error(request, RPC_INVALID, error.field[0] ? error.field : NULL, "%s%s%s%s",
	    error.field, error.field[0] ? ": " : "", error.problem, excess);
	return false;
}

bool
request_takes_nothing(const struct request *request, const struct rpc_slice *params)
{
	static const struct codec nothing = { .name = "params",
		.size = sizeof(char),
		.by_name = true,
		.strict = true,
		.limits = &walk_rpc_limits };
	char none;

	return request_decode(request, params, &nothing, &none);
}

bool
request_may_see(const struct request *request, const struct record *record)
{
	if (request->is_admin)
		return true;
	for (size_t i = 0; i < record->persons.n; i++)
		if (record->persons.v[i].uid == request->uid)
			return true;
	return false;
}

static int
read_row(struct supervisor *supervisor, uint64_t id, struct record *ret_record)
{
	struct task *task = roster_find(&supervisor->roster, id);
	struct store_bytes row;
	int r;

	if (task && task->seen)
		return codec_decode(&record_codec, task->seen, task->seen_len, ret_record, NULL);
	r = store_get_task(supervisor->store, id, &row);
	if (r < 0)
		return r;
	r = codec_decode(&record_codec, row.data, row.len, ret_record, NULL);
	store_bytes_free(&row);
	return r;
}

bool
request_find(const struct request *request, uint64_t id, struct record *ret_record)
{
	int r = read_row(request->supervisor, id, ret_record);

	if (r == 0 && request_may_see(request, ret_record))
		return true;
	if (r == 0)
		codec_free(&record_codec, ret_record);
	if (r == 0 || r == -ENOENT)
		reply_error(
		    request, RPC_NOT_FOUND, "id", "there is no task %llu", (unsigned long long)id);
	else
		reply_error(request, RPC_INTERNAL, NULL, "task %llu cannot be read: %s",
		    (unsigned long long)id, strerror(-r));
	return false;
}

struct view_live
request_live(const struct request *request, uint64_t id)
{
	struct task *task = roster_find(&request->supervisor->roster, id);
	struct view_live live = { .now_ms = clock_wall_ms() };

	if (!task)
		return live;
	if (task->has_news) {
		live.news = &task->news;
		live.news_age_ms = clock_boot_ms() - task->news_ms;
	}
	if (task->cancel_pending)
		live.pending = "cancelling";
	live.blocked = roster_blocked(task);
	return live;
}

static const struct method *
find_method(const char *name)
{
	for (const struct method *method = methods; method->name; method++)
		if (strcmp(method->name, name) == 0)
			return method;
	return NULL;
}

void
commands_call(struct conn *conn, const struct rpc_msg *msg, int fd, void *supervisor)
{
	const struct method *method = find_method(msg->method);
	struct request request = { .supervisor = supervisor,
		.conn = conn->serial,
		.id = msg->id,
		.uid = conn->peer.uid,
		.is_admin = conn->peer.is_admin };

	if (!method)
		reply_error(&request, RPC_UNKNOWN, NULL, "there is no method \"%s\"", msg->method);
	else if (method->admin_only && !request.is_admin)
		reply_error(&request, RPC_REFUSED, NULL, "only an administrator may do this");
	else
		method->call(&request, &msg->params, fd);
}
