#include "store/store.h"

#include "ipc/fd.h"
#include "store/compact.h"
#include "store/env.h"
#include "store/migrate.h"
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_BALLAST ((size_t)8 << 20)

/* A second environment in one process would drop the first one's locks when it is closed. */
static atomic_flag is_open = ATOMIC_FLAG_INIT;

static const char *
reason(int error)
{
	switch (error) {
	case -EUCLEAN:
		return "it is damaged; restore it from a copy or move it away";
	case -EPROTO:
		return "it was written by a newer build";
	case -EROFS:
		return "it was written by an older build, and may not be written now";
	case -ENOTSUP:
		return "a network or user-space file system will not do";
	case -EPERM:
		return "it belongs to another user";
	case -EBUSY:
		return "it is open already";
	default:
		return strerror(-error);
	}
}

static int
fail(const char *dir, const char *file, int error, struct store_error *ret_error)
{
	snprintf(ret_error->text, sizeof ret_error->text, "%.160s%s: %s", dir, file, reason(error));
	return error;
}

/* ---- epoch ------------------------------------------------------------------------ */

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
read_epoch(MDB_txn *txn, const struct store_tables *tables, char epoch[static 17])
{
	const uint8_t *payload;
	size_t len;
	int r = seal_get(txn, tables->meta, meta_key(META_EPOCH), &payload, &len);

	if (r < 0)
		return r;
	if (len != 16)
		return -EUCLEAN;
	memcpy(epoch, payload, 16);
	epoch[16] = '\0';
	return 0;
}

/* A data file put back from a copy is another file. */
static int
is_same_file(const struct store *store, MDB_txn *txn, uint64_t *ret_file, bool *ret_same)
{
	uint64_t known = 0;
	struct stat info = { .st_ino = 0 };
	int fd;
	int r = store_errno(mdb_env_get_fd(store->env, &fd));

	if (r == 0 && fstat(fd, &info) < 0)
		r = -errno;
	if (r < 0)
		return r;
	*ret_file = (uint64_t)info.st_ino;
	r = meta_get_number(txn, store->tables.meta, META_FILE, &known);
	*ret_same = r == 0 && known == *ret_file;
	return r == -ENOENT ? 0 : r;
}

static int
settle_epoch(struct store *store, MDB_txn *txn, bool was_compacted)
{
	MDB_dbi meta = store->tables.meta;
	uint64_t file = 0;
	bool same = false;
	int r = is_same_file(store, txn, &file, &same);

	if (r == 0)
		r = read_epoch(txn, &store->tables, store->epoch);
	if (store->read_only || (r == 0 && same))
		return r;
	if (r == -ENOENT || (r == 0 && !was_compacted)) {
		r = draw_epoch(store->epoch);
		if (r == 0)
			r = seal_put(txn, meta, meta_key(META_EPOCH), store->epoch, 16);
	}
	return r < 0 ? r : meta_put_number(txn, meta, META_FILE, file);
}

/* ---- opening ---------------------------------------------------------------------- */

/* The number in the first or last key of TABLE; 0 when it is empty. */
static int
edge(MDB_txn *txn, MDB_dbi table, MDB_cursor_op end, uint64_t *ret_number)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int r = mdb_cursor_open(txn, table, &cursor);

	if (r != 0)
		return store_errno(r);
	r = mdb_cursor_get(cursor, &key, &value, end);
	*ret_number = r == 0 ? store_key_number(&key, 0) : 0;
	mdb_cursor_close(cursor);
	return r == MDB_NOTFOUND ? 0 : store_errno(r);
}

static int
read_edges(struct store *store, MDB_txn *txn)
{
	uint64_t last_id = 0, last_seq = 0, first_seq = 0, remembered = 0;
	int r = edge(txn, store->tables.task, MDB_LAST, &last_id);

	if (r == 0)
		r = edge(txn, store->tables.event, MDB_LAST, &last_seq);
	if (r == 0)
		r = edge(txn, store->tables.event, MDB_FIRST, &first_seq);
	if (r < 0)
		return r;
	r = meta_get_number(txn, store->tables.meta, META_LAST_ID, &remembered);
	if (r < 0 && r != -ENOENT)
		return r;
	store->last_id = remembered > last_id ? remembered : last_id;
	store->last_seq = last_seq;
	store->first_seq = first_seq;
	return 0;
}

static int
read_schema(struct store *store, MDB_txn *txn, bool was_compacted)
{
	int r = env_open_tables(txn, !store->read_only, &store->tables);

	/* An older version lacks what later ones have; what else lacks a table is damaged. */
	if (r == -ENOENT && store->tables.meta && store->tables.task && store->tables.event)
		r = migrate_check(&store_migrations, txn, &store->tables) == -EROFS ? -EROFS
										    : -EUCLEAN;
	if (r == -ENOENT)
		return -EUCLEAN;
	if (r == 0 && store->read_only)
		r = migrate_check(&store_migrations, txn, &store->tables);
	else if (r == 0)
		r = migrate(&store_migrations, txn, &store->tables);
	if (r == 0)
		r = settle_epoch(store, txn, was_compacted);
	return r < 0 ? r : read_edges(store, txn);
}

static int
open_schema(struct store *store, bool was_compacted)
{
	MDB_txn *txn;
	int r =
	    store_errno(mdb_txn_begin(store->env, NULL, store->read_only ? MDB_RDONLY : 0, &txn));

	if (r < 0)
		return r;
	r = read_schema(store, txn, was_compacted);
	if (r < 0) {
		mdb_txn_abort(txn);
		return r;
	}
	return store_errno(mdb_txn_commit(txn));
}

/* A data file cut to nothing would be taken for a new one, and all that was in it forgotten. */
static int
check_not_emptied(int dir_fd)
{
	struct stat data, ballast;

	if (fstatat(dir_fd, "data.mdb", &data, 0) == 0 && data.st_size == 0 &&
	    fstatat(dir_fd, "ballast", &ballast, 0) == 0)
		return -EUCLEAN;
	return 0;
}

static int
open_env(struct store *store, const struct store_options *options)
{
	bool was_compacted = false;
	int r = check_not_emptied(store->dir_fd);

	if (r == 0)
		r = store_errno(
		    env_open(options->dir, options->map_bytes, options->read_only, &store->env));
	if (r == 0 && !store->read_only)
		r = compact(options, store->dir_fd, &store->env, &was_compacted);
	if (r == 0)
		r = store_errno(mdb_reader_check(store->env, NULL));
	if (r == 0)
		r = open_schema(store, was_compacted);
	/* The names of new files too must be on the disk before anything is answered. */
	if (r == 0 && !store->read_only && fsync(store->dir_fd) < 0)
		r = -errno;
	return r;
}

static int
open_all(struct store *store, const struct store_options *options, struct store_error *ret_error)
{
	int r = fd_guard_stdio();

	if (r == 0)
		r = place_open(options->dir, &store->dir_fd);
	if (r < 0)
		return fail(options->dir, "", r, ret_error);
	r = open_env(store, options);
	if (r < 0)
		return fail(options->dir, "/data.mdb", r, ret_error);
	env_note_room(store);
	if (!store->read_only)
		store_ballast_restore(store); /* a full disk is told when it matters */
	return 0;
}

int
store_open(
    const struct store_options *options, struct store **ret_store, struct store_error *ret_error)
{
	struct store *store;
	int r;

	ret_error->text[0] = '\0';
	if (atomic_flag_test_and_set(&is_open))
		return fail(options->dir, "", -EBUSY, ret_error);
	store = calloc(1, sizeof *store);
	if (!store) {
		atomic_flag_clear(&is_open);
		return fail(options->dir, "", -ENOMEM, ret_error);
	}
	store->dir_fd = -1;
	store->read_only = options->read_only;
	store->ballast_bytes = options->ballast_bytes ? options->ballast_bytes : DEFAULT_BALLAST;
	store->owner = getpid();
	r = open_all(store, options, ret_error);
	if (r < 0)
		store_close(store);
	else
		*ret_store = store;
	return r;
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
	atomic_flag_clear(&is_open);
}

const char *
store_epoch(const struct store *store)
{
	return store->epoch;
}

int
store_ballast_release(struct store *store)
{
	return place_ballast_release(store->dir_fd);
}

int
store_ballast_restore(struct store *store)
{
	return place_ballast_restore(store->dir_fd, store->ballast_bytes);
}
