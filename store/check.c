/*
 * store_check: reads everything in a child, since a damaged page can crash whoever follows it,
 * or lead it in circles.
 *
 * Called before any thread or environment exists, so the fork is a plain one.
 */
#include "ipc/fd.h"
#include "store/batch.h"
#include "store/index.h"
#include "store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHECK_GOOD = 0,
	CHECK_DAMAGED = 3,
	CHECK_CPU_S = 600,
	WRONG_BYTES = 160
};

/* Sums over entries of an index: what follows from the rows must be what is in the index. */
struct tally {
	uint64_t entries, sum;
};

struct checking {
	MDB_txn *txn;
	struct store_tables tables;
	struct tally follows[3], stands[3]; /* active, due, owner */
	uint64_t tokens;                    /* rows that have one */
	char wrong[WRONG_BYTES];
};

/* A function of `...` would be clearer, but clang's analyzer 14 reports its va_list falsely. */
#define WRONG(checking, ...) \
 (snprintf((checking)->wrong, sizeof(checking)->wrong, __VA_ARGS__), CHECK_DAMAGED)

/* Of a key: any two differ in it, but for one in 2^64. */
static uint64_t
mix(const MDB_val *key)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < key->mv_size / 8; i++) {
		sum = (sum ^ store_key_number(key, i)) + UINT64_C(0x9e3779b97f4a7c15);
		sum = (sum ^ sum >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		sum = (sum ^ sum >> 27) * UINT64_C(0x94d049bb133111eb);
		sum ^= sum >> 31;
	}
	return sum;
}

static void
count(struct tally *tally, const MDB_val *key)
{
	tally->entries++;
	tally->sum += mix(key);
}

static size_t
index_number(const struct checking *checking, MDB_dbi table)
{
	return table == checking->tables.active ? 0 : table == checking->tables.due ? 1 : 2;
}

/* ---- what is in the tables -------------------------------------------------------- */

static int
check_row(struct checking *checking, uint64_t id, const uint8_t *payload, size_t len)
{
	struct index_entry entry;
	struct codec_error error;
	struct record record;
	struct head head;

	if (head_open(payload, len, &head) < 0)
		return WRONG(
		    checking, "task %llu: its head makes no sense", (unsigned long long)id);
	for (size_t i = 0; index_entry(&checking->tables, id, &head, i, &entry); i++) {
		MDB_val key = store_val(&entry.key);

		count(&checking->follows[index_number(checking, entry.table)], &key);
	}
	checking->tokens += head.token != NULL;
	if (!head.is_active)
		return CHECK_GOOD; /* it is decoded when somebody asks for it; its bytes are right
				    */
	if (codec_decode(&record_codec, payload + head.len, len - head.len, &record, &error) < 0)
		return WRONG(checking, "task %llu: %s: %s", (unsigned long long)id, error.field,
		    error.problem ? error.problem : "no memory");
	len = record.id == id && !task_state_is_end(record.state);
	codec_free(&record_codec, &record);
	return len ? CHECK_GOOD
		   : WRONG(checking, "task %llu: it is another's", (unsigned long long)id);
}

static int
check_event(struct checking *checking, uint64_t seq, size_t len)
{
	if (seq == 0 || len < EVENT_HEAD)
		return WRONG(checking, "event %llu: it is none", (unsigned long long)seq);
	return CHECK_GOOD;
}

static int
check_entry(struct checking *checking, MDB_dbi table, const char *name, const MDB_val *key,
    const MDB_val *value)
{
	const uint8_t *payload;
	size_t len;

	if (seal_open(key, value, &payload, &len) < 0)
		return WRONG(checking, "table %s, key %llu: its checksum is wrong", name,
		    (unsigned long long)store_key_number(key, 0));
	if (table == checking->tables.task)
		return check_row(checking, store_key_number(key, 0), payload, len);
	if (table == checking->tables.event)
		return check_event(checking, store_key_number(key, 0), len);
	if (table == checking->tables.active || table == checking->tables.due ||
	    table == checking->tables.owner)
		count(&checking->stands[index_number(checking, table)], key);
	return CHECK_GOOD;
}

static int
walk_table(struct checking *checking, MDB_dbi table, const char *name, size_t key_bytes,
    MDB_cursor *cursor)
{
	uint64_t entries = 0;
	MDB_val key, value;
	MDB_stat stat;
	int m, r = CHECK_GOOD;

	if (mdb_stat(checking->txn, table, &stat) != 0)
		return WRONG(checking, "table %s cannot be read", name);
	while ((m = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0 && r == CHECK_GOOD) {
		/* more than there are: the pages lead in circles */
		if (++entries > stat.ms_entries)
			return WRONG(checking, "table %s: its pages are mixed up", name);
		if (key_bytes > 0 && key.mv_size != key_bytes)
			return WRONG(
			    checking, "table %s: a key is %zu bytes long", name, key.mv_size);
		r = check_entry(checking, table, name, &key, &value);
	}
	if (r == CHECK_GOOD && (m != MDB_NOTFOUND || entries != stat.ms_entries))
		return WRONG(checking, "table %s: %llu entries of %zu can be read", name,
		    (unsigned long long)entries, stat.ms_entries);
	return r;
}

static int
check_table(struct checking *checking, MDB_dbi table, const char *name, size_t key_bytes)
{
	MDB_cursor *cursor;
	int r = mdb_cursor_open(checking->txn, table, &cursor);

	if (r != 0)
		return WRONG(checking, "table %s cannot be read", name);
	r = walk_table(checking, table, name, key_bytes, cursor);
	mdb_cursor_close(cursor);
	return r;
}

/* Pages on the list of free ones are written over without another look. */
static int
check_free_list(
    struct checking *checking, const MDB_val *key, const MDB_val *value, size_t last_page)
{
	const char *bytes = value->mv_data;
	size_t n, page, before = SIZE_MAX;

	if (key->mv_size != sizeof n || value->mv_size < sizeof n)
		return WRONG(checking, "its list of free pages is damaged");
	memcpy(&n, bytes, sizeof n);
	if (n > value->mv_size / sizeof n - 1)
		return WRONG(checking, "its list of free pages is damaged");
	for (size_t i = 1; i <= n; i++) {
		memcpy(&page, bytes + i * sizeof page, sizeof page);
		if (page < 2 || page > last_page || page >= before)
			return WRONG(checking, "its list of free pages is damaged");
		before = page;
	}
	return CHECK_GOOD;
}

static int
check_free_pages(struct checking *checking, MDB_env *env)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	MDB_envinfo info;
	int m, r = CHECK_GOOD;

	if (mdb_env_info(env, &info) != 0 || mdb_cursor_open(checking->txn, 0, &cursor) != 0)
		return WRONG(checking, "its list of free pages is damaged");
	while ((m = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0 && r == CHECK_GOOD)
		r = check_free_list(checking, &key, &value, info.me_last_pgno);
	mdb_cursor_close(cursor);
	if (r == CHECK_GOOD && m != MDB_NOTFOUND)
		return WRONG(checking, "its list of free pages is damaged");
	return r;
}

static int
compare_tallies(struct checking *checking)
{
	static const char *const names[] = { "active", "due", "owner" };
	MDB_stat token;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (checking->follows[i].entries != checking->stands[i].entries ||
		    checking->follows[i].sum != checking->stands[i].sum)
			return WRONG(
			    checking, "table %s is not what follows from the tasks", names[i]);
	if (mdb_stat(checking->txn, checking->tables.token, &token) != 0 ||
	    token.ms_entries > checking->tokens)
		return WRONG(checking, "table token is not what follows from the tasks");
	return CHECK_GOOD;
}

static int
check_tables(struct checking *checking)
{
	int r = CHECK_GOOD;

#define X(member, name, key_bytes, help) \
 if (r == CHECK_GOOD)                    \
  r = check_table(checking, checking->tables.member, name, key_bytes);
	STORE_TABLES(X)
#undef X
	return r == CHECK_GOOD ? compare_tallies(checking) : r;
}

/* ---- the child -------------------------------------------------------------------- */

/* What keeps it from being opened at all, and is no damage, store_open says better. */
static int
check_all(struct checking *checking, const char *dir)
{
	MDB_env *env;
	int r = store_errno(env_open(dir, 0, true, &env));

	if (r < 0)
		return r == -EUCLEAN ? WRONG(checking, "it is no data file") : CHECK_GOOD;
	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &checking->txn) != 0)
		return WRONG(checking, "it cannot be read");
	r = env_open_tables(checking->txn, false, &checking->tables);
	if (r < 0)
		return r == -ENOENT ? CHECK_GOOD : WRONG(checking, "its tables cannot be found");
	r = migrate_check(&store_migrations, checking->txn, &checking->tables);
	if (r < 0)
		return r == -EUCLEAN ? WRONG(checking, "its version makes no sense") : CHECK_GOOD;
	r = check_free_pages(checking, env);
	return r == CHECK_GOOD ? check_tables(checking) : r;
}

static void
run_child(const char *dir, int out)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU };
	struct checking checking = { .wrong = "" };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	sigset_t none;
	int r;

	for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
		signal(deadly[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	setrlimit(RLIMIT_CPU, &(struct rlimit){ CHECK_CPU_S, CHECK_CPU_S });
	if (null >= 0)
		dup2(null, STDERR_FILENO); /* LMDB's assertions */
	r = check_all(&checking, dir);
	fd_write_all(out, checking.wrong, strlen(checking.wrong));
	_exit(r);
}

/* ---- the parent ------------------------------------------------------------------- */

static int
wait_for_child(pid_t pid, int *ret_status)
{
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int
check_in_child(const char *dir, const int ends[2], char text[static WRONG_BYTES], int *ret_status)
{
	int in = ends[0], out = ends[1];
	pid_t pid = fork();
	ssize_t n;
	int r = pid < 0 ? -errno : 0;

	if (pid == 0) {
		fd_close(&in);
		run_child(dir, out);
	}
	fd_close(&out);
	if (r == 0) {
		n = fd_read_all(in, text, WRONG_BYTES - 1);
		text[n > 0 ? n : 0] = '\0';
		r = wait_for_child(pid, ret_status);
	}
	fd_close(&in);
	return r;
}

int
store_check(const char *dir, struct store_error *ret_error)
{
	char text[WRONG_BYTES];
	int ends[2], status = 0, r;

	ret_error->text[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	r = check_in_child(dir, ends, text, &status);
	if (r < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == CHECK_GOOD))
		return r;
	if (text[0] == '\0')
		snprintf(text, sizeof text, "its pages lead nowhere");
	snprintf(ret_error->text, sizeof ret_error->text,
	    "%.100s/data.mdb: damaged: %.80s; restore it from a copy or move it away", dir, text);
	return -EUCLEAN;
}
