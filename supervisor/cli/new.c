/* new: a recipe's file to begin with. No service is needed. */
#include "ipc/fd.h"
#include "supervisor/cli/args.h"
#include "supervisor/recipe/pages.h"
#include "supervisor/recipe/value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OUT_MAX = 256 * 1024,
	KEY_STDOUT = 's'
};

static const struct option_def options[] = {
	{ KEY_STDOUT, "stdout", NULL, "print it, and write no file" },
	{ 0, NULL, NULL, NULL },
};

/* WORD is a name, or a path that ends in one: *ret_path and *ret_name are owned. */
static int
take_apart(const char *word, char **ret_path, char **ret_name)
{
	const char *slash = strrchr(word, '/');
	const char *base = slash ? slash + 1 : word, *dot = strrchr(base, '.');
	bool has_suffix = dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);

	*ret_name = strndup(base, has_suffix ? (size_t)(dot - base) : strlen(base));
	if (!*ret_name || asprintf(ret_path, "%s%s", word, has_suffix ? "" : ".yaml") < 0)
		return -ENOMEM;
	return 0;
}

/* What is there already is never written over. */
static int
write_new(const struct cli *cli, const char *path, const struct buf *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int r = fd < 0 ? -errno : fd_write_all(fd, text->data, text->len);
	struct buf out;

	if (fd >= 0 && r < 0)
		unlink(path);
	fd_close(&fd);
	if (r < 0) {
		complain(r == -EEXIST ? "It is left as it is; give another name." : NULL, "%s: %s",
		    path, strerror(-r));
		return EXIT_FAILED;
	}
	buf_init(&out, OUT_MAX);
	text_add(&out,
	    "%s is written; it runs as it is. Next:\n  reeve check %s\n  reeve run %s%s\n", path,
	    path, strchr(path, '/') ? "" : "./", path);
	r = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return r;
}

static int
begin(const struct cli *cli, const struct args *args, bool to_stdout)
{
	char *path = NULL, *name = NULL;
	struct buf text;
	int status;

	buf_init(&text, OUT_MAX);
	if (take_apart(args->words[0], &path, &name) < 0) {
		complain(NULL, "out of memory");
		status = EXIT_FAILED;
	} else if (!value_is_name(name)) {
		status = args_wrong(args,
		    "\"%s\" is no name for a recipe: a-z 0-9 _ -, beginning with a letter or digit",
		    name);
	} else {
		recipe_start(&text, name);
		status = to_stdout ? emit(&cli->out, &text, EXIT_OK) : write_new(cli, path, &text);
	}
	buf_fini(&text);
	free(name);
	free(path);
	return status;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct args args;
	bool to_stdout = false;
	int status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	while (args_next(&args) > 0)
		to_stdout = true;
	if (args.is_stopped)
		status = args.status;
	else if (args.nwords + args.nrest != 1 || args.nwords == 0)
		status = args_wrong(&args, "one name, please");
	else
		status = begin(cli, &args, to_stdout);
	args_fini(&args);
	return status;
}

const struct verb verb_new = {
	.name = "new",
	.synopsis = "[--stdout] NAME",
	.summary = "write a recipe to begin with",
	.help =
	    "NAME.yaml, in this directory or where a path in NAME leads. It runs as it is; every key\n"
	    "that a recipe may have stands in it with an explanation. Nothing is written over.",
	.options = options,
	.examples = "reeve new backup && $EDITOR backup.yaml\nreeve run ./backup.yaml",
	.run = run,
};
