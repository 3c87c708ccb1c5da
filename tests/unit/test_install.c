#include "ipc/install.h"

#include "ipc/fd.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SAID = 8 * PATH_MAX
};

/* As another program: says what it finds, after its own file was taken away when told so. */
static int
tell(const char *what)
{
	struct install_paths paths;
	char path[PATH_MAX];

	if (strcmp(what, "replaced") == 0 && install_self(path) == 0 && unlink(path) < 0)
		return EXIT_FAILURE;
	if (install_paths("other", &paths) < 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < INSTALL_PLACES; i++)
		puts(paths.v[i]);
	puts(install_share("recipes", path) == 0 ? path : "none");
	return EXIT_SUCCESS;
}

/* What this program says when it stands at PLACE, without the scratch directory's own path. */
static char *
said_from(const char *place, const char *what)
{
	static char text[SAID];
	char command[2 * PATH_MAX], self[PATH_MAX], dir[PATH_MAX], *data;
	const char *path = scratch_file(place);
	size_t len;
	FILE *said;

	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
	ck_assert_int_eq(fd_mkdir_all(dir, 0755), 0);
	ck_assert_int_eq(install_self(self), 0);
	ck_assert_int_eq(fd_read_file(AT_FDCWD, self, 256 * 1024 * 1024, &data, &len), 0);
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, data, len, 0755, false), 0);
	free(data);
	snprintf(command, sizeof command, "INSTALL_TELL=%s %s | sed 's:^%s::'", what, path,
	    scratch_path);
	said = popen(command, "r");
	ck_assert_ptr_nonnull(said);
	text[fread(text, 1, sizeof text - 1, said)] = '\0';
	ck_assert_int_eq(pclose(said), 0);
	return text;
}

START_TEST(a_program_in_bin_finds_the_private_ones_in_libexec)
{
	ck_assert_str_eq(said_from("usr/bin/one", "where"),
	    "/usr/bin/other\n/usr/libexec/reeve/other\n/usr/bin/other\n/usr/share/reeve/recipes\n");
}
END_TEST

START_TEST(a_private_program_finds_those_in_bin)
{
	ck_assert_str_eq(said_from("opt/r/libexec/reeve/two", "where"),
	    "/opt/r/libexec/reeve/other\n/opt/r/libexec/reeve/other\n/opt/r/bin/other\n"
	    "/opt/r/share/reeve/recipes\n");
}
END_TEST

START_TEST(a_program_in_a_build_tree_reads_what_is_in_contrib)
{
	ck_assert_str_eq(said_from("tree/.build/some/bin/three", "where"),
	    "/tree/.build/some/bin/other\n/tree/.build/some/libexec/reeve/other\n"
	    "/tree/.build/some/bin/other\n/tree/contrib/recipes\n");
}
END_TEST

START_TEST(a_program_elsewhere_trusts_its_own_directory_alone)
{
	ck_assert_str_eq(said_from("srv/stuff/four", "where"),
	    "/srv/stuff/other\n/srv/stuff/other\n/srv/stuff/other\nnone\n");
}
END_TEST

START_TEST(a_program_that_was_replaced_finds_the_new_ones)
{
	ck_assert_str_eq(said_from("usr/bin/five", "replaced"),
	    "/usr/bin/other\n/usr/libexec/reeve/other\n/usr/bin/other\n/usr/share/reeve/recipes\n");
}
END_TEST

int
main(void)
{
	const char *what = getenv("INSTALL_TELL");
	Suite *suite;
	TCase *tcase;

	if (what)
		return tell(what);
	suite = suite_create("install");
	tcase = tcase_create("install");
	tcase_add_unchecked_fixture(tcase, scratch_make, scratch_remove);
	tcase_add_test(tcase, a_program_in_bin_finds_the_private_ones_in_libexec);
	tcase_add_test(tcase, a_private_program_finds_those_in_bin);
	tcase_add_test(tcase, a_program_in_a_build_tree_reads_what_is_in_contrib);
	tcase_add_test(tcase, a_program_elsewhere_trusts_its_own_directory_alone);
	tcase_add_test(tcase, a_program_that_was_replaced_finds_the_new_ones);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
