/*
 * The store alone: durable submissions of 1 and 16 producers through store_apply, by one thread
 * that takes whatever is there, against bare LMDB group commit; and what a check of it takes.
 */
#include "tests/bench/bench.h"

#include "ipc/fd.h"
#include "store/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MAX_PRODUCERS = 16,
	SPEC_BYTES = 400
};

/* Producers hand batches over in the order of their ids and wait for them to be on disk. */
struct desk {
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	struct store_batch *waiting[MAX_PRODUCERS];
	size_t nwaiting;
	uint64_t next_id, taken, committed; /* counts of batches, but for the id */
	bool stop;
	int each;
};

/* What roster and client make of `run --detach -- true`. */
static void
describe(struct record *record, uint64_t id)
{
	uint8_t token[RECORD_TOKEN_BYTES] = { 0xc4, 16 };
	struct record_person *person;
	struct record_step *step;

	codec_init(&record_codec, record);
	record->id = record->queue_order = id;
	record->state = TASK_QUEUED;
	record->created_ms = 1700000000000 + id;
	person = list_add((struct list *)&record->persons, &record_person_codec);
	step = list_add((struct list *)&record->steps, &record_step_codec);
	if (!person || !step || client_draw_token(token + 2) < 0 ||
	    blob_set(&record->token, token, sizeof token) < 0 ||
	    str_set(&record->type, "command") < 0 || str_set(&record->title, "true") < 0 ||
	    str_set(&person->name, "unix:somebody") < 0 || str_set(&step->name, "true") < 0)
		die("describing a task");
	person->uid = record->owner_uid = record->owner_gid = 1000;
	step->state = STEP_PENDING;
}

static struct store_batch *
make_batch(uint64_t id)
{
	static const char spec[SPEC_BYTES];
	struct store_batch *batch = store_batch_new();
	struct record record;
	struct fact event;

	describe(&record, id);
	codec_init(&fact_codec, &event);
	event.kind = FACT_SUBMITTED;
	event.task = id;
	event.ts_ms = record.created_ms;
	if (!batch || str_set(&event.text, "unix:somebody") < 0 ||
	    store_batch_put_spec(batch, id, spec, sizeof spec) < 0 ||
	    store_batch_add_event(batch, &event) < 0 || store_batch_put_task(batch, &record) < 0)
		die("making a batch");
	codec_free(&record_codec, &record);
	codec_free(&fact_codec, &event);
	return batch;
}

static void *
produce(void *arg)
{
	struct desk *desk = arg;

	for (int i = 0; i < desk->each; i++) {
		uint64_t mine;

		pthread_mutex_lock(&desk->lock);
		desk->waiting[desk->nwaiting++] = make_batch(desk->next_id++);
		mine = desk->taken + desk->nwaiting;
		pthread_cond_signal(&desk->more);
		while (desk->committed < mine)
			pthread_cond_wait(&desk->done, &desk->lock);
		pthread_mutex_unlock(&desk->lock);
	}
	return NULL;
}

static void *
commit_all(void *arg)
{
	struct store_batch *group[MAX_PRODUCERS];
	struct desk *desk = arg;

	pthread_mutex_lock(&desk->lock);
	for (;;) {
		size_t n;

		while (desk->nwaiting == 0 && !desk->stop)
			pthread_cond_wait(&desk->more, &desk->lock);
		if (desk->nwaiting == 0)
			break;
		n = desk->nwaiting;
		memcpy(group, desk->waiting, sizeof group);
		desk->nwaiting = 0;
		desk->taken += n;
		pthread_mutex_unlock(&desk->lock);
		if (store_apply(desk->store, group, n) < 0)
			die("store_apply");
		for (size_t i = 0; i < n; i++)
			store_batch_free(group[i]);
		pthread_mutex_lock(&desk->lock);
		desk->committed = desk->taken;
		pthread_cond_broadcast(&desk->done);
	}
	pthread_mutex_unlock(&desk->lock);
	return NULL;
}

static double
run_store(struct store *store, int producers, int each)
{
	struct desk desk = { .store = store,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.more = PTHREAD_COND_INITIALIZER,
		.done = PTHREAD_COND_INITIALIZER,
		.next_id = store_last_id(store) + 1,
		.each = each };
	pthread_t committer;
	double rate;

	if (pthread_create(&committer, NULL, commit_all, &desk) != 0)
		die("starting a thread");
	rate = bench_clients(produce, &desk, producers, each);
	pthread_mutex_lock(&desk.lock);
	desk.stop = true;
	pthread_cond_signal(&desk.more);
	pthread_mutex_unlock(&desk.lock);
	pthread_join(committer, NULL);
	return rate;
}

static struct store *
open_store(const char *dir)
{
	struct store_options options = { .dir = dir };
	struct store_error error;
	struct store *store;

	if (store_open(&options, &store, &error) < 0)
		die(error.text);
	return store;
}

/* With N tasks active, which is the dearest: their rows are decoded. */
static void
check_many(const char *dir, bool small)
{
	static struct samples samples;
	struct store *store = open_store(dir);
	uint64_t id = store_last_id(store), end = small ? 2000 : 100000;
	struct store_error error;

	while (id < end) {
		struct store_batch *group[100];

		for (size_t i = 0; i < 100; i++)
			group[i] = make_batch(++id);
		if (store_apply(store, group, 100) < 0)
			die("filling");
		for (size_t i = 0; i < 100; i++)
			store_batch_free(group[i]);
	}
	store_close(store);
	for (int i = 0; i < (small ? 1 : 5); i++) {
		double begin = now_s();

		if (store_check(dir, &error) < 0)
			die(error.text);
		samples_add(&samples, (now_s() - begin) * 1000);
	}
	print_figure("store_check_100000_active", "ms", &samples, NULL, NULL);
}

void
bench_store(bool small)
{
	static const int counts[] = { 1, MAX_PRODUCERS };
	char root[] = "/tmp/reeve-bench.XXXXXX", dir[sizeof root + sizeof "/store"];
	struct store *store;

	if (!mkdtemp(root))
		die("making a directory");
	snprintf(dir, sizeof dir, "%s/store", root);
	fd_mkdir_all(dir, 0700);
	store = open_store(dir);
	for (size_t k = 0; k < 2; k++) {
		static struct samples ours, bare;
		int each = small ? 50 : 1000;
		char name[64];

		ours.n = bare.n = 0;
		for (int i = 0; i < (small ? 1 : 5); i++) {
			samples_add(&ours, run_store(store, counts[k], each));
			samples_add(&bare, bench_bare_commits(root, counts[k], each));
		}
		snprintf(name, sizeof name, "store_submissions_%d", counts[k]);
		print_figure(name, "submissions/s", &ours, "LMDB group commit of 128 bytes", &bare);
	}
	store_close(store);
	check_many(dir, small);
	fd_remove_tree(AT_FDCWD, root);
}
