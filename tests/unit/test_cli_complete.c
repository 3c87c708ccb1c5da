/* `reeve __complete`: what a line may go on with. In real shells: tests/integ/test_completion.c. */
#include "tests/unit/cli_kit.h"
#include "tests/unit/suite.h"

/* clang-format off */
#define ONE(id, state, title, scope, retry) \
	"{\"id\":" #id ",\"status\":\"" state "\",\"title\":\"" title "\",\"scope\":" scope \
	",\"type\":\"copy\",\"can\":{\"cancel\":null,\"retry\":" #retry ",\"answer\":false}}"
static const struct script service[] = {
	{ "list", NULL, "{\"tasks\":[" ONE(9, "running", "one\\ttab", "\"srv-7\"", false) ","
		ONE(8, "failed", "two", "null", true) "," ONE(7, "completed", "three", "\"srv-7\"", false)
		"],\"next\":null}", NULL },
	{ "recipes", NULL, "{\"recipes\":[{\"name\":\"pull-it\",\"title\":\"Pull\",\"params\":["
		"{\"name\":\"url\",\"type\":\"url\",\"description\":\"from where\"},"
		"{\"name\":\"fast\",\"type\":\"bool\",\"default\":\"false\"},"
		"{\"name\":\"how\",\"type\":\"string\",\"choices\":[\"hot\",\"cold\"]},"
		"{\"name\":\"to\",\"type\":\"path\"}]}]}", NULL },
	{ NULL, NULL, NULL, NULL },
};

/* A line, its last word being typed, and all that it may become (the helps left out). */
static const struct {
	const char *line, *lines;
} lines[] = {
	{ "ev",                 "events\n" },
	{ "help|ch",              "check\n" },
	{ "nonsense|",            "" },
	{ "ls|--fa",              "--failed\n" },
	{ "ls|--status=fa",       "--status=failed\n" },
	{ "ls|--status|failed,q", "failed,queued\n" },
	{ "ls|-s|pau",            "paused\n" },
	{ "ls|--scope|",          "srv-7\n" },
	{ "ls|--scope=",          "--scope=srv-7\n" },
	{ "ls|--type|",           "copy\n" },
	{ "ls|--limit|",          "" },
	{ "ls|--no-such=",        "" },
	{ "ls|",                  "" },
	{ "show|",                "9\n8\n7\n" },
	{ "show|8|",              "" },
	{ "show|--json|8",        "8\n" },
	{ "wait|8|",              "9\n7\n" },
	{ "wait|--timeout|5|8|",  "9\n7\n" },
	{ "keep|",                "8\n7\n" },
	{ "retry|",               "8\n" },
	{ "cancel|--scope|srv|",  "9\n8\n7\n" },
	{ "recipes|",             "pull-it\n" },
	{ "run|",                 "pull-it\n" },
	{ "run|./",               ":files\n" },
	{ "run|pull-it|",         "url=\nfast=\nhow=\nto=\n" },
	{ "run|pull-it|how=hot|", "url=\nfast=\nto=\n" },
	{ "run|pull-it|how=",     "how=hot\nhow=cold\n" },
	{ "run|pull-it|how=c",    "how=cold\n" },
	{ "run|pull-it|fast=t",   "fast=true\n" },
	{ "run|pull-it|to=/tm",   ":files\n" },
	{ "run|unknown|",         "" },
	{ "run|--key|k|pull-it|u", "url=\n" },
	{ "run|--|",              ":commands\n" },
	{ "run|--|ls|",           ":files\n" },
	{ "check|",               ":files\n" },
	{ "doctor|",              "" },
};
/* clang-format on */

/* Runs `reeve __complete WORDS` with the words that `|` parts in LINE; the output is in `out`. */
static int
complete_line(const char *line)
{
	char words[256], *argv[MAX_WORDS], *rest = words;
	struct cli cli = { 0 };
	int n = 0, status;

	script = service;
	snprintf(words, sizeof words, "%s", line);
	while (n < MAX_WORDS && (argv[n] = strsep(&rest, "|")))
		n++;
	term_init(&cli.out, out_fd);
	term_init(&cli.err, err_fd);
	status = complete(&cli, n, argv);
	read_back(out_fd, out, sizeof out);
	read_back(err_fd, err, sizeof err);
	return status;
}

/* Each line of OUT without its help. */
static char *
candidates_only(void)
{
	static char text[sizeof out];
	size_t len = 0;
	bool is_help = false;

	for (const char *at = out; *at; at++) {
		is_help = *at == '\t' || (is_help && *at != '\n');
		if (!is_help)
			text[len++] = *at;
	}
	text[len] = '\0';
	return text;
}

START_TEST(a_line_goes_on_with_what_its_verb_takes)
{
	ck_assert_int_eq(complete_line(lines[_i].line), EXIT_OK);
	ck_assert_msg(strcmp(candidates_only(), lines[_i].lines) == 0, "%s\nmay become\n%s",
	    lines[_i].line, out);
	ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(every_option_of_every_verb_is_offered)
{
	for (const struct verb *const *verb = verbs; *verb; verb++) {
		char line[64];

		snprintf(line, sizeof line, "%s|-", (*verb)->name);
		ck_assert_int_eq(ftruncate(out_fd, 0), 0);
		ck_assert_int_eq(lseek(out_fd, 0, SEEK_SET), 0);
		complete_line(line);
		for (const struct option_def *option = (*verb)->options; option && option->key;
		     option++) {
			snprintf(line, sizeof line, "--%s\t", option->name);
			has(out, line);
		}
		has(out, "--help\t");
	}
}
END_TEST

START_TEST(each_candidate_says_what_it_is)
{
	complete_line("show|9");
	ck_assert_str_eq(out, "9\trunning: one tab\n");
	ck_assert_int_eq(ftruncate(out_fd, 0), 0);
	ck_assert_int_eq(lseek(out_fd, 0, SEEK_SET), 0);
	complete_line("run|pull-it|u");
	has(out, "url=\tfrom where\n");
}
END_TEST

START_TEST(every_word_that_a_synopsis_names_is_known)
{
	static const char *const known[] = { "ID", "FILE", "DIR", "RECIPE", "COMMAND", "NAME" };

	for (const struct verb *const *verb = verbs; *verb; verb++) {
		char synopsis[512], *rest = synopsis, *word;
		bool is_value = false;

		snprintf(synopsis, sizeof synopsis, "%s", (*verb)->synopsis);
		while ((word = strsep(&rest, " []\n"))) {
			bool found = is_value || strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 0;

			for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
				found = found || strcmp(word, known[i]) == 0;
			ck_assert_msg(found, "%s: %s", (*verb)->name, word);
			is_value = strncmp(word, "--", 2) == 0 && word[2] != '\0';
		}
	}
}
END_TEST

START_TEST(without_a_service_there_is_nothing_and_no_waiting)
{
	setenv("REEVE_SOCKET", "/nonexistent/socket", 1);
	ck_assert_int_eq(complete_line("show|"), EXIT_OK);
	ck_assert_str_eq(out, "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_complete");
	TCase *tcase = tcase_create("complete");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(
	    tcase, a_line_goes_on_with_what_its_verb_takes, 0, sizeof lines / sizeof lines[0]);
	tcase_add_test(tcase, every_option_of_every_verb_is_offered);
	tcase_add_test(tcase, each_candidate_says_what_it_is);
	tcase_add_test(tcase, every_word_that_a_synopsis_names_is_known);
	tcase_add_test(tcase, without_a_service_there_is_nothing_and_no_waiting);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
