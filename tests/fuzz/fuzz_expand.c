/*
 * Expands a template, the part before the first zero byte, in which ${name} and ${steps.a.b} stand
 * for what follows it: in two passes, as recipe and worker do, and in one. The result is the same,
 * so nothing in a value was ever taken for a reference.
 */
#include "ipc/expand.h"

#include "tests/fuzz/fuzz.h"

static const char *
look_up(const char *reference, void *arg)
{
	if (strcmp(reference, "name") == 0 || strcmp(reference, "steps.a.b") == 0)
		return arg;
	return NULL;
}

static int
expand_with(const char *text, enum expand_mode mode, char *value, char **ret_text)
{
	char *missing = NULL;
	int r = expand(text, mode, look_up, value, ret_text, &missing);

	REQUIRE((r == -ENOENT) == (missing != NULL));
	free(missing);
	return r;
}

static void
check_passes(const char *template, char *value)
{
	char *first = NULL, *second = NULL, *at_once = NULL;
	int r = expand_with(template, EXPAND_ALL, value, &at_once);

	if (r == 0 && expand_with(template, EXPAND_PARAMS, value, &first) == 0) {
		REQUIRE(expand_with(first, EXPAND_ALL, value, &second) == 0);
		REQUIRE(strcmp(second, at_once) == 0);
	}
	free(first);
	free(second);
	free(at_once);
}

static void
check_quoting(const char *word)
{
	char *quoted = expand_quote(word), *back = NULL;

	REQUIRE(quoted);
	if (expand_with(quoted, EXPAND_ALL, NULL, &back) == 0)
		REQUIRE(strcmp(back, word) == 0);
	free(quoted);
	free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *template = strndup((const char *)data, size), *value;
	struct strs references;

	REQUIRE(template);
	value = strlen(template) < size ? strndup((const char *)data + strlen(template) + 1,
					      size - strlen(template) - 1)
					: strdup("");
	REQUIRE(value);
	check_passes(template, value);
	check_quoting(template);
	if (expand_references(template, &references) == 0)
		strs_free(&references);
	free(template);
	free(value);
	return 0;
}
