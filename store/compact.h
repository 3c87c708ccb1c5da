/*
 * store/compact.h - gives back what a data file has grown to and no longer needs.
 *
 * LMDB's file never shrinks. When most of it is free a copy of what is in use takes its place;
 * at start only, when nobody waits in the middle of something. For this room only.
 */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "store/env.h"

/*
 * Looks at *ENV, just opened with OPTIONS, and when it is worth it replaces the data file and
 * opens *ENV again. A copy that cannot be made, for want of room or else, changes nothing and is
 * no error. On failure *ENV is NULL.
 */
int compact(const struct store_options *options, int dir_fd, MDB_env **env, bool *ret_done);

#endif
