#include "store/env.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
	MAX_READERS = 32,
	MAX_TABLES = 16
};
#define DEFAULT_MAP  (UINT64_C(16) << 30)
#define SMALLEST_MAP (UINT64_C(16) << 20)

/* Half of what the address space may be, so that there is room for everything else. */
static uint64_t
limit_map(uint64_t bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    bytes > limit.rlim_cur / 2)
		bytes = limit.rlim_cur / 2;
	return bytes & ~UINT64_C(0xffff);
}

/* LMDB leaves the data file open across exec, where every step would inherit it. */
static int
close_on_exec(MDB_env *env)
{
	int fd;
	int r = mdb_env_get_fd(env, &fd);

	if (r == 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fchmod(fd, 0600) < 0))
		r = errno == EROFS || errno == EPERM ? 0 : errno;
	return r;
}

static int
open_with_map(const char *dir, uint64_t map_bytes, bool read_only, MDB_env **ret_env)
{
	MDB_env *env;
	int r = mdb_env_create(&env);

	if (r != 0)
		return r;
	r = mdb_env_set_mapsize(env, map_bytes);
	if (r == 0)
		r = mdb_env_set_maxdbs(env, MAX_TABLES);
	if (r == 0)
		r = mdb_env_set_maxreaders(env, MAX_READERS);
	if (r == 0)
		r = mdb_env_open(env, dir, MDB_NOTLS | (read_only ? MDB_RDONLY : 0), 0600);
	if (r == 0)
		r = close_on_exec(env);
	if (r != 0)
		mdb_env_close(env);
	else
		*ret_env = env;
	return r;
}

int
env_open(const char *dir, size_t map_bytes, bool read_only, MDB_env **ret_env)
{
	uint64_t bytes = limit_map(map_bytes ? map_bytes : DEFAULT_MAP);
	int r = open_with_map(dir, bytes, read_only, ret_env);

	/* It is reserved, not used; where even that is too much, less will do. */
	while (r == ENOMEM && bytes / 2 >= SMALLEST_MAP) {
		bytes /= 2;
		r = open_with_map(dir, bytes, read_only, ret_env);
	}
	return r;
}

int
env_open_tables(MDB_txn *txn, bool create, struct store_tables *ret_tables)
{
	const struct {
		const char *name;
		MDB_dbi *dbi;
	} tables[] = {
#define X(member, name, key_bytes, help) { name, &ret_tables->member },
		STORE_TABLES(X)
#undef X
	};

	bool is_missing = false;

	*ret_tables = (struct store_tables){ 0 };
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		int r = mdb_dbi_open(txn, tables[i].name, create ? MDB_CREATE : 0, tables[i].dbi);

		if (r != 0 && r != MDB_NOTFOUND)
			return store_errno(r);
		is_missing |= r == MDB_NOTFOUND;
	}
	return is_missing ? -ENOENT : 0;
}

/* ---- room ------------------------------------------------------------------------- */

/* Each value of LMDB's table 0 is a list of free pages behind its length. */
static int
count_free(MDB_txn *txn, uint64_t *ret_pages)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t pages = 0;
	int r = mdb_cursor_open(txn, 0, &cursor);

	if (r != 0)
		return r;
	while ((r = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		size_t n = 0;

		if (value.mv_size >= sizeof n)
			memcpy(&n, value.mv_data, sizeof n);
		pages += n;
	}
	mdb_cursor_close(cursor);
	*ret_pages = pages;
	return r == MDB_NOTFOUND ? 0 : r;
}

int
env_count_bytes(MDB_env *env, uint64_t *ret_used, uint64_t *ret_file)
{
	uint64_t free_pages, pages;
	MDB_envinfo info;
	MDB_stat stat;
	MDB_txn *txn;
	int r = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

	if (r != 0)
		return store_errno(r);
	r = count_free(txn, &free_pages);
	if (r == 0)
		r = mdb_env_info(env, &info);
	if (r == 0)
		r = mdb_env_stat(env, &stat);
	mdb_txn_abort(txn);
	if (r != 0)
		return store_errno(r);
	pages = info.me_last_pgno + 1;
	*ret_used = (pages > free_pages ? pages - free_pages : 0) * stat.ms_psize;
	*ret_file = pages * stat.ms_psize;
	return 0;
}

/* The file never shrinks, so that its length says too much; counting is for when it is long. */
void
env_note_room(struct store *store)
{
	uint64_t used = 0, file, limit;
	MDB_envinfo info;
	MDB_stat stat;

	if (mdb_env_info(store->env, &info) != 0 || mdb_env_stat(store->env, &stat) != 0)
		return;
	limit = info.me_mapsize / 10 * 8;
	if ((uint64_t)info.me_last_pgno * stat.ms_psize < limit)
		store->is_nearly_full = false;
	else if (env_count_bytes(store->env, &used, &file) == 0)
		store->is_nearly_full = used > limit;
}

bool
store_is_nearly_full(const struct store *store)
{
	return store->is_nearly_full;
}

void
store_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_map)
{
	uint64_t file;
	MDB_envinfo info;

	*ret_used = 0;
	*ret_map = mdb_env_info(store->env, &info) == 0 ? info.me_mapsize : 0;
	env_count_bytes(store->env, ret_used, &file);
}
