/*
 * ipc/decoder.h - takes one value after the other out of msgpack bytes that were walked.
 *
 * For ipc/codec.h alone. Nothing is checked against the end of the bytes: the walk has proved
 * that every length in them is true. Errors are -EBADMSG, -EMSGSIZE and -ENOMEM; what is
 * returned is owned by the caller, and on failure too may hold what was already read.
 */
#ifndef IPC_DECODER_H
#define IPC_DECODER_H

#include "ipc/codec.h"
#include "ipc/token.h"

struct decoder {
	const uint8_t *at; /* the next value */
	struct codec_error error;
};

/* Notes what is wrong, TEXT being static, and returns ERROR. */
int decoder_problem(struct decoder *decoder, int error, const char *text);
/* The same where GIVEN exceeds MAX. */
int decoder_excess(
    struct decoder *decoder, int error, const char *text, uint64_t given, uint64_t max);

/* On the way out of a failure: WHERE goes in front of the path so far. What does not fit is cut. */
void decoder_where(struct decoder *decoder, const char *where);
void decoder_where_index(struct decoder *decoder, size_t i);

struct token decoder_token(struct decoder *decoder);

struct span {
	const uint8_t *data;
	size_t len;
};

/* The bytes of the next value, whatever it is; they are not copied. */
struct span decoder_value(struct decoder *decoder);

int decoder_uint(struct decoder *decoder, uint64_t max, uint64_t *ret_value); /* max 0: any */
int decoder_int(struct decoder *decoder, int64_t *ret_value);
int decoder_bool(struct decoder *decoder, bool *ret_value);
int decoder_enum(struct decoder *decoder, size_t max, int *ret_value);
int decoder_double(struct decoder *decoder, double *ret_value); /* infinite ones become NaN */
int decoder_text(
    struct decoder *decoder, size_t max, char **ret_text); /* an empty one stays NULL */
int decoder_blob(struct decoder *decoder, size_t max, struct blob *ret_blob);
int decoder_strs(struct decoder *decoder, size_t max, struct strs *strs);
int decoder_pairs(struct decoder *decoder, size_t max, struct pairs *pairs);

/* The head of a container of KIND: its number of items or pairs, at most MAX. */
int decoder_count(struct decoder *decoder, enum token_kind kind, size_t max, size_t *ret_n);

/* Room for N > 0 elements, zeroed, owned by the caller; NULL: no memory, and noted as the problem.
 */
void *decoder_room(struct decoder *decoder, size_t n, size_t size);

#endif
