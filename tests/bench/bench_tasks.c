/* `true`, a thousand times, persisted with all layers on, against a bare chain of two processes. */
#include "tests/bench/bench.h"

#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SUBMITTERS = 4,
	IN_FLIGHT = 8
};
static const char *const true_command[] = { "/bin/true", NULL };

struct submitting {
	const struct service *service;
	int n;
};

static void *
submit_many(void *arg)
{
	const struct submitting *submitting = arg;
	struct client client;

	bench_connect(&client, submitting->service);
	for (int i = 0; i < submitting->n; i++)
		bench_submit(&client, true_command);
	client_fini(&client);
	return NULL;
}

static bool
count_ended(const char *event, uint64_t task, const char *status, void *arg)
{
	int *left = arg;

	(void)task;
	if (strcmp(event, "ended") == 0 && strcmp(status, "completed") != 0)
		die("a task did not complete");
	return strcmp(event, "ended") == 0 && --*left == 0;
}

static double
run_tasks(const struct service *service, int n)
{
	struct submitting submitting = { .service = service, .n = n / SUBMITTERS };
	pthread_t threads[SUBMITTERS];
	struct client watcher;
	int left = n;
	double begin;

	bench_connect(&watcher, service);
	bench_watch(&watcher, true);
	begin = now_s();
	for (int i = 0; i < SUBMITTERS; i++)
		if (pthread_create(&threads[i], NULL, submit_many, &submitting) != 0)
			die("starting a thread");
	bench_wait(&watcher, count_ended, &left);
	begin = now_s() - begin;
	for (int i = 0; i < SUBMITTERS; i++)
		pthread_join(threads[i], NULL);
	client_fini(&watcher);
	return n / begin;
}

static double
run_chain(int n)
{
	char self[512] = "", *at;
	char program[] = "/bin/true", *none[] = { NULL };
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 8);
	char *argv[] = { self, program, NULL };
	double begin = now_s();
	int running = 0;
	pid_t pid;

	at = len > 0 ? strrchr(self, '/') : NULL;
	if (!at)
		die("finding the chain");
	strcpy(at, "/chain");
	for (int i = 0; i < n; i++) {
		if (running == IN_FLIGHT && wait(NULL) > 0)
			running--;
		if (posix_spawn(&pid, self, NULL, NULL, argv, none) != 0)
			die("starting the chain");
		running++;
	}
	while (running > 0 && wait(NULL) > 0)
		running--;
	return n / (now_s() - begin);
}

static double
cpu_s(pid_t pid)
{
	char path[64], text[1024] = "", *at;
	unsigned long utime = 0, stime = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file && fgets(text, sizeof text, file) && (at = strrchr(text, ')')))
		sscanf(
		    at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &utime, &stime);
	if (file)
		fclose(file);
	return (double)(utime + stime) / (double)sysconf(_SC_CLK_TCK);
}

void
bench_tasks(bool small)
{
	static struct samples ours, bare, supervisor_us, keeper_us;
	int n = small ? 100 : 1000, rounds = small ? 1 : 5;
	struct service service = { 0 };

	service_start(&service, "8");
	run_tasks(&service, 40);
	for (int i = 0; i < rounds; i++) {
		pid_t supervisor = service_supervisor(&service);
		double cpu = cpu_s(supervisor), keeper = cpu_s(service.keeper);

		samples_add(&ours, run_tasks(&service, n));
		samples_add(&supervisor_us, (cpu_s(supervisor) - cpu) * 1e6 / n);
		samples_add(&keeper_us, (cpu_s(service.keeper) - keeper) * 1e6 / n);
		samples_add(&bare, run_chain(n));
	}
	print_figure(
	    "true_tasks", "tasks/s", &ours, "exec a static program that execs true", &bare);
	print_figure("true_tasks_supervisor_cpu", "us/task", &supervisor_us, NULL, NULL);
	print_figure("true_tasks_keeper_cpu", "us/task", &keeper_us, NULL, NULL);
	service_stop(&service);
}
