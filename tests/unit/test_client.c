#include "ipc/client.h"

#include "tests/unit/canned.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static struct canned canned;
static struct client client;

static void
start(canned_fn fn)
{
	canned_start(&canned, fn, NULL);
	ck_assert_int_eq(client_init(&client, canned.path), 0);
	ck_assert_int_eq(client_connect(&client), 0);
}

static void
stop(void)
{
	client_fini(&client);
	canned_stop(&canned);
}

static int
send_request(const struct buf *request, uint32_t id, int timeout_ms, struct client_reply *ret_reply)
{
	struct client_call call = {
		.request = request, .id = id, .fd = -1, .timeout_ms = timeout_ms
	};

	return client_call(&client, &call, ret_reply);
}

/* Asks METHOD with {n: N}. */
static int
call(const char *method, uint64_t n, int fd, client_notify_fn on_notify, void *arg,
    struct client_reply *ret_reply)
{
	struct buf request;
	struct client_call call = { .request = &request,
		.fd = fd,
		.timeout_ms = 5000,
		.on_notify = on_notify,
		.arg = arg };
	msgpack_packer packer;
	int r;

	buf_init(&request, 2097152);
	client_begin(&client, &request, method, &call.id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_uint(&packer, "n", n);
	r = client_call(&client, &call, ret_reply);
	buf_fini(&request);
	return r;
}

static enum canned_then
echo(struct canned_call *call, void *arg)
{
	msgpack_packer packer;

	(void)arg;
	canned_result(call, &packer);
	msgpack_pack_object(&packer, *call->params);
	return CANNED_KEEP;
}

START_TEST(each_call_gets_its_own_answer)
{
	struct client_reply reply;

	start(echo);
	for (uint64_t n = 1; n < 300; n++) {
		ck_assert_int_eq(call("echo", n, -1, NULL, NULL, &reply), 0);
		ck_assert(!reply.is_error);
		ck_assert_uint_eq(mp_uint(mp_get(&reply.body, "n"), 0), n);
		client_reply_fini(&reply);
	}
	ck_assert_int_eq(atomic_load(&canned.connections), 1);
	stop();
}
END_TEST

static enum canned_then
refuse(struct canned_call *call, void *arg)
{
	(void)arg;
	rpc_put_error(call->out, call->msg->id, RPC_NOT_FOUND, "id", "no");
	return CANNED_KEEP;
}

START_TEST(an_error_is_an_answer_too)
{
	struct client_reply reply;

	start(refuse);
	ck_assert_int_eq(call("show", 1, -1, NULL, NULL, &reply), 0);
	ck_assert(reply.is_error);
	ck_assert(mp_str_is(mp_get(&reply.body, "code"), "not_found"));
	client_reply_fini(&reply);
	ck_assert_int_ge(client.fd, 0);
	stop();
}
END_TEST

static void
notify(struct canned_call *call, uint64_t n)
{
	msgpack_packer packer;

	rpc_begin_notification(call->out, "event");
	buf_packer(call->out, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_uint(&packer, "n", n);
}

static enum canned_then
notify_around(struct canned_call *call, void *arg)
{
	notify(call, 1);
	notify(call, 2);
	echo(call, arg);
	notify(call, 3);
	return CANNED_KEEP;
}

static void
on_notify(const char *method, const msgpack_object *params, void *arg)
{
	uint64_t *last = arg;

	ck_assert_str_eq(method, "event");
	ck_assert_uint_eq(mp_uint(mp_get(params, "n"), 0), *last + 1);
	(*last)++;
}

START_TEST(notifications_are_handed_over_in_order)
{
	struct client_reply reply;
	uint64_t last = 0;

	start(notify_around);
	ck_assert_int_eq(call("watch", 1, -1, on_notify, &last, &reply), 0);
	client_reply_fini(&reply);
	ck_assert_uint_eq(last, 2);
	ck_assert_int_eq(client_wait(&client, 5000, on_notify, &last), 1);
	ck_assert_uint_eq(last, 3);
	ck_assert_int_eq(client_wait(&client, 0, on_notify, &last), 0);
	ck_assert_int_ge(client.fd, 0);
	stop();
}
END_TEST

START_TEST(notifications_may_be_dropped)
{
	struct client_reply reply;

	start(notify_around);
	ck_assert_int_eq(call("watch", 1, -1, NULL, NULL, &reply), 0);
	client_reply_fini(&reply);
	ck_assert_int_eq(client_wait(&client, 5000, NULL, NULL), 1);
	stop();
}
END_TEST

static enum canned_then
hang_up(struct canned_call *call, void *arg)
{
	if (call->connection > 1)
		return echo(call, arg);
	return CANNED_HANG_UP;
}

START_TEST(after_a_lost_connection_the_same_request_can_be_sent_again)
{
	msgpack_packer packer;
	struct client_reply reply;
	struct buf request;
	uint32_t id;

	start(hang_up);
	buf_init(&request, 4096);
	client_begin(&client, &request, "echo", &id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 0);
	ck_assert_int_eq(send_request(&request, id, 5000, &reply), -ECONNRESET);
	ck_assert_int_eq(client.fd, -1);
	ck_assert_int_eq(send_request(&request, id, 5000, &reply), -ENOTCONN);
	ck_assert_int_eq(client_wait(&client, 0, NULL, NULL), -ENOTCONN);
	ck_assert_int_eq(client_connect(&client), 0);
	ck_assert_int_eq(send_request(&request, id, 5000, &reply), 0);
	client_reply_fini(&reply);
	buf_fini(&request);
	stop();
}
END_TEST

static enum canned_then
stay_silent(struct canned_call *call, void *arg)
{
	(void)call;
	(void)arg;
	return CANNED_KEEP;
}

START_TEST(a_silent_service_costs_the_connection)
{
	struct client_reply reply;
	msgpack_packer packer;
	struct buf request;
	uint32_t id;

	start(stay_silent);
	buf_init(&request, 4096);
	client_begin(&client, &request, "echo", &id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 0);
	ck_assert_int_eq(send_request(&request, id, 20, &reply), -ETIMEDOUT);
	ck_assert_int_eq(client.fd, -1);
	buf_fini(&request);
	stop();
}
END_TEST

static enum canned_then
talk_nonsense(struct canned_call *call, void *arg)
{
	static const char *const nonsense[] = {
		"\xc1",                  /* the reserved byte */
		"\xa5hello",             /* no message at all */
		"\xdd\xff\xff\xff\xff",  /* an array of four thousand million */
		"\x93\x02\xa4want\xc1",  /* a notification with a broken value */
		"\x94\x01\x01\xa2no\xc0" /* an error that is no map */
	};
	uint64_t n = mp_uint(mp_get(call->params, "n"), 0);

	(void)arg;
	buf_add(call->out, nonsense[n], strlen(nonsense[n]));
	return CANNED_KEEP;
}

START_TEST(nonsense_costs_the_connection)
{
	struct client_reply reply;
	uint64_t last = 0;
	int r;

	start(talk_nonsense);
	r = call("echo", (uint64_t)_i, -1, on_notify, &last, &reply);
	ck_assert(r == -EBADMSG || r == -EMSGSIZE);
	ck_assert_int_eq(client.fd, -1);
	stop();
}
END_TEST

static enum canned_then
answer_at_length(struct canned_call *call, void *arg)
{
	enum {
		VALUES = 100 * 1000
	};
	msgpack_packer packer;

	(void)arg;
	canned_result(call, &packer);
	msgpack_pack_array(&packer, VALUES);
	for (uint64_t i = 0; i < VALUES; i++)
		msgpack_pack_uint64(&packer, i);
	return CANNED_KEEP;
}

START_TEST(an_answer_may_be_larger_than_a_request)
{
	struct client_reply reply;

	start(answer_at_length);
	ck_assert_int_eq(call("list", 1, -1, NULL, NULL, &reply), 0);
	ck_assert_uint_eq(reply.body.via.array.size, 100000);
	ck_assert_uint_eq(mp_uint(&reply.body.via.array.ptr[99999], 0), 99999);
	client_reply_fini(&reply);
	stop();
}
END_TEST

static enum canned_then
identify_fd(struct canned_call *call, void *arg)
{
	struct stat stat = { 0 };
	msgpack_packer packer;

	(void)arg;
	if (call->passed_fd >= 0)
		fstat(call->passed_fd, &stat);
	canned_result(call, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_uint(&packer, "inode", stat.st_ino);
	return CANNED_KEEP;
}

START_TEST(a_directory_goes_along)
{
	int fd = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct client_reply reply;
	struct stat stat;

	ck_assert_int_eq(fstat(fd, &stat), 0);
	start(identify_fd);
	ck_assert_int_eq(call("submit", 1, fd, NULL, NULL, &reply), 0);
	ck_assert_uint_eq(mp_uint(mp_get(&reply.body, "inode"), 0), stat.st_ino);
	client_reply_fini(&reply);
	ck_assert_int_eq(call("submit", 1, -1, NULL, NULL, &reply), 0);
	ck_assert_uint_eq(mp_uint(mp_get(&reply.body, "inode"), 1), 0);
	client_reply_fini(&reply);
	fd_close(&fd);
	stop();
}
END_TEST

static enum canned_then
count_bytes(struct canned_call *call, void *arg)
{
	const msgpack_object *text = mp_get(call->params, "text");
	msgpack_packer packer;

	(void)arg;
	canned_result(call, &packer);
	msgpack_pack_map(&packer, 1);
	pack_kv_uint(&packer, "bytes", text ? text->via.str.size : 0);
	return CANNED_KEEP;
}

START_TEST(a_request_larger_than_the_socket_takes_at_once_is_sent_whole)
{
	enum {
		BYTES = 900 * 1000
	};
	struct client_reply reply;
	msgpack_packer packer;
	struct buf request;
	char *text = malloc(BYTES);
	uint32_t id;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', BYTES);
	start(count_bytes);
	buf_init(&request, 1048576);
	client_begin(&client, &request, "submit", &id);
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, 1);
	pack_str(&packer, "text");
	msgpack_pack_str(&packer, BYTES);
	msgpack_pack_str_body(&packer, text, BYTES);
	ck_assert_int_eq(send_request(&request, id, 5000, &reply), 0);
	ck_assert_uint_eq(mp_uint(mp_get(&reply.body, "bytes"), 0), BYTES);
	client_reply_fini(&reply);
	buf_fini(&request);
	free(text);
	stop();
}
END_TEST

START_TEST(a_request_that_could_not_be_packed_is_not_sent)
{
	struct client_reply reply;
	struct buf request;
	uint32_t id;

	start(echo);
	buf_init(&request, 4);
	client_begin(&client, &request, "submit", &id);
	ck_assert_int_eq(send_request(&request, id, 5000, &reply), -EMSGSIZE);
	ck_assert_int_ge(client.fd, 0);
	buf_fini(&request);
	stop();
}
END_TEST

START_TEST(the_environment_names_the_socket)
{
	char *path;

	setenv("REEVE_SOCKET", "/somewhere/else.sock", 1);
	path = client_default_path();
	ck_assert_str_eq(path, "/somewhere/else.sock");
	free(path);
	unsetenv("REEVE_SOCKET");
	path = client_default_path();
	if (geteuid() == 0)
		ck_assert_str_eq(path, "/run/reeve/control.sock");
	free(path);
}
END_TEST

/* As an ordinary user: the first socket that is there; where none is, the user's own place. */
START_TEST(a_user_finds_the_socket_that_is_there)
{
	char dir[] = "/tmp/reeve-client-XXXXXX", state[96], made[128], *path;
	int fd;

	if (access("/run/reeve/control.sock", F_OK) == 0)
		return; /* a real service would be found */
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
	unsetenv("REEVE_SOCKET");
	snprintf(state, sizeof state, "%s/state", dir);
	setenv("XDG_RUNTIME_DIR", dir, 1);
	setenv("XDG_STATE_HOME", state, 1);
	snprintf(made, sizeof made, "%s/reeve/run", state);
	ck_assert_int_eq(fd_mkdir_all(made, 0755), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(65534, 65534, 0), 0);
	path = client_default_path();
	snprintf(made, sizeof made, "%s/reeve/control.sock", dir);
	ck_assert_str_eq(path, made);
	free(path);
	ck_assert_int_eq(seteuid(getuid() == 65534 ? 0 : getuid()), 0);
	snprintf(made, sizeof made, "%s/reeve/run/control.sock", state);
	fd = open(made, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	close(fd);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	path = client_default_path();
	ck_assert_str_eq(path, made);
	free(path);
	ck_assert_int_eq(seteuid(getuid() == 65534 ? 0 : getuid()), 0);
	fd_remove_tree(AT_FDCWD, dir);
}
END_TEST

START_TEST(tokens_begin_with_the_time_and_are_never_the_same)
{
	uint8_t one[16], two[16];

	ck_assert_int_eq(client_draw_token(one), 0);
	ck_assert_int_eq(client_draw_token(two), 0);
	ck_assert_int_le(memcmp(one, two, 6), 0);
	ck_assert_uint_ne(one[0] | one[1] | one[2], 0);
	ck_assert_int_ne(memcmp(one + 6, two + 6, 10), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client");
	TCase *calls = tcase_create("calls");

	tcase_add_test(calls, each_call_gets_its_own_answer);
	tcase_add_test(calls, an_error_is_an_answer_too);
	tcase_add_test(calls, notifications_are_handed_over_in_order);
	tcase_add_test(calls, notifications_may_be_dropped);
	tcase_add_test(calls, after_a_lost_connection_the_same_request_can_be_sent_again);
	tcase_add_test(calls, a_silent_service_costs_the_connection);
	tcase_add_loop_test(calls, nonsense_costs_the_connection, 0, 5);
	tcase_add_test(calls, an_answer_may_be_larger_than_a_request);
	tcase_add_test(calls, a_directory_goes_along);
	tcase_add_test(calls, a_request_larger_than_the_socket_takes_at_once_is_sent_whole);
	tcase_add_test(calls, a_request_that_could_not_be_packed_is_not_sent);
	tcase_add_test(calls, the_environment_names_the_socket);
	tcase_add_test(calls, a_user_finds_the_socket_that_is_there);
	tcase_add_test(calls, tokens_begin_with_the_time_and_are_never_the_same);
	suite_add_tcase(suite, calls);
	return run_suite(suite);
}
