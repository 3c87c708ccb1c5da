#include "supervisor/commands/examine.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/mp.h"
#include "ipc/task.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#define YEAR_2024_MS UINT64_C(1704067200000)

enum {
	LOW_MIB = 256,
	LOW_FILES = 10000,
	LOW_FDS = 1024,
	TEXT = PATH_MAX + 128,
	NSS_BYTES = 16 * 1024
};

void
examination_init(struct examination *examination)
{
	examination->n = 0;
	buf_init(&examination->checks, LIMIT_RPC);
	buf_packer(&examination->checks, &examination->packer);
}

void
examination_fini(struct examination *examination)
{
	buf_fini(&examination->checks);
}

void
add_check(struct examination *examination, const char *name, enum health health, const char *text,
    const char *fix)
{
	static const char *const words[] = {
		[HEALTH_OK] = "ok", [HEALTH_WARN] = "warn", [HEALTH_FAIL] = "fail"
	};

	msgpack_pack_map(&examination->packer, 4);
	pack_kv_str(&examination->packer, "name", name);
	pack_kv_str(&examination->packer, "status", words[health]);
	pack_kv_str(&examination->packer, "text", text);
	pack_kv_str(&examination->packer, "fix", fix);
	examination->n++;
}

/* ---- directories --------------------------------------------------------------------- */

static void
check_dir(struct examination *examination, const char *name, const char *path)
{
	char text[TEXT], fix[2 * PATH_MAX + 64];
	struct stat info;

	if (stat(path, &info) < 0) {
		snprintf(text, sizeof text, "%s: %s", path, strerror(errno));
		add_check(examination, name, HEALTH_FAIL, text,
		    "start the service anew, which makes it again: reeve shutdown --restart");
		return;
	}
	if (S_ISDIR(info.st_mode) && info.st_uid == geteuid() &&
	    (info.st_mode & (S_IWGRP | S_IWOTH)) == 0) {
		add_check(examination, name, HEALTH_OK, path, NULL);
		return;
	}
	snprintf(text, sizeof text, "%s: others can change what is in it", path);
	snprintf(fix, sizeof fix, "chown %u %s && chmod go-w %s", (unsigned)geteuid(), path, path);
	add_check(examination, name, HEALTH_FAIL, text, fix);
}

/* The keeper's, for life: without it another service could be started on the same directory. */
static void
check_lock(struct examination *examination, const char *state_dir)
{
	char path[PATH_MAX];
	int fd, r;

	snprintf(path, sizeof path, "%s/keeper.lock", state_dir);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	r = fd < 0 ? -errno : fd_is_locked(fd);
	fd_close(&fd);
	if (r == 1)
		add_check(examination, "lock", HEALTH_OK, "held by this service alone", NULL);
	else
		add_check(examination, "lock", HEALTH_FAIL,
		    r == 0 ? "nobody holds the lock of the state directory" : strerror(-r),
		    "somebody has removed it; start the service anew: reeve shutdown, then reeved");
}

static void
check_disk(struct examination *examination, const struct surroundings *surroundings)
{
	static const char fix[] = "make room on the file system of the state directory";
	const char *dir = surroundings->state_dir;
	struct statvfs fs;
	struct statfs type;
	char text[128];
	uint64_t free_mib;
	bool is_low;

	if (statvfs(dir, &fs) < 0) {
		add_check(examination, "disk", HEALTH_FAIL, strerror(errno), NULL);
		return;
	}
	free_mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
	is_low = free_mib < LOW_MIB || (fs.f_files > 0 && fs.f_favail < LOW_FILES);
	if (fs.f_files > 0)
		snprintf(text, sizeof text,
		    "%llu MiB and %llu files free under the state directory",
		    (unsigned long long)free_mib, (unsigned long long)fs.f_favail);
	else
		snprintf(text, sizeof text, "%llu MiB free under the state directory",
		    (unsigned long long)free_mib);
	if (surroundings->is_full)
		add_check(examination, "disk", HEALTH_FAIL, "full: no new work is taken", fix);
	else if (statfs(dir, &type) == 0 && type.f_type == TMPFS_MAGIC)
		add_check(examination, "disk", HEALTH_WARN,
		    "the state directory is in memory: no task survives a reboot",
		    "put it on a disk: --state-dir");
	else
		add_check(examination, "disk", is_low ? HEALTH_WARN : HEALTH_OK, text,
		    is_low ? fix : NULL);
}

/* ---- the machine --------------------------------------------------------------------- */

static void
check_clock(struct examination *examination)
{
	struct timex state = { .modes = 0 };
	uint64_t now_ms = clock_wall_ms();
	char text[CLOCK_TEXT];

	clock_format(now_ms, text);
	if (now_ms < YEAR_2024_MS)
		add_check(examination, "clock", HEALTH_FAIL, text,
		    "set the clock: when tasks go and what --since finds depend on it");
	else if (adjtimex(&state) == TIME_ERROR)
		add_check(examination, "clock", HEALTH_WARN, text,
		    "nobody keeps it right: timedatectl set-ntp true, or another time service");
	else
		add_check(examination, "clock", HEALTH_OK, text, NULL);
}

static void
check_fds(struct examination *examination)
{
	struct rlimit limit;
	char text[96];

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	snprintf(text, sizeof text, "%llu files may be open at once",
	    (unsigned long long)limit.rlim_cur);
	add_check(examination, "limits", limit.rlim_cur < LOW_FDS ? HEALTH_WARN : HEALTH_OK, text,
	    limit.rlim_cur < LOW_FDS
		? "a task takes about five, a client one: LimitNOFILE=, ulimit -n"
		: NULL);
}

static bool
is_replaced(pid_t pid)
{
	static const char tail[] = " (deleted)";
	char link[40], path[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
	len = readlink(link, path, sizeof path - 1);
	if (len < (ssize_t)sizeof tail)
		return false;
	path[len] = '\0';
	return strcmp(path + len - (sizeof tail - 1), tail) == 0;
}

static void
check_build(struct examination *examination)
{
	bool keeper = is_replaced(getppid()), self = is_replaced(getpid());

	add_check(examination, "build", keeper || self ? HEALTH_WARN : HEALTH_OK,
	    keeper && self
		? "reeved and reeve-supervisor have been replaced since they were started"
	    : keeper ? "reeved has been replaced since it was started"
	    : self   ? "reeve-supervisor has been replaced since it was started"
		     : "what runs is what is installed",
	    keeper || self ? "take up what is installed now; tasks run on: reeve shutdown --restart"
			   : NULL);
}

/* A user's own service lives as long as his manager, systemd-logind(8). */
static void
check_linger(struct examination *examination)
{
	struct passwd entry, *found = NULL;
	char path[PATH_MAX], *text;

	if (geteuid() == 0 || access("/run/systemd/system", F_OK) < 0)
		return;
	text = malloc(NSS_BYTES);
	if (text && getpwuid_r(geteuid(), &entry, text, NSS_BYTES, &found) == 0 && found) {
		snprintf(path, sizeof path, "/var/lib/systemd/linger/%s", entry.pw_name);
		if (access(path, F_OK) == 0)
			add_check(examination, "linger", HEALTH_OK,
			    "the service goes on when you log out", NULL);
		else
			add_check(examination, "linger", HEALTH_WARN,
			    "when you log out for the last time everything of yours is ended, "
			    "and after a boot nothing is started before you log in",
			    "loginctl enable-linger");
	}
	free(text);
}

void
examine_surroundings(struct examination *examination, const struct surroundings *surroundings)
{
	check_build(examination);
	check_dir(examination, "state", surroundings->state_dir);
	check_dir(examination, "run", surroundings->run_dir);
	check_lock(examination, surroundings->state_dir);
	check_disk(examination, surroundings);
	check_clock(examination);
	check_fds(examination);
	check_linger(examination);
}
