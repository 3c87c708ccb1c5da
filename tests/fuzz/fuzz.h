/*
 * tests/fuzz/fuzz.h - what the fuzz targets share: libFuzzer's entry, a check that is never
 * compiled out, and a limit on what decoding may allocate.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "ipc/codec.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The sanitizers' own count; absent where a target is built without them. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

#define REQUIRE(condition) \
 do {                      \
  if (!(condition))        \
   abort();                \
 } while (0)

static inline size_t
allocated_bytes(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
						       : 0;
}

/*
 * Decodes DATA; what is accepted must copy, encode, and decode again to the same bytes. What is
 * held afterwards is at most MULTIPLE bytes for each byte of DATA: a list's element may be one byte
 * on the wire and a struct in memory.
 */
static inline void
fuzz_codec(const struct codec *codec, const uint8_t *data, size_t size, size_t multiple)
{
	size_t before = allocated_bytes();
	struct codec_error error = { .problem = NULL };
	void *obj = malloc(codec->size), *copy = malloc(codec->size);
	struct buf once, twice;
	int r;

	REQUIRE(obj && copy);
	r = codec_decode(codec, data, size, obj, &error);
	REQUIRE(allocated_bytes() <= before + 2 * codec->size + multiple * size + 4096);
	if (r < 0) {
		REQUIRE(error.problem);
		goto out;
	}
	REQUIRE(codec_copy(codec, obj, copy) == 0);
	buf_init(&once, codec->limits->max_bytes);
	buf_init(&twice, codec->limits->max_bytes);
	r = codec_encode(codec, copy, &once);
	codec_free(codec, copy);
	codec_free(codec, obj);
	/* Only a number written short and read as a float can grow, and so pass the limit. */
	REQUIRE(r == 0 || (r == -EMSGSIZE && size > codec->limits->max_bytes / 9));
	if (r == 0) {
		REQUIRE(codec_decode(codec, once.data, once.len, obj, NULL) == 0);
		REQUIRE(codec_encode(codec, obj, &twice) == 0);
		REQUIRE(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
		codec_free(codec, obj);
	}
	buf_fini(&once);
	buf_fini(&twice);
out:
	free(obj);
	free(copy);
}

#endif
