#include "supervisor/roster/drain.h"

#include "ipc/clock.h"
#include "ipc/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* SCHEMA.md. */
static const char meta_name[] = "+drain";

/* clang-format off */
static const struct codec_field drain_fields[] = {
	CODEC_FIELD(1, STR,  struct drain, boot_id,  LIMIT_NAME),
	CODEC_FIELD(2, UINT, struct drain, since_ms, 0),
	CODEC_FIELD(3, STR,  struct drain, by,       LIMIT_NAME),
};
static const struct codec drain_codec = { .name = "drain", .size = sizeof(struct drain),
	.fields = drain_fields, .nfields = sizeof drain_fields / sizeof drain_fields[0],
	.limits = &walk_frame_limits };
/* clang-format on */

int
drain_load(struct roster *roster)
{
	struct drain *drain = &roster->drain;
	struct store_bytes bytes;
	int r = store_get_meta(roster->env.store, meta_name, &bytes);

	codec_init(&drain_codec, drain);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = codec_decode(&drain_codec, bytes.data, bytes.len, drain, NULL);
	store_bytes_free(&bytes);
	if (r < 0)
		codec_init(&drain_codec, drain);
	if (!drain->boot_id || strcmp(drain->boot_id, roster->env.boot_id) != 0)
		codec_free(&drain_codec, drain); /* that was before the reboot */
	return r == -ENOMEM ? r : 0;
}

void
drain_fini(struct roster *roster)
{
	codec_free(&drain_codec, &roster->drain);
}

struct setting {
	struct commit commit; /* first */
	void (*done)(void *arg);
	void *arg;
};

static void
on_stored(struct commit *commit, int result)
{
	struct setting *setting = (struct setting *)commit;

	(void)result; /* it must be, and is tried until it can */
	setting->done(setting->arg);
	store_batch_free(commit->batch);
	free(setting);
}

static int
fill(struct drain *drain, const struct roster *roster, bool is_on, const char *person)
{
	codec_init(&drain_codec, drain);
	if (!is_on)
		return 0;
	drain->since_ms = clock_wall_ms();
	return str_set(&drain->boot_id, roster->env.boot_id) < 0 || str_set(&drain->by, person) < 0
		   ? -ENOMEM
		   : 0;
}

static int
put(struct store_batch *batch, const struct drain *drain)
{
	struct buf value;
	int r;

	buf_init(&value, LIMIT_FRAME);
	r = codec_encode(&drain_codec, drain, &value);
	if (r == 0)
		r = store_batch_put_meta(batch, meta_name, value.data, value.len);
	buf_fini(&value);
	return r;
}

int
drain_set(struct roster *roster, bool is_on, const char *person, void (*done)(void *arg), void *arg)
{
	struct setting *setting = calloc(1, sizeof *setting);
	struct store_batch *batch = store_batch_new();
	struct drain drain;

	codec_init(&drain_codec, &drain);
	if (!setting || !batch || fill(&drain, roster, is_on, person) < 0 ||
	    put(batch, &drain) < 0) {
		codec_free(&drain_codec, &drain);
		store_batch_free(batch);
		free(setting);
		return -ENOMEM;
	}
	codec_free(&drain_codec, &roster->drain);
	roster->drain = drain;
	log_info(is_on ? "draining, asked by %s" : "taking work again, asked by %s", person);
	*setting =
	    (struct setting){ .commit = { .batch = batch, .class = COMMIT_MUST, .done = on_stored },
		    .done = done,
		    .arg = arg };
	committer_add(roster->env.committer, &setting->commit);
	return 0;
}
