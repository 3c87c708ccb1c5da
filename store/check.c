/*
 * store_check: reads everything in a child, since a damaged page can crash whoever follows it.
 *
 * Called before any thread or environment exists, so the fork is a plain one.
 */
#include "store/batch.h"
#include "store/env.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHECK_GOOD = 0, CHECK_DAMAGED = 3, CHECK_ERROR = 4 };

/* Index tables hold keys alone; token's value is a bare id. */
static bool
has_sealed_values(const char *name)
{
	return strcmp(name, "meta") == 0 || strcmp(name, "task") == 0 ||
	    strcmp(name, "spec") == 0 || strcmp(name, "event") == 0;
}

static int
check_table(MDB_txn *txn, const char *name)
{
	const uint8_t *payload;
	MDB_cursor *cursor;
	MDB_val key, value;
	size_t len;
	MDB_dbi dbi;
	int r = mdb_dbi_open(txn, name, 0, &dbi);

	if (r == MDB_NOTFOUND)
		return CHECK_GOOD;
	if (r != 0 || mdb_cursor_open(txn, dbi, &cursor) != 0)
		return CHECK_DAMAGED;
	while ((r = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
		if (has_sealed_values(name) &&
		    seal_open(value.mv_data, value.mv_size, &payload, &len) < 0)
			return CHECK_DAMAGED;
	mdb_cursor_close(cursor);
	return r == MDB_NOTFOUND ? CHECK_GOOD : CHECK_DAMAGED;
}

/* In the child. */
static int
check_all(const char *dir)
{
	static const char *const names[] = {
#define X(member, name, help) name,
		STORE_TABLES(X)
#undef X
	};
	MDB_env *env;
	MDB_txn *txn;
	int r;

	if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, 16) != 0)
		return CHECK_ERROR;
	r = mdb_env_open(env, dir, MDB_RDONLY | MDB_NOTLS, 0600);
	if (r != 0)
		return r == MDB_INVALID || r == MDB_CORRUPTED || r == MDB_PAGE_NOTFOUND
		    ? CHECK_DAMAGED
		    : CHECK_ERROR;
	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
		return CHECK_DAMAGED;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((r = check_table(txn, names[i])) != CHECK_GOOD)
			return r;
	return CHECK_GOOD;
}

static void
run_child(const char *dir)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
		signal(deadly[i], SIG_DFL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	_exit(check_all(dir));
}

int
store_check(const char *dir, struct store_error *ret_error)
{
	char path[4096];
	struct stat info;
	int status;
	pid_t pid;

	snprintf(path, sizeof path, "%s/data.mdb", dir);
	if (stat(path, &info) < 0 || info.st_size == 0)
		return 0; /* a new one */
	pid = fork();
	if (pid == 0)
		run_child(dir);
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) != CHECK_DAMAGED)
		return 0; /* what keeps it from being opened, store_open says better */
	snprintf(ret_error->text, sizeof ret_error->text,
	    "%.180s: it is damaged; restore it from a copy or move it away", path);
	return -EUCLEAN;
}
