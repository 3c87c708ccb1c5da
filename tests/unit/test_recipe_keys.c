#include "supervisor/recipe/keys.h"

#include <stdio.h>

#include "supervisor/recipe/model.h"
#include "tests/unit/recipe_examples.h"

static const struct recipe_key *
key_at(int i)
{
	size_t count;
	const struct recipe_key *keys = recipe_keys(&count);

	ck_assert_uint_lt((size_t)i, count);
	return &keys[i];
}

START_TEST(every_good_example_is_accepted)
{
	const struct recipe_key *key = key_at(_i);
	char text[8192];

	kit_write_recipe(key, key->good, text, sizeof text);
	recipe_free(kit_parse(text));
}
END_TEST

START_TEST(every_bad_example_is_refused_where_it_stands)
{
	const struct recipe_key *key = key_at(_i);
	struct recipe_error error;
	char text[8192];

	kit_write_recipe(key, key->bad, text, sizeof text);
	error = kit_refuse(text);
	ck_assert_msg(strstr(error.field, key->name), "%s is said of \"%s\", not of \"%s\"",
	    error.message, error.field, key->name);
}
END_TEST

START_TEST(every_key_is_described_whole)
{
	const struct recipe_key *key = key_at(_i);

	ck_assert_str_ne(key_place_name(key->place), "invalid");
	ck_assert_str_ne(key_type_name(key->type), "invalid");
	ck_assert_uint_gt(strlen(key->help), 10);
	ck_assert(strchr(".?!", key->help[strlen(key->help) - 1]));
	ck_assert_int_eq(
	    key->type == KEY_CHOICE || key->type == KEY_WORD || key->type == KEY_PROGRESS,
	    key->choices != NULL);
	ck_assert_int_eq(key->type == KEY_MAP, key->inside != 0);
	ck_assert(!key->required || !key->fallback);
	ck_assert_ptr_eq(recipe_key_find(key->place, key->name), key);
}
END_TEST

START_TEST(numbers_that_are_none_have_no_name)
{
	ck_assert_str_eq(key_place_name((enum key_place)0), "invalid");
	ck_assert_str_eq(key_place_name((enum key_place)(PLACE_MAX + 1)), "invalid");
	ck_assert_str_eq(key_type_name((enum key_type)0), "invalid");
	ck_assert_str_eq(key_type_name((enum key_type)(KEY_TYPE_MAX + 1)), "invalid");
	ck_assert_ptr_null(recipe_key_find(PLACE_STEP, "nothing"));
}
END_TEST

START_TEST(words_stand_in_the_order_of_their_numbers)
{
	const struct recipe_key *cancel = recipe_key_find(PLACE_STEP, "cancel");
	const struct recipe_key *interrupt = recipe_key_find(PLACE_TOP, "on_interrupt");

	for (int i = 1; i <= CANCEL_MODE_MAX; i++)
		ck_assert_str_eq(cancel->choices[i - 1], cancel_mode_name((enum cancel_mode)i));
	ck_assert_str_eq(interrupt->choices[INTERRUPT_STOP - 1], "stop");
	ck_assert_str_eq(interrupt->choices[INTERRUPT_RESUME - 1], "resume");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipe_keys");
	TCase *table = tcase_create("table");
	size_t count;

	recipe_keys(&count);
	tcase_add_loop_test(table, every_good_example_is_accepted, 0, (int)count);
	tcase_add_loop_test(table, every_bad_example_is_refused_where_it_stands, 0, (int)count);
	tcase_add_loop_test(table, every_key_is_described_whole, 0, (int)count);
	tcase_add_test(table, numbers_that_are_none_have_no_name);
	tcase_add_test(table, words_stand_in_the_order_of_their_numbers);
	suite_add_tcase(suite, table);
	return run_suite(suite);
}
