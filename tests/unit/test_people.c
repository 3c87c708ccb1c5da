#include "supervisor/people.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	NO_ACCOUNT = 3999999
};

static struct ev_loop *loop;
static struct jobs jobs;
static struct people *people;

/* A copy of what the last answer said. */
static unsigned answers;
static uid_t uid;
static gid_t gid, groups[256];
static size_t ngroups;
static char name[64], home[64], shell[64];

static void
on_person(const struct person *person, void *arg)
{
	ck_assert_ptr_eq(arg, &jobs);
	ck_assert_ptr_nonnull(person);
	answers++;
	uid = person->uid;
	gid = person->gid;
	ngroups = person->ngroups;
	for (size_t i = 0; i < ngroups; i++)
		groups[i] = person->groups[i];
	snprintf(name, sizeof name, "%s", person->name);
	snprintf(home, sizeof home, "%s", person->home);
	snprintf(shell, sizeof shell, "%s", person->shell);
}

static void
set_up(void)
{
	loop = ev_loop_new(EVFLAG_AUTO);
	answers = 0;
	ck_assert_int_eq(jobs_start(&jobs, loop, "names"), 0);
	ck_assert_int_eq(people_new(&jobs, &people), 0);
}

static void
tear_down(void)
{
	jobs_stop(&jobs);
	people_free(people);
	ev_loop_destroy(loop);
}

static void
look_up(uid_t whom)
{
	unsigned before = answers;

	people_look_up(people, whom, on_person, &jobs);
	while (answers == before) /* the test's timeout */
		ev_run(loop, EVRUN_ONCE);
	ck_assert_uint_eq(uid, whom);
}

START_TEST(root_is_found_with_all_that_is_known)
{
	const struct passwd *root = getpwuid(0);
	bool in_group = false;

	ck_assert_ptr_nonnull(root);
	look_up(0);
	ck_assert_str_eq(name, root->pw_name);
	ck_assert_str_eq(home, root->pw_dir);
	ck_assert_str_eq(shell, root->pw_shell);
	ck_assert_uint_eq(gid, root->pw_gid);
	for (size_t i = 0; i < ngroups; i++)
		in_group = in_group || groups[i] == gid;
	ck_assert(in_group);
}
END_TEST

START_TEST(a_uid_without_an_account_is_a_number_with_little)
{
	look_up(NO_ACCOUNT);
	ck_assert_str_eq(name, "3999999");
	ck_assert_str_eq(home, "/");
	ck_assert_str_eq(shell, "/bin/sh");
	ck_assert_uint_eq(gid, NO_ACCOUNT);
	ck_assert_uint_eq(ngroups, 0);
}
END_TEST

START_TEST(who_is_known_is_told_at_once)
{
	look_up(0);
	people_look_up(people, 0, on_person, &jobs);
	ck_assert_uint_eq(answers, 2);
	/* Another one takes his place in the table. */
	look_up(NO_ACCOUNT / 64 * 64);
	people_look_up(people, 0, on_person, &jobs);
	ck_assert_uint_eq(answers, 3);
	while (answers == 3)
		ev_run(loop, EVRUN_ONCE);
	ck_assert_str_eq(name, "root");
}
END_TEST

START_TEST(many_may_ask_before_the_first_is_answered)
{
	for (uid_t i = 0; i < 200; i++)
		people_look_up(people, NO_ACCOUNT + i % 70, on_person, &jobs);
	while (answers < 200)
		ev_run(loop, EVRUN_ONCE);
}
END_TEST

START_TEST(names_of_users_and_groups_are_found)
{
	uid_t found = 77;

	ck_assert_int_eq(people_user_id("root", &found), 0);
	ck_assert_uint_eq(found, 0);
	found = 77;
	ck_assert_int_eq(people_user_id("nobody-by-this-name", &found), -ENOENT);
	ck_assert_int_eq(people_user_id("", &found), -ENOENT);
	ck_assert_uint_eq(found, 77);
	ck_assert_uint_eq(people_group_id("root"), 0);
	ck_assert_uint_eq(people_group_id("no-group-by-this-name"), (gid_t)-1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("people");
	TCase *tests = tcase_create("people");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, root_is_found_with_all_that_is_known);
	tcase_add_test(tests, a_uid_without_an_account_is_a_number_with_little);
	tcase_add_test(tests, who_is_known_is_told_at_once);
	tcase_add_test(tests, many_may_ask_before_the_first_is_answered);
	tcase_add_test(tests, names_of_users_and_groups_are_found);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
