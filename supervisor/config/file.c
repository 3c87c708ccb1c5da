#include "supervisor/config/file.h"

#include "ipc/fd.h"
#include "supervisor/recipe/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_name[] = "reeve.yaml";

static int
refuse(const char *path, struct recipe_error *error, const char *why)
{
	const struct source source = { .error = error };

	return error_set(&source, (struct mark){ 0, 0 }, "", "%s: %s", path, why);
}

/* Whoever can write it can make himself an administrator. */
static int
check_owner(int fd, const char *path, struct recipe_error *error)
{
	struct stat info;
	char why[160];

	if (fstat(fd, &info) < 0)
		return refuse(path, error, strerror(errno));
	if ((info.st_uid == 0 || info.st_uid == geteuid()) &&
	    (info.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	snprintf(why, sizeof why,
	    "it must belong to uid 0%s and be writable by nobody else (chown, chmod go-w)",
	    geteuid() == 0 ? "" : ", or to you,");
	return refuse(path, error, why);
}

static int
read_fd(int fd, const char *path, char **ret_text, struct recipe_error *error)
{
	struct stat info;
	char *text;
	size_t len;
	int r;

	if (fstat(fd, &info) < 0)
		return refuse(path, error, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return refuse(path, error, "it is no file");
	r = fd_read_whole(fd, LIMIT_RECIPE, &text, &len);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse(
		    path, error, r == -EFBIG ? "it is larger than 256 KiB" : strerror(-r));
	if (strlen(text) != len) {
		free(text);
		return refuse(path, error, "it holds a zero byte");
	}
	*ret_text = text;
	return 0;
}

int
config_file_read(
    const struct config_layers *layers, char **ret_text, struct recipe_error *ret_error)
{
	const char *path = layers->file;
	/* O_NONBLOCK: a FIFO is not waited for, but refused. */
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1, r = 0;

	if (fd < 0) {
		if (path && (layers->file_is_named || errno != ENOENT))
			return refuse(path, ret_error, strerror(errno));
		*ret_text = strdup("");
		return *ret_text ? 0 : -ENOMEM;
	}
	if (!layers->file_is_trusted)
		r = check_owner(fd, path, ret_error);
	if (r == 0)
		r = read_fd(fd, path, ret_text, ret_error);
	fd_close(&fd);
	return r;
}

static char *
join(const char *dir, const char *below)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s%s", dir, below, file_name) < 0 ? NULL : path;
}

char *
config_file_path(bool *ret_is_named)
{
	const char *named = getenv("REEVE_CONFIG_FILE"), *dir = getenv("REEVE_CONFIG_DIR");
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	*ret_is_named = named && *named;
	if (*ret_is_named)
		return strdup(named);
	if (dir && *dir)
		return join(dir, "");
	if (geteuid() == 0)
		return join("/etc/reeve", "");
	if (xdg && *xdg == '/')
		return join(xdg, "reeve/");
	return join(home && *home == '/' ? home : "", ".config/reeve/");
}
