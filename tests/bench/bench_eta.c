/* How right the time left is: at half time of a task, the end that it was said to have against the
 * one that it had, in percent of how long it took. */
#include "tests/bench/bench.h"

#include "ipc/fd.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RUNS = 10,
	MAX_LOOKS = 65536,
	LOOK_MS = 20,
	RECIPE_MAX = 256 * 1024
};

struct param {
	const char *name, *value;
};

/* One look at a task: when, and the seconds it said were left; NaN: it did not say. */
struct look {
	double at_s, left_s;
};

static uint64_t
submit_recipe(struct client *client, const char *name, const struct param *params, size_t n)
{
	char path[128], *text;
	uint8_t token[16];
	struct client_reply reply;
	struct buf request;
	msgpack_packer packer;
	struct client_call call = { .request = &request, .fd = -1, .timeout_ms = 60000 };
	uint64_t task;
	size_t len;

	snprintf(path, sizeof path, "contrib/recipes/%s.yaml", name);
	if (fd_read_file(AT_FDCWD, path, RECIPE_MAX, &text, &len) < 0 ||
	    client_draw_token(token) < 0)
		die(path);
	buf_init(&request, (size_t)2 * RECIPE_MAX);
	client_begin(client, &request, "submit", &call.id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 4);
	pack_str(&packer, "token");
	msgpack_pack_bin_with_body(&packer, token, sizeof token);
	pack_kv_str(&packer, "text", text);
	pack_kv_str(&packer, "name", path);
	pack_str(&packer, "params");
	msgpack_pack_map(&packer, n);
	for (size_t i = 0; i < n; i++)
		pack_kv_str(&packer, params[i].name, params[i].value);
	free(text);
	if (client_call(client, &call, &reply) < 0 || reply.is_error)
		die("submitting a recipe");
	task = mp_uint(mp_get(&reply.body, "id"), 0);
	client_reply_fini(&reply);
	buf_fini(&request);
	return task;
}

/* True while it goes on; *ret_left_s as in a look. *RET_FAILED once it has. */
static bool
look_at(struct client *client, uint64_t task, double *ret_left_s, bool *ret_failed)
{
	struct client_reply reply;
	struct buf request;
	msgpack_packer packer;
	struct client_call call = { .request = &request, .fd = -1, .timeout_ms = 60000 };
	const msgpack_object *left;
	bool goes_on;

	buf_init(&request, 256);
	client_begin(client, &request, "show", &call.id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_uint(&packer, "id", task);
	if (client_call(client, &call, &reply) < 0 || reply.is_error)
		die("asking for a task");
	left = mp_get(&reply.body, "eta_s");
	*ret_left_s = mp_is_nil(left) ? NAN : (double)mp_uint(left, 0);
	*ret_failed = mp_str_is(mp_get(&reply.body, "status"), "failed");
	goes_on = mp_is_nil(mp_get(&reply.body, "ended_at"));
	client_reply_fini(&reply);
	buf_fini(&request);
	return goes_on;
}

/* The error at half time in percent; 100 where the end was unknown. Negative: the task failed. */
static double
error_of(struct client *client, uint64_t task)
{
	static struct look looks[MAX_LOOKS];
	double begin = now_s(), took, left_s;
	bool failed = false;
	size_t n = 0, half = 0;

	while (look_at(client, task, &left_s, &failed) && n < MAX_LOOKS) {
		looks[n++] = (struct look){ now_s() - begin, left_s };
		poll(NULL, 0, LOOK_MS);
	}
	took = now_s() - begin;
	while (half < n && looks[half].at_s < took / 2)
		half++;
	if (failed || half == n)
		return -1;
	if (isnan(looks[half].left_s))
		return 100;
	return fabs(looks[half].at_s + looks[half].left_s - took) / took * 100;
}

static void
measure(const struct service *service, const char *recipe, int runs, const struct param *params,
    size_t n)
{
	static struct samples errors;
	struct client client;
	char name[64];

	errors.n = 0;
	bench_connect(&client, service);
	for (int i = 0; i < runs; i++) {
		double error = error_of(&client, submit_recipe(&client, recipe, params, n));

		if (error < 0) {
			fprintf(stderr, "bench: the recipe %s does not run here\n", recipe);
			break;
		}
		samples_add(&errors, error);
	}
	client_fini(&client);
	snprintf(name, sizeof name, "eta_at_half_time_%s", recipe);
	if (errors.n > 0)
		print_figure(name, "% off", &errors, NULL, NULL);
}

/* Bytes that do not get smaller, of which packing takes a few seconds. */
static void
make_data(const char *dir, size_t megabytes)
{
	char path[160], *chunk = malloc(1 << 20);
	int from = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	snprintf(path, sizeof path, "%s/data", dir);
	if (!chunk || from < 0 || mkdir(path, 0755) < 0)
		die(path);
	for (size_t i = 0; i < megabytes; i++) {
		int to;

		snprintf(path, sizeof path, "%s/data/%zu", dir, i);
		to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (to < 0 || fd_read_all(from, chunk, 1 << 20) != 1 << 20 ||
		    fd_write_all(to, chunk, 1 << 20) < 0)
			die(path);
		fd_close(&to);
	}
	fd_close(&from);
	free(chunk);
}

/* A file of zeros that is nowhere on the disk: to sum it up takes time, and no room. */
static void
make_sparse(const char *dir, off_t gigabytes)
{
	char path[160];
	int to;

	snprintf(path, sizeof path, "%s/sparse", dir);
	if (mkdir(path, 0755) < 0)
		die(path);
	snprintf(path, sizeof path, "%s/sparse/zeros", dir);
	to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (to < 0 || ftruncate(to, gigabytes << 30) < 0)
		die(path);
	fd_close(&to);
}

void
bench_eta(bool small)
{
	struct service service = { 0 };
	int runs = small ? 2 : RUNS;
	char data[96], sparse[96], copies[96], list[96];

	service_start(&service, "4");
	make_data(service.root, small ? 20 : 200);
	make_sparse(service.root, small ? 1 : 6);
	snprintf(sparse, sizeof sparse, "%s/sparse", service.root);
	snprintf(data, sizeof data, "%s/data", service.root);
	snprintf(copies, sizeof copies, "%s/copies", service.root);
	snprintf(list, sizeof list, "%s/list", service.root);
	measure(&service, "backup", runs,
	    (const struct param[]){ { "dir", data }, { "to", copies }, { "keep", "1" } }, 3);
	measure(&service, "checksums", runs,
	    (const struct param[]){ { "dir", sparse }, { "list", list } }, 2);
	measure(&service, "try-it", runs, NULL, 0);
	service_stop(&service);
}
