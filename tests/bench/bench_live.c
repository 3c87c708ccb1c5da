/* What people wait for: a cancel, a service that died, a service with a past; and what it costs to
 * keep. */
#include "tests/bench/bench.h"

#include "ipc/fd.h"
#include "ipc/proc.h"
#include "store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const sleep_command[] = { "/bin/sleep", "1000", NULL };

static bool
is_event(const char *event, uint64_t task, const char *status, void *arg)
{
	(void)task;
	(void)status;
	return strcmp(event, arg) == 0;
}

static bool
count_events(const char *event, uint64_t task, const char *status, void *arg)
{
	int *left = arg;

	(void)task;
	(void)status;
	return strcmp(event, "step_begin") == 0 && --*left == 0;
}

static void
cancel(struct client *client, uint64_t task)
{
	struct client_reply reply;
	struct buf request;
	msgpack_packer packer;
	struct client_call call = { .request = &request, .fd = -1, .timeout_ms = 10000 };

	buf_init(&request, 256);
	client_begin(client, &request, "cancel", &call.id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_uint(&packer, "id", task);
	if (client_call(client, &call, &reply) < 0 || reply.is_error)
		die("cancelling");
	client_reply_fini(&reply);
	buf_fini(&request);
}

/* The disk's own answer time at this moment. */
static double
fdatasync_ms(const char *root)
{
	char path[128];
	double begin;
	int fd;

	snprintf(path, sizeof path, "%s/sync", root);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	begin = now_s();
	if (fd < 0 || write(fd, "x", 1) != 1 || fdatasync(fd) < 0)
		die("syncing");
	begin = now_s() - begin;
	fd_close(&fd);
	return begin * 1000;
}

void
bench_cancel(bool small)
{
	static struct samples ours, disk;
	struct client client, watcher;
	struct service service = { 0 };
	char begun[] = "step_begin", ended[] = "ended";

	service_start(&service, "4");
	bench_connect(&client, &service);
	bench_connect(&watcher, &service);
	bench_watch(&watcher, false);
	for (int i = 0; i < (small ? 20 : 500); i++) {
		uint64_t task = bench_submit(&client, sleep_command);
		double begin;

		bench_wait(&watcher, is_event, begun);
		begin = now_s();
		cancel(&client, task);
		bench_wait(&watcher, is_event, ended);
		samples_add(&ours, (now_s() - begin) * 1000);
		samples_add(&disk, fdatasync_ms(service.root));
	}
	print_figure("cancel_to_committed", "ms", &ours, "one fdatasync", &disk);
	client_fini(&client);
	client_fini(&watcher);
	service_stop(&service);
}

/* Of the keeper, the supervisor and every worker; what the steps cost is theirs. */
static double
service_pss(const struct service *service, double *ret_workers)
{
	double total = pss_kib(service->keeper), workers = 0;
	pid_t supervisor = service_supervisor(service);
	struct proc_stat stat;
	pid_t *pids;
	size_t n;

	if (proc_children(service->keeper, &pids, &n) < 0)
		die("listing children");
	for (size_t i = 0; i < n; i++)
		if (pids[i] != supervisor && proc_stat(pids[i], &stat) == 0)
			workers += pss_kib(pids[i]);
	free(pids);
	*ret_workers = workers;
	return total + pss_kib(supervisor) + workers;
}

static void
start_sleepers(struct client *client, struct client *watcher, int n)
{
	int left = n;

	for (int i = 0; i < n; i++)
		bench_submit(client, sleep_command);
	bench_wait(watcher, count_events, &left);
}

void
bench_memory(bool small)
{
	static struct samples idle, each, worker;
	struct client client, watcher;
	struct service service = { 0 };
	int n = small ? 20 : 100;
	double workers, before;

	service_start(&service, "1000");
	before = service_pss(&service, &workers);
	samples_add(&idle, before);
	bench_connect(&client, &service);
	bench_connect(&watcher, &service);
	bench_watch(&watcher, false);
	start_sleepers(&client, &watcher, n);
	samples_add(&each, (service_pss(&service, &workers) - before) / n);
	samples_add(&worker, workers / n);
	print_figure("idle_service_pss", "KiB", &idle, NULL, NULL);
	print_figure("running_task_pss", "KiB/task", &each, NULL, NULL);
	print_figure("running_worker_pss", "KiB/task", &worker, NULL, NULL);
	client_fini(&client);
	client_fini(&watcher);
	service_stop(&service);
}

void
bench_restart(bool small)
{
	static struct samples ours;
	struct client client, watcher;
	struct service service = { 0 };

	service_start(&service, "1000");
	bench_connect(&client, &service);
	bench_connect(&watcher, &service);
	bench_watch(&watcher, false);
	start_sleepers(&client, &watcher, small ? 20 : 100);
	client_fini(&client);
	client_fini(&watcher);
	for (int i = 0; i < (small ? 3 : 20); i++) {
		pid_t supervisor = service_supervisor(&service);
		double begin = now_s();

		if (supervisor == 0 || kill(supervisor, SIGKILL) < 0)
			die("killing the supervisor");
		service_wait(&service);
		samples_add(&ours, (now_s() - begin) * 1000);
	}
	print_figure("supervisor_death_to_serving", "ms", &ours, NULL, NULL);
	service_stop(&service);
}

/* ---- a service with a past -------------------------------------------------------------- */

static void
fill_one(struct store_batch *batch, uint64_t id)
{
	struct record record;
	struct record_person *person;
	struct record_step *step;
	struct fact event;

	codec_init(&record_codec, &record);
	record.id = id;
	record.state = TASK_COMPLETED;
	record.created_ms = record.started_ms = record.ended_ms = 1;
	record.expires_ms = UINT64_C(1) << 50;
	str_set(&record.type, "command");
	str_set(&record.title, "true");
	str_set(&record.outcome, "completed");
	person = list_add((struct list *)&record.persons, &record_person_codec);
	step = list_add((struct list *)&record.steps, &record_step_codec);
	if (!person || !step)
		die("filling");
	str_set(&person->name, "unix:root");
	str_set(&step->name, "true");
	step->state = STEP_DONE;
	codec_init(&fact_codec, &event);
	event.kind = FACT_ENDED;
	event.task = id;
	event.ts_ms = 1;
	event.outcome = TASK_COMPLETED;
	if (store_batch_put_task(batch, &record) < 0 || store_batch_add_event(batch, &event) < 0)
		die("filling");
	codec_free(&record_codec, &record);
	codec_free(&fact_codec, &event);
}

static void
fill_store(const char *root, uint64_t n)
{
	struct store_options options = { 0 };
	struct store_error error;
	struct store *store;
	char dir[128];

	snprintf(dir, sizeof dir, "%s/state/store", root);
	options.dir = dir;
	if (store_open(&options, &store, &error) < 0)
		die(error.text);
	for (uint64_t id = 1; id <= n;) {
		struct store_batch *batch = store_batch_new();

		for (int i = 0; batch && i < 1000 && id <= n; i++)
			fill_one(batch, id++);
		if (!batch || store_apply(store, &batch, 1) < 0)
			die("filling");
		store_batch_free(batch);
	}
	store_close(store);
}

void
bench_many_ended(bool small)
{
	static struct samples ours;
	struct service service = { 0 };

	service_start(&service, "0");
	kill(service.keeper, SIGTERM);
	waitpid(service.keeper, NULL, 0);
	fill_store(service.root, small ? 5000 : 100000);
	for (int i = 0; i < (small ? 1 : 5); i++) {
		double begin = now_s();

		service_again(&service, "0");
		samples_add(&ours, (now_s() - begin) * 1000);
		kill(service.keeper, SIGTERM);
		waitpid(service.keeper, NULL, 0);
	}
	print_figure("start_with_100000_ended", "ms", &ours, NULL, NULL);
	service_remove(&service);
}
