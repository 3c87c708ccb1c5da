/*
 * tests/unit/commands_kit.h - the methods of the control socket on a real socket, store and roster;
 * without slots, so that nothing is ever started. Included by one test program at a time, so it is
 * all here.
 */
#ifndef TESTS_UNIT_COMMANDS_KIT_H
#define TESTS_UNIT_COMMANDS_KIT_H

#include "supervisor/commands/commands.h"

#include "ipc/fd.h"
#include "ipc/json.h"
#include "supervisor/commands/watch.h"
#include "tests/unit/documents.h"
#include "tests/unit/store_world.h"

#include <fcntl.h>
#include <sys/socket.h>

enum {
	FIRST_ID = 101, /* of what is submitted; rows of before are below */
	SAID_MAX = 256 * 1024
};

static struct supervisor supervisor;
static struct strs recipes;
static int listener = -1, client = -1;
static bool as_admin;
static struct buf incoming;
static uint32_t last_request;
static char said[SAID_MAX];  /* the last answer: a result, or an error */
static bool failed;          /* it is an error */
static char heard[SAID_MAX]; /* notifications since `heard` was emptied, a line each */

static bool
kit_is_admin(const struct peer *peer, void *arg)
{
	(void)peer;
	(void)arg;
	return as_admin;
}

static void
kit_turn(struct conn *conn, void *arg)
{
	watch_go_on(conn, arg);
}

static void
kit_closed(struct conn *conn, void *arg)
{
	(void)arg;
	watch_forget(conn);
}

/* The loop is the test's to end. */
static void
kit_stopper(struct ev_loop *loop, ev_prepare *watcher, int revents)
{
	(void)loop;
	(void)watcher;
	(void)revents;
}

static void
kit_dead_store(int error, void *arg)
{
	(void)arg;
	ck_abort_msg("the store died: %s", strerror(-error));
}

static void
kit_stop_client(void)
{
	fd_close(&client);
	buf_clear(&incoming);
}

/* Comes back as an administrator, or as one who is none. */
static void
come_back(bool admin)
{
	kit_stop_client();
	as_admin = admin;
	client = fd_unix_connect(world_path("sock"));
	ck_assert_int_ge(client, 0);
}

static void
kit_start_threads(struct ev_loop *loop)
{
	ck_assert_int_eq(
	    committer_start(&supervisor.committer, loop, store, kit_dead_store, NULL), 0);
	ck_assert_int_eq(jobs_start(&supervisor.files, loop, "files"), 0);
	ck_assert_int_eq(jobs_start(&supervisor.kills, loop, "kills"), 0);
	ck_assert_int_eq(jobs_start(&supervisor.names, loop, "names"), 0);
	ck_assert_int_eq(jobs_start(&supervisor.removals, loop, "removals"), 0);
	ck_assert_int_eq(people_new(&supervisor.names, &supervisor.people), 0);
}

static void
kit_start_roster(struct ev_loop *loop)
{
	const struct roster_listener listens = { watch_event, watch_news, &supervisor };
	struct roster_env env = { .loop = loop,
		.user_tasks = UINT64_MAX,
		.store = store,
		.committer = &supervisor.committer,
		.files = &supervisor.files,
		.removals = &supervisor.removals,
		.kills = &supervisor.kills,
		.cgroups = supervisor.cgroups,
		.vault = &supervisor.vault,
		.state_dir = world_dir,
		.attempts_fd = supervisor.attempts_fd,
		.retention = { 1000, 2000, 2000, 2000, UINT64_MAX, UINT64_MAX } };

	ck_assert_int_eq(roster_init(&supervisor.roster, &env, &listens), 0);
	ev_timer_stop(loop, &supervisor.roster.retention); /* rows of tests are old */
	supervisor.roster.last_id = FIRST_ID - 1;
}

static void
set_up(void)
{
	const struct control_handler handler = { .request = commands_call,
		.turn = kit_turn,
		.closed = kit_closed,
		.is_admin = kit_is_admin,
		.arg = &supervisor };

	world_begin();
	setenv("REEVE_CGROUPS", "off", 1);
	ck_assert_int_eq(mkdir(world_path("recipes"), 0755), 0);
	ck_assert_int_eq(mkdir(world_path("attempts"), 0700), 0);
	supervisor = (struct supervisor){ .settings.flags.state_dir = world_dir,
		.settings.flags.run_dir = world_dir,
		.store = store,
		.loop = ev_loop_new(EVFLAG_AUTO) };
	supervisor.attempts_fd = open(world_path("attempts"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(strs_add(&recipes, world_path("recipes")), 0);
	ck_assert_int_eq(vault_open(&supervisor.vault, -1), 0);
	ck_assert_int_eq(cgroups_open("commands", &supervisor.cgroups), 0);
	ck_assert_int_eq(recipe_library_init(&supervisor.library, NULL, &recipes), 0);
	kit_start_threads(supervisor.loop);
	kit_start_roster(supervisor.loop);
	listener = fd_unix_listen(world_path("sock"), 0600, 16);
	ck_assert_int_eq(
	    control_start(&supervisor.control, supervisor.loop, listener, &handler), 0);
	ev_prepare_init(&supervisor.stopper, kit_stopper);
	buf_init(&incoming, 8 * 1024 * 1024);
	heard[0] = '\0';
	come_back(true);
}

static void
tear_down(void)
{
	kit_stop_client();
	control_stop(&supervisor.control);
	jobs_stop(&supervisor.names);
	jobs_stop(&supervisor.files);
	jobs_stop(&supervisor.kills);
	jobs_stop(&supervisor.removals);
	committer_stop(&supervisor.committer);
	roster_fini(&supervisor.roster);
	people_free(supervisor.people);
	recipe_library_fini(&supervisor.library);
	strs_free(&recipes);
	cgroups_close(supervisor.cgroups);
	ev_loop_destroy(supervisor.loop);
	fd_close(&supervisor.attempts_fd);
	vault_close(&supervisor.vault);
	fd_close(&listener);
	buf_fini(&incoming);
	world_close();
}

/* ---- asking ---------------------------------------------------------------------- */

static void
kit_write(const struct rpc_slice *value, char *text)
{
	struct mp_doc doc;
	struct buf json;

	buf_init(&json, SAID_MAX - 2);
	ck_assert_int_eq(mp_parse(&doc, value->data, value->len, &walk_store_limits), 0);
	ck_assert_int_eq(json_write(&json, &doc.root, JSON_COMPACT), 0);
	memcpy(text, json.data, json.len);
	text[json.len] = '\0';
	mp_free(&doc);
	buf_fini(&json);
}

/* True when the message was the answer to the last request; a notification is noted. */
static bool
kit_take(const struct rpc_msg *msg)
{
	size_t len = strlen(heard);

	if (msg->type == RPC_NOTIFICATION) {
		ck_assert_uint_lt(len, SAID_MAX / 2);
		kit_write(&msg->params, heard + len);
		strcat(heard, "\n");
		return false;
	}
	ck_assert_int_eq(msg->type, RPC_RESPONSE);
	ck_assert_uint_eq(msg->id, last_request);
	failed = msg->error.len != 1 || *msg->error.data != 0xc0;
	kit_write(failed ? &msg->error : &msg->result, said);
	return true;
}

static bool
kit_take_next(void)
{
	struct walk walk;
	struct rpc_msg msg;
	size_t used = 0;
	bool is_answer;

	walk_init(&walk, &walk_store_limits);
	if (incoming.len == 0 || walk_feed(&walk, incoming.data, incoming.len, &used) != 1)
		return false;
	ck_assert_int_eq(rpc_parse(incoming.data, used, &msg), 0);
	is_answer = kit_take(&msg);
	buf_consume(&incoming, used);
	return is_answer || kit_take_next();
}

static bool
kit_receive(void)
{
	uint8_t *room = buf_reserve(&incoming, 64 * 1024);
	ssize_t n = recv(client, room, 64 * 1024, MSG_DONTWAIT);

	ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN), "it has hung up");
	incoming.len += n > 0 ? (size_t)n : 0;
	return kit_take_next();
}

/* Sends and waits for the answer. FD: -1 for none. */
static void
kit_call(struct buf *request, int fd)
{
	ck_assert_int_eq(buf_error(request), 0);
	ck_assert_int_eq(fd_send(client, request->data, request->len, &fd, fd >= 0 ? 1 : 0),
	    (ssize_t)request->len);
	buf_fini(request);
	while (!kit_receive()) /* the test's timeout */
		ev_run(supervisor.loop, EVRUN_ONCE);
}

/* PARAMS as JSON. */
static void
ask(const char *method, const char *params)
{
	struct buf request;

	buf_init(&request, 2 * 1024 * 1024);
	rpc_begin_request(&request, ++last_request, method);
	document_append(&request, params);
	kit_call(&request, -1);
}

/* submit, with a token that begins with SEED; PARAMS as JSON, an object; FD: -1 for none. */
static inline void
submit(uint64_t seed, const char *params, int fd)
{
	json_t *json = json_loads(params, 0, NULL);
	msgpack_packer packer;
	struct buf request;
	uint8_t token[16];

	ck_assert_ptr_nonnull(json);
	world_token(token, seed);
	buf_init(&request, 2 * 1024 * 1024);
	rpc_begin_request(&request, ++last_request, "submit");
	buf_packer(&request, &packer);
	msgpack_pack_map(&packer, json_object_size(json) + 1);
	pack_str(&packer, "token");
	msgpack_pack_bin(&packer, sizeof token);
	msgpack_pack_bin_body(&packer, token, sizeof token);
	for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at)) {
		pack_str(&packer, json_object_iter_key(at));
		document_pack(&packer, json_object_iter_value(at));
	}
	json_decref(json);
	kit_call(&request, fd);
}

/* A command that waits in the queue; its id is the next. */
static inline void
submit_command(uint64_t seed)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	submit(seed, "{\"command\": [\"true\"]}", fd);
	fd_close(&fd);
	ck_assert_msg(!failed, "%s", said);
}

/* ---- what was said --------------------------------------------------------------- */

static void
says(const char *part)
{
	ck_assert_msg(!failed && strstr(said, part), "no %s in %s", part, said);
}

static inline void
says_not(const char *part)
{
	ck_assert_msg(!failed && !strstr(said, part), "%s in %s", part, said);
}

/* The last request failed with CODE, for FIELD (NULL: for none). */
static inline void
is_refused(const char *code, const char *field)
{
	char wanted[128];

	snprintf(wanted, sizeof wanted, "\"code\":\"%s\"", code);
	ck_assert_msg(failed && strstr(said, wanted), "not %s: %s", code, said);
	snprintf(wanted, sizeof wanted, "\"field\":\"%s\"", field ? field : "");
	ck_assert_msg(
	    field ? strstr(said, wanted) != NULL : !strstr(said, "\"field\":\""), "%s", said);
}

/* ---- rows of before ----------------------------------------------------------------- */

enum {
	STRANGER = 12345 /* added to the caller's uid */
};

/* An ended task of UID in the store: "unix:somebody", one attempt. */
static inline void
put_ended(uint64_t id, uint64_t uid, enum task_state state)
{
	struct record record;

	world_record(&record, id, uid);
	record.state = state;
	record.ended_ms = record.created_ms + 1000;
	record.attempt.number = 1;
	record.attempt.closed = true;
	world_put(&record);
	codec_free(&record_codec, &record);
}

static inline TCase *
tests_of(const char *name)
{
	TCase *tests = tcase_create(name);

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 30);
	return tests;
}

#endif
