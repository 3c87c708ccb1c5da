#include "worker/lockwait.h"

#include "ipc/fd.h"
#include "ipc/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LOCKS_MAX = 256 * 1024,
	UNIT_TEXT = 64
};

/* ---- /proc/locks -------------------------------------------------------------------- */

/* One line: `1: POSIX  ADVISORY  WRITE 812 fe:00:1234 0 EOF`, a waiter's with `->` behind its
 * number, which is that of the lock it waits for. */
struct line {
	unsigned long long number;
	bool is_waiter;
	int pid;
	unsigned long long inode;
};

/* Behind N words. */
static char *
skip_words(char *at, int n)
{
	for (; n > 0; n--) {
		at += strspn(at, " ");
		at += strcspn(at, " \n");
	}
	return at;
}

static bool
parse_line(const char *text, struct line *line)
{
	char *at;

	line->number = strtoull(text, &at, 10);
	if (*at != ':')
		return false;
	at += 1 + strspn(at + 1, " ");
	line->is_waiter = strncmp(at, "->", 2) == 0;
	if (line->is_waiter)
		at += 2;
	line->pid = (int)strtol(skip_words(at, 3), &at, 10);
	(void)strtoul(at, &at, 16); /* the device */
	if (*at == ':')
		(void)strtoul(at + 1, &at, 16);
	if (*at != ':')
		return false;
	line->inode = strtoull(at + 1, NULL, 10);
	return true;
}

bool
lockwait_parse(const char *locks, const struct kin *kin, struct lockwait *ret_wait)
{
	struct line line, held = { .number = 0 };

	for (const char *at = locks; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (!parse_line(at, &line))
			continue;
		if (!line.is_waiter) {
			held = line;
		} else if (kin_has(kin, line.pid)) {
			bool is_known = held.number == line.number && held.pid > 0;

			*ret_wait = (struct lockwait){ .holder = is_known ? held.pid : 0,
				.waiter = line.pid,
				.inode = line.inode };
			return true;
		}
	}
	return false;
}

/* Reads a file of at most ROOM - 1 bytes. False: it is not there, or not for us. */
static bool
read_text(int dir_fd, const char *path, char *text, size_t room)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, room - 1);

	fd_close(&fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* What fdinfo says of an fd; a stat() of the file could wait for a server that is gone. */
static bool
is_inode(int fdinfo, const char *name, uint64_t inode)
{
	char text[1024];
	const char *at;

	if (!read_text(fdinfo, name, text, sizeof text))
		return false;
	at = strstr(text, "\nino:");
	return at && strtoull(at + strlen("\nino:"), NULL, 10) == inode;
}

/* The path of the file with INODE that PID has open; "a file's lock" where it is not to be found.
 */
static void
find_path(pid_t pid, uint64_t inode, char path[static PATH_MAX])
{
	char name[PATH_MAX];
	struct dirent *entry;
	ssize_t n = -1;
	DIR *dir;

	snprintf(name, sizeof name, "/proc/%d/fdinfo", (int)pid);
	dir = opendir(name);
	while (n < 0 && dir && (entry = readdir(dir))) {
		if (!is_inode(dirfd(dir), entry->d_name, inode))
			continue;
		snprintf(name, sizeof name, "/proc/%d/fd/%.20s", (int)pid, entry->d_name);
		n = readlink(name, path, PATH_MAX - 1);
	}
	if (dir)
		closedir(dir);
	if (n > 0)
		path[n] = '\0';
	else
		snprintf(path, PATH_MAX, "a file's lock");
}

/* ---- who has it ---------------------------------------------------------------------- */

/* The last part of its cgroup that is a unit, ", apt-daily.service"; "" for none. */
static void
unit_of(pid_t pid, char unit[static UNIT_TEXT])
{
	char path[40], text[1024];
	const char *part;
	size_t len;

	unit[0] = '\0';
	snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
	if (!read_text(AT_FDCWD, path, text, sizeof text))
		return;
	text[strcspn(text, "\n")] = '\0';
	part = strrchr(text, '/');
	len = part ? strlen(part) : 0;
	if (len > strlen("/.service") &&
	    (strcmp(part + len - 8, ".service") == 0 || strcmp(part + len - 6, ".scope") == 0))
		snprintf(unit, UNIT_TEXT, ", %s", part + 1);
}

static void
tell(pid_t holder, const char *path, char text[static LOCKWAIT_TEXT])
{
	struct proc_stat stat;
	char unit[UNIT_TEXT];

	if (holder <= 0 || proc_stat(holder, &stat) < 0) {
		snprintf(text, LOCKWAIT_TEXT, "somebody holds %s", path);
		return;
	}
	unit_of(holder, unit);
	snprintf(text, LOCKWAIT_TEXT, "%s (pid %d%s) holds %s", stat.comm, (int)holder, unit, path);
}

static bool
find_waiter(const struct kin *kin, char text[static LOCKWAIT_TEXT])
{
	char path[PATH_MAX], *locks;
	struct lockwait wait;
	size_t len;
	int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);
	bool found;

	if (fd < 0)
		return false;
	if (fd_read_whole(fd, LOCKS_MAX, &locks, &len) < 0) {
		fd_close(&fd);
		return false;
	}
	fd_close(&fd);
	found = lockwait_parse(locks, kin, &wait);
	free(locks);
	if (!found)
		return false;
	find_path(wait.waiter, wait.inode, path);
	tell(wait.holder, path, text);
	return true;
}

/* ---- package managers ------------------------------------------------------------------ */

static const char *const askers[] = { "apt-get", "apt", "aptitude", "unattended-upgr" };

static const char *const asked_for[] = { "/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock",
	"/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock" };

static bool
asks_again(const struct kin_one *one)
{
	for (size_t i = 0; !one->is_parent && i < sizeof askers / sizeof askers[0]; i++)
		if (strcmp(one->name, askers[i]) == 0)
			return true;
	return false;
}

/* Who holds PATH's lock, by fcntl; 0: nobody. Taken is nothing. */
static pid_t
holder_of(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r = fd < 0 ? -1 : fcntl(fd, F_GETLK, &lock);

	fd_close(&fd);
	return r == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0 ? lock.l_pid : 0;
}

static bool
find_asker(const struct kin *kin, char text[static LOCKWAIT_TEXT])
{
	size_t asker = 0;

	while (asker < kin->n && !asks_again(&kin->v[asker]))
		asker++;
	for (size_t i = 0; asker < kin->n && i < sizeof asked_for / sizeof asked_for[0]; i++) {
		pid_t holder = holder_of(asked_for[i]);

		if (holder == 0 || kin_has(kin, holder))
			continue;
		tell(holder, asked_for[i], text);
		return true;
	}
	return false;
}

bool
lockwait_find(const struct kin *kin, char ret_text[static LOCKWAIT_TEXT])
{
	return find_waiter(kin, ret_text) || find_asker(kin, ret_text);
}
