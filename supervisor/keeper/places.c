#include "supervisor/keeper/places.h"

#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BACKLOG = 512
};

static int
complain(const char *what, const char *path, int error)
{
	fprintf(stderr, "reeved: %s: %s: %s\n", path, what, strerror(-error));
	return error;
}

/* Whoever could write here could make us run his tasks, as root. */
static int
check_owner(const char *path)
{
	struct stat info;

	if (stat(path, &info) < 0)
		return complain("looking at it", path, -errno);
	if (!S_ISDIR(info.st_mode))
		return complain("it is in the way", path, -ENOTDIR);
	if (info.st_uid == geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	fprintf(stderr,
	    "reeved: %s: it must belong to uid %u and be writable by nobody else\n"
	    "  chown %u %s && chmod go-w %s\n",
	    path, (unsigned)geteuid(), (unsigned)geteuid(), path, path);
	return -EPERM;
}

static int
make_dir(const char *path, mode_t mode)
{
	int r = fd_mkdir_all(path, 0755);

	if (r < 0)
		return complain("making it", path, r);
	r = check_owner(path);
	if (r == 0 && chmod(path, mode) < 0)
		r = complain("setting its mode", path, -errno);
	return r;
}

static int
make_dirs(const struct options *options)
{
	static const struct {
		const char *name;
		mode_t mode;
	} inside[] = { { "store", 0700 }, { "journals", 0700 }, { "attempts", 0700 },
		{ "work", 0711 } };
	char path[PATH_MAX];
	int r = make_dir(options->state_dir, 0711);

	for (size_t i = 0; r == 0 && i < sizeof inside / sizeof inside[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", options->state_dir, inside[i].name);
		r = make_dir(path, inside[i].mode);
	}
	return r < 0 ? r : make_dir(options->run_dir, options->is_user_mode ? 0700 : 0755);
}

static void
say_who_runs(int fd, const char *path)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	if (n > 0)
		text[strcspn(text, "\n")] = '\0';
	fprintf(stderr, "reeved: already running, pid %s (%s is locked)\n",
	    *text ? text : "unknown", path);
}

/* The fd of an earlier build of this process, when it is of the file at PATH. */
static int
inherited(int *left, const char *path)
{
	struct stat ours, there;
	int fd = -1;

	if (*left < 0 || fstat(*left, &ours) < 0 || lstat(path, &there) < 0 ||
	    ours.st_dev != there.st_dev || ours.st_ino != there.st_ino)
		return -1;
	fd = *left;
	*left = -1;
	return fd;
}

static int
take_lock(const char *dir, int *left, int *ret_fd)
{
	char path[PATH_MAX], pid[32];
	int n, r;

	/* Whoever may read a file may lock it, and so keep the service from starting. */
	snprintf(path, sizeof path, "%s/keeper.lock", dir);
	*ret_fd = inherited(left, path);
	if (*ret_fd < 0)
		*ret_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret_fd < 0)
		return complain("opening it", path, -errno);
	if (fchmod(*ret_fd, 0600) < 0)
		return complain("setting its mode", path, -errno);
	r = fd_lock(*ret_fd);
	if (r == -EAGAIN)
		say_who_runs(*ret_fd, path);
	else if (r < 0)
		complain("locking it", path, r);
	if (r < 0)
		return r;
	n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (ftruncate(*ret_fd, 0) < 0 || pwrite(*ret_fd, pid, (size_t)n, 0) < 0)
		return complain("writing it", path, -errno);
	return 0;
}

/* Rights are checked by who the peer is, so on a machine's service everybody may connect. */
static int
bind_socket(const struct options *options, int *ret_fd)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof path, "%s/control.sock", options->run_dir);
	if (unlink(path) < 0 && errno != ENOENT) /* a dead service's: we hold the lock */
		return complain("removing the stale socket", path, -errno);
	r = fd_unix_listen(path, options->is_user_mode ? 0600 : 0666, BACKLOG);
	if (r < 0)
		return complain("listening", path, r);
	*ret_fd = r;
	return 0;
}

/* An unlinked socket lives on, but its name count changes; nothing else there is of interest. */
static void
watch_socket(struct places *places, const struct options *options)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/control.sock", options->run_dir);
	fd_close(&places->watch_fd);
	places->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (places->watch_fd >= 0 && inotify_add_watch(places->watch_fd, path,
					 IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0)
		fd_close(&places->watch_fd);
}

/* One directory for both needs one lock only, and a second one would find the first. */
static bool
is_same_dir(const char *a, const char *b)
{
	struct stat first, second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

static int
take_locks(struct places *places, const struct options *options, struct heritage *left)
{
	int *fds = left->fds;
	int r = take_lock(options->state_dir, &fds[HERITAGE_STATE_LOCK], &places->state_lock);

	if (r < 0 || is_same_dir(options->state_dir, options->run_dir))
		return r;
	return take_lock(options->run_dir, &fds[HERITAGE_RUN_LOCK], &places->run_lock);
}

static bool
is_missing(const char *dir, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, F_OK) < 0 && errno == ENOENT;
}

/* A socket that listens and still has its name: nobody who connects notices a thing. */
static int
take_socket(const struct options *options, int *left, int *ret_fd)
{
	int listens = 0;
	socklen_t len = sizeof listens;

	if (*left < 0 || getsockopt(*left, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 ||
	    !listens || is_missing(options->run_dir, "control.sock"))
		return bind_socket(options, ret_fd);
	*ret_fd = *left;
	*left = -1;
	return 0;
}

int
places_open(struct places *places, const struct options *options, struct heritage *left)
{
	int r = make_dirs(options);

	*places =
	    (struct places){ .state_lock = -1, .run_lock = -1, .listen_fd = -1, .watch_fd = -1 };
	if (r < 0 || (r = take_locks(places, options, left)) < 0 ||
	    (r = take_socket(options, &left->fds[HERITAGE_LISTEN], &places->listen_fd)) < 0)
		places_close(places);
	else
		watch_socket(places, options);
	return r;
}

int
places_mend(struct places *places, const struct options *options)
{
	const char *run = options->run_dir;
	char events[1024];
	int lock = -1, none = -1, fd = -1, r;

	while (places->watch_fd >= 0 && read(places->watch_fd, events, sizeof events) > 0)
		continue;
	if (!is_missing(run, "control.sock")) {
		if (places->watch_fd < 0)
			watch_socket(places, options);
		return 0;
	}
	r = make_dir(run, options->is_user_mode ? 0700 : 0755);
	if (r == 0 && !is_same_dir(options->state_dir, run) && is_missing(run, "keeper.lock"))
		r = take_lock(run, &none, &lock);
	if (r == 0)
		r = bind_socket(options, &fd);
	if (r < 0) {
		fd_close(&lock);
		fd_close(&places->watch_fd); /* nothing to watch: it is tried again */
		return r;
	}
	if (lock >= 0) {
		fd_close(&places->run_lock);
		places->run_lock = lock;
	}
	fd_close(&places->listen_fd);
	places->listen_fd = fd;
	watch_socket(places, options);
	return 1;
}

void
places_close(struct places *places)
{
	fd_close(&places->watch_fd);
	fd_close(&places->listen_fd);
	fd_close(&places->run_lock);
	fd_close(&places->state_lock);
}
