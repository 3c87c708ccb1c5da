#include "supervisor/recipe/library.h"

#include "tests/unit/recipe_kit.h"
#include "tests/unit/scratch.h"

#include <sys/stat.h>
#include <unistd.h>

static struct strs listed; /* where recipes are looked for; none: where they usually are */
static char *first_dir, *second_dir; /* owned, below the scratch directory */
static char *private_dir;            /* owned; NULL: none */

static void
write_recipe(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, text, strlen(text), 0644, false), 0);
}

/* A directory that nobody but us can write, up to the root; NULL where the machine has none. */
static char *
make_private_dir(void)
{
	const char *const parents[] = { "/run", "/var/lib", getenv("HOME"), "/root" };
	char *path = NULL;

	for (size_t i = 0; i < sizeof parents / sizeof parents[0]; i++) {
		if (!parents[i])
			continue;
		ck_assert_int_gt(asprintf(&path, "%s/reeve-unit-XXXXXX", parents[i]), 0);
		if (mkdtemp(path))
			return path;
		free(path);
	}
	return NULL;
}

/* Only there; NULL for no more. */
static void
look_in(const char *first, const char *second, const char *third)
{
	strs_free(&listed);
	ck_assert_int_eq(strs_add(&listed, first), 0);
	if (second)
		ck_assert_int_eq(strs_add(&listed, second), 0);
	if (third)
		ck_assert_int_eq(strs_add(&listed, third), 0);
}

static void
make_dirs(void)
{
	scratch_make();
	first_dir = strdup(scratch_file("first"));
	second_dir = strdup(scratch_file("second"));
	private_dir = make_private_dir();
	ck_assert_int_eq(mkdir(first_dir, 0755), 0);
	ck_assert_int_eq(mkdir(second_dir, 0755), 0);
	write_recipe(first_dir, "both.yaml", "title: first\n");
	write_recipe(second_dir, "both.yaml", "title: second\n");
	write_recipe(second_dir, "a.yaml", "title: a\n");
	write_recipe(second_dir, "no.txt", "x");
	write_recipe(second_dir, ".hidden.yaml", "x");
	write_recipe(second_dir, "with space.yaml", "x");
	look_in(first_dir, scratch_file("nowhere"), second_dir);
}

static void
remove_dirs(void)
{
	free(first_dir);
	free(second_dir);
	if (private_dir)
		(void)fd_remove_tree(AT_FDCWD, private_dir);
	free(private_dir);
	strs_free(&listed);
	scratch_remove();
}

static struct recipe_library
open_library(void)
{
	struct recipe_library library;

	ck_assert_int_eq(recipe_library_init(&library, "/etc/reeve", &listed), 0);
	return library;
}

/* What finding NAME returns; with the file's text when that is 0. */
static int
find(const char *name, char *text, size_t size)
{
	struct recipe_library library = open_library();
	struct recipe_file file;
	int r = recipe_library_find(&library, name, &file);

	if (r == 0) {
		snprintf(text, size, "%s", file.text);
		ck_assert_uint_eq(file.len, strlen(file.text));
		recipe_file_fini(&file);
	}
	recipe_library_fini(&library);
	return r;
}

START_TEST(the_first_directory_wins)
{
	char text[64];

	ck_assert_int_eq(find("both", text, sizeof text), 0);
	ck_assert_str_eq(text, "title: first\n");
	ck_assert_int_eq(find("a", text, sizeof text), 0);
	ck_assert_str_eq(text, "title: a\n");
	ck_assert_int_eq(find("c", text, sizeof text), -ENOENT);
}
END_TEST

START_TEST(a_name_is_never_a_path)
{
	static const char *const names[] = { "", ".", "..", "../first/both", "a/b", "/etc/passwd",
		"a b", ".hidden", "a\n" };
	char text[64];

	ck_assert_int_eq(find(names[_i], text, sizeof text), -EINVAL);
}
END_TEST

static int
append_name(const char *name, const char *path, void *arg)
{
	char *names = arg;
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	snprintf(names + strlen(names), 256 - strlen(names), "%s(%s) ", name,
	    strstr(path, "/first/") ? "first" : "second");
	return strcmp(name, "stop") == 0 ? -ECANCELED : 0;
}

START_TEST(all_are_listed_once_by_name)
{
	struct recipe_library library = open_library();
	char names[256] = "";

	ck_assert_int_eq(recipe_library_each(&library, append_name, names), 0);
	ck_assert_str_eq(names, "a(second) both(first) ");
	write_recipe(second_dir, "stop.yaml", "x");
	write_recipe(second_dir, "zebra.yaml", "x");
	names[0] = '\0';
	ck_assert_int_eq(recipe_library_each(&library, append_name, names), -ECANCELED);
	ck_assert_str_eq(names, "a(second) both(first) stop(second) ");
	recipe_library_fini(&library);
}
END_TEST

START_TEST(what_is_no_file_is_no_recipe)
{
	char text[64];

	ck_assert_int_eq(mkdir(scratch_file("first/dir.yaml"), 0755), 0);
	ck_assert_int_eq(mkfifo(scratch_file("first/fifo.yaml"), 0644), 0);
	ck_assert_int_eq(symlink("loop.yaml", scratch_file("first/loop.yaml")), 0);
	ck_assert_int_eq(find("dir", text, sizeof text), -ENOENT);
	ck_assert_int_eq(find("fifo", text, sizeof text), -ENOENT);
	ck_assert_int_eq(find("loop", text, sizeof text), -ELOOP);
}
END_TEST

START_TEST(a_large_file_is_not_read_whole)
{
	char *large = calloc(1, LIMIT_RECIPE + 2), text[64];

	ck_assert_ptr_nonnull(large);
	memset(large, '#', LIMIT_RECIPE + 1);
	write_recipe(first_dir, "large.yaml", large);
	ck_assert_int_eq(find("large", text, sizeof text), -EFBIG);
	large[LIMIT_RECIPE] = '\0';
	write_recipe(first_dir, "large.yaml", large);
	ck_assert_int_eq(find("large", text, sizeof text), 0);
	free(large);
}
END_TEST

static bool
is_trusted(const char *name)
{
	struct recipe_library library = open_library();
	struct recipe_file file;
	bool trusted;

	ck_assert_int_eq(recipe_library_find(&library, name, &file), 0);
	trusted = file.trusted;
	recipe_file_fini(&file);
	recipe_library_fini(&library);
	return trusted;
}

START_TEST(below_a_directory_for_everybody_nothing_is_trusted)
{
	/* The scratch directory is in one such. */
	ck_assert(!is_trusted("both"));
}
END_TEST

START_TEST(who_could_change_a_recipe_decides_about_trust)
{
	const char *dir = private_dir;
	char path[PATH_MAX];

	if (!dir)
		return;
	write_recipe(dir, "mine.yaml", "title: x\n");
	look_in(dir, NULL, NULL);
	ck_assert(is_trusted("mine"));
	snprintf(path, sizeof path, "%s/mine.yaml", dir);
	ck_assert_int_eq(chmod(path, 0664), 0);
	ck_assert(!is_trusted("mine"));
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert(!is_trusted("mine"));
	ck_assert_int_eq(chmod(dir, 01777), 0);
	ck_assert(!is_trusted("mine"));
	ck_assert_int_eq(chmod(dir, 0700), 0);
	/* A link from where everybody can write leads to the same file: what counts is the file. */
	ck_assert_int_eq(symlink(path, scratch_file("first/mine.yaml")), 0);
	look_in(first_dir, NULL, NULL);
	ck_assert(is_trusted("mine"));
	look_in(dir, NULL, NULL);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 12345, 12345), 0);
		ck_assert(!is_trusted("mine"));
	}
}
END_TEST

START_TEST(the_package_s_own_recipes_are_found_from_the_program)
{
	struct recipe_library library;

	strs_free(&listed);
	ck_assert_int_eq(recipe_library_init(&library, "/etc/reeve", &listed), 0);
	ck_assert_uint_eq(library.dirs.n, 2);
	ck_assert_str_eq(library.dirs.v[0], "/etc/reeve/recipes");
	ck_assert_ptr_nonnull(strstr(library.dirs.v[1], "/recipes"));
	recipe_library_fini(&library);
	ck_assert_int_eq(recipe_library_init(&library, NULL, &listed), 0);
	ck_assert_uint_eq(library.dirs.n, 1);
	recipe_library_fini(&library);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipe_library");
	TCase *library = tcase_create("library");

	tcase_add_unchecked_fixture(library, make_dirs, remove_dirs);
	tcase_add_test(library, the_first_directory_wins);
	tcase_add_loop_test(library, a_name_is_never_a_path, 0, 9);
	tcase_add_test(library, all_are_listed_once_by_name);
	tcase_add_test(library, what_is_no_file_is_no_recipe);
	tcase_add_test(library, a_large_file_is_not_read_whole);
	tcase_add_test(library, below_a_directory_for_everybody_nothing_is_trusted);
	tcase_add_test(library, who_could_change_a_recipe_decides_about_trust);
	tcase_add_test(library, the_package_s_own_recipes_are_found_from_the_program);
	suite_add_tcase(suite, library);
	return run_suite(suite);
}
