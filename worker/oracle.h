/*
 * worker/oracle.h - in builds for tests, a second record of every fact, so that a test
 * need not trust the journal it judges. Nothing at all in the release build.
 *
 * REEVE_ORACLE=DIR: lines `MARK seq kind step sub count crc` in DIR/ID.N, '>' before a
 * frame goes to the journal and '=' once it is there whole.
 */
#ifndef WORKER_ORACLE_H
#define WORKER_ORACLE_H

#include <stddef.h>

#ifdef REEVE_FAILPOINTS
void oracle_open(const char *name);
void oracle_mark(char mark, const void *frame, size_t len);
void oracle_sync(void);
#else
static inline void
oracle_open(const char *name)
{
	(void)name;
}
static inline void
oracle_mark(char mark, const void *frame, size_t len)
{
	(void)mark;
	(void)frame;
	(void)len;
}
static inline void
oracle_sync(void)
{
}
#endif

#endif
