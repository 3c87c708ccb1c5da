#include "store/compact.h"

#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Less than the first is not worth it; more than the second would take long. */
#define WORTH_BYTES (UINT64_C(64) << 20)
#define COPY_BYTES  (UINT64_C(1) << 30)

static bool
is_worth_it(MDB_env *env)
{
	uint64_t used, file;

	return env_count_bytes(env, &used, &file) == 0 && used < file / 2 &&
	       file - used >= WORTH_BYTES && used <= COPY_BYTES;
}

static int
copy_to(MDB_env *env, int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = store_errno(mdb_env_copyfd2(env, fd, MDB_CP_COMPACT));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	fd_close(&fd);
	return r;
}

int
compact(const struct store_options *options, int dir_fd, MDB_env **env, bool *ret_done)
{
	static const char copy[] = "data.mdb.new";

	if (!is_worth_it(*env) || copy_to(*env, dir_fd, copy) < 0) {
		unlinkat(dir_fd, copy, 0);
		return 0;
	}
	mdb_env_close(*env);
	*env = NULL;
	/* Whoever still looks at the old file keeps the lock file that goes with it. */
	unlinkat(dir_fd, "lock.mdb", 0);
	if (renameat(dir_fd, copy, dir_fd, "data.mdb") < 0)
		unlinkat(dir_fd, copy, 0);
	else if (fsync(dir_fd) < 0)
		return -errno;
	else
		*ret_done = true;
	return store_errno(env_open(options->dir, options->map_bytes, options->read_only, env));
}
