/* Reads a recipe; what is sound is frozen, with nothing given and with every parameter given. */
#include "supervisor/recipe/recipe.h"

#include "ipc/utf8.h"
#include "tests/fuzz/fuzz.h"

const char *__asan_default_options(void);

/* Each run frees some hundred kilobytes: what is kept back of them must not look like a leak. */
const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=16";
}

/* An error says something, in one line of text. */
static void
check_error(const struct recipe_error *error)
{
	size_t len = strlen(error->message), step;

	REQUIRE(len > 0 && len < sizeof error->message);
	REQUIRE(strlen(error->field) < sizeof error->field);
	for (size_t i = 0; i < len; i += step) {
		/* The last character may have been cut off with the rest. */
		REQUIRE(utf8_next((const uint8_t *)error->message + i, len - i, &step) ||
			i + step == len);
		REQUIRE((unsigned char)error->message[i] >= ' ');
	}
}

/* A spec is one that the worker's decoder takes. */
static void
check_spec(struct spec *spec)
{
	struct spec decoded;
	struct buf bytes;

	buf_init(&bytes, LIMIT_SPEC);
	REQUIRE(codec_encode(&spec_codec, spec, &bytes) == 0);
	REQUIRE(codec_decode(&spec_codec, bytes.data, bytes.len, &decoded, NULL) == 0);
	REQUIRE(decoded.type && decoded.title && decoded.steps.n > 0);
	codec_free(&spec_codec, &decoded);
	codec_free(&spec_codec, spec);
	buf_fini(&bytes);
}

static void
freeze(const struct recipe *recipe, const char *value)
{
	struct pairs given = { .v = NULL }, secrets = { .v = NULL };
	struct recipe_error error = { .line = 0 };
	struct spec spec;
	int r;

	for (size_t i = 0; value && i < recipe_param_count(recipe); i++)
		REQUIRE(pairs_set(recipe_param_at(recipe, i).secret ? &secrets : &given,
			    recipe_param_at(recipe, i).name, value) == 0);
	r = recipe_freeze(recipe, &given, &secrets, &spec, &error);
	REQUIRE(r == 0 || r == -EINVAL);
	if (r == 0)
		check_spec(&spec);
	else
		check_error(&error);
	pairs_free(&given);
	pairs_free(&secrets);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recipe_error error = { .line = 0 };
	struct recipe *recipe = NULL;
	size_t before = allocated_bytes();
	int r = recipe_parse("fuzz.yaml", (const char *)data, size, &recipe, &error);

	REQUIRE(r == 0 || r == -EINVAL);
	if (r < 0) {
		check_error(&error);
		REQUIRE(error.line > 0 && error.column > 0);
		return 0;
	}
	/* A step may be a dozen bytes in the text. */
	REQUIRE(allocated_bytes() <= before + 64 * size + 65536);
	freeze(recipe, NULL);
	freeze(recipe, "7");
	freeze(recipe, "/a ${b}\n$");
	recipe_free(recipe);
	return 0;
}
