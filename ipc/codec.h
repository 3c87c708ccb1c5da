/*
 * ipc/codec.h - structs to msgpack maps and back, from one table of fields.
 *
 * A struct is described once; encoding, decoding, copying and freeing follow from
 * the description. On disk and in journals a field's key is its number, so that
 * builds older and newer by one read each other; where people write the bytes
 * (step protocol, RPC parameters) the key is its name.
 *
 * Zero, NULL, empty and NaN are left out when encoding and are what a missing field
 * decodes to. Decoding trusts nothing: it walks first (ipc/walk.h), refuses wrong
 * types, lengths and counts beyond the table, duplicate keys and trailing bytes, and
 * allocates no more than a small multiple of the bytes it was given. nil counts as missing
 * (but is a value of a blob), and infinity as NaN.
 *
 * What decoding would refuse is not encoded: the writer gets the error, while somebody can
 * still do something about it. So cut what may be too long before, not after.
 */
#ifndef IPC_CODEC_H
#define IPC_CODEC_H

#include "ipc/buf.h"
#include "ipc/walk.h"

/* Bytes of exactly one msgpack value, owned. data == NULL: absent. */
struct blob {
	uint8_t *data;
	size_t len;
};

/* A list of owned strings. */
struct strs {
	char **v;
	size_t n;
};

/* Ordered name = value pairs, both owned and never NULL; names are unique when decoded. */
struct pair {
	char *name;
	char *value;
};
struct pairs {
	struct pair *v;
	size_t n;
};

/* Base of every list of structs: `struct { struct step *v; size_t n; }` has this layout. */
struct list {
	void *v;
	size_t n;
};

enum codec_type {
	CODEC_UINT = 1, /* uint64_t; max = largest value, 0 = any */
	CODEC_INT,      /* int64_t */
	CODEC_BOOL,     /* bool */
	CODEC_ENUM,     /* an enum of the size of int; max = largest number */
	CODEC_DOUBLE,   /* double; NaN = absent; an integer on the wire is accepted */
	CODEC_STR,    /* char *, owned; max = bytes; UTF-8 is the reader's affair, NUL is refused */
	CODEC_BLOB,   /* struct blob; max = bytes */
	CODEC_STRS,   /* struct strs; max = items, each at most LIMIT_TEXT bytes */
	CODEC_PAIRS,  /* struct pairs; on the wire a map of strings; max = items. Names are not
		       * empty and at most LIMIT_TITLE bytes, values at most LIMIT_TEXT */
	CODEC_STRUCT, /* an embedded struct; sub */
	CODEC_LIST,   /* struct list of sub; max = items */
	CODEC_REST    /* struct blob: a map of the fields this build does not know, kept; max =
		       * bytes. Without it they are skipped. At most 32 of them in one map */
};

struct codec;

struct codec_field {
	uint32_t number; /* from 1, never reused; 0 for CODEC_REST */
	enum codec_type type;
	size_t offset;
	size_t max;
	const struct codec *sub;
	const char *name;
};

struct codec {
	const char *name;
	size_t size; /* of the struct */
	const struct codec_field *fields;
	size_t nfields;                   /* <= 64 */
	bool by_name;                     /* keys are names, not numbers */
	bool strict;                      /* an unknown key is an error, not skipped */
	const struct walk_limits *limits; /* of a whole message; unused where nested */
};

/* Field tables are written with this: CODEC_FIELD(1, STR, struct x, member, max). */
#define CODEC_FIELD(num, kind, type_, member, max_)                                        \
 {                                                                                         \
  .number = (num), .type = CODEC_##kind, .offset = offsetof(type_, member), .max = (max_), \
  .sub = NULL, .name = #member                                                             \
 }
#define CODEC_NESTED(num, kind, type_, member, max_, sub_)                                 \
 {                                                                                         \
  .number = (num), .type = CODEC_##kind, .offset = offsetof(type_, member), .max = (max_), \
  .sub = (sub_), .name = #member                                                           \
 }

/* What was wrong, for an error message that names the field ("steps[2].env"). */
struct codec_error {
	char field[96];
	const char *problem; /* static: "unknown field", "wrong type", "too long", ... */
	uint64_t given,
	    max; /* of what exceeds a limit: bytes, items or a number; max 0: nothing does */
};

/* Zero for every member; NaN for CODEC_DOUBLE. */
void codec_init(const struct codec *codec, void *obj);

/* Appends OBJ as one map. 0 or buf_error(): -EMSGSIZE for what no decoder would take, -EBADMSG for
 * a blob that is not one value, -ENOMEM. */
int codec_encode(const struct codec *codec, const void *obj, struct buf *out);

/*
 * Fills RET_OBJ (uninitialised memory of codec->size). 0; -EBADMSG or -EMSGSIZE for bad bytes
 * (then *ret_error, when not NULL, says what); -ENOMEM. On failure RET_OBJ needs no codec_free.
 */
int codec_decode(const struct codec *codec, const void *data, size_t len, void *ret_obj,
    struct codec_error *ret_error);

/* Frees the members, not OBJ, and leaves OBJ as codec_init does. */
void codec_free(const struct codec *codec, void *obj);

/* RET_OBJ becomes a deep copy. 0 or -ENOMEM. */
int codec_copy(const struct codec *codec, const void *obj, void *ret_obj);

/* Helpers for the containers; all copy what they are given. 0 or -ENOMEM. */
int strs_add(struct strs *strs, const char *text);
void strs_free(struct strs *strs);
int pairs_set(struct pairs *pairs, const char *name, const char *value); /* replaces */
const char *pairs_get(const struct pairs *pairs, const char *name);      /* NULL when absent */
size_t pairs_bytes(const struct pairs *pairs); /* of all names and values, without NULs */
void pairs_free(struct pairs *pairs);
int blob_set(struct blob *blob, const void *data, size_t len);
void blob_free(struct blob *blob);

/* Appends one codec_init'ed element and returns it, or NULL. */
void *list_add(struct list *list, const struct codec *codec);

/* Replaces *MEMBER by a copy of TEXT (NULL clears). 0 or -ENOMEM. */
int str_set(char **member, const char *text);

#endif
