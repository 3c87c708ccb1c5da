/*
 * ipc/token.h - the head of one msgpack value, taken apart.
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 *
 * Knows nothing of limits and does not look behind the head: ipc/walk.h decides what is
 * acceptable, ipc/codec.h reads what was walked. Numbers are normalised: one that is not
 * negative is a TOKEN_UINT, however it was written.
 */
#ifndef IPC_TOKEN_H
#define IPC_TOKEN_H

#include <stddef.h>
#include <stdint.h>

enum token_kind {
	TOKEN_NIL = 1,
	TOKEN_BOOL,
	TOKEN_UINT,
	TOKEN_NEGATIVE,
	TOKEN_DOUBLE,
	TOKEN_STR,
	TOKEN_BIN,
	TOKEN_EXT,
	TOKEN_ARRAY,
	TOKEN_MAP
};

enum {
	TOKEN_HEAD_MAX = 9
};

struct token {
	enum token_kind kind;
	uint64_t payload;  /* bytes behind the head: STR, BIN, EXT (with its type byte); else 0 */
	uint64_t children; /* values behind the head: ARRAY, MAP (two per pair); else 0 */
	uint64_t uint;     /* UINT; BOOL: 0 or 1 */
	int64_t negative;  /* NEGATIVE */
	double real;       /* DOUBLE */
};

/* Bytes of the head that starts with FIRST: 1 to TOKEN_HEAD_MAX; 0 for the reserved 0xc1. */
size_t token_head_len(uint8_t first);

/* HEAD holds token_head_len() bytes and is not the reserved one. Returns how many they are. */
size_t token_read(const uint8_t *head, struct token *ret_token);

#endif
