#include "worker/pull/meta.h"

#include "ipc/codec.h"
#include "ipc/fd.h"
#include "ipc/task.h"

#include <errno.h>
#include <stdlib.h>

enum {
	META_MAX_BYTES = 32 * 1024
};

/* clang-format off */
static const struct codec_field fields[] = {
	CODEC_FIELD(1, STR,  struct meta, url,           LIMIT_TEXT),
	CODEC_FIELD(2, STR,  struct meta, etag,          LIMIT_TEXT),
	CODEC_FIELD(3, STR,  struct meta, last_modified, LIMIT_NAME),
	CODEC_FIELD(4, BOOL, struct meta, has_size,      0),
	CODEC_FIELD(5, UINT, struct meta, size,          0),
	CODEC_FIELD(6, UINT, struct meta, synced,        0),
	CODEC_FIELD(7, STR,  struct meta, boot_id,       LIMIT_NAME),
};
/* clang-format on */

static const struct codec codec = {
	.name = "meta",
	.size = sizeof(struct meta),
	.fields = fields,
	.nfields = sizeof fields / sizeof fields[0],
	.by_name = true,
	.limits = &walk_frame_limits,
};

void
meta_free(struct meta *meta)
{
	codec_free(&codec, meta);
}

int
meta_load(int dirfd, const char *name, struct meta *ret_meta)
{
	char *data = NULL;
	size_t len = 0;
	int r;

	r = fd_read_file(dirfd, name, META_MAX_BYTES, &data, &len);
	if (r == 0)
		r = codec_decode(&codec, data, len, ret_meta, NULL);
	free(data);
	return r == -EFBIG ? -EMSGSIZE : r;
}

int
meta_save(int dirfd, const char *name, const struct meta *meta, bool sync)
{
	struct buf out;
	int r;

	buf_init(&out, META_MAX_BYTES);
	r = codec_encode(&codec, meta, &out);
	if (r == 0)
		r = fd_write_file(dirfd, name, out.data, out.len, 0600, sync);
	buf_fini(&out);
	return r;
}

const char *
meta_validator(const struct meta *meta)
{
	return meta->etag ? meta->etag : meta->last_modified;
}
