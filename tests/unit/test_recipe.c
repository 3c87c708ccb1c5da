#include "supervisor/recipe/recipe.h"

#include "tests/unit/recipe_kit.h"

static const struct {
	const char *text, *message, *field;
} wrong[] = {
	{ "steps:\n  - name: a\n    run: [x]\n    tiemout: 3s\n",
	    "t.yaml:4:5: unknown key \"tiemout\" (did you mean \"timeout\"?)", "steps[0].tiemout" },
	{ "timeout: 3s\n" ONE_STEP,
	    "t.yaml:1:1: unknown key \"timeout\" in a recipe (it belongs to a step)", "timeout" },
	{ "wibblefish: 3\n" ONE_STEP, "t.yaml:1:1: unknown key \"wibblefish\"", "wibblefish" },
	{ "confirm: 3\n" ONE_STEP,
	    "t.yaml:1:1: unknown key \"confirm\" in a recipe (it belongs to a step)", "confirm" },
	{ "steps:\n  - name: a\n    confirm: {text: x}\n    timeout: 3s\n",
	    "t.yaml:4:5: step \"a\" asks a question: \"timeout\" means nothing there",
	    "steps[0].timeout" },
	{ "steps:\n  - name: a\n    confirm: {text: x, default: no}\n",
	    "t.yaml:3:14: a default answer needs its time, and a time its answer",
	    "steps[0].confirm" },
	{ "steps:\n  - name: a\n    confirm: {text: x, fields: {answer: {}}}\n",
	    "t.yaml:3:32: no field is called \"answer\": that is the yes or no",
	    "steps[0].confirm.fields" },
	{ "steps:\n  - name: a\n    confirm: {text: x, fields: {k: {type: secret}}}\n"
	  "  - {name: b, run: [echo, '${steps.a.k}']}\n",
	    "t.yaml:4:27: \"k\" is a secret, which others could read here: only env and sh get it",
	    "steps[1].run[1]" },
	{ "title: a\ntitle: b\n" ONE_STEP,
	    "t.yaml:2:1: duplicate key \"title\" (first given in line 1)", "title" },
	{ "title: [a\n",
	    "t.yaml:2:1: did not find expected ',' or ']' (while parsing a flow sequence)", "" },
	{ "a:\n\tb: 1\n", "t.yaml:2:1: a tab cannot indent: YAML wants spaces", "" },
	{ "title: &x a\n", "t.yaml:1:8: anchors (&) are not allowed", "" },
	{ "title: *x\n", "t.yaml:1:8: aliases (*) are not allowed; quote a text that begins with *",
	    "" },
	{ "*x : y\n", "t.yaml:1:1: aliases (*) are not allowed; quote a text that begins with *",
	    "" },
	{ "title: !!str a\n", "t.yaml:1:8: tags (!) are not allowed", "" },
	{ "steps: !x []\n", "t.yaml:1:8: tags (!) are not allowed", "" },
	{ "&a steps: []\n", "t.yaml:1:1: anchors (&) are not allowed", "" },
	{ "steps: &a []\n", "t.yaml:1:8: anchors (&) are not allowed", "" },
	{ "%YAML 1.1\n---\ntitle: a\n", "t.yaml:1:1: directives (%) are not allowed", "" },
	{ ONE_STEP "---\n" ONE_STEP, "t.yaml:2:1: it is to be one document; here another begins",
	    "" },
	{ "title: \"\\0\"\n", "t.yaml:1:8: a text must not contain a zero byte", "" },
	{ "title: a\n\xc3\n", "t.yaml:2:1: not valid UTF-8", "" },
	{ "t\xc3\xa4: \x01\n", "t.yaml:1:5: control characters are not allowed", "" },
	{ "[a, b]: c\n", "t.yaml:1:1: a key must be a word, not a list or a map", "" },
	{ "", "t.yaml:1:1: the recipe is empty", "" },
	{ "# nothing\n", "t.yaml:1:1: the recipe is empty", "" },
	{ "- a\n", "t.yaml:1:1: a recipe is a map of keys, such as `steps:`", "" },
	{ "title: a\n", "t.yaml:1:1: the recipe has no \"steps\"", "" },
	{ "steps: []\n", "t.yaml:1:8: \"steps\" is empty", "steps" },
	{ "steps:\n", "t.yaml:1:7: \"steps\" has no value: it takes a list of steps", "steps" },
	{ "steps: {a: b}\n", "t.yaml:1:8: \"steps\" takes a list of steps, not a map", "steps" },
	{ "steps: [a]\n", "t.yaml:1:9: step 1 must be a map of keys, such as `name:`", "steps[0]" },
	{ "steps:\n  - run: [x]\n", "t.yaml:2:5: step 1 has no \"name\"", "steps[0]" },
	{ "steps:\n  - name: a\n",
	    "t.yaml:2:5: step \"a\" has nothing to do: it needs run, sh, pull or confirm",
	    "steps[0]" },
	{ "steps:\n  - name: a\n    run: [x]\n    sh: y\n",
	    "t.yaml:4:5: step \"a\" has both run and sh: one is all it can do", "steps[0].sh" },
	{ "steps:\n  - name: a\n    sh: y\n    pull: {url: 'http://a/', to: b}\n",
	    "t.yaml:4:5: step \"a\" has both sh and pull: one is all it can do", "steps[0].pull" },
	{ "steps:\n  - name: a\n    pull: {to: b}\n",
	    "t.yaml:3:11: step \"a\": \"pull\" needs \"url\"", "steps[0].pull" },
	{ "steps:\n  - name: a\n    sh: y\n    retry: {delay: 1s}\n",
	    "t.yaml:4:12: step \"a\": \"retry\" needs \"attempts\"", "steps[0].retry" },
	{ "steps:\n  - {name: a, sh: x}\n  - {name: a, sh: y}\n",
	    "t.yaml:3:12: another step is named \"a\" already", "steps[1].name" },
	{ "steps:\n  - {name: Big, sh: x}\n",
	    "t.yaml:2:12: \"name\" must be a name of a-z 0-9 _ - that begins with a letter or digit",
	    "steps[0].name" },
	{ "steps:\n  - {name: a, sh: x, leave_running: yes}\n",
	    "t.yaml:2:37: \"leave_running\" takes true or false, not \"yes\"",
	    "steps[0].leave_running" },
	{ "steps:\n  - {name: a, sh: x, cancel: nevr}\n",
	    "t.yaml:2:30: \"cancel\" takes now, after or never, not \"nevr\"", "steps[0].cancel" },
	{ "steps:\n  - {name: a, sh: x, timeout: 40d}\n",
	    "t.yaml:2:31: \"timeout\" must be above 0 and at most 30 days", "steps[0].timeout" },
	{ "steps:\n  - {name: a, sh: x, weight: 1e3}\n",
	    "t.yaml:2:30: \"weight\" takes a number above 0 and up to 1000000, not \"1e3\"",
	    "steps[0].weight" },
	{ "steps:\n  - {name: a, run: x -y}\n",
	    "t.yaml:2:20: \"run\" takes a program and its arguments as a list, not a text",
	    "steps[0].run" },
	{ "steps:\n  - {name: a, run: []}\n", "t.yaml:2:20: \"run\" is empty", "steps[0].run" },
	{ "steps:\n  - {name: a, run: ['']}\n",
	    "t.yaml:2:21: \"run\" has no program: its first text is empty", "steps[0].run[0]" },
	{ "steps:\n  - name: a\n    run: [echo, b: c]\n",
	    "t.yaml:3:17: \"run\" takes texts; this is a map (quote a text that looks like one)",
	    "steps[0].run[1]" },
	{ "steps:\n  - name: a\n    sh: x\n    env: {REEVE_FD: 3}\n",
	    "t.yaml:4:11: \"REEVE_FD\": names that begin with REEVE_ are taken",
	    "steps[0].env.REEVE_FD" },
	{ "steps:\n  - name: a\n    sh: x\n    outputs: [b, b]\n",
	    "t.yaml:4:18: \"b\" is twice in "
	    "\"outputs\"",
	    "steps[0].outputs[1]" },
	{ "steps:\n  - name: a\n    sh: x\n    undo: {run: [x], sh: y}\n",
	    "t.yaml:4:22: \"undo\" takes run or sh, not both", "steps[0].undo.sh" },
	{ "steps:\n  - name: a\n    sh: x\n    check: {}\n",
	    "t.yaml:4:12: \"check\" needs run or sh", "steps[0].check" },
	{ "title: ''\n" ONE_STEP, "t.yaml:1:8: \"title\" must not be empty", "title" },
	{ "title: |\n  a\n  b\n" ONE_STEP,
	    "t.yaml:1:8: \"title\" must be one line, without control characters", "title" },
	{ "title:\n" ONE_STEP, "t.yaml:1:7: \"title\" has no value", "title" },
	{ "params: [a]\n" ONE_STEP, "t.yaml:1:9: \"params\" takes a map of parameters, not a list",
	    "params" },
	{ "params: {A: {}}\n" ONE_STEP,
	    "t.yaml:1:10: \"A\" is not a parameter's name (a-z 0-9 _ -, "
	    "beginning with a letter or digit)",
	    "params.A" },
	{ "params:\n  a:\n" ONE_STEP,
	    "t.yaml:2:5: parameter \"a\" needs a map of keys ({} will do)", "params.a" },
	{ "params: {a-b: {}, a_b: {}}\n" ONE_STEP,
	    "t.yaml:1:19: parameters \"a-b\" and \"a_b\" would be the same variable in sh",
	    "params.a_b" },
	{ "params: {a: {type: str}}\n" ONE_STEP,
	    "t.yaml:1:20: \"type\" takes string, int, bool, path or url, not \"str\"",
	    "params.a.type" },
	{ "params: {a: {type: bool, default: yes}}\n" ONE_STEP,
	    "t.yaml:1:35: parameter \"a\" takes true or false, not \"yes\"", "params.a.default" },
	{ "params: {a: {choices: [b, c], default: d}}\n" ONE_STEP,
	    "t.yaml:1:40: parameter \"a\": \"d\" is none of b, c", "params.a.default" },
	{ "params: {a: {type: int, choices: [1, two]}}\n" ONE_STEP,
	    "t.yaml:1:38: parameter \"a\" takes a whole number, not \"two\"",
	    "params.a.choices[1]" },
	{ "params: {a: {pattern: 'x('}}\n" ONE_STEP,
	    "t.yaml:1:23: cannot use the pattern \"x(\": a group or alternative is empty",
	    "params.a.pattern" },
	{ "params: {model: {}}\ntitle: ${modle}\n" ONE_STEP,
	    "t.yaml:2:8: there is no parameter \"modle\" (did you mean \"model\"?)", "title" },
	{ "title: ${steps.one.x}\n" ONE_STEP,
	    "t.yaml:1:8: outputs of steps are not known here: only parameters are", "title" },
	{ "dedupe: [nope]\n" ONE_STEP, "t.yaml:1:10: there is no parameter \"nope\"", "dedupe[0]" },
	{ "steps:\n  - {name: a, run: [x, '${p']}\n",
	    "t.yaml:2:24: a ${ has no name or no } (write $${ for a plain ${)", "steps[0].run[1]" },
	{ "steps:\n  - {name: a, run: ['${steps.b.url}']}\n  - {name: b, sh: x, outputs: [url]}\n",
	    "t.yaml:2:21: step \"b\" runs later than step \"a\", which wants its output",
	    "steps[0].run[0]" },
	{ "steps:\n  - {name: a, run: ['${steps.a.url}'], outputs: [url]}\n",
	    "t.yaml:2:21: step \"a\" cannot use its own outputs: they come when it ends",
	    "steps[0].run[0]" },
	{ "steps:\n  - {name: find, sh: x, outputs: [url]}\n"
	  "  - {name: b, pull: {url: '${steps.find.ulr}', to: x}}\n",
	    "t.yaml:3:27: step \"find\" declares no output \"ulr\" (did you mean \"url\"?)",
	    "steps[1].pull.url" },
	{ "steps:\n  - {name: find, sh: x, outputs: [url]}\n"
	  "  - {name: b, sh: y, env: {U: '${steps.fnid.url}'}}\n",
	    "t.yaml:3:31: there is no step \"fnid\" (did you mean \"find\"?)", "steps[1].env.U" },
	{ "steps:\n  - {name: find, sh: x, outputs: [url]}\n"
	  "  - {name: b, sh: y, undo: [rm, '${steps.find}']}\n",
	    "t.yaml:3:33: an output is written ${steps.STEP.OUTPUT}, with the names of both",
	    "steps[1].undo[1]" },
	{ "steps:\n  - {name: a-b, sh: x, outputs: [c]}\n  - {name: a, sh: y, outputs: [d, b_c]}\n",
	    "t.yaml:3:35: this output and the one in line 2 would be the same variable in sh",
	    "steps[1].outputs[1]" },
	{ "steps:\n  - {name: a, sh: 'echo ${steps.a.x}'}\n",
	    "t.yaml:2:19: nothing is filled in inside sh: an output is the variable "
	    "$OUT_STEP_OUTPUT there",
	    "steps[0].sh" },
};

START_TEST(an_error_names_its_place_and_its_remedy)
{
	struct recipe_error error = kit_refuse(wrong[_i].text);

	ck_assert_str_eq(error.message, wrong[_i].message);
	ck_assert_str_eq(error.field, wrong[_i].field);
	ck_assert_uint_gt(error.line, 0);
	ck_assert_uint_gt(error.column, 0);
}
END_TEST

/* N times UNIT, after PREFIX. Owned. */
static char *
repeat(const char *prefix, const char *unit, size_t n)
{
	size_t head = strlen(prefix), len = strlen(unit);
	char *text = malloc(head + n * len + 1);

	ck_assert_ptr_nonnull(text);
	memcpy(text, prefix, head + 1);
	for (size_t i = 0; i < n; i++)
		memcpy(text + head + i * len, unit, len + 1);
	return text;
}

START_TEST(brackets_without_end_cost_nothing)
{
	static const char *const units[] = { "[", "[\n", "{", "{a: ", "[a, ", "- ", "? ", "[{",
		"!<x> ", "\"\" : [" };
	char *text = repeat("title: ", units[_i], 50000);
	struct recipe_error error = kit_refuse(text);

	/* Nothing may wait for the end: CI would run into Check's time limit of four seconds. */
	ck_assert_uint_le(error.line, 20);
	free(text);
}
END_TEST

START_TEST(what_exceeds_a_limit_is_refused)
{
	char *large = repeat("# ", "x", LIMIT_RECIPE);
	char *keys = repeat("params:\n", "", 0);
	struct recipe_error error = kit_refuse(large);

	ck_assert_str_eq(error.message, "t.yaml:1:1: a recipe is at most 256 KiB");
	free(large);
	free(keys);
	large = repeat("steps:\n", "  - {name: a, sh: x}\n", LIMIT_STEPS + 1);
	error = kit_refuse(large);
	ck_assert_str_eq(error.message, "t.yaml:2:3: \"steps\" has more than 64 entries");
	free(large);
	large = repeat("steps: [{name: a, run: [", "x,", 20000);
	error = kit_refuse(large);
	ck_assert_ptr_nonnull(strstr(error.message, "too many values"));
	free(large);
}
END_TEST

START_TEST(sixteen_levels_are_read_and_seventeen_refused)
{
	struct recipe_error error = kit_refuse("title: [[[[[[[[[[[[[[[]]]]]]]]]]]]]]]\n");

	ck_assert_str_eq(error.message, "t.yaml:1:8: \"title\" takes one line of text, not a list");
	error = kit_refuse("title: [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\n");
	ck_assert_str_eq(error.message, "t.yaml:1:23: nested too deeply (16 levels are the limit)");
}
END_TEST

START_TEST(a_zero_byte_does_not_end_a_recipe)
{
	static const char text[] = ONE_STEP "\0title: x\n";
	struct recipe_error error = kit_refuse_bytes(text, sizeof text - 1);

	ck_assert_str_eq(error.message, "t.yaml:2:1: a zero byte is not allowed");
}
END_TEST

START_TEST(a_recipe_tells_what_it_is)
{
	struct recipe *recipe =
	    kit_parse("name: pull-model\n"
		      "title: Pull ${model}\n"
		      "description: |\n  Two\n  lines.\n"
		      "params:\n"
		      "  model: {required: true, pattern: '[a-z]+', description: Which}\n"
		      "  size: {type: int, default: 08, required: true, choices: [08, 9]}\n"
		      "  key: {secret: true}\n" ONE_STEP);
	struct recipe_param param;

	ck_assert_str_eq(recipe_name(recipe), "pull-model");
	ck_assert_str_eq(recipe_title(recipe), "Pull ${model}");
	ck_assert_str_eq(recipe_description(recipe), "Two\nlines.\n");
	ck_assert_uint_eq(recipe_param_count(recipe), 3);
	param = recipe_param_at(recipe, 0);
	ck_assert_str_eq(param.name, "model");
	ck_assert_str_eq(param.type, "string");
	ck_assert_str_eq(param.pattern, "[a-z]+");
	ck_assert_str_eq(param.description, "Which");
	ck_assert_ptr_null(param.default_value);
	ck_assert_ptr_null(param.choices);
	ck_assert(param.required && !param.secret);
	param = recipe_param_at(recipe, 1);
	ck_assert_str_eq(param.type, "int");
	ck_assert_str_eq(param.default_value, "08");
	ck_assert_str_eq(param.choices[1], "9");
	ck_assert_ptr_null(param.choices[2]);
	ck_assert(!param.required);
	ck_assert(recipe_param_at(recipe, 2).secret);
	recipe_free(recipe);
}
END_TEST

START_TEST(without_a_name_a_recipe_is_called_as_its_file)
{
	static const struct {
		const char *file, *name;
	} names[] = { { "/etc/x/Try-it.yaml", "Try-it" }, { "a.b.yml", "a.b" },
		{ "plain", "plain" }, { "/x/no good.yaml", NULL }, { "", NULL },
		{ "/x/.yaml", NULL }, { "-", "-" } };
	struct recipe_error error;
	struct recipe *recipe;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		int r = recipe_parse(names[i].file, ONE_STEP, strlen(ONE_STEP), &recipe, &error);

		ck_assert_int_eq(r, names[i].name ? 0 : -EINVAL);
		if (!names[i].name)
			continue;
		ck_assert_str_eq(recipe_name(recipe), names[i].name);
		ck_assert_ptr_null(recipe_title(recipe));
		recipe_free(recipe);
	}
}
END_TEST

START_TEST(of_a_long_path_the_end_is_told)
{
	static const char end[] = "/a\n.yaml";
	struct recipe_error error;
	struct recipe *recipe;
	char *path = repeat("/", "\xc3\xa4", 2000);

	memcpy(path + strlen(path) - (sizeof end - 1), end, sizeof end - 1);
	ck_assert_int_eq(recipe_parse(path, "x: y\n", 5, &recipe, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "/a?.yaml:1:1: unknown key \"x\""));
	ck_assert_uint_lt(strlen(error.message), 200);
	free(path);
}
END_TEST

START_TEST(nothing_is_no_recipe_to_free)
{
	recipe_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipe");
	TCase *reading = tcase_create("reading");
	TCase *limits = tcase_create("limits");

	tcase_add_loop_test(
	    reading, an_error_names_its_place_and_its_remedy, 0, sizeof wrong / sizeof wrong[0]);
	tcase_add_test(reading, a_recipe_tells_what_it_is);
	tcase_add_test(reading, without_a_name_a_recipe_is_called_as_its_file);
	tcase_add_test(reading, of_a_long_path_the_end_is_told);
	tcase_add_test(reading, nothing_is_no_recipe_to_free);
	suite_add_tcase(suite, reading);
	tcase_add_loop_test(limits, brackets_without_end_cost_nothing, 0, 10);
	tcase_add_test(limits, what_exceeds_a_limit_is_refused);
	tcase_add_test(limits, sixteen_levels_are_read_and_seventeen_refused);
	tcase_add_test(limits, a_zero_byte_does_not_end_a_recipe);
	suite_add_tcase(suite, limits);
	return run_suite(suite);
}
