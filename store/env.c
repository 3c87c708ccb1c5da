#include "store/env.h"

#include "ipc/fd.h"
#include "store/batch.h"
#include "store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MAX_READERS = 32, NTABLES = 16 };
#define DEFAULT_MAP     (UINT64_C(16) << 30)
#define DEFAULT_BALLAST (UINT64_C(8) << 20)
#ifndef CIFS_SUPER_MAGIC
# define CIFS_SUPER_MAGIC 0xFF534D42
#endif
#ifndef SMB2_SUPER_MAGIC
# define SMB2_SUPER_MAGIC 0xFE534D42
#endif

int
store_errno(int mdb_error)
{
	switch (mdb_error) {
	case MDB_SUCCESS:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
		return -ENOSPC;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_BAD_TXN:
	case MDB_BAD_DBI:
		return -EUCLEAN;
	case MDB_VERSION_MISMATCH:
		return -EPROTO;
	case MDB_PANIC:
		return -EIO;
	default:
		return mdb_error > 0 ? -mdb_error : -EIO;
	}
}

static void
put_be(uint8_t *to, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(value >> (56 - 8 * i));
}

struct store_key
store_key1(uint64_t a)
{
	struct store_key key = { .len = 8 };

	put_be(key.bytes, a);
	return key;
}

struct store_key
store_key2(uint64_t a, uint64_t b)
{
	struct store_key key = { .len = 16 };

	put_be(key.bytes, a);
	put_be(key.bytes + 8, b);
	return key;
}

struct store_key
store_key_token(uint64_t uid, const uint8_t token[static 16])
{
	struct store_key key = { .len = 24 };

	put_be(key.bytes, uid);
	memcpy(key.bytes + 8, token, 16);
	return key;
}

uint64_t
store_key_number(const MDB_val *key, size_t index)
{
	const uint8_t *from = (const uint8_t *)key->mv_data + 8 * index;
	uint64_t value = 0;

	if (key->mv_size < 8 * (index + 1))
		return 0;
	for (int i = 0; i < 8; i++)
		value = value << 8 | from[i];
	return value;
}

MDB_val
store_val(const struct store_key *key)
{
	union {
		const uint8_t *given;
		void *taken;
	} bytes = { .given = key->bytes };

	return (MDB_val){ .mv_size = key->len, .mv_data = bytes.taken };
}

/* ---- opening --------------------------------------------------------------------- */

static int
fail(struct store_error *error, const char *dir, const char *what, int r)
{
	snprintf(error->text, sizeof error->text, "%s: %s: %s", dir, what,
	    r == -EUCLEAN     ? "it is damaged; restore it from a copy or move it away"
		: r == -EPROTO ? "it was written by a newer build of reeve"
			       : strerror(-r));
	return r;
}

/* LMDB's locks and its shared map mean nothing across machines. */
static int
check_file_system(const char *dir, struct store_error *error)
{
	static const unsigned long refused[] = { NFS_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
		V9FS_MAGIC, 0x65735546 /* FUSE */, CEPH_SUPER_MAGIC };
	struct statfs fs;

	if (statfs(dir, &fs) < 0)
		return fail(error, dir, "looking at it", -errno);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if ((unsigned long)fs.f_type == refused[i])
			return fail(error, dir, "a network or user-space file system will not do",
			    -ENOTSUP);
	return 0;
}

static size_t
map_size(const struct store_options *options)
{
	struct rlimit limit;
	uint64_t size = options->map_bytes ? options->map_bytes : DEFAULT_MAP;

	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    size > limit.rlim_cur / 4)
		size = limit.rlim_cur / 4;
	return (size_t)(size & ~UINT64_C(0xffff));
}

static int
open_env(struct store *store, const struct store_options *options)
{
	unsigned flags = MDB_NOTLS | (options->read_only ? MDB_RDONLY : 0);
	int r = mdb_env_create(&store->env);
	int fd;

	if (r == 0)
		r = mdb_env_set_mapsize(store->env, map_size(options));
	if (r == 0)
		r = mdb_env_set_maxdbs(store->env, NTABLES);
	if (r == 0)
		r = mdb_env_set_maxreaders(store->env, MAX_READERS);
	if (r == 0)
		r = mdb_env_open(store->env, options->dir, flags, 0600);
	/* LMDB leaves this one open across exec: every step would inherit the database. */
	if (r == 0 && (r = mdb_env_get_fd(store->env, &fd)) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		r = errno;
	if (r == 0)
		r = mdb_reader_check(store->env, NULL);
	return store_errno(r);
}

static int
open_tables(struct store *store, MDB_txn *txn)
{
	const struct {
		const char *name;
		MDB_dbi *dbi;
	} tables[] = {
#define X(member, name, help) { name, &store->tables.member },
		STORE_TABLES(X)
#undef X
	};
	unsigned flags = store->read_only ? 0 : MDB_CREATE;

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		int r = mdb_dbi_open(txn, tables[i].name, flags, tables[i].dbi);

		if (r != 0)
			return store_errno(r);
	}
	return 0;
}

/* Names this store for the cursors of clients: another one must not be taken for it. */
static int
draw_epoch(char epoch[static 17])
{
	uint8_t bytes[8];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return -EIO;
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(epoch + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int
open_schema(struct store *store)
{
	MDB_txn *txn;
	int r = store_errno(
	    mdb_txn_begin(store->env, NULL, store->read_only ? MDB_RDONLY : 0, &txn));

	if (r < 0)
		return r;
	r = open_tables(store, txn);
	if (r == 0)
		r = migrate(store, txn);
	if (r < 0) {
		mdb_txn_abort(txn);
		return r;
	}
	return store_errno(mdb_txn_commit(txn));
}

static int
read_epoch(struct store *store)
{
	struct store_bytes value;
	int r = store_get_meta(store, "epoch", &value);

	if (r == -ENOENT && !store->read_only) {
		struct store_batch *batch = store_batch_new();

		r = draw_epoch(store->epoch);
		if (r == 0)
			r = batch ? store_batch_put_meta(batch, "epoch", store->epoch, 16) : -ENOMEM;
		if (r == 0)
			r = store_apply(store, &batch, 1);
		store_batch_free(batch);
		return r;
	}
	if (r < 0)
		return r;
	snprintf(store->epoch, sizeof store->epoch, "%.*s", (int)value.len, (const char *)value.data);
	store_bytes_free(&value);
	return 0;
}

static int
open_all(struct store *store, const struct store_options *options, struct store_error *error)
{
	int r = check_file_system(options->dir, error);

	if (r < 0)
		return r;
	if ((r = open_env(store, options)) < 0)
		return fail(error, options->dir, "opening it", r);
	if ((r = open_schema(store)) < 0)
		return fail(error, options->dir, "its tables", r);
	if ((r = read_epoch(store)) < 0)
		return fail(error, options->dir, "its epoch", r);
	store->dir_fd = open(options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dir_fd < 0)
		return fail(error, options->dir, "opening it", -errno);
	if (!store->read_only)
		store_ballast_restore(store); /* a full disk is told when it matters */
	return 0;
}

int
store_open(const struct store_options *options, struct store **ret_store,
    struct store_error *ret_error)
{
	struct store *store = calloc(1, sizeof *store);
	int r;

	ret_error->text[0] = '\0';
	if (!store)
		return -ENOMEM;
	store->dir_fd = -1;
	store->read_only = options->read_only;
	store->ballast_bytes = options->ballast_bytes ? options->ballast_bytes : DEFAULT_BALLAST;
	store->owner = getpid();
	r = open_all(store, options, ret_error);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void
store_close(struct store *store)
{
	if (!store)
		return;
	if (store->env)
		mdb_env_close(store->env);
	fd_close(&store->dir_fd);
	free(store);
}

const char *
store_epoch(const struct store *store)
{
	return store->epoch;
}

/* ---- room ------------------------------------------------------------------------- */

int
store_ballast_release(struct store *store)
{
	if (unlinkat(store->dir_fd, "ballast", 0) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

int
store_ballast_restore(struct store *store)
{
	struct stat info;
	int fd, r;

	if (fstatat(store->dir_fd, "ballast", &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (uint64_t)info.st_size >= store->ballast_bytes)
		return 0;
	fd = openat(store->dir_fd, "ballast", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = posix_fallocate(fd, 0, (off_t)store->ballast_bytes);
	fd_close(&fd);
	if (r != 0)
		store_ballast_release(store);
	return -r;
}

void
store_usage(struct store *store, uint64_t *ret_used, uint64_t *ret_map)
{
	MDB_envinfo info;
	MDB_stat stat;

	mdb_env_info(store->env, &info);
	mdb_env_stat(store->env, &stat);
	*ret_used = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	*ret_map = info.me_mapsize;
}

bool
store_is_nearly_full(const struct store *store)
{
	MDB_envinfo info;
	MDB_stat stat;

	mdb_env_info(store->env, &info);
	mdb_env_stat(store->env, &stat);
	return (uint64_t)info.me_last_pgno * stat.ms_psize > info.me_mapsize / 10 * 8;
}
