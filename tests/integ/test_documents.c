#include "tests/integ/world.h"

#include "ipc/fd.h"
#include "ipc/version.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	DOCUMENT_BYTES = 256 * 1024,
	WORD = 256
};

static char *
read_document(const char *path)
{
	char *text = NULL;
	size_t len;

	ck_assert_msg(fd_read_file(AT_FDCWD, path, DOCUMENT_BYTES, &text, &len) == 0, "%s", path);
	return text;
}

/* Calls FN with each piece of TEXT between OPEN and CLOSE on one line. Returns how many there were.
 */
static int
each_between(const char *text, char open, char close, void (*fn)(const char *word, const void *arg),
    const void *arg)
{
	char word[WORD];
	int n = 0;

	for (const char *at = strchr(text, open); at; at = strchr(at, open)) {
		size_t len = strcspn(++at, "\n");
		const char *end = memchr(at, close, len);

		if (!end || end - at >= WORD)
			continue;
		snprintf(word, sizeof word, "%.*s", (int)(end - at), at);
		fn(word, arg);
		n++;
		at = end + 1;
	}
	return n;
}

/* Names of the project's files; not of the service's own places, nor of the web's. */
static bool
is_path(const char *word)
{
	return strchr(word, '/') && !strpbrk(word, " *$=|<`:") && !isupper((unsigned char)*word) &&
	       islower((unsigned char)*word) && strncmp(word, "attempts/", 9) != 0 &&
	       strncmp(word, "journals/", 9) != 0;
}

/* From the project's top, from the document's own folder, or from a room that was just named. */
static void
check_path(const char *word, const void *folder)
{
	const char *const from[] = { "", folder, "worker/", "supervisor/" };
	char path[2 * WORD];
	bool found = !is_path(word);

	for (size_t i = 0; !found && i < sizeof from / sizeof from[0]; i++) {
		snprintf(path, sizeof path, "%s%s", from[i], word);
		found = access(path, F_OK) == 0;
	}
	ck_assert_msg(found, "there is no %s", word);
}

static const struct {
	const char *path, *folder;
} documents[] = { { "README.md", "" }, { "tests/README.md", "tests/" },
	{ "ipc/PROTOCOL.md", "ipc/" }, { "supervisor/LIFECYCLE.md", "supervisor/" },
	{ "store/SCHEMA.md", "store/" } };
enum {
	DOCUMENTS = sizeof documents / sizeof documents[0]
};

START_TEST(every_path_that_a_document_names_is_there)
{
	char *text = read_document(documents[_i].path);

	each_between(text, '`', '`', check_path, documents[_i].folder);
	each_between(text, '(', ')', check_path, documents[_i].folder);
	free(text);
}
END_TEST

static void
check_target(const char *word, const void *makefile)
{
	char target[WORD + 4];

	if (strncmp(word, "make ", 5) != 0)
		return;
	snprintf(target, sizeof target, "\n%.*s: ", (int)strcspn(word + 5, " "), word + 5);
	ck_assert_msg(strstr(makefile, target) != NULL, "the Makefile has no %s", word);
}

START_TEST(every_make_target_that_a_document_names_is_in_the_makefile)
{
	char *text = read_document(documents[_i].path), *makefile = read_document("Makefile");

	each_between(text, '`', '`', check_target, makefile);
	free(text);
	free(makefile);
}
END_TEST

START_TEST(the_readmes_two_commands_are_targets)
{
	char *readme = read_document("README.md"), *makefile = read_document("Makefile");

	ck_says(readme, "\nmake run ");
	ck_says(readme, "\nmake test ");
	ck_says(makefile, "\nrun: ");
	ck_says(makefile, "\ntest: ");
	free(readme);
	free(makefile);
}
END_TEST

START_TEST(every_verb_teaches_with_examples)
{
	struct world world;
	const struct said *said, *help;
	char *list, *rest, *line;
	int verbs = 0;

	world_open(&world, __func__);
	said = REEVE(&world, "--help");
	ck_assert_int_eq(said->status, 0);
	list = rest = strdup(said->out);
	while ((line = strsep(&rest, "\n"))) {
		char *verb = line + 2;

		if (strncmp(line, "  ", 2) != 0 || !islower((unsigned char)*verb) ||
		    strncmp(verb, "reeve ", 6) == 0)
			continue;
		verb[strcspn(verb, " ")] = '\0';
		if (strcmp(verb, "help") == 0)
			continue;
		help = REEVE(&world, verb, "--help");
		ck_assert_msg(help->status == 0, "%s --help", verb);
		ck_says(help->out, "Examples:\n");
		verbs++;
	}
	ck_assert_int_ge(verbs, 15);
	free(list);
	world_close(&world);
}
END_TEST

/* Fails unless PAGE holds OPTION, with its minus signs as roff writes them. */
static void
check_option(const char *page, const char *verb, const char *option)
{
	char escaped[2 * WORD], *end = escaped;

	for (const char *at = option; *at && end < escaped + sizeof escaped - 3; at++) {
		if (*at == '-')
			*end++ = '\\';
		*end++ = *at;
	}
	*end = '\0';
	ck_assert_msg(
	    strstr(page, escaped) != NULL, "reeve(1) says nothing of %s %s", verb, option);
}

START_TEST(the_manual_has_every_verb_with_its_options)
{
	struct world world;
	char text[2 * WORLD_PATH], *verbs, *options, *page, *verb, *option, *line;
	const char *words[] = { NULL, NULL, NULL };
	int n = 0;

	world_open(&world, __func__);
	words[0] = world.bin;
	words[1] = world_path(&world, "man");
	ck_assert_int_eq(
	    world_exec(&world, world_source(&world, "contrib/man/make.sh"), words, NULL)->status,
	    0);
	snprintf(text, sizeof text, "%s/reeve.1", words[1]);
	page = read_document(text);
	verbs = line = strdup(REEVE(&world, "__complete", "")->out);
	while ((verb = strsep(&line, "\n")) && *verb) {
		verb[strcspn(verb, "\t")] = '\0';
		options = option = strdup(REEVE(&world, "__complete", verb, "-")->out);
		for (char *rest = options; (option = strsep(&rest, "\n")) && *option; n++) {
			option[strcspn(option, "\t")] = '\0';
			check_option(page, verb, option);
		}
		free(options);
		snprintf(text, sizeof text, ".SS \"reeve %s\"\n", verb);
		ck_assert_msg(strcmp(verb, "help") == 0 || strstr(page, text), "%s", verb);
	}
	ck_assert_int_ge(n, 40);
	free(verbs);
	free(page);
	world_close(&world);
}
END_TEST

START_TEST(the_package_has_the_programs_version)
{
	char *changelog = read_document("contrib/debian/changelog");

	ck_assert_int_eq(
	    strncmp(changelog, "reeve (" REEVE_VERSION ") ", strlen("reeve (" REEVE_VERSION ") ")),
	    0);
	free(changelog);
}
END_TEST

START_TEST(every_method_of_the_protocol_is_answered)
{
	char *text = read_document("ipc/PROTOCOL.md"),
	     *row = strstr(text, "\n## The control socket");
	struct world world;
	struct client client;
	json_t *reply;
	char name[64];
	bool is_error;
	int methods = 0;

	world_open(&world, __func__);
	world_start(&world);
	world_connect(&world, &client);
	ck_assert_ptr_nonnull(row);
	while ((row = strstr(row, "\n| `"))) {
		row += strlen("\n| `");
		snprintf(name, sizeof name, "%.*s", (int)strcspn(row, "`"), row);
		if (strcmp(name, "shutdown") == 0)
			continue;
		reply = world_call(&world, &client, name, json_object(), &is_error);
		ck_assert_msg(!is_error || strcmp(doc_text(reply, "code"), "unknown_method") != 0,
		    "there is no method %s", name);
		methods++;
	}
	ck_assert_int_ge(methods, 12);
	reply = world_call(&world, &client, "nonsense", json_object(), &is_error);
	ck_assert(is_error);
	ck_doc(reply, "code", "unknown_method");
	client_fini(&client);
	world_close(&world);
	free(text);
}
END_TEST

START_TEST(the_programs_help_says_what_they_are)
{
	static const char *const programs[] = { "reeved", "reeve-pull" };
	const char *words[] = { "--help", NULL };
	char path[2 * WORLD_PATH];
	struct world world;

	world_open(&world, __func__);
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		const struct said *said;

		snprintf(path, sizeof path, "%s/%s", world.bin, programs[i]);
		said = world_exec(&world, path, words, NULL);
		ck_assert_msg(said->status == 0, "%s", programs[i]);
		ck_says(said->out, programs[i]);
	}
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("documents");
	TCase *tcase = world_tcase(suite, "documents");

	tcase_add_loop_test(tcase, every_path_that_a_document_names_is_there, 0, DOCUMENTS);
	tcase_add_loop_test(
	    tcase, every_make_target_that_a_document_names_is_in_the_makefile, 0, DOCUMENTS);
	tcase_add_test(tcase, the_readmes_two_commands_are_targets);
	tcase_add_test(tcase, every_verb_teaches_with_examples);
	tcase_add_test(tcase, the_manual_has_every_verb_with_its_options);
	tcase_add_test(tcase, the_package_has_the_programs_version);
	tcase_add_test(tcase, every_method_of_the_protocol_is_answered);
	tcase_add_test(tcase, the_programs_help_says_what_they_are);
	return world_main(suite);
}
