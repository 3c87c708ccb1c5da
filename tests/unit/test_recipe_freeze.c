#include "ipc/expand.h"
#include "supervisor/recipe/recipe.h"
#include "tests/unit/recipe_kit.h"

static const char full[] =
    "name: pull\n"
    "title: Pull $${x} ${model}\n"
    "type: pull:${model}\n"
    "scope: ${host}\n"
    "description: plain ${model}\n"
    "on_interrupt: resume\n"
    "cancel_note: may be billed\n"
    "keep: 2d\n"
    "run_as: nobody\n"
    "params: {model: {}, host: {}, sum: {}}\n"
    "steps:\n"
    "  - name: find\n"
    "    sh: echo $PARAM_MODEL ${HOME}\n"
    "    outputs: [url, sha]\n"
    "    env: {MODEL: 'm ${model}', PLAIN: 8080}\n"
    "    cwd: /srv/${model}\n"
    "    check: {run: [test, '${model}']}\n"
    "    verify: {run: [test, '${steps.find.url}'], timeout: 5s}\n"
    "    undo: {sh: echo $OUT_FIND_URL, timeout: 2m}\n"
    "    cancel: never\n"
    "    timeout: 90s\n"
    "    retry: {attempts: 2}\n"
    "    weight: 2.5\n"
    "    leave_running: true\n"
    "  - name: get\n"
    "    pull: {url: 'http://${host}/${steps.find.url}', to: '${model}.tar', sha256: '${sum}', size: '12'}\n"
    "    undo: [rm, '${model}.tar', '${steps.find.sha}']\n"
    "    cancel: after\n"
    "    retry: {attempts: 3, delay: 500ms}\n"
    "  - name: go\n"
    "    run: [echo, '${model}', '$${model} ${steps.find.url}', 1.10, yes, '']\n";

START_TEST(a_recipe_becomes_a_spec_with_its_references_filled_in)
{
	struct spec spec = kit_spec(full, GIVEN("model", "a b", "host", "h1"));
	const struct spec_step *find = &spec.steps.v[0], *get = &spec.steps.v[1];

	ck_assert_str_eq(spec.type, "pull:a b");
	ck_assert_str_eq(spec.title, "Pull ${x} a b");
	ck_assert_str_eq(spec.scope, "h1");
	ck_assert_str_eq(spec.description, "plain ${model}");
	ck_assert_str_eq(spec.cancel_note, "may be billed");
	ck_assert_uint_eq(spec.keep_ms, UINT64_C(2) * 24 * 3600 * 1000);
	ck_assert_str_eq(spec.run_as, "nobody");
	ck_assert_str_eq(spec.dedupe_key, "scope=h1");
	ck_assert_int_eq(spec.on_interrupt, INTERRUPT_RESUME);
	ck_assert(spec.has_workdir);
	ck_assert_uint_eq(spec.params.n, 2);
	ck_assert_str_eq(pairs_get(&spec.params, "model"), "a b");
	ck_assert_uint_eq(spec.steps.n, 3);
	ck_assert_str_eq(find->cmd.sh, "echo $PARAM_MODEL ${HOME}");
	ck_assert_int_eq(find->kind, STEP_KIND_CMD);
	ck_assert_str_eq(find->outputs.v[1], "sha");
	ck_assert_str_eq(pairs_get(&find->env, "MODEL"), "m a b");
	ck_assert_str_eq(pairs_get(&find->env, "PLAIN"), "8080");
	ck_assert_str_eq(find->cwd, "/srv/a b");
	ck_assert_str_eq(find->check.argv.v[1], "a b");
	ck_assert_str_eq(find->undo.sh, "echo $OUT_FIND_URL");
	ck_assert_uint_eq(find->undo.timeout_ms, 120000);
	ck_assert_str_eq(find->verify.argv.v[1], "${steps.find.url}");
	ck_assert_uint_eq(find->verify.timeout_ms, 5000);
	ck_assert_int_eq(find->cancel, CANCEL_NEVER);
	ck_assert_uint_eq(find->timeout_ms, 90000);
	ck_assert_uint_eq(find->retry_attempts, 2);
	ck_assert_uint_eq(find->retry_delay_ms, 1000);
	ck_assert(find->weight > 2.4 && find->weight < 2.6);
	ck_assert(find->leave_running);
	ck_assert_int_eq(get->kind, STEP_KIND_PULL);
	ck_assert_str_eq(get->pull.url, "http://h1/${steps.find.url}");
	ck_assert_str_eq(get->pull.to, "a b.tar");
	ck_assert_str_eq(get->pull.size, "12");
	ck_assert_str_eq(get->undo.argv.v[1], "a b.tar");
	ck_assert_int_eq(get->cancel, CANCEL_AFTER);
	ck_assert_uint_eq(get->retry_delay_ms, 500);
	ck_assert(get->weight != get->weight);
	codec_free(&spec_codec, &spec);
}
END_TEST

START_TEST(arguments_keep_their_bounds_and_their_letters)
{
	struct spec spec = kit_spec(full, GIVEN("model", "a b", "host", "h1"));
	const struct strs *argv = &spec.steps.v[2].cmd.argv;

	ck_assert_uint_eq(argv->n, 6);
	ck_assert_str_eq(argv->v[1], "a b");
	ck_assert_str_eq(argv->v[2], "$${model} ${steps.find.url}");
	ck_assert_str_eq(argv->v[3], "1.10");
	ck_assert_str_eq(argv->v[4], "yes");
	ck_assert_str_eq(argv->v[5], "");
	codec_free(&spec_codec, &spec);
}
END_TEST

START_TEST(what_becomes_empty_counts_as_left_out)
{
	struct spec spec =
	    kit_spec("name: n\ntitle: ${a}\ntype: ${a}\nscope: ${a}\nparams: {a: {}}\n"
		     "steps: [{name: s, cwd: '${a}', pull: {url: 'http://x/', to: y, "
		     "sha256: '${a}', size: '${a}'}}]\n",
		NOTHING_GIVEN);

	ck_assert_str_eq(spec.title, "n");
	ck_assert_str_eq(spec.type, "n");
	ck_assert_ptr_null(spec.scope);
	ck_assert_ptr_null(spec.steps.v[0].cwd);
	ck_assert_ptr_null(spec.steps.v[0].pull.sha256);
	ck_assert_ptr_null(spec.steps.v[0].pull.size);
	codec_free(&spec_codec, &spec);
}
END_TEST

static const char *
output_of_find(const char *reference, void *arg)
{
	(void)arg;
	return strcmp(reference, "steps.find.url") == 0 ? "OUT" : NULL;
}

/* What a person gives is never read as a reference: neither now nor by the worker. */
START_TEST(values_are_not_expanded_again)
{
	static const char *const hostile[] = { "${steps.find.url}", "$${x}", "$", "$$", "{x}", "${",
		"${model}", "$$${steps.find.url}", "${$}", "}" };
	static const char text[] =
	    "params: {model: {}, other: {}}\nsteps:\n"
	    "  - {name: find, sh: x, outputs: [url]}\n"
	    "  - {name: go, run: [x, '${model}${other}${steps.find.url}']}\n";

	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		struct spec spec = kit_spec(text, GIVEN("model", hostile[i], "other", hostile[_i]));
		char *filled = NULL, *missing = NULL, expected[128];

		ck_assert_int_eq(expand(spec.steps.v[1].cmd.argv.v[1], EXPAND_ALL, output_of_find,
				     NULL, &filled, &missing),
		    0);
		snprintf(expected, sizeof expected, "%s%sOUT", hostile[i], hostile[_i]);
		ck_assert_str_eq(filled, expected);
		free(filled);
		codec_free(&spec_codec, &spec);
	}
}
END_TEST

static const struct {
	const char *text, *value, *message, *field;
} refused[] = {
	{ "params: {a: {}}\nsteps: [{name: s, run: ['${a}']}]\n", "",
	    "steps[0].run has no program with these parameters", "steps[0].run" },
	{ "params: {a: {}}\nsteps: [{name: s, sh: x, undo: ['${a}']}]\n", "",
	    "steps[0].undo.run has no program with these parameters", "steps[0].undo.run" },
	{ "params: {a: {}}\nsteps: [{name: s, pull: {url: '${a}', to: y}}]\n", "x",
	    "steps[0].pull.url must be a URL such as https://example.org/file with these parameters",
	    "steps[0].pull.url" },
	{ "params: {a: {}}\nsteps: [{name: s, pull: {url: 'http://x/', to: y, sha256: '${a}'}}]\n",
	    "abc", "steps[0].pull.sha256 must be 64 hexadecimal digits with these parameters",
	    "steps[0].pull.sha256" },
	{ "params: {a: {}}\nsteps: [{name: s, pull: {url: 'http://x/', to: '${a}'}}]\n", "",
	    "steps[0].pull.to must not be empty with these parameters", "steps[0].pull.to" },
	{ "params: {a: {}}\nscope: 'x${a}'\n" ONE_STEP, "a\nb",
	    "scope must be one line, without control characters with these parameters", "scope" },
};

START_TEST(what_the_parameters_spoil_is_refused)
{
	struct recipe_error error =
	    kit_refuse_given(refused[_i].text, GIVEN("a", refused[_i].value));

	ck_assert_str_eq(error.message, refused[_i].message);
	ck_assert_str_eq(error.field, refused[_i].field);
	ck_assert_uint_eq(error.line, 0);
}
END_TEST

/* N times UNIT, between HEAD and TAIL. Owned. */
static char *
repeat(const char *head, const char *unit, size_t n, const char *tail)
{
	size_t len = strlen(unit), at = strlen(head);
	char *text = malloc(at + n * len + strlen(tail) + 1);

	ck_assert_ptr_nonnull(text);
	memcpy(text, head, at);
	for (size_t i = 0; i < n; i++, at += len)
		memcpy(text + at, unit, len);
	memcpy(text + at, tail, strlen(tail) + 1);
	return text;
}

START_TEST(a_title_is_cut_and_a_scope_is_not)
{
	char *value = repeat("x\n", "\xc3\xa4", LIMIT_TITLE, "");
	struct spec spec = kit_spec("params: {a: {}}\ntitle: ${a}\n" ONE_STEP, GIVEN("a", value));
	struct recipe_error error;

	ck_assert_uint_eq(strlen(spec.title), LIMIT_TITLE);
	ck_assert(strncmp(spec.title, "x \xc3\xa4", 4) == 0);
	codec_free(&spec_codec, &spec);
	error = kit_refuse_given("params: {a: {}}\nscope: ${a}\n" ONE_STEP, GIVEN("a", value));
	ck_assert_str_eq(error.message, "scope is too long with these parameters");
	free(value);
}
END_TEST

START_TEST(a_small_recipe_cannot_grow_into_a_large_spec)
{
	char *value = repeat("", "x", LIMIT_TEXT, "");
	char *text =
	    repeat("params: {a: {}}\nsteps: [{name: s, run: [x", ", '${a}'", 1000, "]}]\n");
	struct recipe_error error = kit_refuse_given(text, GIVEN("a", value));

	ck_assert_str_eq(
	    error.message, "with these parameters the recipe becomes larger than 512 KiB");
	free(text);
	text = repeat("params: {a: {}}\nsteps: [{name: s, run: ['", "${a}", 2, "']}]\n");
	error = kit_refuse_given(text, GIVEN("a", value));
	ck_assert_str_eq(error.message, "steps[0].run is longer than 16 KiB with these parameters");
	free(text);
	free(value);
}
END_TEST

/* The key that joining compares. Owned; NULL: never joins. */
static char *
key_of(const char *dedupe, const char *const *given)
{
	char text[512], *key;
	struct spec spec;

	snprintf(
	    text, sizeof text, "%s\nparams: {a: {}, b: {default: x}, c: {}}\n" ONE_STEP, dedupe);
	spec = kit_spec(text, given);
	key = spec.dedupe_key;
	spec.dedupe_key = NULL;
	codec_free(&spec_codec, &spec);
	return key;
}

static bool
joins(const char *dedupe, const char *const *one, const char *const *other)
{
	char *first = key_of(dedupe, one), *second = key_of(dedupe, other);
	bool same = first && second && strcmp(first, second) == 0;

	free(first);
	free(second);
	return same;
}

START_TEST(without_a_scope_all_parameters_must_be_equal)
{
	ck_assert(joins("", GIVEN("a", "1", "c", "2"), GIVEN("c", "2", "a", "1")));
	ck_assert(joins("", GIVEN("b", "x"), NOTHING_GIVEN));
	ck_assert(!joins("", GIVEN("a", "1"), GIVEN("a", "2")));
	ck_assert(!joins("", GIVEN("a", "1"), GIVEN("c", "1")));
	ck_assert(!joins("", GIVEN("a", ""), NOTHING_GIVEN));
	/* Texts do not run into each other. */
	ck_assert(!joins("", GIVEN("a", "1c2", "c", ""), GIVEN("a", "1", "c", "2")));
}
END_TEST

START_TEST(with_a_scope_it_alone_must_be_equal)
{
	ck_assert(joins("scope: s${a}", GIVEN("a", "1", "c", "2"), GIVEN("a", "1", "c", "3")));
	ck_assert(!joins("scope: s${a}", GIVEN("a", "1"), GIVEN("a", "2")));
}
END_TEST

START_TEST(dedupe_names_what_must_be_equal)
{
	ck_assert(joins("dedupe: [a]", GIVEN("a", "1", "c", "2"), GIVEN("a", "1", "c", "3")));
	ck_assert(!joins("dedupe: [a]", GIVEN("a", "1"), GIVEN("a", "2")));
	ck_assert(!joins("dedupe: [scope, c]\nscope: ${a}", GIVEN("a", "1"), GIVEN("a", "2")));
	ck_assert(joins("dedupe: [c]\nscope: ${a}", GIVEN("a", "1"), GIVEN("a", "2")));
	ck_assert(joins("dedupe: []", GIVEN("a", "1"), GIVEN("a", "2")));
	ck_assert(!joins("dedupe: none", GIVEN("a", "1"), GIVEN("a", "1")));
}
END_TEST

START_TEST(keys_are_the_same_in_every_build)
{
	char *key = key_of("", GIVEN("a", "1"));

	ck_assert_str_eq(key, "params=c80b61911ce021e6d92741ea0ccf5269");
	free(key);
	key = key_of("dedupe: [a]", GIVEN("a", "1"));
	ck_assert_str_eq(key, "fields=a19524e6f43c64bf6e6a0c626f9c80dd");
	free(key);
	key = key_of("dedupe: []", GIVEN("a", "1"));
	ck_assert_str_eq(key, "any");
	free(key);
}
END_TEST

/* WORDS up to a NULL. Owned by the caller. */
static struct strs
words(const char *const *from)
{
	struct strs strs = { .v = NULL };

	for (; *from; from++)
		ck_assert_int_eq(strs_add(&strs, *from), 0);
	return strs;
}

START_TEST(a_command_is_one_step_that_is_no_template)
{
	struct strs argv = words(GIVEN("/usr/bin/env", "A B", "${x}", "it's", "", "a=b"));
	struct spec spec;
	char *filled = NULL, *missing = NULL;

	ck_assert_int_eq(recipe_command_spec(&argv, NULL, &spec), 0);
	ck_assert_str_eq(spec.type, "command");
	ck_assert_str_eq(spec.title, "/usr/bin/env 'A B' '${x}' 'it'\\''s' '' a=b");
	ck_assert_ptr_null(spec.dedupe_key);
	ck_assert(!spec.has_workdir);
	ck_assert_int_eq(spec.on_interrupt, INTERRUPT_STOP);
	ck_assert_uint_eq(spec.steps.n, 1);
	ck_assert_str_eq(spec.steps.v[0].name, "env");
	ck_assert_int_eq(spec.steps.v[0].kind, STEP_KIND_CMD);
	ck_assert_int_eq(spec.steps.v[0].cancel, CANCEL_NOW);
	ck_assert_uint_eq(spec.steps.v[0].cmd.argv.n, 6);
	ck_assert_int_eq(expand(spec.steps.v[0].cmd.argv.v[2], EXPAND_ALL, output_of_find, NULL,
			     &filled, &missing),
	    0);
	ck_assert_str_eq(filled, "${x}");
	free(filled);
	codec_free(&spec_codec, &spec);
	ck_assert_int_eq(recipe_command_spec(&argv, "My\ttitle", &spec), 0);
	ck_assert_str_eq(spec.title, "My title");
	codec_free(&spec_codec, &spec);
	strs_free(&argv);
}
END_TEST

START_TEST(a_long_command_has_a_short_title)
{
	char *word = repeat("/", "\xc3\xa4", LIMIT_TEXT / 2 - 1, "");
	struct strs argv = words(GIVEN(word, word));
	struct spec spec;

	ck_assert_int_eq(recipe_command_spec(&argv, NULL, &spec), 0);
	ck_assert_uint_le(strlen(spec.title), LIMIT_TITLE);
	ck_assert_uint_le(strlen(spec.steps.v[0].name), LIMIT_NAME);
	codec_free(&spec_codec, &spec);
	strs_free(&argv);
	free(word);
}
END_TEST

START_TEST(no_command_is_no_task)
{
	struct strs none = { .v = NULL }, empty = words(GIVEN("", "x"));
	struct spec spec;

	ck_assert_int_eq(recipe_command_spec(&none, NULL, &spec), -EINVAL);
	ck_assert_int_eq(recipe_command_spec(&empty, NULL, &spec), -EINVAL);
	strs_free(&empty);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipe_freeze");
	TCase *filling = tcase_create("filling");
	TCase *joining = tcase_create("joining");
	TCase *commands = tcase_create("commands");

	tcase_add_test(filling, a_recipe_becomes_a_spec_with_its_references_filled_in);
	tcase_add_test(filling, arguments_keep_their_bounds_and_their_letters);
	tcase_add_test(filling, what_becomes_empty_counts_as_left_out);
	tcase_add_loop_test(filling, values_are_not_expanded_again, 0, 10);
	tcase_add_loop_test(
	    filling, what_the_parameters_spoil_is_refused, 0, sizeof refused / sizeof refused[0]);
	tcase_add_test(filling, a_title_is_cut_and_a_scope_is_not);
	tcase_add_test(filling, a_small_recipe_cannot_grow_into_a_large_spec);
	suite_add_tcase(suite, filling);
	tcase_add_test(joining, without_a_scope_all_parameters_must_be_equal);
	tcase_add_test(joining, with_a_scope_it_alone_must_be_equal);
	tcase_add_test(joining, dedupe_names_what_must_be_equal);
	tcase_add_test(joining, keys_are_the_same_in_every_build);
	suite_add_tcase(suite, joining);
	tcase_add_test(commands, a_command_is_one_step_that_is_no_template);
	tcase_add_test(commands, a_long_command_has_a_short_title);
	tcase_add_test(commands, no_command_is_no_task);
	suite_add_tcase(suite, commands);
	return run_suite(suite);
}
