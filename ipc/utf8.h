/*
 * ipc/utf8.h - tells UTF-8 from other bytes (RFC 3629: shortest form, no surrogates).
 */
#ifndef IPC_UTF8_H
#define IPC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* U+FFFD, what stands for bytes that are none. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/*
 * True when a whole character stands at AT (LEN > 0); *ret_len is its length. False: *ret_len bytes
 * are none and are replaced together (the longest start of a character, as Unicode advises).
 */
bool utf8_next(const uint8_t *at, size_t len, size_t *ret_len);

#endif
