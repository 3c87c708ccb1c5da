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

/* A recipe with two secrets, given NAME = VALUE. */
static int
freeze_secret(const char *name, const char *value, struct spec *spec, struct recipe_error *error)
{
	struct recipe *recipe = kit_parse("params: {key: {secret: true, required: true, "
					  "pattern: '[a-z]+'}, other: {}, "
					  "more: {secret: true}}\n"
					  "steps: [{name: one, sh: x, "
					  "env: {KEY: '<${key}>', MORE: '<${more}>'}}]\n");
	struct pairs none = { .v = NULL }, secrets = { .v = NULL };
	int r;

	ck_assert_int_eq(pairs_set(&secrets, name, value), 0);
	r = recipe_freeze(recipe, &none, &secrets, spec, error);
	pairs_free(&secrets);
	recipe_free(recipe);
	return r;
}

START_TEST(a_secret_is_left_out_of_the_spec_but_for_its_name)
{
	struct recipe_error error;
	struct buf bytes;
	struct spec spec;

	ck_assert_int_eq(freeze_secret("key", "hush", &spec, &error), 0);
	ck_assert_uint_eq(spec.params.n, 0);
	ck_assert_uint_eq(spec.secrets.n, 1);
	ck_assert_str_eq(spec.secrets.v[0], "key");
	ck_assert_str_eq(pairs_get(&spec.steps.v[0].env, "KEY"), "<${key}>");
	ck_assert_str_eq(pairs_get(&spec.steps.v[0].env, "MORE"), "<>"); /* was not given */
	ck_assert_str_eq(spec.dedupe_key, "params=6c62272e07bb014262b821756295c58d");
	buf_init(&bytes, LIMIT_SPEC);
	ck_assert_int_eq(codec_encode(&spec_codec, &spec, &bytes), 0);
	ck_assert_ptr_null(memmem(bytes.data, bytes.len, "hush", 4));
	buf_fini(&bytes);
	codec_free(&spec_codec, &spec);
}
END_TEST

START_TEST(a_secret_that_is_wrong_is_not_quoted)
{
	struct recipe_error error;
	struct spec spec;

	ck_assert_int_eq(freeze_secret("key", "HUSH", &spec, &error), -EINVAL);
	ck_assert_str_eq(
	    error.message, "parameter \"key\": its value does not match the pattern \"[a-z]+\"");
	ck_assert_int_eq(freeze_secret("other", "x", &spec, &error), -EINVAL);
	ck_assert_str_eq(
	    error.message, "parameter \"other\" is not secret: it would be shown (other=...)");
	ck_assert_int_eq(freeze_secret("more", "x", &spec, &error), -EINVAL);
	ck_assert_str_eq(error.message, "parameter \"key\" is required and secret (--secret key)");
	ck_assert_int_eq(freeze_secret("keys", "x", &spec, &error), -EINVAL);
	ck_assert_str_eq(error.message, "unknown parameter \"keys\" (did you mean \"key\"?)");
}
END_TEST

START_TEST(a_secret_among_the_open_parameters_is_refused)
{
	struct recipe_error error =
	    kit_refuse_given("params: {key: {secret: true}}\n" ONE_STEP, GIVEN("key", "hush"));

	ck_assert_str_eq(error.message, "parameter \"key\" is secret: give it with --secret key, "
					"not where others can read it");
}
END_TEST

START_TEST(a_secret_stands_only_where_nobody_sees_it)
{
	static const char *const seen[] = { "title: 't ${key}'\n" ONE_STEP,
		"type: 't ${key}'\n" ONE_STEP, "scope: 't ${key}'\n" ONE_STEP,
		"dedupe: [key]\n" ONE_STEP, "steps: [{name: s, run: [echo, 'x${key}']}]\n",
		"steps: [{name: s, sh: x, cwd: '/${key}'}]\n",
		"steps: [{name: s, sh: x, check: {run: ['${key}']}}]\n",
		"steps: [{name: s, pull: {url: 'http://x/${key}', to: x}}]\n" };
	char text[512];

	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
		snprintf(text, sizeof text, "params: {key: {secret: true}}\n%s", seen[i]);
		ck_assert_ptr_nonnull(
		    strstr(kit_refuse(text).message, "parameter \"key\" is secret: it may stand in "
						     "env only"));
	}
}
END_TEST

START_TEST(a_secret_has_no_default)
{
	struct recipe_error error =
	    kit_refuse("params: {key: {secret: true, default: hush}}\n" ONE_STEP);

	ck_assert_str_eq(error.message, "t.yaml:1:39: parameter \"key\" is secret: a default would "
					"be there for all to read");
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
	tcase_add_test(params, a_secret_is_left_out_of_the_spec_but_for_its_name);
	tcase_add_test(params, a_secret_that_is_wrong_is_not_quoted);
	tcase_add_test(params, a_secret_among_the_open_parameters_is_refused);
	tcase_add_test(params, a_secret_stands_only_where_nobody_sees_it);
	tcase_add_test(params, a_secret_has_no_default);
	tcase_add_test(params, a_value_has_a_largest_length);
	tcase_add_test(params, patterns_cannot_be_made_to_take_long);
	tcase_add_test(params, types_have_names);
	suite_add_tcase(suite, params);
	return run_suite(suite);
}
