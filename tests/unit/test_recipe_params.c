#include "supervisor/recipe/params.h"

#include "tests/unit/recipe_kit.h"

static const struct {
	const char *keys, *value, *problem; /* NULL: taken */
} values[] = {
	{ "type: string", "", NULL },
	{ "type: string", "any\nthing -- at all", NULL },
	{ "type: int", "-42", NULL },
	{ "type: int", "007", NULL },
	{ "type: int", "9223372036854775807", NULL },
	{ "type: int", "9223372036854775808", "takes a whole number, not \"9223372036854775808\"" },
	{ "type: int", "-9223372036854775808", NULL },
	{ "type: int", "+1", "takes a whole number, not \"+1\"" },
	{ "type: int", "1 ", "takes a whole number, not \"1 \"" },
	{ "type: int", "", "takes a whole number, not \"\"" },
	{ "type: int", "-", "takes a whole number, not \"-\"" },
	{ "type: int", "0x10", "takes a whole number, not \"0x10\"" },
	{ "type: bool", "true", NULL },
	{ "type: bool", "yes", "takes true or false, not \"yes\"" },
	{ "type: path", "/srv/data..old/x", NULL },
	{ "type: path", "/", NULL },
	{ "type: path", "data", "takes an absolute path without .., not \"data\"" },
	{ "type: path", "/srv/../etc", "takes an absolute path without .., not \"/srv/../etc\"" },
	{ "type: path", "/srv/..", "takes an absolute path without .., not \"/srv/..\"" },
	{ "type: path", "/a\nb", "takes an absolute path without .., not \"/a?b\"" },
	{ "type: url", "https://example.org/a?b=c#d", NULL },
	{ "type: url", "file:///etc/motd", NULL },
	{ "type: url", "https://",
	    "takes a URL such as https://example.org/file, not \"https://\"" },
	{ "type: url", "--output=x://y",
	    "takes a URL such as https://example.org/file, not \"--output=x://y\"" },
	{ "type: url", "http://a b/",
	    "takes a URL such as https://example.org/file, not \"http://a b/\"" },
	{ "pattern: '[a-z]+'", "abc", NULL },
	{ "pattern: '[a-z]+'", "abc1", "\"abc1\" does not match the pattern \"[a-z]+\"" },
	{ "pattern: 'a|b'", "ab", "\"ab\" does not match the pattern \"a|b\"" },
	{ "pattern: '[a-z]+'", "abc\n", "\"abc?\" does not match the pattern \"[a-z]+\"" },
	{ "choices: [small, large]", "large", NULL },
	{ "choices: [small, large]", "Large", "\"Large\" is none of small, large" },
	{ "type: int, pattern: '[0-9]{2}', choices: [10, 20]", "20", NULL },
};

START_TEST(a_value_is_taken_or_refused_with_its_reason)
{
	struct recipe_error error = { .line = 9 };
	char text[256];
	struct spec spec;
	int r;

	snprintf(text, sizeof text, "params: {p: {%s}}\n" ONE_STEP, values[_i].keys);
	r = kit_freeze(text, GIVEN("p", values[_i].value), &spec, &error);
	if (!values[_i].problem) {
		ck_assert_msg(r == 0, "%s", error.message);
		ck_assert_str_eq(pairs_get(&spec.params, "p"), values[_i].value);
		codec_free(&spec_codec, &spec);
		return;
	}
	ck_assert_int_eq(r, -EINVAL);
	ck_assert_msg(strstr(error.message, values[_i].problem), "%s", error.message);
	ck_assert(strncmp(error.message, "parameter \"p\"", 13) == 0);
	ck_assert_str_eq(error.field, "p");
	ck_assert_uint_eq(error.line, 0);
	ck_assert_uint_eq(error.column, 0);
}
END_TEST

START_TEST(an_unknown_parameter_is_named_with_its_neighbour)
{
	struct recipe_error error =
	    kit_refuse_given("params: {model: {}}\n" ONE_STEP, GIVEN("modle", "x"));

	ck_assert_str_eq(error.message, "unknown parameter \"modle\" (did you mean \"model\"?)");
	ck_assert_str_eq(error.field, "modle");
}
END_TEST

START_TEST(a_required_parameter_must_be_given)
{
	static const char text[] = "params: {model: {required: true}}\n" ONE_STEP;
	struct recipe_error error = kit_refuse_given(text, NOTHING_GIVEN);
	struct spec spec = kit_spec(text, GIVEN("model", ""));

	ck_assert_str_eq(error.message, "parameter \"model\" is required (model=...)");
	ck_assert_str_eq(error.field, "model");
	ck_assert_str_eq(pairs_get(&spec.params, "model"), "");
	codec_free(&spec_codec, &spec);
}
END_TEST

START_TEST(a_default_stands_in_as_it_was_written)
{
	struct spec spec = kit_spec("params: {port: {type: int, default: 0080, required: true}, "
				    "version: {default: 1.10}, other: {}}\n" ONE_STEP,
	    NOTHING_GIVEN);

	ck_assert_str_eq(pairs_get(&spec.params, "port"), "0080");
	ck_assert_str_eq(pairs_get(&spec.params, "version"), "1.10");
	ck_assert_ptr_null(pairs_get(&spec.params, "other"));
	codec_free(&spec_codec, &spec);
}
END_TEST

START_TEST(a_recipe_with_a_secret_is_not_run_yet)
{
	struct recipe_error error =
	    kit_refuse_given("params: {key: {secret: true}}\n" ONE_STEP, GIVEN("key", "x"));

	ck_assert_str_eq(
	    error.message, "parameter \"key\": secret parameters are not supported yet");
}
END_TEST

/* N times C. Owned. */
static char *
fill(char c, size_t n)
{
	char *text = malloc(n + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, c, n);
	text[n] = '\0';
	return text;
}

START_TEST(a_value_has_a_largest_length)
{
	static const char text[] = "params: {p: {}}\nsteps: [{name: a, sh: x}]\n";
	char *value = fill('x', LIMIT_TEXT + 1);
	struct recipe_error error = kit_refuse_given(text, GIVEN("p", value));
	struct spec spec;

	ck_assert_str_eq(error.message, "parameter \"p\" is longer than 16 KiB");
	value[LIMIT_TEXT] = '\0';
	spec = kit_spec(text, GIVEN("p", value));
	codec_free(&spec_codec, &spec);
	free(value);
}
END_TEST

START_TEST(patterns_cannot_be_made_to_take_long)
{
	/* Some 3,400 elementary steps for each character. */
	static const char text[] =
	    "params: {p: {pattern: '([a-ce-gi-km-oq-su-wy-z0-13-46-7A-BD-E]?|x){180}'}}\n" ONE_STEP;
	char *value = fill('x', LIMIT_TEXT);
	struct recipe_error error = kit_refuse_given(text, GIVEN("p", value));

	ck_assert_str_eq(error.message, "parameter \"p\" is too long for its pattern");
	free(value);
}
END_TEST

START_TEST(types_have_names)
{
	ck_assert_str_eq(param_type_name(PARAM_URL), "url");
	ck_assert_str_eq(param_type_name((enum param_type)0), "invalid");
	ck_assert_str_eq(param_type_name((enum param_type)(PARAM_TYPE_MAX + 1)), "invalid");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipe_params");
	TCase *params = tcase_create("params");

	tcase_add_loop_test(params, a_value_is_taken_or_refused_with_its_reason, 0,
	    sizeof values / sizeof values[0]);
	tcase_add_test(params, an_unknown_parameter_is_named_with_its_neighbour);
	tcase_add_test(params, a_required_parameter_must_be_given);
	tcase_add_test(params, a_default_stands_in_as_it_was_written);
	tcase_add_test(params, a_recipe_with_a_secret_is_not_run_yet);
	tcase_add_test(params, a_value_has_a_largest_length);
	tcase_add_test(params, patterns_cannot_be_made_to_take_long);
	tcase_add_test(params, types_have_names);
	suite_add_tcase(suite, params);
	return run_suite(suite);
}
