#include "ipc/failpoint.h"

#ifdef REEVE_FAILPOINTS

# include <errno.h>
# include <fcntl.h>
# include <pthread.h>
# include <signal.h>
# include <stdbool.h>
# include <stdint.h>
# include <stdio.h>
# include <stdlib.h>
# include <string.h>
# include <time.h>
# include <unistd.h>

enum {
	MAX_ARMED = 32,
	ACTION_BYTES = 128
};

struct armed {
	char name[64];
	char action[ACTION_BYTES];
	long left; /* -1: for ever */
};

static struct armed armed[MAX_ARMED];
static size_t narmed;
static uint64_t random_state;
static const char *directory;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
arm(char *entry)
{
	char *action = strchr(entry, '='), *count;
	struct armed *point = &armed[narmed];

	if (!action || narmed == MAX_ARMED)
		return;
	*action++ = '\0';
	point->left = -1;
	count = strchr(action, '*');
	if (count) {
		*count = '\0';
		point->left = strtol(count + 1, NULL, 10);
	}
	snprintf(point->name, sizeof point->name, "%s", entry);
	snprintf(point->action, sizeof point->action, "%s", action);
	narmed++;
}

static void
read_environment(void)
{
	const char *list = getenv("REEVE_FAILPOINTS"), *seed = getenv("REEVE_SEED");
	char *copy = list ? strdup(list) : NULL, *rest = copy, *entry;

	directory = getenv("REEVE_FAILPOINT_DIR");
	random_state = (seed ? strtoull(seed, NULL, 10) : 1) * UINT64_C(6364136223846793005) +
		       (uint64_t)getpid() * UINT64_C(1442695040888963407) + 1;
	while (copy && (entry = strsep(&rest, ",")))
		arm(entry);
	free(copy);
}

/* xorshift64; 0 to 99. */
static unsigned
draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % 100);
}

static bool
find_armed(const char *name, char *action)
{
	for (size_t i = 0; i < narmed; i++) {
		if (strcmp(armed[i].name, name) != 0 || armed[i].left == 0)
			continue;
		if (armed[i].left > 0)
			armed[i].left--;
		memcpy(action, armed[i].action, ACTION_BYTES);
		return true;
	}
	return false;
}

static bool
find_file(const char *name, char *action)
{
	char path[512], *once_only;
	ssize_t n;
	int fd;

	if (!directory)
		return false;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, action, ACTION_BYTES - 1);
	close(fd);
	if (n <= 0)
		return false;
	action[n] = '\0';
	action[strcspn(action, "\n")] = '\0';
	once_only = strstr(action, "*1");
	if (!once_only)
		return true;
	*once_only = '\0';
	return unlink(path) == 0;
}

static int
errno_called(const char *name)
{
	for (int number = 1; number <= EHWPOISON; number++) {
		const char *known = strerrorname_np(number);

		if (known && strcmp(known, name) == 0)
			return number;
	}
	return EIO;
}

static int
act(char *action)
{
	char *percent = strchr(action, '%');
	bool skip = false;

	if (percent) {
		*percent = '\0';
		pthread_mutex_lock(&lock);
		skip = draw() >= (unsigned)strtoul(percent + 1, NULL, 10);
		pthread_mutex_unlock(&lock);
	}
	if (skip)
		return 0;
	if (strncmp(action, "sleep:", 6) == 0) {
		long ms = strtol(action + 6, NULL, 10);

		nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
		return 0;
	}
	if (strcmp(action, "kill") == 0)
		kill(getpid(), SIGKILL);
	if (strncmp(action, "errno:", 6) == 0)
		return -errno_called(action + 6);
	return 0;
}

int
failpoint(const char *name)
{
	char action[ACTION_BYTES];
	bool found;

	pthread_once(&once, read_environment);
	pthread_mutex_lock(&lock);
	found = find_armed(name, action);
	pthread_mutex_unlock(&lock);
	if (!found)
		found = find_file(name, action);
	return found ? act(action) : 0;
}

#else

/* An empty translation unit is not C. */
typedef int failpoint_is_compiled_out;

#endif
