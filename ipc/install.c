#include "ipc/install.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool
strip(char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	if (len < tail || strcmp(text + len - tail, suffix) != 0)
		return false;
	text[len - tail] = '\0';
	return true;
}

int
install_self(char ret_path[static PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", ret_path, PATH_MAX - 1);

	if (len <= 0)
		return len < 0 ? -errno : -ENOENT;
	ret_path[len] = '\0';
	strip(ret_path, " (deleted)");
	return ret_path[0] == '/' ? 0 : -ENOENT;
}

static int
own_dir(char dir[static PATH_MAX])
{
	int r = install_self(dir);

	if (r == 0)
		*strrchr(dir, '/') = '\0';
	return r;
}

static int
join(char path[static PATH_MAX], const char *dir, const char *below, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s", dir, below, name);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int
install_paths(const char *name, struct install_paths *ret_paths)
{
	char dir[PATH_MAX];
	int r = own_dir(dir);

	if (r == 0)
		r = join(ret_paths->v[0], dir, "", name);
	/* What is in neither place is no package's: its neighbours say nothing. */
	if (r == 0 && (strip(dir, "/libexec/reeve") || strip(dir, "/bin"))) {
		r = join(ret_paths->v[1], dir, "libexec/reeve/", name);
		return r < 0 ? r : join(ret_paths->v[2], dir, "bin/", name);
	}
	for (size_t i = 1; r == 0 && i < INSTALL_PLACES; i++)
		memcpy(ret_paths->v[i], ret_paths->v[0], PATH_MAX);
	return r;
}

int
install_share(const char *name, char ret_path[static PATH_MAX])
{
	char dir[PATH_MAX];
	int r = own_dir(dir);
	char *build;

	if (r < 0)
		return r;
	build = strstr(dir, "/.build/");
	if (build) {
		*build = '\0';
		return join(ret_path, dir, "contrib/", name);
	}
	if (strip(dir, "/libexec/reeve") || strip(dir, "/bin"))
		return join(ret_path, dir, "share/reeve/", name);
	return -ENOENT;
}
