/*
 * What a person sees in a real terminal, 80 and 200 columns wide: the screens of ls, show, run and
 * watch are kept in tests/integ/screens and compared. Times, process numbers and what turns are
 * masked. After a change that was meant: REEVE_SCREENS=write, and look at the difference.
 */
#include "tests/integ/world.h"

#include <check.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ROWS = 40,
	LOOK_MS = 100,
	WRITE_MS = 1500,
	SCREEN_MAX = 64 * 1024,
	CUT_COLUMN = 56 /* what is cut off is compared up to here: where it is depends on times */
};

static const int widths[] = { 80, 200 };

/* ---- a terminal --------------------------------------------------------------------- */

static int terminals; /* so far: a server that is told to end may do so later */

static const struct said *
tmux(struct world *world, const char *const *words)
{
	char name[32];
	const char *all[24] = { "-u", "-S", name, "-f", world_path(world, "tmux.conf") };

	snprintf(name, sizeof name, "tmux.%d", terminals);

	for (size_t i = 0; words[i] && i + 6 < sizeof all / sizeof all[0]; i++)
		all[i + 5] = words[i];
	return world_exec(world, "tmux", all, NULL);
}
#define TMUX(world, ...) tmux((world), (const char *const[]){ __VA_ARGS__, NULL })

/* Runs `reeve WORDS` in a terminal of so many columns. */
static void
open_terminal(struct world *world, int columns, const char *words)
{
	char command[512], width[16], height[16];
	const struct said *said;

	world_file(world, "tmux.conf", "set -g status off\n");
	/* what comes after it keeps the terminal open */
	snprintf(command, sizeof command, "LC_ALL=C.UTF-8 TZ=UTC %s/reeve %s; exec cat", world->bin,
	    words);
	terminals++;
	snprintf(width, sizeof width, "%d", columns);
	snprintf(height, sizeof height, "%d", ROWS);
	said = TMUX(world, "new-session", "-d", "-x", width, "-y", height, command);
	ck_assert_msg(said->status == 0, "tmux: %s", said->err);
}

static void
close_terminal(struct world *world)
{
	TMUX(world, "kill-server");
}

/* ---- masks --------------------------------------------------------------------------- */

/* Every match of PATTERN becomes WITH. */
static void
mask(char *text, const char *pattern, const char *with)
{
	char *copy = malloc(2 * SCREEN_MAX), *to = copy;
	const char *from = text;
	regmatch_t match;
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED), 0);
	while (regexec(&regex, from, 1, &match, 0) == 0 && match.rm_eo > match.rm_so) {
		to += sprintf(to, "%.*s%s", (int)match.rm_so, from, with);
		from += match.rm_eo;
	}
	strcpy(to, from);
	ck_assert_uint_lt(strlen(copy), SCREEN_MAX);
	strcpy(text, copy);
	free(copy);
	regfree(&regex);
}

/* A line that was cut ends where the widths of times do not matter; blanks at its end go. */
static void
trim_line(char *line)
{
	char *cut = strstr(line, "…");
	size_t len;

	if (cut && cut - line > CUT_COLUMN) {
		for (cut = line + CUT_COLUMN; (*cut & 0xc0) == 0x80;)
			cut--;
		strcpy(cut, "…");
	}
	for (len = strlen(line); len > 0 && line[len - 1] == ' '; len--)
		line[len - 1] = '\0';
}

/* What the number of a task stands behind. */
static const char *const numbered[] = { "task", "logs", "logs -f", "retry", "show", "watch",
	"cancel" };

static char *
normalise(const char *root, char *screen)
{
	char *text = calloc(1, 2 * SCREEN_MAX), *rest = NULL, *out = calloc(1, 2 * SCREEN_MAX);

	ck_assert(text && out);
	ck_assert_uint_lt(strlen(screen), SCREEN_MAX);
	strcpy(text, screen);
	free(screen);
	mask(text, root, "ROOT");
	mask(text, "[0-9]{4}-[0-9]{2}-[0-9]{2}", "DATE");
	mask(text, "[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?", "CLOCK");
	mask(text, "[0-9]{2}-[0-9]{2} CLOCK", "DAY CLOCK");
	mask(text, " now", " # ago");
	mask(text, "[0-9]+ (s|min|h) ago", "# ago");
	mask(text, "[0-9.]+ (ms|s|min)( [0-9]+ s)?", "# s");
	mask(text, " for # s", ""); /* not told of the first second */
	mask(text, "pid [0-9]+", "pid #");
	for (size_t i = 0; i < sizeof numbered / sizeof numbered[0]; i++) {
		char pattern[32], with[32];

		snprintf(pattern, sizeof pattern, "%s [0-9]+", numbered[i]);
		snprintf(with, sizeof with, "%s #", numbered[i]);
		mask(text, pattern, with);
	}
	mask(text, "(⠋|⠙|⠹|⠸|⠼|⠴|⠦|⠧|⠇|⠏)", "*");
	mask(text, "   +", "  ");
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		trim_line(line);
		if (*line)
			sprintf(out + strlen(out), "%s\n", line);
	}
	free(text);
	return out;
}

/* The screen as it is now. */
static char *
look(struct world *world)
{
	const char *seen = TMUX(world, "capture-pane", "-p")->out;

	return normalise(world->root, strdup(seen));
}

static void
write_screen(struct world *world, const char *path)
{
	FILE *to;
	char *seen;

	poll(NULL, 0, WRITE_MS);
	seen = look(world);
	to = fopen(path, "we");
	ck_assert_ptr_nonnull(to);
	fputs(seen, to);
	fclose(to);
	free(seen);
}

/* The screen becomes what is in the file NAME.COLUMNS: a terminal tells nobody when it has changed.
 */
static void
compare(struct world *world, const char *name, int columns)
{
	const char *write = getenv("REEVE_SCREENS"), *path;
	char file[128], wanted[SCREEN_MAX] = "", *seen = NULL;
	FILE *from;

	snprintf(file, sizeof file, "tests/integ/screens/%s.%d", name, columns);
	path = world_source(world, file);
	if (write && strcmp(write, "write") == 0)
		write_screen(world, path);
	from = fopen(path, "re");
	ck_assert_msg(from != NULL, "no %s", path);
	wanted[fread(wanted, 1, sizeof wanted - 1, from)] = '\0';
	fclose(from);
	for (int left_ms = WORLD_PATIENCE_MS / 2; left_ms > 0; left_ms -= LOOK_MS) {
		free(seen);
		seen = look(world);
		if (strcmp(seen, wanted) == 0)
			break;
		poll(NULL, 0, LOOK_MS);
	}
	ck_assert_msg(strcmp(seen, wanted) == 0, "%s is not what is seen:\n%s", file, seen);
	free(seen);
}

/* One screen in both widths. */
static void
compare_both(struct world *world, const char *name, const char *words)
{
	for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
		open_terminal(world, widths[i], words);
		compare(world, name, widths[i]);
		close_terminal(world);
	}
}

/* ---- what there is to see --------------------------------------------------------------- */

static uint64_t
submit(struct world *world, const char *name, const char *text)
{
	char file[64], dir[2 * WORLD_PATH];

	snprintf(file, sizeof file, "%s.yaml", name);
	snprintf(dir, sizeof dir, "dir=%s", world->root);
	return SUBMIT(world, world_file(world, file, text), dir);
}

#define DIR "params:\n  dir: {type: path}\n"

static const char backup[] =
    "name: backup\ntitle: Back up the database\nscope: db-7\n" DIR "steps:\n"
    "  - {name: dump, sh: 'sleep .05; echo 3 tables', undo: 'true'}\n"
    "  - name: compress\n"
    "    sh: |\n"
    "      echo 'zstd: /srv/dump.sql: No space left on device' >&2\n"
    "      sleep .05; exit 37\n"
    "  - {name: upload, sh: 'true'}\n";

static const char import[] = "name: import\ntitle: Import the catalogue\n" DIR
			     "steps: [{name: load, timeout: 1s, sh: 'echo loading; sleep 1000'}]\n";

/* Half of it done, and there it stays. */
static const char reindex[] =
    "name: reindex\ntitle: Reindex everything\nstall_after: 1s\n" DIR "steps:\n"
    "  - {name: prepare, sh: 'sleep .05'}\n"
    "  - name: index\n"
    "    sh: |\n"
    "      printf '50%%\\r'\n"
    "      sleep 1000\n"
    "  - {name: swap, sh: 'true'}\n";

/* Tasks 1 to 5: failed in three ways, standing still, and waiting for its slot. */
static void
make_tasks(struct world *world)
{
	uint64_t id = submit(world, "backup", backup);

	world_until(world, id, "status", "failed");
	id = submit(world, "import", import);
	world_until(world, id, "status", "failed");
	id = SUBMIT(world, "--", "no-such-thing", "--all");
	world_until(world, id, "status", "failed");
	id = submit(world, "reindex", reindex);
	world_until(world, id, "blocked_on.kind", "stall");
	id = SUBMIT(world, "--title", "Waits for its turn", "--", "true");
	world_until(world, id, "blocked_on.kind", "slot");
}

START_TEST(the_screens_are_what_they_were)
{
	struct world world;

	world_open(&world, __func__);
	world_env(&world, "TERM", "xterm-256color");
	world.slots = "1";
	world_start(&world);
	make_tasks(&world);
	compare_both(&world, "ls", "ls");
	compare_both(&world, "ls-failed", "ls --failed --since 1h");
	compare_both(&world, "show-failed", "show 1");
	compare_both(&world, "show-timed-out", "show 2");
	compare_both(&world, "show-not-found", "show 3");
	compare_both(&world, "show-still", "show 4");
	compare_both(&world, "show-queued", "show 5");
	compare_both(&world, "events", "events 1");
	compare_both(&world, "watch", "watch 4");
	world_close(&world);
}
END_TEST

START_TEST(a_run_ends_with_its_story_on_the_screen)
{
	char words[2 * WORLD_PATH];
	struct world world;

	world_open(&world, __func__);
	world_env(&world, "TERM", "xterm-256color");
	world_start(&world);
	snprintf(words, sizeof words, "run %s dir=/", world_file(&world, "backup.yaml", backup));
	compare_both(&world, "run-failed", words);
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("screens");
	TCase *tests = world_tcase(suite, "screens");

	tcase_add_test(tests, the_screens_are_what_they_were);
	tcase_add_test(tests, a_run_ends_with_its_story_on_the_screen);
	return world_main(suite);
}
