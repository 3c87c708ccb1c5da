/* Who talks to the service may be broken or mean harm: he alone pays for it. */
#include "tests/integ/world.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <errno.h>
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

		ck_assert_msg(now_ms < deadline_ms &&
				  poll(&readable, 1, (int)(deadline_ms - now_ms)) == 1,
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

#define BYTES(text) \
 { \
  (text), sizeof(text) - 1 \
 }
static const struct {
	const char *bytes;
	size_t len;
} nonsense[] = {
	BYTES("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	BYTES("\xc1"),                                /* the byte that is reserved */
	BYTES("\xdd\xff\xff\xff\xff"),                /* an array of 4,294,967,295 */
	BYTES("\x94\x00\x01\xdb\x40\x00\x00\x00"),    /* a method's name of 1 GB */
	BYTES("\x94\x00\x01\xa4show\xc6\x40\x00\x00\x00"), /* params of 1 GB */
	BYTES("\x94\x00\x01\xa4show\xdf\x3f\xff\xff\xff"), /* a map of 1,073,741,823 */
	BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"),
	BYTES("\x94\x01\x01\xc0\x80"),         /* a response nobody asked for */
	BYTES("\x93\x02\xa4show\x80"),         /* a notification */
	BYTES("\x94\x00\x01\xa4show\xa1x"),    /* params that are no map */
	BYTES("\x94\x00\x01\xa0\x80"),         /* no method */
	BYTES("\x94\x00\x01\xa5sh\0ow\x80"),   /* a NUL in it */
	BYTES("\x94\x00\xff\xa4show\x80"),     /* a negative id */
	BYTES("\x95\x00\x01\xa4show\x80\x80"), /* one value too many */
	BYTES("\x93\x00\x01\xa4show"),         /* one too few */
	BYTES("\x84\x00\x01\xa4show\x80\x00\x00\x00\x00"), /* a map, not an array */
};
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

/* ---- requests that are wrong ---------------------------------------------------------- */

static const struct wrong {
	const char *method, *params, *code, *field;
} wrongs[] = {
	{ "frobnicate", "{}", "unknown_method", NULL },
	{ "show", "{}", "not_found", "id" },
	{ "show", "{\"id\": 4711}", "not_found", "id" },
	{ "show", "{\"id\": \"one\"}", "invalid", "id" },
	{ "show", "{\"id\": -1}", "invalid", "id" },
	{ "show", "{\"id\": 1.5}", "invalid", "id" },
	{ "show", "{\"id\": [1]}", "invalid", "id" },
	{ "show", "{\"id\": 1, \"tiemout\": 7}", "invalid", "tiemout" },
	{ "show", "{\"id\": {\"a\": {\"b\": {\"c\": {}}}}}", "invalid", "id" },
	{ "events", "{\"id\": 1, \"limit\": 1000000000}", "invalid", "limit" },
	{ "list", "{\"limit\": 1000000000}", "invalid", "limit" },
	{ "list", "{\"states\": [1, 2]}", "invalid", "states" },
	{ "list", "{\"labels\": {\"a\": 7}}", "invalid", "labels" },
	{ "list", "{\"active\": \"yes\"}", "invalid", "active" },
	{ "log", "{\"id\": 1, \"step\": 1000}", "invalid", "step" },
	{ "watch", "{\"ids\": \"all\"}", "invalid", "ids" },
	{ "watch", "{\"ids\": [0]}", "invalid", "ids" },
	{ "watch", "{\"ids\": [-7]}", "invalid", "ids" },
	{ "cancel", "{\"id\": 4711}", "not_found", "id" },
	{ "cancel", "{\"id\": true}", "invalid", "id" },
	{ "keep", "{\"id\": 4711}", "not_found", "id" },
	{ "submit", "{}", "invalid", "token" },
	{ "submit", "{\"token\": \"short\", \"command\": [\"true\"]}", "invalid", "token" },
	{ "submit", "{\"token\": \"seventeen bytes!!\", \"command\": [\"true\"]}", "invalid",
	    "token" },
	{ "submit", "{\"token\": \"token of 16 byte\"}", "invalid", "recipe" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"command\": []}", "invalid", "recipe" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"command\": [\"\"]}", "invalid",
	    "command" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"command\": \"true\"}", "invalid",
	    "command" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"command\": [\"true\"]}", "invalid",
	    "cwd" },
	{ "submit",
	    "{\"token\": \"token of 16 byte\", \"command\": [\"true\"], \"recipe\": \"try-it\"}",
	    "invalid", "recipe" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"recipe\": \"no-such-recipe\"}",
	    "not_found", "recipe" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"recipe\": \"../../../etc/passwd\"}",
	    "not_found", "recipe" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"text\": \"\"}", "invalid", "recipe" },
	{ "submit",
	    "{\"token\": \"token of 16 byte\", \"command\": [\"true\"], \"env\": {\"A=B\": \"\"}}",
	    "invalid", "env" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"command\": [\"true\"], \"umask\": 4096}",
	    "invalid", "umask" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"command\": [\"true\"], \"uid\": 0}",
	    "invalid", "uid" },
	{ "submit", "{\"token\": \"token of 16 byte\", \"command\": [\"true\"], \"run_as\": \"root\"}",
	    "invalid", "run_as" },
};

START_TEST(a_wrong_request_is_told_what_is_wrong_with_it)
{
	struct world world;
	struct client client;
	bool is_error;

	world_open(&world, __func__);
	world_start(&world);
	world_connect(&world, &client);
	for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
		const struct wrong *wrong = &wrongs[i];
		json_t *params = json_loads(wrong->params, 0, NULL), *error;

		ck_assert_ptr_nonnull(params);

		error = world_call(&world, &client, wrong->method, params, &is_error);
		ck_assert_msg(is_error && strcmp(doc_text(error, "code"), wrong->code) == 0,
		    "%s %s: %s", wrong->method, wrong->params, doc_text(error, ""));
		ck_assert_msg(
		    strcmp(doc_text(error, "field"), wrong->field ? wrong->field : "null") == 0,
		    "%s %s: %s", wrong->method, wrong->params, doc_text(error, ""));
		if (wrong->field && strcmp(wrong->code, "invalid") == 0)
			ck_says(doc_text(error, "message"), wrong->field);
		ck_has(error, "message");
	}
	/* The connection it came over is still good. */
	world_call(&world, &client, "version", json_object(), &is_error);
	ck_assert(!is_error);
	client_fini(&client);
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
	tcase_add_test(tcase, a_wrong_request_is_told_what_is_wrong_with_it);
	return world_main(suite);
}
