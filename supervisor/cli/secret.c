#include "supervisor/cli/secret.h"

#include "ipc/fd.h"
#include "ipc/secrets.h"
#include "ipc/task.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum {
	CTRL_C = 3
};

static bool
is_named(const struct secret_args *secrets, const char *name)
{
	for (size_t i = 0; i < secrets->asked.n; i++)
		if (strcmp(secrets->asked.v[i], name) == 0)
			return true;
	return pairs_get(&secrets->values, name) != NULL;
}

static int
out_of_memory(void)
{
	complain(NULL, "out of memory");
	return EXIT_FAILED;
}

/* A value as it was read: 0, or an exit status. */
static int
keep(struct secret_args *secrets, const char *name, const char *value, size_t len)
{
	if (len > LIMIT_TEXT) {
		complain(NULL, "secret \"%s\" is longer than %d KiB", name, LIMIT_TEXT / 1024);
		return EXIT_USAGE;
	}
	if (strlen(value) != len) {
		complain(NULL, "secret \"%s\" holds a zero byte, which no parameter can", name);
		return EXIT_USAGE;
	}
	return pairs_set(&secrets->values, name, value) < 0 ? out_of_memory() : 0;
}

/* The line end that an editor or echo puts at the end of a file is no part of it. */
static size_t
strip_end(char *text, size_t len)
{
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	return len;
}

static int
read_fd(struct secret_args *secrets, const char *name, int fd)
{
	char text[LIMIT_TEXT + 3];
	ssize_t n = fd_read_all(fd, text, sizeof text - 1);
	int status;

	if (n < 0) {
		complain(NULL, "secret \"%s\": reading fd %d: %s", name, fd, strerror((int)-n));
		return EXIT_USAGE;
	}
	text[n] = '\0';
	status = keep(secrets, name, text, strip_end(text, (size_t)n));
	explicit_bzero(text, sizeof text);
	return status;
}

static int
take_fd(const struct args *args, struct secret_args *secrets)
{
	const char *equals = strchr(args->value, '=');
	char *name, *end = NULL;
	long fd = equals ? strtol(equals + 1, &end, 10) : -1;
	int status;

	if (!equals || equals == args->value || end == equals + 1 || *end != '\0' || fd < 0 ||
	    fd > INT_MAX)
		return args_wrong(
		    args, "--secret-fd %s: expected NAME=FD, an fd's number", args->value);
	name = strndup(args->value, (size_t)(equals - args->value));
	if (!name)
		return out_of_memory();
	status = is_named(secrets, name) ? args_wrong(args, "secret \"%s\" is given twice", name)
					 : read_fd(secrets, name, (int)fd);
	free(name);
	return status;
}

int
secret_take(const struct args *args, int key, struct secret_args *secrets)
{
	if (key == KEY_SECRET_FD)
		return take_fd(args, secrets);
	if (*args->value == '\0' || strchr(args->value, '='))
		return args_wrong(
		    args, "--secret takes a name only: a value here could be read by others");
	if (is_named(secrets, args->value))
		return args_wrong(args, "secret \"%s\" is given twice", args->value);
	return strs_add(&secrets->asked, args->value) < 0 ? out_of_memory() : 0;
}

/* ---- from a terminal ---------------------------------------------------------------- */

/* One line that is not shown; asked for once that is so. Ctrl-C ends the line, not us: the terminal
 * has to be set back. */
static ssize_t
read_hidden(const char *name, char *text, size_t size)
{
	struct termios shown, hidden;
	ssize_t n;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return -errno;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	hidden.c_lflag |= ICANON | ECHONL;
	hidden.c_cc[VEOL] = CTRL_C;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0)
		return -errno;
	fprintf(stderr, "%s (is not shown): ", name);
	do {
		n = read(STDIN_FILENO, text, size);
	} while (n < 0 && errno == EINTR);
	n = n < 0 ? -errno : n;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &shown); /* the next answer may be typed already */
	return n;
}

static int
ask_terminal(struct secret_args *secrets, const char *name)
{
	char text[LIMIT_TEXT + 3];
	ssize_t n;
	int status;

	n = read_hidden(name, text, sizeof text - 1);
	if (n <= 0 || text[n - 1] == CTRL_C) {
		explicit_bzero(text, sizeof text);
		complain(NULL, "\"%s\" was not given", name);
		return EXIT_USAGE;
	}
	text[n] = '\0';
	status = keep(secrets, name, text, strip_end(text, (size_t)n));
	explicit_bzero(text, sizeof text);
	return status;
}

/* ---- from a pipe or a file -------------------------------------------------------------- */

/* Several share stdin: a line each. */
static int
read_line(struct secret_args *secrets, const char *name)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, stdin);
	int status = EXIT_USAGE;

	if (n < 0)
		complain(NULL, "secret \"%s\": stdin has no line for it", name);
	else
		status = keep(secrets, name, line, strip_end(line, (size_t)n));
	if (line)
		explicit_bzero(line, room);
	free(line);
	return status;
}

int
secret_read(struct secret_args *secrets)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < secrets->asked.n; i++) {
		const char *name = secrets->asked.v[i];

		if (isatty(STDIN_FILENO))
			status = ask_terminal(secrets, name);
		else if (secrets->asked.n == 1)
			status = read_fd(secrets, name, STDIN_FILENO);
		else
			status = read_line(secrets, name);
	}
	return status;
}

int
secret_gather(struct secret_args *secrets, int *ret_fd)
{
	int r, status = secret_read(secrets);

	*ret_fd = -1;
	if (status != 0 || secrets->values.n == 0)
		return status;
	r = secrets_fd_make(&secrets->values, ret_fd);
	if (r == 0)
		return 0;
	complain(NULL, r == -EMSGSIZE ? "all secrets of a task together may have 32 KiB"
				      : "cannot pass on the secrets");
	return EXIT_FAILED;
}

void
secret_fini(struct secret_args *secrets)
{
	strs_free(&secrets->asked);
	secrets_wipe(&secrets->values);
}
