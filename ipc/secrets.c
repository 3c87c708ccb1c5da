#include "ipc/secrets.h"

#include "ipc/fd.h"
#include "ipc/task.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct bundle {
	struct pairs secrets;
};

static const struct walk_limits limits = {
	.max_depth = 2, .max_items = 4 + 2 * LIMIT_PAIRS, .max_bytes = SECRETS_MAX
};
static const struct codec_field bundle_fields[] = {
	CODEC_FIELD(1, PAIRS, struct bundle, secrets, LIMIT_PAIRS),
};
static const struct codec bundle_codec = { .name = "secrets",
	.size = sizeof(struct bundle),
	.fields = bundle_fields,
	.nfields = 1,
	.by_name = true,
	.strict = true,
	.limits = &limits };

enum {
	SEALED = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
};

int
secrets_encode(const struct pairs *secrets, uint8_t bytes[static SECRETS_MAX])
{
	const struct bundle bundle = { *secrets };
	struct buf out;
	int r = -ENOMEM;

	buf_init(&out, SECRETS_MAX);
	/* All at once, so that no piece stays behind where the buffer had been before. */
	if (buf_reserve(&out, SECRETS_MAX))
		r = codec_encode(&bundle_codec, &bundle, &out);
	if (r == 0) {
		memcpy(bytes, out.data, out.len);
		r = (int)out.len;
	}
	if (out.data)
		explicit_bzero(out.data, out.room);
	buf_fini(&out);
	return r;
}

int
secrets_decode(const void *bytes, size_t len, struct pairs *ret_secrets)
{
	struct bundle bundle;
	int r = codec_decode(&bundle_codec, bytes, len, &bundle, NULL);

	if (r == 0)
		*ret_secrets = bundle.secrets;
	return r;
}

int
secrets_fd_make(const struct pairs *secrets, int *ret_fd)
{
	uint8_t bytes[SECRETS_MAX];
	int r = secrets_encode(secrets, bytes);
	int fd = -1;

	if (r < 0)
		return r;
	fd = memfd_create("reeve-secrets", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	r = fd < 0 ? -errno : fd_write_all(fd, bytes, (size_t)r);
	explicit_bzero(bytes, sizeof bytes);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALED) < 0)
		r = -errno;
	if (r == 0)
		*ret_fd = fd;
	else
		fd_close(&fd);
	return r;
}

int
secrets_fd_read(int fd, struct pairs *ret_secrets)
{
	uint8_t bytes[SECRETS_MAX];
	struct stat stat;
	int seals, r;
	ssize_t n;

	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALED) != SEALED || fstat(fd, &stat) < 0)
		return -EINVAL;
	if (stat.st_size > SECRETS_MAX)
		return -EMSGSIZE;
	n = pread(fd, bytes, sizeof bytes, 0);
	r = n < 0 ? -errno : secrets_decode(bytes, (size_t)n, ret_secrets);
	explicit_bzero(bytes, sizeof bytes);
	return r;
}

void
secrets_wipe(struct pairs *secrets)
{
	for (size_t i = 0; i < secrets->n; i++)
		explicit_bzero(secrets->v[i].value, strlen(secrets->v[i].value));
	pairs_free(secrets);
}
