#include "supervisor/cgroup_place.h"

#include "ipc/fd.h"
#include "supervisor/cgroup_base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	TEXT = 64 * 1024
};

#define LEAF "/reeve-service"

int
cgroup_write(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];
	int fd, r = 0;

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	fd_close(&fd);
	return r;
}

/* The content of DIR/NAME, owned; NULL when it cannot be read. */
static char *
read_text(const char *dir, const char *name)
{
	char path[PATH_MAX], *text;
	size_t len;

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path ||
	    fd_read_file(AT_FDCWD, path, TEXT, &text, &len) < 0)
		return NULL;
	return text;
}

static bool
has_word(const char *dir, const char *name, const char *word)
{
	char *text = read_text(dir, name), *rest = text, *item;
	bool has = false;

	while (text && !has && (item = strsep(&rest, " \n")))
		has = strcmp(item, word) == 0;
	free(text);
	return has;
}

static bool
is_type(const char *path, long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (long)fs.f_type == magic;
}

/* Where this process is, /proc/self/cgroup: "0::/path" for v2, "N:pids:/path" for v1. Owned. */
static char *
own_path(const char *key)
{
	char *text = read_text("/proc/self", "cgroup"), *rest = text, *line, *found = NULL;
	size_t key_len = strlen(key);

	while (text && !found && (line = strsep(&rest, "\n"))) {
		const char *colon = strchr(line, ':');

		if (colon && strncmp(colon, key, key_len) == 0)
			found = strdup(colon + key_len);
	}
	free(text);
	return found;
}

/* The directory below MOUNT that is the service's, whichever of its leaves we sit in. Owned. */
static char *
find_home(const char *mount, const char *key)
{
	char *own = own_path(key), *home = NULL;
	size_t len = own ? strlen(own) : 0, leaf_len = strlen(LEAF);

	if (len >= leaf_len && strcmp(own + len - leaf_len, LEAF) == 0)
		own[len - leaf_len] = '\0';
	if (own && asprintf(&home, "%s%s", mount, strcmp(own, "/") == 0 ? "" : own) < 0)
		home = NULL;
	free(own);
	return home;
}

/* HOME/reeve.TAG, made and held. Owned; NULL with errno when it may not be. */
static char *
make_base(const char *home, const char *tag, int *ret_fd)
{
	char *base = NULL;
	int fd;

	if (asprintf(&base, "%s/reeve.%s", home, tag) < 0)
		return NULL;
	fd = cgroup_base_hold(base);
	if (fd < 0) {
		free(base);
		errno = -fd;
		return NULL;
	}
	*ret_fd = fd;
	return base;
}

/* Entering a group from another takes the right to write their common parent's cgroup.procs. */
static int
check_usable(const char *home, const char *base)
{
	char procs[PATH_MAX];

	if (snprintf(procs, sizeof procs, "%s/cgroup.procs", home) >= (int)sizeof procs)
		return -ENAMETOOLONG;
	if (faccessat(AT_FDCWD, procs, W_OK, AT_EACCESS) < 0)
		return -errno;
	return has_word(base, "cgroup.type", "domain") ? 0 : -EOPNOTSUPP; /* threaded */
}

/* ---- the v2 pids controller ---------------------------------------------------------- */

/*
 * Whether the controllers below HOME are ours to set: at the root of the hierarchy we see, or
 * where it was delegated. Not right in a .service: its manager puts the next service's first
 * process there, which the kernel refuses while tasks live on in groups with controllers; there
 * DelegateSubgroup= gives the service a place of its own. systemd.resource-control(5).
 */
static bool
is_delegated(const char *mount, const char *home)
{
	static const char *const marks[] = { "trusted.delegate", "user.delegate" };
	size_t len = strlen(home);
	struct stat info;

	if (strcmp(mount, home) == 0)
		return true;
	if (len > 8 && strcmp(home + len - 8, ".service") == 0)
		return false;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		char value = '0';

		if (getxattr(home, marks[i], &value, 1) == 1 && value == '1')
			return true;
	}
	return geteuid() != 0 && stat(home, &info) == 0 && info.st_uid == geteuid();
}

/* True when nobody but this process and its parent, the keeper, is in HOME itself. */
static bool
is_ours_alone(const char *home)
{
	char *text = read_text(home, "cgroup.procs"), *rest = text, *line;
	bool alone = text != NULL;

	while (alone && (line = strsep(&rest, "\n"))) {
		long pid = strtol(line, NULL, 10);

		alone = *line == '\0' || pid == getpid() || pid == getppid();
	}
	free(text);
	return alone;
}

static void
move_to(const char *dir)
{
	char keeper[16];

	snprintf(keeper, sizeof keeper, "%d", (int)getppid());
	(void)cgroup_write(
	    dir, "cgroup.procs", keeper); /* the next write shows whether it worked */
	(void)cgroup_write(dir, "cgroup.procs", "0");
}

/* Controllers are for groups without processes: the service moves out of the way, into a leaf. */
static bool
enable_pids_in(const char *home)
{
	char leaf[PATH_MAX];
	int r = cgroup_write(home, "cgroup.subtree_control", "+pids");

	if (r != -EBUSY || !is_ours_alone(home))
		return r == 0;
	if (snprintf(leaf, sizeof leaf, "%s" LEAF, home) >= (int)sizeof leaf ||
	    (mkdir(leaf, 0755) < 0 && errno != EEXIST))
		return false;
	move_to(leaf);
	if (cgroup_write(home, "cgroup.subtree_control", "+pids") == 0)
		return true;
	move_to(home);
	(void)rmdir(leaf);
	return false;
}

static void
find_pids(struct cgroup_place *place, const char *mount, const char *home, const char *tag)
{
	char *pids_home;

	if (has_word(home, "cgroup.controllers", "pids")) {
		place->v2_pids = is_delegated(mount, home) && enable_pids_in(home) &&
				 cgroup_write(place->base, "cgroup.subtree_control", "+pids") == 0;
	} else if (is_type("/sys/fs/cgroup/pids", CGROUP_SUPER_MAGIC)) {
		pids_home = find_home("/sys/fs/cgroup/pids", ":pids:");
		place->pids = pids_home ? make_base(pids_home, tag, &place->pids_fd) : NULL;
		free(pids_home);
	}
}

/* ---- all of it ----------------------------------------------------------------------- */

static void
say(struct cgroup_place *place, const char *what, int error)
{
	snprintf(place->why, sizeof place->why, "none: %s%s%s", what, error ? ": " : "",
	    error ? strerror(error) : "");
}

static void
find_below(struct cgroup_place *place, const char *mount, const char *home, const char *tag)
{
	int r;

	place->base = make_base(home, tag, &place->base_fd);
	if (!place->base) {
		say(place, "making one", errno);
		return;
	}
	r = check_usable(home, place->base);
	if (r < 0) {
		(void)rmdir(place->base);
		fd_close(&place->base_fd);
		free(place->base);
		place->base = NULL;
		say(place, "entering one", -r);
		return;
	}
	find_pids(place, mount, home, tag);
	snprintf(place->why, sizeof place->why, "cgroup2%s",
	    place->v2_pids || place->pids ? "+pids" : "");
}

void
cgroup_place_find(struct cgroup_place *place, const char *tag)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	const char *mount = NULL;
	char *home;

	*place = (struct cgroup_place){ .base_fd = -1, .pids_fd = -1 };
	for (size_t i = 0; !mount && i < sizeof mounts / sizeof mounts[0]; i++)
		if (is_type(mounts[i], CGROUP2_SUPER_MAGIC))
			mount = mounts[i];
	if (!mount) {
		say(place, "no cgroup v2 is mounted", 0);
		return;
	}
	home = find_home(mount, "::");
	if (home)
		find_below(place, mount, home, tag);
	else
		say(place, "this process is in none", 0);
	free(home);
}

void
cgroup_place_fini(struct cgroup_place *place)
{
	fd_close(&place->base_fd);
	fd_close(&place->pids_fd);
	free(place->base);
	free(place->pids);
}
