/*
 * supervisor/commands/commands.h - the methods of the control socket: one table.
 *
 * ipc/PROTOCOL.md lists them for people; a test compares. A handler answers with exactly one
 * of reply_end and reply_error, now or later: the connection may be gone by then.
 */
#ifndef SUPERVISOR_COMMANDS_COMMANDS_H
#define SUPERVISOR_COMMANDS_COMMANDS_H

#include "ipc/rpc.h"
#include "supervisor/supervisor.h"

/* Why nothing new is taken. */
#define COMMANDS_DRAINED \
 "the service is being drained and takes nothing new; `reeve drain --off` ends that"

/* Who asked, and where the answer goes. Copied by handlers that answer later. */
struct request {
	struct supervisor *supervisor;
	uint64_t conn; /* serial */
	uint32_t id;
	uid_t uid;
	bool is_admin;
};

/* Starts the result: pack one value into OUT, then reply_end. */
void reply_begin(const struct request *request, struct buf *out, msgpack_packer *packer);
void reply_end(const struct request *request, struct buf *out);
void reply_error(const struct request *request, enum rpc_error error, const char *field,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void reply_empty(const struct request *request);

/* Decodes params, or answers with an error that names the field and returns false. */
bool request_decode(const struct request *request, const struct rpc_slice *params,
    const struct codec *codec, void *ret_params);

/* For methods that take nothing: answers with an error and returns false when something is given.
 */
bool request_takes_nothing(const struct request *request, const struct rpc_slice *params);

/* Methods that take {id} alone share this. */
struct id_params {
	uint64_t id;
};
extern const struct codec id_params_codec;

/*
 * The committed row of task ID, decoded, if the caller may see it. False: answered `not_found`,
 * the same for a task that is hidden and one that never was.
 */
bool request_find(const struct request *request, uint64_t id, struct record *ret_record);

/* True when the caller owns the task, has joined it, or administers. */
bool request_may_see(const struct request *request, const struct record *record);

/* What is known of a live task beside its row; for an ended one, nothing. */
struct view_live request_live(const struct request *request, uint64_t id);

/* unix:NAME, or unix:UID for who has none. */
void person_name(const struct person *person, uid_t uid, char *name, size_t room);

typedef void (*method_fn)(const struct request *request, const struct rpc_slice *params, int fd);

struct method {
	const char *name;
	method_fn call;
	bool admin_only;
};
/* Ends with a NULL name. */
extern const struct method methods[];

/* Handler for supervisor/control.h. */
void commands_call(struct conn *conn, const struct rpc_msg *msg, int fd, void *supervisor);

void method_version(const struct request *request, const struct rpc_slice *params, int fd);
void method_submit(const struct request *request, const struct rpc_slice *params, int fd);
void method_list(const struct request *request, const struct rpc_slice *params, int fd);
void method_show(const struct request *request, const struct rpc_slice *params, int fd);
void method_watch(const struct request *request, const struct rpc_slice *params, int fd);
void method_unwatch(const struct request *request, const struct rpc_slice *params, int fd);
void method_events(const struct request *request, const struct rpc_slice *params, int fd);
void method_log(const struct request *request, const struct rpc_slice *params, int fd);
void method_cancel(const struct request *request, const struct rpc_slice *params, int fd);
void method_retry(const struct request *request, const struct rpc_slice *params, int fd);
void method_keep(const struct request *request, const struct rpc_slice *params, int fd);
void method_answer(const struct request *request, const struct rpc_slice *params, int fd);
void method_recipes(const struct request *request, const struct rpc_slice *params, int fd);
void method_doctor(const struct request *request, const struct rpc_slice *params, int fd);
void method_config(const struct request *request, const struct rpc_slice *params, int fd);
void method_reload(const struct request *request, const struct rpc_slice *params, int fd);
void method_drain(const struct request *request, const struct rpc_slice *params, int fd);
void method_shutdown(const struct request *request, const struct rpc_slice *params, int fd);

#endif
