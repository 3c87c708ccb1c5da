/* `reeve check` and `reeve recipes --keys`, which need no service. */
#include "supervisor/recipe/keys.h"
#include "tests/unit/cli_kit.h"
#include "tests/unit/suite.h"

static const struct script nothing[] = { { NULL, NULL, NULL, NULL } };

/* `reeve check OPTIONS FILE WORDS` of a file with this TEXT. */
static int
check(const char *text, const char *options, const char *words)
{
	char path[256], line[512];
	int status;

	snprintf(path, sizeof path, "%s/r.yaml", canned.dir);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, text, strlen(text), 0600, false), 0);
	snprintf(line, sizeof line, "check%s %s%s", options, path, words);
	ck_assert_int_eq(ftruncate(out_fd, 0), 0);
	ck_assert_int_eq(lseek(out_fd, 0, SEEK_SET), 0);
	status = reeve(nothing, line);
	unlink(path);
	return status;
}

#define STEPS "steps: [{name: a, run: [id], retry: {attempts: 2}}]\n"

START_TEST(a_check_tells_what_would_be_done)
{
	ck_assert_int_eq(check("name: r\n" STEPS, "", ""), EXIT_OK);
	has(out, "r.yaml is a sound recipe\n");
	has(out, " 1  a  runs up to 3 times\n    id\n");
	ck_assert_ptr_null(strstr(out, "warning"));
}
END_TEST

START_TEST(a_user_who_is_unknown_here_is_a_warning)
{
	static const char text[] =
	    "run_as: nobody-of-that-name\nparams: {p: {required: true}}\n" STEPS;
	static const char says[] = "run_as: there is no user \"nobody-of-that-name\"";
	json_t *json;

	ck_assert_int_eq(check(text, "", ""), EXIT_OK);
	has(out, says);
	ck_assert_int_eq(check(text, " --json", " p=1"), EXIT_OK);
	json = json_loads(out, 0, NULL);
	ck_assert_ptr_nonnull(json);
	ck_assert(json_is_true(json_object_get(json, "valid")));
	has(json_string_value(json_array_get(json_object_get(json, "warnings"), 0)), says);
	json_decref(json);
	ck_assert_int_eq(check("run_as: root\n" STEPS, "", ""), EXIT_OK);
	ck_assert_ptr_null(strstr(out, "warning"));
}
END_TEST

START_TEST(every_key_of_recipes_is_told)
{
	size_t n;
	const struct recipe_key *keys = recipe_keys(&n);
	char begin[64];

	ck_assert_int_eq(reeve(nothing, "recipes --keys"), EXIT_OK);
	for (size_t i = 0; i < n; i++) {
		snprintf(begin, sizeof begin, "\n  %-14s ", keys[i].name);
		has(out, begin);
		snprintf(begin, sizeof begin, "In %s:\n", key_place_name(keys[i].place));
		has(out, begin);
	}
	has(out, "Tries in addition to the first");
	ck_assert_int_eq(atomic_load(&canned.calls), 0);
}
END_TEST

START_TEST(the_keys_are_there_for_programs_too)
{
	size_t n;
	const struct recipe_key *keys = recipe_keys(&n);
	json_t *json;

	ck_assert_int_eq(reeve(nothing, "recipes --keys --json"), EXIT_OK);
	json = json_loads(out, 0, NULL);
	ck_assert_uint_eq(json_array_size(json), n);
	for (size_t i = 0; i < n; i++) {
		json_t *key = json_array_get(json, i);

		ck_assert_str_eq(json_string_value(json_object_get(key, "key")), keys[i].name);
		ck_assert_str_eq(json_string_value(json_object_get(key, "help")), keys[i].help);
	}
	json_decref(json);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_recipes");
	TCase *tcase = tcase_create("recipes");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_check_tells_what_would_be_done);
	tcase_add_test(tcase, a_user_who_is_unknown_here_is_a_warning);
	tcase_add_test(tcase, every_key_of_recipes_is_told);
	tcase_add_test(tcase, the_keys_are_there_for_programs_too);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
