/* supervisor/view_pack.h - values as they stand in a task's document: null for what is not there.
 */
#ifndef SUPERVISOR_VIEW_PACK_H
#define SUPERVISOR_VIEW_PACK_H

#include "ipc/mp.h"
#include "ipc/msg.h"

/* RFC 3339; nil for 0. */
void pack_kv_time(msgpack_packer *out, const char *key, uint64_t wall_ms);
/* A number; nil for 0 = none. */
void pack_kv_count(msgpack_packer *out, const char *key, uint64_t value);
/* One msgpack value as it is, or nil. */
void pack_kv_blob(msgpack_packer *out, const char *key, const struct blob *blob);
/* A map of the first N. */
void pack_kv_pairs(msgpack_packer *out, const char *key, const struct pairs *pairs, size_t n);
/* The head of a map of N, or of an array: what is in it follows. */
void pack_kv_map(msgpack_packer *out, const char *key, size_t n);
void pack_kv_array(msgpack_packer *out, const char *key, size_t n);
/* {code, signal}, or nil when it is not known. */
void pack_kv_exit(msgpack_packer *out, const struct exit_info *exit_info);

#endif
