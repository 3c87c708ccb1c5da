/* A pattern up to the first line's end, and a value behind it. */
#include "supervisor/recipe/pattern.h"

#include "tests/fuzz/fuzz.h"

const char *__asan_default_options(void);

/* Each run frees some hundred kilobytes: what is kept back of them must not look like a leak. */
const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=16";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pattern *pattern = NULL;
	const char *problem = NULL;
	char *text = malloc(size + 1), *end;
	int r;

	REQUIRE(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	end = strchr(text, '\n');
	if (end)
		*end = '\0';
	r = pattern_new(text, &pattern, &problem);
	REQUIRE(r == 0 || (r == -EINVAL && problem));
	if (r == 0 && end && pattern_cost(pattern, end + 1) < 1000000)
		(void)pattern_matches(pattern, end + 1);
	pattern_free(pattern);
	free(text);
	return 0;
}
