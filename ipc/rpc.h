/*
 * ipc/rpc.h - MessagePack-RPC on the control socket.
 * https://github.com/msgpack-rpc/msgpack-rpc/blob/master/spec.md
 *
 * Request [0, id, method, params], response [1, id, error, result], notification
 * [2, method, params]. params is one map. An error is {code, message, field?}.
 * The envelope only; what methods mean is supervisor/commands.h.
 */
#ifndef IPC_RPC_H
#define IPC_RPC_H

#include "ipc/buf.h"

enum rpc_type {
	RPC_REQUEST = 0,
	RPC_RESPONSE = 1,
	RPC_NOTIFICATION = 2
};

struct rpc_slice {
	const uint8_t *data;
	size_t len;
};

/* A message taken apart; everything points into the bytes given. */
struct rpc_msg {
	enum rpc_type type;
	uint32_t id;             /* requests and responses */
	char method[64];         /* requests and notifications */
	struct rpc_slice params; /* request: a map; notification: any value */
	struct rpc_slice error;  /* response: nil or a map */
	struct rpc_slice result; /* response: any value */
};

/* DATA is exactly one walked value. 0, or -EBADMSG when it is no such message. */
int rpc_parse(const void *data, size_t len, struct rpc_msg *ret_msg);

/* Starts a message; the caller packs params (or the result) as one value right behind it. */
int rpc_begin_request(struct buf *out, uint32_t id, const char *method);
int rpc_begin_result(struct buf *out, uint32_t id);
int rpc_begin_notification(struct buf *out, const char *method);

/* clang-format off */
/* Why a request failed. X(symbol, number, name, exit status of the command line) */
#define RPC_ERRORS(X)                                \
	X(RPC_INVALID,      1, "invalid",       2)   \
	X(RPC_NOT_FOUND,    2, "not_found",     7)   \
	X(RPC_CONFLICT,     3, "conflict",      1)   \
	X(RPC_REFUSED,      4, "refused",       1)   \
	X(RPC_FULL,         5, "full",          1)   \
	X(RPC_UNAVAILABLE,  6, "unavailable",   6)   \
	X(RPC_UNKNOWN,      7, "unknown_method",2)   \
	X(RPC_INTERNAL,     8, "internal",      1)
/* clang-format on */
enum rpc_error {
#define X(sym, num, name, status) sym = num,
	RPC_ERRORS(X)
#undef X
};
const char *rpc_error_name(enum rpc_error error);
int rpc_error_exit_status(const char *name); /* 1 for an unknown name */

/* A whole error response. FIELD may be NULL. */
int rpc_put_error(
    struct buf *out, uint32_t id, enum rpc_error error, const char *field, const char *message);

#endif
