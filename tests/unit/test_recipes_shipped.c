/* Every recipe that comes with the package can be read. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "ipc/fd.h"
#include "tests/unit/recipe_kit.h"

/* The tests run at the root of the source tree. */
static const char shipped[] = "contrib/recipes";

static int
is_recipe(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".yaml") == 0;
}

static void
check_file(const char *file)
{
	struct recipe_error error;
	struct recipe *recipe = NULL;
	char path[512], *text = NULL, name[256];
	size_t len = 0;
	int r;

	snprintf(path, sizeof path, "%s/%s", shipped, file);
	ck_assert_int_eq(fd_read_file(AT_FDCWD, path, LIMIT_RECIPE, &text, &len), 0);
	r = recipe_parse(path, text, len, &recipe, &error);
	ck_assert_msg(r == 0, "%s", error.message);
	/* Found by its file's name, and called the same. */
	snprintf(name, sizeof name, "%s.yaml", recipe_name(recipe));
	ck_assert_str_eq(name, file);
	ck_assert_msg(recipe_title(recipe) && recipe_description(recipe),
	    "%s: a recipe for everybody has a title and a description", path);
	recipe_free(recipe);
	free(text);
}

START_TEST(every_shipped_recipe_is_sound)
{
	struct dirent **entries = NULL;
	int n = scandir(shipped, &entries, is_recipe, alphasort);

	ck_assert_int_gt(n, 0);
	for (int i = 0; i < n; i++) {
		check_file(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipes_shipped");
	TCase *files = tcase_create("files");

	tcase_add_test(files, every_shipped_recipe_is_sound);
	suite_add_tcase(suite, files);
	return run_suite(suite);
}
