/*
 * ipc/le.h - numbers as bytes, the least first: what journals and logs hold on disk.
 */
#ifndef IPC_LE_H
#define IPC_LE_H

#include <stddef.h>
#include <stdint.h>

/* LEN is at most 8; what VALUE has beyond it is dropped. */
static inline void
put_le(uint8_t *to, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t
get_le(const uint8_t *from, size_t len)
{
	uint64_t value = 0;

	for (size_t i = len; i > 0; i--)
		value = value << 8 | from[i - 1];
	return value;
}

#endif
