#include "ipc/fd.h"
#include "supervisor/cli/cli.h"

#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static bool
is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int
help(struct cli *cli, int argc, char **argv)
{
	if (argc < 2 || is_help(argv[1]))
		return verbs_help(cli, true);
	cli->verb = verb_find(argv[1]);
	return cli->verb ? verb_help(cli, cli->verb) : verb_unknown(argv[1]);
}

int
main(int argc, char **argv)
{
	struct cli cli = { 0 };

	fd_guard_stdio();
	/* `reeve ls | head` ends without a word, also where the parent ignores the signal. */
	signal(SIGPIPE, SIG_DFL);
	setlocale(LC_CTYPE, "");
	term_init(&cli.out, STDOUT_FILENO);
	term_init(&cli.err, STDERR_FILENO);
	if (argc < 2)
		return verbs_help(&cli, false);
	if (strcmp(argv[1], "__complete") == 0)
		return complete(&cli, argc - 2, argv + 2);
	if (is_help(argv[1]))
		return help(&cli, argc - 1, argv + 1);
	cli.verb = verb_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	if (!cli.verb)
		return verb_unknown(argv[1]);
	return cli.verb->run(&cli, argc - 1, argv + 1);
}
