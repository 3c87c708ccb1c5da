/* The first byte chooses the reader; the rest is output, in pieces as long as its bytes say. */
#include "worker/progress.h"

#include "tests/fuzz/fuzz.h"

#include <math.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct progress *progress = malloc(sizeof *progress);
	double before = 0;
	size_t at = 1;

	REQUIRE(progress);
	progress_init(progress, size ? (enum progress_kind)(1 + data[0] % PROGRESS_KIND_MAX) : 0);
	while (at < size) {
		size_t n = 1 + data[at] % 64;

		n = n < size - at ? n : size - at;
		progress_feed(progress, data[at] & 1, data + at, n);
		if (data[at] & 2)
			progress_settle(progress);
		REQUIRE(isnan(progress->fraction) ||
			(progress->fraction >= before && progress->fraction <= PROGRESS_MOST));
		before = isnan(progress->fraction) ? 0 : progress->fraction;
		at += n;
	}
	if (size > 0)
		(void)progress_is_bar((const char *)data, size);
	free(progress);
	return 0;
}
