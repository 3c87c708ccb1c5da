/* Durable submissions by 1 and 16 clients, nothing started, against bare LMDB group commit. */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/fd.h"

enum {
	MAX_CLIENTS = 16,
	RECORD_BYTES = 128
};
static const char *const true_command[] = { "/bin/true", NULL };

struct submitter {
	const struct service *service;
	int n;
};

static void *
submit_many(void *arg)
{
	const struct submitter *submitter = arg;
	struct client client;

	bench_connect(&client, submitter->service);
	for (int i = 0; i < submitter->n; i++)
		bench_submit(&client, true_command);
	client_fini(&client);
	return NULL;
}

double
bench_clients(void *(*work)(void *), void *arg, int clients, int each)
{
	pthread_t threads[MAX_CLIENTS];
	double begin = now_s();

	for (int i = 0; i < clients; i++)
		if (pthread_create(&threads[i], NULL, work, arg) != 0)
			die("starting a thread");
	for (int i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	return clients * each / (now_s() - begin);
}

/* ---- bare: producers wait for one thread that commits whatever is there ------------- */

struct bare {
	MDB_env *env;
	MDB_dbi dbi;
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	uint64_t asked, committed;
	bool stop;
	int each;
};

static void *
commit_groups(void *arg)
{
	struct bare *bare = arg;
	char record[RECORD_BYTES] = "";

	pthread_mutex_lock(&bare->lock);
	for (;;) {
		uint64_t upto;
		MDB_txn *txn;

		while (bare->asked == bare->committed && !bare->stop)
			pthread_cond_wait(&bare->more, &bare->lock);
		if (bare->asked == bare->committed)
			break;
		upto = bare->asked;
		pthread_mutex_unlock(&bare->lock);
		if (mdb_txn_begin(bare->env, NULL, 0, &txn) != 0)
			die("bare transaction");
		for (uint64_t i = bare->committed; i < upto; i++) {
			uint64_t number = __builtin_bswap64(i);
			MDB_val key = { sizeof number, &number }, value = { sizeof record, record };

			if (mdb_put(txn, bare->dbi, &key, &value, MDB_APPEND) != 0)
				die("bare put");
		}
		if (mdb_txn_commit(txn) != 0)
			die("bare commit");
		pthread_mutex_lock(&bare->lock);
		bare->committed = upto;
		pthread_cond_broadcast(&bare->done);
	}
	pthread_mutex_unlock(&bare->lock);
	return NULL;
}

static void *
ask_many(void *arg)
{
	struct bare *bare = arg;

	for (int i = 0; i < bare->each; i++) {
		uint64_t mine;

		pthread_mutex_lock(&bare->lock);
		mine = ++bare->asked;
		pthread_cond_signal(&bare->more);
		while (bare->committed < mine)
			pthread_cond_wait(&bare->done, &bare->lock);
		pthread_mutex_unlock(&bare->lock);
	}
	return NULL;
}

double
bench_bare_commits(const char *root, int clients, int each)
{
	struct bare bare = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.more = PTHREAD_COND_INITIALIZER,
		.done = PTHREAD_COND_INITIALIZER,
		.each = each };
	pthread_t committer;
	MDB_txn *txn;
	char dir[128];
	double rate;

	snprintf(dir, sizeof dir, "%s/bare", root);
	fd_remove_tree(AT_FDCWD, dir);
	fd_mkdir_all(dir, 0700);
	if (mdb_env_create(&bare.env) != 0 || mdb_env_set_mapsize(bare.env, 1u << 30) != 0 ||
	    mdb_env_open(bare.env, dir, 0, 0600) != 0 ||
	    mdb_txn_begin(bare.env, NULL, 0, &txn) != 0 ||
	    mdb_dbi_open(txn, NULL, 0, &bare.dbi) != 0 || mdb_txn_commit(txn) != 0)
		die("bare environment");
	if (pthread_create(&committer, NULL, commit_groups, &bare) != 0)
		die("starting a thread");
	rate = bench_clients(ask_many, &bare, clients, each);
	pthread_mutex_lock(&bare.lock);
	bare.stop = true;
	pthread_cond_signal(&bare.more);
	pthread_mutex_unlock(&bare.lock);
	pthread_join(committer, NULL);
	mdb_env_close(bare.env);
	return rate;
}

void
bench_submissions(bool small)
{
	static const int counts[] = { 1, 16 };
	int rounds = small ? 1 : 5;
	struct service service = { 0 };

	service_start(&service, "0");
	for (size_t k = 0; k < 2; k++) {
		static struct samples ours, bare;
		int each = (small ? 100 : 2000) / (counts[k] > 1 ? 4 : 2);
		struct submitter submitter = { .service = &service, .n = each };
		char name[64];

		ours.n = bare.n = 0;
		for (int i = 0; i < rounds; i++) {
			samples_add(&ours, bench_clients(submit_many, &submitter, counts[k], each));
			samples_add(&bare, bench_bare_commits(service.root, counts[k], each));
		}
		snprintf(name, sizeof name, "durable_submissions_%d", counts[k]);
		print_figure(name, "submissions/s", &ours, "LMDB group commit of 128 bytes", &bare);
	}
	service_stop(&service);
}
