#include "supervisor/config/keys.h"

#include "ipc/log.h"
#include "ipc/spawn.h"
#include "ipc/units.h"
#include "supervisor/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOURS(n) ((uint64_t)(n)*60 * 60 * 1000)
#define DAYS(n)  (HOURS(n) * 24)
#define YEARS(n) (DAYS(n) * 365)

/* The n-th word is the enum's number n. */
static const char *const level_words[] = { "error", "warn", "info", "debug", NULL };
static const char *const cgroup_words[] = { "auto", "off", NULL };
static const char *const spawn_words[] = { "auto", "clone3", "clone", "fork", NULL };

_Static_assert(LOG_LEVEL_ERROR == 1 && LOG_LEVEL_DEBUG == 4, "level_words");

/* clang-format off */
#define KEY(kind, member) .type = CONFIG_##kind, .offset = offsetof(struct config, member)
/* How long an ended task is kept. */
#define KEEP(member) KEY(DURATION, member), .max = YEARS(10), .reloads = true

const struct config_key config_keys[CONFIG_KEYS] = {
	{ .name = "slots", KEY(COUNT, slots), .max = 10000, .word = "auto",
	  .meaning = CONFIG_AUTO, .fallback = "auto", .env = "REEVE_SLOTS", .flag = "--slots",
	  .reloads = true,
	  .help = "Tasks that run at once. auto: one for each processor, and at least 4. 0 starts "
	          "none. Fewer than now run: those that run go on, and none is started until enough "
	          "have ended.",
	  .good = "8", .bad = "'-1'" },
	{ .name = "log_level", KEY(CHOICE, log_level), .choices = level_words, .fallback = "info",
	  .env = "REEVE_LOG_LEVEL", .flag = "--log-level", .reloads = true,
	  .help = "How much the service says on its stderr, or in the journal. reeved itself, which "
	          "says little, heeds the flag and the variable alone.",
	  .good = "debug", .bad = "loud" },
	{ .name = "grace", KEY(DURATION, grace_ms), .max = HOURS(24), .fallback = "10s",
	  .env = "REEVE_GRACE", .reloads = true,
	  .help = "Between the SIGTERM that asks a step to end and the SIGKILL that ends it. A step "
	          "can use it to tidy up and to report a last checkpoint. For attempts that start "
	          "from then on.",
	  .good = "30s", .bad = "10" },
	{ .name = "max_processes", KEY(COUNT, max_processes), .min = 16, .max = 4194304,
	  .word = "unlimited", .meaning = CONFIG_UNLIMITED, .fallback = "512",
	  .env = "REEVE_MAX_PROCESSES", .reloads = true,
	  .help = "Processes and threads that the steps of one task may be at once, where there is a "
	          "pids cgroup for each. It keeps what forks without end from taking the machine "
	          "down, and killable at once. For attempts that start from then on.",
	  .good = "4096", .bad = "3" },
	{ .name = "user_tasks", KEY(COUNT, user_tasks), .max = 10000000, .word = "unlimited",
	  .meaning = CONFIG_UNLIMITED, .fallback = "1000", .env = "REEVE_USER_TASKS",
	  .reloads = true,
	  .help = "Tasks that one user who is no administrator may have active at once, those that "
	          "wait counted; more are refused. Who joins a task has none of his own by it.",
	  .good = "50", .bad = "-1" },
	{ .name = "keep_completed", KEEP(keep_ms.completed), .fallback = "1h",
	  .env = "REEVE_KEEP_COMPLETED",
	  .help = "How long a task is kept that completed, with or without warnings, and its log "
	          "with it. `reeve keep ID` keeps one for good. The four of these apply to tasks "
	          "that end from then on.",
	  .good = "2d", .bad = "forever" },
	{ .name = "keep_failed", KEEP(keep_ms.failed), .fallback = "7d",
	  .env = "REEVE_KEEP_FAILED",
	  .help = "The same for a task that failed.",
	  .good = "30d", .bad = "99999d" },
	{ .name = "keep_cancelled", KEEP(keep_ms.cancelled), .fallback = "7d",
	  .env = "REEVE_KEEP_CANCELLED",
	  .help = "The same for a task that was cancelled.",
	  .good = "1d", .bad = "[1d]" },
	{ .name = "keep_interrupted", KEEP(keep_ms.interrupted), .fallback = "7d",
	  .env = "REEVE_KEEP_INTERRUPTED",
	  .help = "The same for a task that ended interrupted.",
	  .good = "14d", .bad = "''" },
	{ .name = "keep_tasks", KEY(COUNT, keep_tasks), .max = 10000000, .word = "all",
	  .meaning = CONFIG_UNLIMITED, .fallback = "10000", .env = "REEVE_KEEP_TASKS",
	  .reloads = true,
	  .help = "Ended tasks that are kept at most; those whose time is up soonest go first. "
	          "Active ones and those of `reeve keep` do not count.",
	  .good = "500", .bad = "many" },
	{ .name = "keep_bytes", KEY(BYTES, keep_bytes), .max = UINT64_C(1) << 60, .word = "all",
	  .meaning = CONFIG_UNLIMITED, .fallback = "all", .env = "REEVE_KEEP_BYTES",
	  .reloads = true,
	  .help = "Bytes that the logs of ended tasks may take on the disk; beyond that, those whose "
	          "time is up soonest go first. Active ones and those of `reeve keep` do not count.",
	  .good = "2GiB", .bad = "2 gallons" },
	{ .name = "admin_group", KEY(NAME, admin_group), .max = 64, .fallback = "reeve-admin",
	  .env = "REEVE_ADMIN_GROUP", .reloads = true,
	  .help = "The group whose members see, cancel, answer and retry everybody's tasks, as root "
	          "and the service's own user do. It need not exist.",
	  .good = "wheel", .bad = "'a b'" },
	{ .name = "recipes", KEY(PATHS, recipes), .max = 32, .word = "auto",
	  .fallback = "auto", .env = "REEVE_RECIPES", .reloads = true,
	  .help = "Directories in which recipes are looked for, in that order; the variable separates "
	          "them by colons. auto: `recipes` in the configuration directory, then the package's own.",
	  .good = "[/etc/reeve/recipes, /srv/recipes]", .bad = "[recipes]" },
	{ .name = "cgroups", KEY(CHOICE, cgroups), .choices = cgroup_words, .fallback = "auto",
	  .env = "REEVE_CGROUPS",
	  .help = "off: no cgroups are made, and whatever a cancel has to end is found by walking "
	          "the processes. auto: a cgroup for each task, where that is allowed.",
	  .good = "off", .bad = "v1" },
	{ .name = "spawn", KEY(CHOICE, spawn), .choices = spawn_words, .fallback = "auto",
	  .env = "REEVE_SPAWN",
	  .help = "How processes are started. auto: the best of the three that the kernel allows.",
	  .good = "fork", .bad = "vfork" },
};
/* clang-format on */

const char *
config_type_name(enum config_type type)
{
	static const char *const names[] = { [CONFIG_COUNT] = "a whole number",
		[CONFIG_DURATION] = "a duration: 500ms, 30s, 10m, 2h, 7d",
		[CONFIG_BYTES] = "bytes: 4096, 512KiB, 64MiB, 2GiB, 1TiB",
		[CONFIG_CHOICE] = "one of",
		[CONFIG_NAME] = "a name",
		[CONFIG_PATHS] = "a list of absolute paths" };

	return type >= CONFIG_COUNT && type <= CONFIG_PATHS ? names[type] : "invalid";
}

/* The largest unit that leaves nothing over. */
static char *
in_units(uint64_t value, const char *const *units, const uint64_t *sizes, char *text)
{
	size_t i = 0;

	while (units[i + 1] && value > 0 && value % sizes[i + 1] == 0)
		i++;
	snprintf(
	    text, CONFIG_RANGE_TEXT, "%llu%s", (unsigned long long)(value / sizes[i]), units[i]);
	return text;
}

char *
config_number(enum config_type type, uint64_t value, char text[static CONFIG_RANGE_TEXT])
{
	static const char *const times[] = { "ms", "s", "m", "h", "d", NULL };
	static const uint64_t lengths[] = { 1, 1000, 60000, 3600000, 86400000 };
	static const char *const bytes[] = { "", "KiB", "MiB", "GiB", "TiB", NULL };
	static const uint64_t sizes[] = { 1, UINT64_C(1) << 10, UINT64_C(1) << 20,
		UINT64_C(1) << 30, UINT64_C(1) << 40 };

	if (type == CONFIG_DURATION)
		return in_units(value, times, lengths, text);
	if (type == CONFIG_BYTES)
		return in_units(value, bytes, sizes, text);
	snprintf(text, CONFIG_RANGE_TEXT, "%llu", (unsigned long long)value);
	return text;
}

static void
put_choices(const char *const *choices, char text[static CONFIG_RANGE_TEXT])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; choices[i] && used < CONFIG_RANGE_TEXT; i++) {
		const char *joint = i == 0 ? "" : choices[i + 1] ? ", " : " or ";

		used += (size_t)snprintf(
		    text + used, CONFIG_RANGE_TEXT - used, "%s%s", joint, choices[i]);
	}
}

char *
config_range(const struct config_key *key, char text[static CONFIG_RANGE_TEXT])
{
	char min[CONFIG_RANGE_TEXT], max[CONFIG_RANGE_TEXT];

	text[0] = '\0';
	if (key->type == CONFIG_CHOICE)
		put_choices(key->choices, text);
	else if (key->type == CONFIG_PATHS)
		snprintf(text, CONFIG_RANGE_TEXT, "at most %llu%s%s", (unsigned long long)key->max,
		    key->word ? ", or " : "", key->word ? key->word : "");
	else if (key->type == CONFIG_NAME)
		snprintf(text, CONFIG_RANGE_TEXT, "at most %llu bytes, without spaces",
		    (unsigned long long)key->max);
	else
		snprintf(text, CONFIG_RANGE_TEXT, "%.20s to %.20s%s%.20s",
		    config_number(key->type, key->min, min),
		    config_number(key->type, key->max, max), key->word ? ", or " : "",
		    key->word ? key->word : "");
	return text;
}

int
config_parse_bytes(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = { { "", 1 }, { "KiB", UINT64_C(1) << 10 },
		{ "MiB", UINT64_C(1) << 20 }, { "GiB", UINT64_C(1) << 30 },
		{ "TiB", UINT64_C(1) << 40 }, { "kB", 1000 }, { "MB", 1000000 },
		{ "GB", 1000000000 }, { "TB", UINT64_C(1000000000000) } };

	return units_parse(text, units, sizeof units / sizeof units[0], ret_bytes);
}
