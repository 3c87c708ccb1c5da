#include "supervisor/roster/daemons.h"

#include "ipc/log.h"
#include "ipc/proc.h"

#include <errno.h>
#include <string.h>

enum {
	MAX_DAEMONS = 1024
};

/* SCHEMA.md. */
static const char meta_name[] = "+daemons";

/* clang-format off */
static const struct codec_field daemon_fields[] = {
	CODEC_FIELD(1, UINT, struct daemon, pid,         INT32_MAX),
	CODEC_FIELD(2, UINT, struct daemon, start_ticks, 0),
};
static const struct codec daemon_codec = { .name = "daemon", .size = sizeof(struct daemon),
	.fields = daemon_fields, .nfields = sizeof daemon_fields / sizeof daemon_fields[0],
	.limits = &walk_frame_limits };

static const struct codec_field daemons_fields[] = {
	CODEC_FIELD (1, STR,  struct daemons, boot_id, LIMIT_NAME),
	CODEC_NESTED(2, LIST, struct daemons, list,    MAX_DAEMONS, &daemon_codec),
};
static const struct codec daemons_codec = { .name = "daemons", .size = sizeof(struct daemons),
	.fields = daemons_fields, .nfields = sizeof daemons_fields / sizeof daemons_fields[0],
	.limits = &walk_frame_limits };
/* clang-format on */

static bool
lives(const struct daemon *daemon)
{
	struct proc_stat stat;

	return proc_stat((pid_t)daemon->pid, &stat) == 0 &&
	       stat.start_ticks == daemon->start_ticks && proc_is_alive(&stat);
}

static int
enter(struct roster *roster, const struct daemon *daemon)
{
	int r = census_open(roster->env.census);

	if (r < 0)
		return r;
	census_enter(roster->env.census, (pid_t)daemon->pid, daemon->start_ticks);
	census_close(roster->env.census);
	return 0;
}

static void
forget_dead(struct roster *roster)
{
	struct daemons *daemons = &roster->daemons;
	size_t n = 0;

	for (size_t i = 0; i < daemons->list.n; i++) {
		const struct daemon *daemon = &daemons->list.v[i];

		if (lives(daemon))
			daemons->list.v[n++] = *daemon;
		else
			census_leave(roster->env.census, (pid_t)daemon->pid, daemon->start_ticks);
	}
	daemons->list.n = n;
}

int
daemons_load(struct roster *roster)
{
	struct daemons *daemons = &roster->daemons;
	struct store_bytes bytes;
	int r = store_get_meta(roster->env.store, meta_name, &bytes);

	codec_init(&daemons_codec, daemons);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = codec_decode(&daemons_codec, bytes.data, bytes.len, daemons, NULL);
	store_bytes_free(&bytes);
	if (r < 0) {
		codec_init(&daemons_codec, daemons);
		log_warn("what steps left running is forgotten: its list makes no sense");
		return 0;
	}
	if (!daemons->boot_id || strcmp(daemons->boot_id, roster->env.boot_id) != 0)
		codec_free(&daemons_codec, daemons); /* a number means nothing after a reboot */
	for (size_t i = 0; r == 0 && i < daemons->list.n; i++)
		r = enter(roster, &daemons->list.v[i]);
	forget_dead(roster);
	return r;
}

/* 0, -EMSGSIZE when there are too many, -ENOMEM. */
static int
remember(struct change *change, const struct fact *fact)
{
	struct roster *roster = change->task->roster;
	struct daemons *daemons = &roster->daemons;
	struct daemon *daemon;
	struct buf value;
	int r;

	forget_dead(roster);
	if (daemons->list.n == MAX_DAEMONS)
		return -EMSGSIZE;
	daemon = list_add((struct list *)&daemons->list, &daemon_codec);
	if (!daemon || str_set(&daemons->boot_id, roster->env.boot_id) < 0)
		return -ENOMEM;
	*daemon = (struct daemon){ .pid = fact->pid, .start_ticks = fact->start_ticks };
	buf_init(&value, LIMIT_FRAME);
	r = codec_encode(&daemons_codec, daemons, &value);
	if (r == 0)
		r = store_batch_put_meta(change->commit.batch, meta_name, value.data, value.len);
	buf_fini(&value);
	return r < 0 ? r : enter(roster, daemon);
}

void
daemons_add(struct change *change, const struct fact *fact)
{
	int r = remember(change, fact);

	if (r < 0)
		log_warn("task %llu: pid %llu, which it left running, is not remembered: %s",
		    (unsigned long long)change->task->rec.id, (unsigned long long)fact->pid,
		    r == -EMSGSIZE ? "there are too many" : strerror(-r));
}

void
daemons_fini(struct roster *roster)
{
	codec_free(&daemons_codec, &roster->daemons);
}
