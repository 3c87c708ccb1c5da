#include "ipc/failpoint.h"

#ifdef REEVE_FAILPOINTS

# include "ipc/fd.h"

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
	MAX_POINTS = 64,
	MAX_NAME = 64,
	MAX_ACTION = 64
};

enum action_kind {
	ACTION_NONE,
	ACTION_SLEEP,
	ACTION_KILL,
	ACTION_ERRNO
};

struct action {
	enum action_kind kind;
	long value;    /* milliseconds, or an errno */
	long max_hits; /* 0: no limit */
	long percent;  /* 100: always */
};

/* A point somebody armed, by environment or by file; its hits are counted together. */
struct point {
	char name[MAX_NAME];
	struct action action; /* of the environment */
	long hits;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct point points[MAX_POINTS];
static size_t npoints;
static int dir_fd = -1;
static uint64_t random_state;

/* A misspelt failpoint would make a test pass for nothing. */
static void
refuse(const char *text)
{
	dprintf(STDERR_FILENO, "failpoint: cannot read \"%s\"\n", text);
	abort();
}

static int
errno_by_name(const char *name, size_t len)
{
	for (int number = 1; number < 134; number++) {
		const char *known = strerrorname_np(number);

		if (known && strlen(known) == len && strncmp(known, name, len) == 0)
			return number;
	}
	return 0;
}

/* `*N` and `%P` behind an action. */
static void
parse_modifiers(const char *text, struct action *action)
{
	const char *at = text;

	while (*at != '\0') {
		char kind = *at;
		char *end;
		long value = strtol(at + 1, &end, 10);

		if (end == at + 1 || value < 1)
			refuse(text);
		if (kind == '*')
			action->max_hits = value;
		else if (kind == '%')
			action->percent = value;
		else
			refuse(text);
		at = end;
	}
}

static struct action
parse_action(const char *text)
{
	struct action action = { .percent = 100 };
	size_t len = strcspn(text, "*%");

	if (len == 4 && strncmp(text, "kill", 4) == 0) {
		action.kind = ACTION_KILL;
	} else if (strncmp(text, "sleep:", 6) == 0) {
		char *end;

		action.kind = ACTION_SLEEP;
		action.value = strtol(text + 6, &end, 10);
		if (end != text + len || action.value < 0)
			refuse(text);
	} else if (strncmp(text, "errno:", 6) == 0) {
		action.kind = ACTION_ERRNO;
		action.value = errno_by_name(text + 6, len - 6);
		if (action.value == 0)
			refuse(text);
	} else {
		refuse(text);
	}
	parse_modifiers(text + len, &action);
	return action;
}

static struct point *
find_point(const char *name)
{
	for (size_t i = 0; i < npoints; i++) {
		if (strcmp(points[i].name, name) == 0)
			return &points[i];
	}
	return NULL;
}

static struct point *
add_point(const char *name)
{
	struct point *point = find_point(name);

	if (point)
		return point;
	if (npoints == MAX_POINTS || strlen(name) >= MAX_NAME)
		refuse(name);
	point = &points[npoints++];
	snprintf(point->name, sizeof point->name, "%s", name);
	return point;
}

static void
parse_environment(const char *text)
{
	char *copy = strdup(text), *rest = copy;

	if (!copy)
		abort();
	for (char *item = strsep(&rest, ","); item; item = strsep(&rest, ",")) {
		char *equals = strchr(item, '=');

		if (*item == '\0')
			continue;
		if (!equals)
			refuse(item);
		*equals = '\0';
		add_point(item)->action = parse_action(equals + 1);
	}
	free(copy);
}

static void
start(void)
{
	const char *text = secure_getenv("REEVE_FAILPOINTS");
	const char *dir = secure_getenv("REEVE_FAILPOINT_DIR");
	const char *seed = secure_getenv("REEVE_SEED");

	random_state = (seed ? strtoull(seed, NULL, 0) : 0) ^ ((uint64_t)getpid() << 32);
	if (dir && *dir)
		dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (text)
		parse_environment(text);
}

/* Steele, Lea, Flood: SplitMix64. */
static uint64_t
draw(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* What the file NAME in the directory says, or the environment's action for POINT. */
static struct action
current_action(const char *name, const struct point *point)
{
	struct action action = { .kind = ACTION_NONE };
	char *text = NULL;
	size_t len;

	if (point)
		action = point->action;
	if (dir_fd >= 0 && fd_read_file(dir_fd, name, MAX_ACTION, &text, &len) == 0) {
		text[strcspn(text, "\n")] = '\0';
		if (*text != '\0')
			action = parse_action(text);
		free(text);
	}
	return action;
}

/* The action to take at this hit, already counted. */
static struct action
hit(const char *name)
{
	static const struct action nothing = { .kind = ACTION_NONE };
	struct action action;

	pthread_mutex_lock(&mutex);
	action = current_action(name, find_point(name));
	if (action.kind != ACTION_NONE && action.percent < 100 &&
	    (long)(draw() % 100) >= action.percent)
		action = nothing;
	if (action.kind != ACTION_NONE) {
		struct point *point = add_point(name);

		if (action.max_hits > 0 && point->hits >= action.max_hits)
			action = nothing;
		else
			point->hits++;
	}
	pthread_mutex_unlock(&mutex);
	return action;
}

static void
sleep_ms(long ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

int
failpoint(const char *name)
{
	struct action action;

	pthread_once(&once, start);
	if (npoints == 0 && dir_fd < 0)
		return 0;
	action = hit(name);
	switch (action.kind) {
	case ACTION_NONE:
		break;
	case ACTION_SLEEP:
		sleep_ms(action.value);
		break;
	case ACTION_KILL:
		raise(SIGKILL);
		break;
	case ACTION_ERRNO:
		return (int)-action.value;
	}
	return 0;
}

#endif
