/* The completions in the shells themselves, at a terminal, by pressing the key. */
#include "tests/integ/world.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SCREEN = 256 * 1024,
	TYPED_MAX = 1024
};

/* An interactive shell that has the completions and says `R> ` when it waits. */
struct shell {
	int pty;
	pid_t pid;
	char seen[SCREEN]; /* all that it has written since the last line was typed */
	size_t len;
};

static const struct {
	const char *path, *argv[4];
	const char *begin; /* printf format of the directory of the completions */
} shells[] = {
	{ "/bin/bash", { "bash", "--norc", "--noprofile", NULL },
	    "bind 'set enable-bracketed-paste off'; . /usr/share/bash-completion/bash_completion; "
	    ". %s/reeve.bash; PS1='R''> '\n" },
	{ "/bin/zsh", { "zsh", "-f", "-i", NULL },
	    "fpath=(%s $fpath); autoload -U compinit; compinit -u -D; unsetopt prompt_sp; "
	    "PROMPT='R''> '\n" },
	{ "/usr/bin/fish", { "fish", "--no-config", NULL },
	    "source %s/reeve.fish; function fish_prompt; echo -n 'R''> '; end\n" },
};
enum {
	SHELLS = sizeof shells / sizeof shells[0]
};

static struct shell shell;

static void
type(const char *text)
{
	shell.len = 0;
	shell.seen[0] = '\0';
	ck_assert_int_eq(fd_write_all(shell.pty, text, strlen(text)), 0);
}

/* Until PART was written since the last line was typed. */
static void
await(const char *part)
{
	struct pollfd pollfd = { .fd = shell.pty, .events = POLLIN };

	while (!strstr(shell.seen, part)) {
		ssize_t n;

		ck_assert_msg(poll(&pollfd, 1, WORLD_PATIENCE_MS) == 1,
		    "waited in vain for \"%s\" in:\n%s", part, shell.seen);
		n = read(shell.pty, shell.seen + shell.len, SCREEN - 1 - shell.len);
		ck_assert_msg(n > 0, "the shell ended:\n%s", shell.seen);
		shell.len += (size_t)n;
		shell.seen[shell.len] = '\0';
	}
}

static void
open_shell(struct world *world, int which)
{
	union {
		const char *const *given;
		char *const *taken;
	} argv = { .given = shells[which].argv };
	struct winsize size = { .ws_row = 50, .ws_col = 160 };
	char begin[TYPED_MAX];
	char *path;

	shell.pid = forkpty(&shell.pty, NULL, NULL, &size);
	if (shell.pid == 0) {
		world_become(world, world->client_uid);
		setenv("TERM", "xterm", 1);
		setenv("HOME", world->root, 1);
		if (asprintf(&path, "%s:%s", world->bin, getenv("PATH")) > 0)
			setenv("PATH", path, 1);
		execv(shells[which].path, argv.taken);
		_exit(127);
	}
	ck_assert_int_gt(shell.pid, 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(
	    begin, sizeof begin, shells[which].begin, world_source(world, "contrib/completion"));
#pragma GCC diagnostic pop
	type(begin);
	await("R> ");
}

static void
enter(const char *directory)
{
	char line[TYPED_MAX];

	snprintf(line, sizeof line, "cd %s\n", directory);
	type(line);
	await("R> ");
}

static void
close_shell(void)
{
	kill(shell.pid, SIGKILL);
	waitpid(shell.pid, NULL, 0);
	fd_close(&shell.pty);
}

START_TEST(an_active_task_is_cancelled_by_the_key)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	REEVE(&world, "run", "--", "true");
	id = SUBMIT(&world, "--title", "the nightly copy", "--", "sleep", "1000");
	world_until(&world, id, "status", "running");
	open_shell(&world, _i);
	type("reeve canc\t\t\n"); /* the verb, then the only active id */
	await("cancelled");
	world_until(&world, id, "status", "cancelled");
	close_shell();
	world_close(&world);
}
END_TEST

START_TEST(ids_are_shown_with_their_titles)
{
	struct world world;

	world_open(&world, __func__);
	world_start(&world);
	REEVE(&world, "run", "--title", "first of two", "--", "true");
	REEVE(&world, "run", "--title", "second of two", "--", "true");
	open_shell(&world, _i);
	type("reeve show \t\t");
	await("first of two");
	close_shell();
	world_close(&world);
}
END_TEST

static const char recipe[] = "name: sort-it\nparams:\n"
			     "  colour: {choices: [crimson, ochre], default: ochre}\n"
			     "  input: {type: path, default: /none}\n"
			     "steps: [{name: say, run: [echo, '${colour} from ${input}']}]\n";

START_TEST(recipes_parameters_choices_and_files_are_completed)
{
	struct world world;
	char line[TYPED_MAX];

	world_open(&world, __func__);
	world_file(&world, "sort-it.yaml", recipe);
	world_file(&world, "some-input-file", "");
	world_env(&world, "REEVE_RECIPES", world.root);
	world_start(&world);
	open_shell(&world, _i);
	enter(world.root);
	/* paths are absolute */
	snprintf(line, sizeof line, "reeve run so\tcol\tcr\tinp\t%s/some\t\n", world.root);
	type(line);
	await("crimson from /");
	await("/some-input-file\r\n");
	close_shell();
	world_close(&world);
}
END_TEST

START_TEST(behind_the_dashes_another_program_s_line_is_completed)
{
	struct world world;

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "only-file", "its content\n");
	open_shell(&world, _i);
	enter(world.root);
	type("reeve run -- cat onl\t\n");
	await("its content");
	close_shell();
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("completion");
	TCase *tcase = world_tcase(suite, "completion");

	tcase_add_loop_test(tcase, an_active_task_is_cancelled_by_the_key, 0, SHELLS);
	tcase_add_loop_test(tcase, ids_are_shown_with_their_titles, 0, SHELLS);
	tcase_add_loop_test(tcase, recipes_parameters_choices_and_files_are_completed, 0, SHELLS);
	tcase_add_loop_test(
	    tcase, behind_the_dashes_another_program_s_line_is_completed, 0, SHELLS);
	return world_main(suite);
}
