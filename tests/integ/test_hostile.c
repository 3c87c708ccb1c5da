/* Who talks to the service may be broken or mean harm: he alone pays for it. */
#include "tests/integ/world.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	SOON_MS = 2000, /* what takes milliseconds, on a busy machine */
	FD_LIMIT = 64,
	CROWD = 200,
#ifdef __SANITIZE_ADDRESS__
	FLAT_KIB = 512 * 1024 /* what is freed stays in its quarantine */
#else
	FLAT_KIB = 32 * 1024
#endif
};

static int
connect_raw(const struct world *world)
{
	int fd = fd_unix_connect(world->socket);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Reads to the end of what the service says; fails the test when it does not hang up. */
static size_t
read_to_hangup(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	uint64_t deadline_ms = clock_boot_ms() + WORLD_PATIENCE_MS;
	char bytes[64 * 1024];
	size_t all = 0;
	ssize_t n = 1;

	while (n > 0) {
		uint64_t now_ms = clock_boot_ms();

		ck_assert_msg(
		    now_ms < deadline_ms && poll(&readable, 1, (int)(deadline_ms - now_ms)) == 1,
		    "it does not hang up after %zu bytes", all);
		n = read(fd, bytes, sizeof bytes);
		all += n > 0 ? (size_t)n : 0;
	}
	return all;
}

/* Somebody decent comes by: he is answered, and soon. */
static void
insist_on_service(struct world *world)
{
	struct client client;
	bool is_error = true;
	uint64_t begin_ms = clock_boot_ms();

	world_connect(world, &client);
	world_call(world, &client, "version", json_object(), &is_error);
	client_fini(&client);
	ck_assert(!is_error);
	ck_assert_int_lt((int)(clock_boot_ms() - begin_ms), SOON_MS);
}

/* ---- bytes that are no request ------------------------------------------------------ */

#define BYTES(text)        \
 {                         \
  (text), sizeof(text) - 1 \
 }
/* clang-format off */
#define BYTES(text) { (text), sizeof(text) - 1 }
static const struct {
	const char *bytes;
	size_t len;
} nonsense[] = {
	BYTES("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	BYTES("\xc1"),                                     /* the byte that is reserved */
	BYTES("\xdd\xff\xff\xff\xff"),                     /* an array of 4,294,967,295 */
	BYTES("\x94\x00\x01\xdb\x40\x00\x00\x00"),         /* a method's name of 1 GB */
	BYTES("\x94\x00\x01\xa4show\xc6\x40\x00\x00\x00"), /* params of 1 GB */
	BYTES("\x94\x00\x01\xa4show\xdf\x3f\xff\xff\xff"), /* a map of 1,073,741,823 */
	BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"), /* deeper than anything we say */
	BYTES("\x94\x01\x01\xc0\x80"),                     /* a response nobody asked for */
	BYTES("\x93\x02\xa4show\x80"),                     /* a notification */
	BYTES("\x94\x00\x01\xa4show\xa1x"),                /* params that are no map */
	BYTES("\x94\x00\x01\xa0\x80"),                     /* no method */
	BYTES("\x94\x00\x01\xa5sh\0ow\x80"),               /* a NUL in it */
	BYTES("\x94\x00\xff\xa4show\x80"),                 /* a negative id */
	BYTES("\x95\x00\x01\xa4show\x80\x80"),             /* one value too many */
	BYTES("\x93\x00\x01\xa4show"),                     /* one too few */
	BYTES("\x85\x00\x00\x01\xa4show\x80\x00\x00\x00\x00\x00\x00"), /* a map, not an array */
};
/* clang-format on */
enum {
	NONSENSE = sizeof nonsense / sizeof nonsense[0]
};

START_TEST(nonsense_costs_its_sender_the_connection_and_nobody_else_anything)
{
	struct world world;

	world_open(&world, __func__);
	world_start(&world);
	for (size_t i = 0; i < NONSENSE; i++) {
		int fd = connect_raw(&world);
		struct pollfd readable = { .fd = fd, .events = POLLIN };
		char byte;

		ck_assert_int_eq(fd_write_all(fd, nonsense[i].bytes, nonsense[i].len), 0);
		ck_assert_msg(poll(&readable, 1, SOON_MS) == 1 && read(fd, &byte, 1) <= 0,
		    "number %zu is not hung up on", i);
		fd_close(&fd);
	}
	insist_on_service(&world);
	world_close(&world);
}
END_TEST

START_TEST(random_bytes_do_no_harm)
{
	struct world world;
	unsigned short seed[3] = { 4, 7, 11 };
	uint8_t bytes[4096];

	world_open(&world, __func__);
	world_start(&world);
	for (int turn = 0; turn < 300; turn++) {
		/* The head of a request, so that they get past the envelope. */
		static const char head[] = "\x94\x00\x01\xa6submit\x8c";
		int fd = connect_raw(&world);

		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)nrand48(seed);
		if (turn % 2 == 0)
			memcpy(bytes, head, sizeof head - 1);
		if (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
			shutdown(fd, SHUT_WR);
		read_to_hangup(fd);
		fd_close(&fd);
	}
	insist_on_service(&world);
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--json", "--all")), 0);
	world_close(&world);
}
END_TEST

START_TEST(half_a_request_keeps_nobody_waiting)
{
	struct world world;
	int fds[20];

	world_open(&world, __func__);
	world_start(&world);
	for (size_t i = 0; i < 20; i++) {
		fds[i] = connect_raw(&world);
		ck_assert_int_eq(fd_write_all(fds[i], "\x94\x00\x01\xa4sh", 6), 0);
	}
	insist_on_service(&world);
	ck_assert_int_eq(REEVE(&world, "run", "--", "true")->status, 0);
	for (size_t i = 0; i < 20; i++)
		fd_close(&fds[i]);
	world_close(&world);
}
END_TEST

START_TEST(half_a_request_and_then_silence_is_hung_up_on)
{
	struct world world;
	struct client follower;
	int half, begun, idle;
	bool is_error;

	world_open(&world, __func__);
	world_point(&world, "control.request_limit", "errno:ETIME");
	world_start(&world);
	idle = connect_raw(&world);
	world_connect(&world, &follower);
	world_call(&world, &follower, "watch", json_object(), &is_error);
	half = connect_raw(&world);
	begun = connect_raw(&world);
	ck_assert_int_eq(fd_write_all(half, "\x94\x00\x01\xa4sh", 6), 0);
	ck_assert_int_eq(fd_write_all(begun, "\x94\x00\x01\xa7version\x80\x94", 13), 0);
	ck_assert_uint_eq(read_to_hangup(half), 0);
	ck_assert_uint_gt(read_to_hangup(begun), 0); /* what was whole is answered */
	/* Who owes nothing may be silent. */
	world_call(&world, &follower, "unwatch", json_object(), &is_error);
	ck_assert(!is_error);
	ck_assert_int_eq(fd_write_all(idle, "\x94\x00\x01\xa7version\x80", 12), 0);
	ck_assert_int_eq(poll(&(struct pollfd){ .fd = idle, .events = POLLIN }, 1, SOON_MS), 1);
	ck_assert_int_gt(recv(idle, (char[64]){ 0 }, 64, 0), 0);
	insist_on_service(&world);
	client_fini(&follower);
	fd_close(&half);
	fd_close(&begun);
	fd_close(&idle);
	world_close(&world);
}
END_TEST

/* ---- too much of everything ---------------------------------------------------------------- */

/* What the supervisor holds in memory. */
static long
resident_kib(struct world *world)
{
	char path[64], *text = NULL;
	const char *line;
	size_t len;
	long kib;

	snprintf(path, sizeof path, "/proc/%d/status", (int)world_supervisor(world));
	ck_assert_int_eq(fd_read_file(AT_FDCWD, path, 64 * 1024, &text, &len), 0);
	line = strstr(text, "VmRSS:");
	ck_assert_ptr_nonnull(line);
	kib = strtol(line + 6, NULL, 10);
	free(text);
	return kib;
}

static size_t
count_fds(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* Each with labels of 8 KiB, which go out with every event. */
static json_t *
heavy_task(int number)
{
	char token[17], name[8], value[512];
	json_t *labels = json_object();

	snprintf(token, sizeof token, "task number %04d", number);
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	for (int i = 0; i < 16; i++) {
		snprintf(name, sizeof name, "label%d", i);
		json_object_set_new(labels, name, json_string(value));
	}
	return json_pack("{sss[s]so}", "token", token, "command", "true", "labels", labels);
}

START_TEST(a_client_that_never_reads_is_cut_off)
{
	struct world world;
	struct client client, deaf;
	bool is_error;
	long before_kib;
	json_t *reply;
	uint64_t last = 0;

	world_open(&world, __func__);
	world_start(&world);
	world_connect(&world, &deaf);
	world_call(&world, &deaf, "watch", json_object(), &is_error);
	ck_assert(!is_error);
	before_kib = resident_kib(&world);
	world_connect(&world, &client);
	for (int i = 0; i < 100; i++) {
		reply = world_call_with(&world, &client, "submit", heavy_task(i),
		    open("/", O_PATH | O_CLOEXEC), &is_error);
		ck_assert_msg(!is_error, "%s", doc_text(reply, "message"));
		last = (uint64_t)json_integer_value(doc_at(reply, "id"));
	}
	client_fini(&client);
	for (uint64_t id = 1; id <= last; id++)
		world_until(&world, id, "status", "completed");
	ck_assert_int_lt((int)(resident_kib(&world) - before_kib), FLAT_KIB);
	/* All that it gets is what the kernel held for it. */
	ck_assert_uint_lt(read_to_hangup(deaf.fd), 1024 * 1024);
	client_fini(&deaf);
	insist_on_service(&world);
	world_close(&world);
}
END_TEST

/* The service runs with few fds. */
static void
start_with_few_fds(struct world *world)
{
	struct rlimit few = { FD_LIMIT, FD_LIMIT };

	world_start(world);
	/* The next supervisor takes its keeper's limit. */
	ck_assert_int_eq(prlimit(world->keeper, RLIMIT_NOFILE, &few, NULL), 0);
	world_kill_supervisor(world);
	world_wait_served(world);
}

START_TEST(idle_clients_do_not_keep_the_others_out)
{
	struct world world;
	int fds[CROWD];

	world_open(&world, __func__);
	start_with_few_fds(&world);
	for (size_t i = 0; i < CROWD; i++)
		fds[i] = connect_raw(&world);
	for (int i = 0; i < 5; i++)
		insist_on_service(&world);
	ck_assert_int_eq(REEVE(&world, "run", "--", "true")->status, 0);
	ck_assert_uint_lt(count_fds(world_supervisor(&world)), FD_LIMIT);
	for (size_t i = 0; i < CROWD; i++)
		fd_close(&fds[i]);
	insist_on_service(&world);
	world_close(&world);
}
END_TEST

/* N connections of UID that follow everything. */
static void
watch_as(const struct world *world, uid_t uid, int *fds, size_t n)
{
	static const char watch[] = "\x94\x00\x01\xa5watch\x80";
	uid_t own = geteuid();

	ck_assert_int_eq(seteuid(uid), 0);
	for (size_t i = 0; i < n; i++) {
		fds[i] = connect_raw(world);
		/* Who is refused may be gone already. */
		(void)!send(fds[i], watch, sizeof watch - 1, MSG_NOSIGNAL);
	}
	ck_assert_int_eq(seteuid(own), 0);
}

START_TEST(one_user_s_followers_do_not_keep_the_others_out)
{
	struct world world;
	int fds[CROWD];

	if (geteuid() != 0)
		return; /* takes a second user */
	world_open(&world, __func__);
	start_with_few_fds(&world);
	watch_as(&world, WORLD_NOBODY, fds, CROWD);
	for (int i = 0; i < 5; i++)
		insist_on_service(&world);
	for (size_t i = 0; i < CROWD; i++)
		fd_close(&fds[i]);
	world_close(&world);
}
END_TEST

/* The messages in what FD says until COUNT have come: each must answer the next id. */
static void
expect_answers(int fd, uint32_t count)
{
	uint64_t deadline_ms = clock_boot_ms() + WORLD_PATIENCE_MS;
	struct walk walk;
	struct buf in;
	uint32_t next = 0;

	buf_init(&in, 4 * 1024 * 1024);
	walk_init(&walk, &client_limits);
	while (next < count) {
		struct rpc_msg msg;
		size_t used = 0, from = walk.pos;

		if (in.len > from && walk_feed(&walk, in.data + from, in.len - from, &used) == 1) {
			ck_assert_int_eq(rpc_parse(in.data, from + used, &msg), 0);
			ck_assert_int_eq(msg.type, RPC_RESPONSE);
			ck_assert_uint_eq(msg.id, next++);
			buf_consume(&in, from + used);
			walk_init(&walk, &client_limits);
		} else {
			ssize_t n = read(fd, buf_reserve(&in, 4096), 4096);

			ck_assert_msg(n > 0 && clock_boot_ms() < deadline_ms, "after %u", next);
			in.len += (size_t)n;
		}
	}
	buf_fini(&in);
}

START_TEST(a_thousand_requests_at_once_are_answered_in_order)
{
	struct world world;
	struct buf requests;
	int fd;

	world_open(&world, __func__);
	world_start(&world);
	fd = connect_raw(&world);
	buf_init(&requests, 1024 * 1024);
	for (int i = 0; i < 1000; i++) {
		const uint8_t request[] = { 0x94, 0x00, 0xcd, (uint8_t)(i >> 8), (uint8_t)i, 0xa4,
			's', 'h', 'o', 'w', 0x81, 0xa2, 'i', 'd', 0x01 };

		ck_assert_int_eq(buf_add(&requests, request, sizeof request), 0);
	}
	ck_assert_int_eq(fd_write_all(fd, requests.data, requests.len), 0);
	expect_answers(fd, 1000);
	buf_fini(&requests);
	fd_close(&fd);
	world_close(&world);
}
END_TEST

START_TEST(fds_that_nobody_asked_for_are_closed)
{
	static const char version[] = "\x94\x00\x01\xa7version\x80";
	struct world world;
	size_t before;
	int fds[4] = { STDIN_FILENO, STDIN_FILENO, STDIN_FILENO, STDIN_FILENO }, fd;

	world_open(&world, __func__);
	world_start(&world);
	fd = connect_raw(&world);
	insist_on_service(&world);
	before = count_fds(world_supervisor(&world));
	for (int i = 0; i < 50; i++) {
		ck_assert_int_gt(fd_send(fd, version, sizeof version - 1, fds, 4), 0);
		/* And beside half a request. */
		ck_assert_int_gt(fd_send(fd, version, 5, fds, 4), 0);
		ck_assert_int_gt(fd_send(fd, version + 5, sizeof version - 6, fds, 2), 0);
	}
	shutdown(fd, SHUT_WR);
	read_to_hangup(fd);
	fd_close(&fd);
	insist_on_service(&world);
	ck_assert_uint_le(count_fds(world_supervisor(&world)), before);
	world_close(&world);
}
END_TEST

/* Answers to nobody: the service must live with a client that is gone. */
START_TEST(a_client_that_leaves_at_once_does_no_harm)
{
	static const char submit[] = "\x94\x00\x01\xa6submit\x82\xa5token\xc4\x10"
				     "0123456789abcdef\xa4text\xa1x";
	static const char list[] = "\x94\x00\x01\xa4list\x80";
	struct world world;

	world_open(&world, __func__);
	world_start(&world);
	for (int i = 0; i < 200; i++) {
		int fd = connect_raw(&world);

		if (i % 2)
			ck_assert_int_eq(fd_write_all(fd, list, sizeof list - 1), 0);
		else
			ck_assert_int_eq(fd_write_all(fd, submit, sizeof submit - 1), 0);
		fd_close(&fd);
	}
	insist_on_service(&world);
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hostile");
	TCase *tcase = world_tcase(suite, "hostile");

	tcase_add_test(tcase, nonsense_costs_its_sender_the_connection_and_nobody_else_anything);
	tcase_add_test(tcase, random_bytes_do_no_harm);
	tcase_add_test(tcase, half_a_request_keeps_nobody_waiting);
	tcase_add_test(tcase, half_a_request_and_then_silence_is_hung_up_on);
	tcase_add_test(tcase, a_client_that_never_reads_is_cut_off);
	tcase_add_test(tcase, idle_clients_do_not_keep_the_others_out);
	tcase_add_test(tcase, one_user_s_followers_do_not_keep_the_others_out);
	tcase_add_test(tcase, a_thousand_requests_at_once_are_answered_in_order);
	tcase_add_test(tcase, fds_that_nobody_asked_for_are_closed);
	tcase_add_test(tcase, a_client_that_leaves_at_once_does_no_harm);
	return world_main(suite);
}
