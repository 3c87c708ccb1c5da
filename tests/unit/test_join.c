#include "supervisor/roster/join.h"

#include "tests/unit/rows.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>

static struct roster roster;
static struct task tasks[3];

static void
set_up(void)
{
	roster = (struct roster){ .by_join = NULL };
	for (int i = 0; i < 3; i++) {
		tasks[i] = (struct task){ .roster = &roster };
		row_make(&tasks[i].rec, 1);
		tasks[i].rec.id = (uint64_t)i + 1;
	}
}

static void
tear_down(void)
{
	for (int i = 0; i < 3; i++) {
		join_leave(&tasks[i]);
		row_free(&tasks[i].rec);
	}
	ck_assert_ptr_null(roster.by_join);
}

/* The task that one like RECORD would join. */
static struct task *
find(const struct record *record)
{
	char *join = join_of(record);
	struct task *found = join ? join_find(&roster, join) : NULL;

	free(join);
	return found;
}

START_TEST(an_ad_hoc_command_without_a_key_never_joins)
{
	ck_assert_int_eq(join_enter(&tasks[0]), 0);
	ck_assert_ptr_null(tasks[0].join);
	ck_assert_ptr_null(find(&tasks[1].rec));
}
END_TEST

START_TEST(the_same_key_of_the_same_owner_joins)
{
	str_set(&tasks[0].rec.key, "k");
	ck_assert_int_eq(join_enter(&tasks[0]), 0);
	str_set(&tasks[1].rec.key, "k");
	ck_assert_ptr_eq(find(&tasks[1].rec), &tasks[0]);
	str_set(&tasks[1].rec.key, "K");
	ck_assert_ptr_null(find(&tasks[1].rec));
	str_set(&tasks[1].rec.key, "k");
	str_set(&tasks[1].rec.persons.v[0].name, "unix:bob");
	ck_assert_ptr_null(find(&tasks[1].rec));
}
END_TEST

START_TEST(a_recipe_joins_on_its_type_and_dedupe_fields)
{
	str_set(&tasks[0].rec.type, "install");
	str_set(&tasks[0].rec.dedupe_key, "vm7");
	ck_assert_int_eq(join_enter(&tasks[0]), 0);
	str_set(&tasks[1].rec.type, "install");
	str_set(&tasks[1].rec.dedupe_key, "vm7");
	ck_assert_ptr_eq(find(&tasks[1].rec), &tasks[0]);
	str_set(&tasks[1].rec.dedupe_key, "vm8");
	ck_assert_ptr_null(find(&tasks[1].rec));
	str_set(&tasks[1].rec.dedupe_key, "vm7");
	str_set(&tasks[1].rec.type, "remove");
	ck_assert_ptr_null(find(&tasks[1].rec));
}
END_TEST

START_TEST(a_key_decides_alone_and_is_no_type)
{
	str_set(&tasks[0].rec.type, "install");
	str_set(&tasks[0].rec.dedupe_key, "vm7");
	ck_assert_int_eq(join_enter(&tasks[0]), 0);
	str_set(&tasks[1].rec.type, "install");
	str_set(&tasks[1].rec.dedupe_key, "vm7");
	str_set(&tasks[1].rec.key, "k");
	ck_assert_ptr_null(find(&tasks[1].rec));
	ck_assert_int_eq(join_enter(&tasks[1]), 0);
	str_set(&tasks[2].rec.type, "remove");
	str_set(&tasks[2].rec.key, "k");
	ck_assert_ptr_eq(find(&tasks[2].rec), &tasks[1]); /* conflict is for the caller to see */
	str_set(&tasks[2].rec.key, "install\nvm7");
	ck_assert_ptr_null(find(&tasks[2].rec));
}
END_TEST

START_TEST(who_has_left_is_not_joined)
{
	str_set(&tasks[0].rec.key, "k");
	str_set(&tasks[1].rec.key, "k");
	ck_assert_int_eq(join_enter(&tasks[0]), 0);
	join_leave(&tasks[0]);
	ck_assert_ptr_null(find(&tasks[1].rec));
	join_leave(&tasks[0]);
	ck_assert_int_eq(join_enter(&tasks[1]), 0);
	ck_assert_ptr_eq(find(&tasks[0].rec), &tasks[1]);
}
END_TEST

START_TEST(the_first_of_two_with_the_same_join_stays_the_one_to_join)
{
	for (int i = 0; i < 3; i++)
		str_set(&tasks[i].rec.key, "k");
	ck_assert_int_eq(join_enter(&tasks[0]), 0);
	ck_assert_int_eq(join_enter(&tasks[1]), 0);
	ck_assert_ptr_eq(find(&tasks[2].rec), &tasks[0]);
	join_leave(&tasks[1]); /* that one was never in the table */
	ck_assert_ptr_eq(find(&tasks[2].rec), &tasks[0]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("join");
	TCase *tests = tcase_create("join");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_ad_hoc_command_without_a_key_never_joins);
	tcase_add_test(tests, the_same_key_of_the_same_owner_joins);
	tcase_add_test(tests, a_recipe_joins_on_its_type_and_dedupe_fields);
	tcase_add_test(tests, a_key_decides_alone_and_is_no_type);
	tcase_add_test(tests, who_has_left_is_not_joined);
	tcase_add_test(tests, the_first_of_two_with_the_same_join_stays_the_one_to_join);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
