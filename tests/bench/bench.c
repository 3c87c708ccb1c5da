#include "tests/bench/bench.h"

#include "ipc/fd.h"
#include "ipc/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void
die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- calls ----------------------------------------------------------------------- */

/* One request whose params are packed. False: the connection failed or the service refused. */
static bool
call(
    struct client *client, struct buf *request, uint32_t id, int fd, struct client_reply *ret_reply)
{
	struct client_call what = { .request = request, .id = id, .fd = fd, .timeout_ms = 60000 };

	if (client_call(client, &what, ret_reply) < 0)
		return false;
	if (!ret_reply->is_error)
		return true;
	client_reply_fini(ret_reply);
	return false;
}

/* ---- the service ---------------------------------------------------------------- */

/* Programs of the build this one was made in: .build/B/tests/bench/bench -> .build/B/bin. */
static void
program_path(const char *name, char *path, size_t room)
{
	char self[512] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *at = n > 0 ? strstr(self, "/tests/bench/") : NULL;

	if (!at)
		die("finding my own place");
	*at = '\0';
	snprintf(path, room, "%s/bin/%s", self, name);
}

static void
start_keeper(struct service *service, const char *slots)
{
	char program[600], state[80], log[80];

	program_path("reeved", program, sizeof program);
	snprintf(state, sizeof state, "%s/state", service->root);
	snprintf(log, sizeof log, "%s/log", service->root);
	service->keeper = fork();
	if (service->keeper == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, STDERR_FILENO);
		execl(program, program, "--state-dir", state, "--run-dir", service->run,
		    "--log-level", "warn", slots ? "--slots" : NULL, slots, (char *)NULL);
		_exit(127);
	}
}

void
service_wait(const struct service *service)
{
	struct client client;

	client_init(&client, service->socket);
	for (;;) {
		struct client_reply reply;
		struct buf request;
		msgpack_packer packer;
		uint32_t id;

		if (client_connect(&client) < 0) {
			poll(NULL, 0, 1);
			continue;
		}
		buf_init(&request, 256);
		client_begin(&client, &request, "version", &id);
		buf_packer(&request, &packer);
		msgpack_pack_map(&packer, 0);
		if (call(&client, &request, id, -1, &reply)) {
			client_reply_fini(&reply);
			buf_fini(&request);
			break;
		}
		buf_fini(&request);
	}
	client_fini(&client);
}

void
service_start(struct service *service, const char *slots)
{
	snprintf(service->root, sizeof service->root, "/tmp/reeve-bench.XXXXXX");
	snprintf(service->run, sizeof service->run, "/dev/shm/reeve-bench.XXXXXX");
	if (!mkdtemp(service->root) || !mkdtemp(service->run))
		die("making a directory");
	snprintf(service->socket, sizeof service->socket, "%s/control.sock", service->run);
	start_keeper(service, slots);
	service_wait(service);
}

void
service_again(struct service *service, const char *slots)
{
	start_keeper(service, slots);
	service_wait(service);
}

pid_t
service_supervisor(const struct service *service)
{
	pid_t *pids, found = 0;
	struct proc_stat stat;
	size_t n;

	if (proc_children(service->keeper, &pids, &n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (proc_stat(pids[i], &stat) == 0 && strcmp(stat.comm, "reeve-superviso") == 0)
			found = pids[i];
	free(pids);
	return found;
}

void
service_remove(const struct service *service)
{
	fd_remove_tree(AT_FDCWD, service->root);
	fd_remove_tree(AT_FDCWD, service->run);
}

void
service_stop(struct service *service)
{
	struct client client;
	struct client_reply reply;
	struct buf request;
	msgpack_packer packer;
	uint32_t id;

	bench_connect(&client, service);
	buf_init(&request, 256);
	client_begin(&client, &request, "shutdown", &id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_bool(&packer, "tasks", true);
	if (call(&client, &request, id, -1, &reply))
		client_reply_fini(&reply);
	buf_fini(&request);
	client_fini(&client);
	waitpid(service->keeper, NULL, 0);
	service_remove(service);
}

/* ---- clients ---------------------------------------------------------------------- */

void
bench_connect(struct client *client, const struct service *service)
{
	if (client_init(client, service->socket) < 0 || client_connect(client) < 0)
		die("connecting");
}

uint64_t
bench_submit(struct client *client, const char *const *command)
{
	uint8_t token[16];
	struct client_reply reply;
	struct buf request;
	msgpack_packer packer;
	uint64_t task;
	uint32_t id;
	size_t n = 0;
	int cwd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	while (command[n])
		n++;
	if (client_draw_token(token) < 0)
		die("drawing a token");
	buf_init(&request, 4096);
	client_begin(client, &request, "submit", &id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 2);
	pack_str(&packer, "token");
	msgpack_pack_bin_with_body(&packer, token, sizeof token);
	pack_str(&packer, "command");
	msgpack_pack_array(&packer, n);
	for (size_t i = 0; i < n; i++)
		pack_str(&packer, command[i]);
	if (!call(client, &request, id, cwd, &reply))
		die("submitting");
	task = mp_uint(mp_get(&reply.body, "id"), 0);
	client_reply_fini(&reply);
	buf_fini(&request);
	fd_close(&cwd);
	return task;
}

void
bench_watch(struct client *client, bool ends)
{
	struct client_reply reply;
	struct buf request;
	msgpack_packer packer;
	uint32_t id;

	buf_init(&request, 256);
	client_begin(client, &request, "watch", &id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_bool(&packer, "ends", ends);
	if (!call(client, &request, id, -1, &reply))
		die("following");
	client_reply_fini(&reply);
	buf_fini(&request);
}

static bool
has_ended(struct client *client, uint64_t task)
{
	struct client_reply reply;
	struct buf request;
	msgpack_packer packer;
	bool ended;
	uint32_t id;

	buf_init(&request, 256);
	client_begin(client, &request, "show", &id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_uint(&packer, "id", task);
	if (!call(client, &request, id, -1, &reply))
		die("asking for a task");
	if (mp_str_is(mp_get(&reply.body, "status"), "failed"))
		die("a task failed");
	ended = !mp_is_nil(mp_get(&reply.body, "ended_at"));
	client_reply_fini(&reply);
	buf_fini(&request);
	return ended;
}

void
bench_await(struct client *client, uint64_t task)
{
	while (!has_ended(client, task))
		poll(NULL, 0, 5);
}

struct waiting {
	bench_event_fn fn;
	void *arg;
	bool done;
};

static void
on_notify(const char *method, const msgpack_object *params, void *arg)
{
	struct waiting *waiting = arg;
	const msgpack_object *event = mp_get(params, "event"), *task = mp_get(params, "task");
	char *name = mp_str_dup(mp_get(event, "event")),
	     *status = mp_str_dup(mp_get(task, "status"));

	(void)method;
	if (name && status && !waiting->done)
		waiting->done =
		    waiting->fn(name, mp_uint(mp_get(event, "task"), 0), status, waiting->arg);
	free(name);
	free(status);
}

void
bench_wait(struct client *client, bench_event_fn fn, void *arg)
{
	struct waiting waiting = { .fn = fn, .arg = arg };

	while (!waiting.done)
		if (client_wait(client, 60000, on_notify, &waiting) <= 0)
			die("waiting for an event");
}

/* ---- figures ---------------------------------------------------------------------- */

void
samples_add(struct samples *samples, double value)
{
	if (samples->n < MAX_SAMPLES)
		samples->v[samples->n++] = value;
}

static int
compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

double
samples_at(struct samples *samples, double fraction)
{
	if (samples->n == 0)
		return 0;
	qsort(samples->v, samples->n, sizeof *samples->v, compare);
	return samples->v[(size_t)(fraction * (double)(samples->n - 1) + .5)];
}

static void
print_three(const char *prefix, struct samples *samples)
{
	printf(",\"%smin\":%.4g,\"%smedian\":%.4g,\"%smax\":%.4g", prefix, samples_at(samples, 0),
	    prefix, samples_at(samples, .5), prefix, samples_at(samples, 1));
}

void
print_figure(const char *name, const char *unit, struct samples *samples, const char *limit_name,
    struct samples *limit)
{
	printf("{\"bench\":\"%s\",\"unit\":\"%s\",\"n\":%zu", name, unit, samples->n);
	print_three("", samples);
	if (samples->n >= 100)
		printf(",\"p99\":%.4g", samples_at(samples, .99));
	if (limit) {
		printf(",\"limit\":\"%s\"", limit_name);
		print_three("limit_", limit);
		printf(",\"ratio\":%.3f", samples_at(samples, .5) / samples_at(limit, .5));
	}
	puts("}");
	fflush(stdout);
}

double
pss_kib(pid_t pid)
{
	char path[64], line[256];
	double kib = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "Pss: %lf", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(bool small);
	} benches[] = { { "tasks", bench_tasks }, { "facts", bench_facts },
		{ "store", bench_store }, { "submissions", bench_submissions },
		{ "cancel", bench_cancel }, { "memory", bench_memory },
		{ "restart", bench_restart }, { "many-ended", bench_many_ended },
		{ "eta", bench_eta } };
	bool small = argc > 1 && strcmp(argv[1], "--small") == 0;
	const char *only = argc > 1 + small ? argv[1 + small] : NULL;

	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
		if (!only || strcmp(only, benches[i].name) == 0)
			benches[i].run(small);
	return EXIT_SUCCESS;
}
