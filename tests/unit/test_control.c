#include "supervisor/control.h"

#include "tests/unit/control_kit.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what clients may do ------------------------------------------------------------------- */

START_TEST(a_request_is_answered)
{
	int fd = connect_one();
	uint8_t data[64];
	struct rpc_msg msg;
	ssize_t n;

	ask(fd, "echo", 1);
	pump_until(echoes == 1);
	n = read(fd, data, sizeof data);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(rpc_parse(data, (size_t)n, &msg), 0);
	ck_assert_int_eq(msg.type, RPC_RESPONSE);
	ck_assert_uint_eq(msg.id, 7);
	ck_assert_uint_eq(control_find(&control, last_serial)->pending, 0);
	fd_close(&fd);
	pump_until(closed == 1);
	ck_assert_ptr_null(control_find(&control, last_serial));
	ck_assert_uint_eq(control.nconns, 0);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
	int fd = connect_one();
	struct buf out;

	buf_init(&out, 1024);
	add_request(&out, "echo");
	for (size_t i = 0; i < out.len; i++) {
		ck_assert_uint_eq(requests, 0);
		ck_assert_int_eq(write(fd, out.data + i, 1), 1);
		ev_run(loop, EVRUN_ONCE);
	}
	pump_until(requests == 1);
	buf_fini(&out);
	fd_close(&fd);
}
END_TEST

START_TEST(many_requests_at_once_let_others_have_their_turn)
{
	int many = connect_one(), one = connect_one();
	unsigned before;

	ask(many, "echo", 500);
	pump_until(requests > 0);
	ck_assert_uint_lt(requests, 500);
	ask(one, "later", 1);
	before = echoes;
	pump_until(requests > echoes);
	ck_assert_uint_lt(echoes - before, 400);
	pump_until(requests == 501);
	fd_close(&many);
	fd_close(&one);
}
END_TEST

START_TEST(an_fd_comes_with_its_request_and_the_rest_are_closed)
{
	int fd = connect_one();
	const int fds[] = { STDERR_FILENO, STDERR_FILENO, scratch_fd };
	size_t before = scratch_count_fds();
	struct buf out;

	buf_init(&out, 1024);
	add_request(&out, "echo");
	ck_assert_int_gt(fd_send(fd, out.data, out.len, fds, 3), 0);
	pump_until(requests == 1);
	ck_assert_uint_eq(fds_seen, 1);
	ck_assert_uint_eq(scratch_count_fds(), before);
	/* One that is passed with half a request is kept for it, or goes with the connection. */
	ck_assert_int_gt(fd_send(fd, out.data, 2, fds, 3), 0);
	fd_close(&fd);
	pump_until(closed == 1);
	ck_assert_uint_eq(requests, 1);
	ck_assert_uint_eq(scratch_count_fds(), before - 2);
	buf_fini(&out);
}
END_TEST

/* Two directories, told apart by their numbers. */
static int dirs[2];
static ino_t numbers[2];

static void
open_dirs(void)
{
	static const char *const names[2] = { "/", "/proc" };

	for (int i = 0; i < 2; i++) {
		struct stat st;

		dirs[i] = open(names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(dirs[i], 0);
		ck_assert_int_eq(fstat(dirs[i], &st), 0);
		numbers[i] = st.st_ino;
	}
	ck_assert_uint_ne(numbers[0], numbers[1]);
}

static void
close_dirs(void)
{
	fd_close(&dirs[0]);
	fd_close(&dirs[1]);
}

START_TEST(an_fd_is_that_of_the_request_it_was_sent_with)
{
	int fd = connect_one();
	struct buf out;

	open_dirs();
	buf_init(&out, 1024);
	add_request(&out, "later");
	/* All of it is there before the first is read. */
	ck_assert_int_gt(fd_send(fd, out.data, out.len, NULL, 0), 0);
	ck_assert_int_gt(fd_send(fd, out.data, out.len, &dirs[0], 1), 0);
	ck_assert_int_gt(fd_send(fd, out.data, out.len, NULL, 0), 0);
	ck_assert_int_gt(fd_send(fd, out.data, out.len, &dirs[1], 1), 0);
	pump_until(requests == 4);
	ck_assert_uint_eq(passed[0], 0);
	ck_assert_uint_eq(passed[1], numbers[0]);
	ck_assert_uint_eq(passed[2], 0);
	ck_assert_uint_eq(passed[3], numbers[1]);
	buf_fini(&out);
	fd_close(&fd);
	close_dirs();
}
END_TEST

START_TEST(an_fd_sent_with_two_requests_is_that_of_the_second)
{
	int fd = connect_one();
	struct buf out;

	open_dirs();
	buf_init(&out, 1024);
	add_request(&out, "later");
	add_request(&out, "later");
	ck_assert_int_gt(fd_send(fd, out.data, out.len, dirs, 2), 0);
	pump_until(requests == 2);
	ck_assert_uint_eq(passed[0], 0);
	ck_assert_uint_eq(passed[1], numbers[1]); /* one a request: the last */
	buf_fini(&out);
	fd_close(&fd);
	close_dirs();
}
END_TEST

START_TEST(half_a_request_keeps_its_fd_when_the_next_brings_another)
{
	int fd = connect_one();
	struct buf out;

	open_dirs();
	buf_init(&out, 1024);
	add_request(&out, "later");
	ck_assert_int_gt(fd_send(fd, out.data, 3, &dirs[0], 1), 0);
	pump_until(control.conns->in.len == 3);
	/* Both of these come with one receive. */
	ck_assert_int_gt(fd_send(fd, out.data + 3, out.len - 3, NULL, 0), 0);
	ck_assert_int_gt(fd_send(fd, out.data, out.len, &dirs[1], 1), 0);
	pump_until(requests == 2);
	ck_assert_uint_eq(passed[0], numbers[0]);
	ck_assert_uint_eq(passed[1], numbers[1]);
	/* Of two that come with the same request the later counts. */
	ck_assert_int_gt(fd_send(fd, out.data, 3, &dirs[0], 1), 0);
	pump_until(control.conns->in.len == 3);
	ck_assert_int_gt(fd_send(fd, out.data + 3, 3, &dirs[1], 1), 0);
	pump_until(control.conns->in.len == 6);
	ck_assert_int_gt(fd_send(fd, out.data + 6, out.len - 6, NULL, 0), 0);
	pump_until(requests == 3);
	ck_assert_uint_eq(passed[2], numbers[1]);
	buf_fini(&out);
	fd_close(&fd);
	close_dirs();
}
END_TEST

START_TEST(an_fd_waits_with_its_request_while_too_many_are_asked)
{
	int fd = connect_one();
	struct buf out;

	open_dirs();
	ask(fd, "later", CONN_MAX_PENDING);
	buf_init(&out, 1024);
	add_request(&out, "later");
	ck_assert_int_gt(fd_send(fd, out.data, out.len, &dirs[0], 1), 0);
	pump_until(requests == CONN_MAX_PENDING);
	for (unsigned i = 0; i < CONN_MAX_PENDING; i++)
		answer(last_conn, 7, 5);
	pump_until(requests == CONN_MAX_PENDING + 1);
	ck_assert_uint_eq(fds_seen, 1);
	ck_assert_uint_eq(passed[CONN_MAX_PENDING % 8], numbers[0]);
	buf_fini(&out);
	fd_close(&fd);
	close_dirs();
}
END_TEST

START_TEST(answers_to_the_dead_are_ignored)
{
	int fd = connect_one();
	struct conn *conn;

	ask(fd, "later", 1);
	pump_until(requests == 1);
	conn = control_find(&control, last_serial);
	ck_assert_ptr_eq(conn, last_conn);
	fd_close(&fd);
	while (closed == 0)
		ev_run(loop, EVRUN_ONCE);
	if (control.nconns > 0) /* not freed before the loop turns */
		answer(conn, 7, 5);
	ck_assert_ptr_null(control_find(&control, last_serial));
}
END_TEST

static void
count(struct conn *conn, void *arg)
{
	ck_assert(!conn->is_dead);
	++*(unsigned *)arg;
}

START_TEST(each_living_connection_is_visited)
{
	int fds[3] = { connect_one(), connect_one(), connect_one() };
	unsigned n = 0;

	control_each(&control, count, &n);
	ck_assert_uint_eq(n, 3);
	fd_close(&fds[1]);
	pump_until(closed == 1);
	n = 0;
	control_each(&control, count, &n);
	ck_assert_uint_eq(n, 2);
	fd_close(&fds[0]);
	fd_close(&fds[2]);
}
END_TEST

/* ---- what they may not ------------------------------------------------------------------------
 */

static void
expect_end_of(const char *bytes, size_t len)
{
	int fd = connect_one(), other = connect_one();
	unsigned before = closed, asked = requests;

	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	pump_until(closed == before + 1);
	ck_assert_uint_eq(requests, asked);
	ck_assert(is_hung_up(fd));
	ask(other, "echo", 1);
	pump_until(requests == asked + 1);
	fd_close(&fd);
	fd_close(&other);
	pump_until(closed == before + 2);
}

#define ENDS_WITH(literal) expect_end_of(literal, sizeof(literal) - 1)

START_TEST(nonsense_costs_its_sender_the_connection_and_nobody_else)
{
	ENDS_WITH("GET / HTTP/1.1\r\n\r\n");
	ENDS_WITH("\xc1");
	ENDS_WITH("\xdd\x3f\xff\xff\xff"); /* a list of a thousand million */
	ENDS_WITH("\xc6\x40\x00\x00\x00"); /* a gigabyte */
	ENDS_WITH("\xdf\xff\xff\xff\xff");
	ENDS_WITH("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91");
	ENDS_WITH("\x90");                  /* a whole value, no message */
	ENDS_WITH("\x94\x00\x01\xa1m\xc0"); /* params that are no map */
	ENDS_WITH("\x93\x02\xa1m\x80");     /* a notification */
	ENDS_WITH("\x94\x01\x01\xc0\xc0");  /* a response */
}
END_TEST

START_TEST(a_message_beyond_the_limit_is_not_waited_for)
{
	static uint8_t piece[64 * 1024];
	int fd = connect_one();
	size_t sent = 0;

	/* As it says, one byte too many; each piece is walked and let go of only at the end. */
	memcpy(piece, "\x94\x00\x01\xa1m\x81\xa1k\xc6\x00\x10\x00\x00", 13);
	while (closed == 0 && sent < 4 * LIMIT_RPC) {
		ssize_t n = send(fd, piece, sizeof piece, MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		ev_run(loop, EVRUN_NOWAIT);
	}
	ck_assert_uint_eq(closed, 1);
	ck_assert_uint_le(sent, 2 * sizeof piece);
	fd_close(&fd);
}
END_TEST

START_TEST(half_a_request_is_waited_for_and_not_for_ever)
{
	int half = connect_one(), idle = connect_one();

	ck_assert_int_eq(write(half, "\x94\x00", 2), 2);
	pump_until(control.conns->next->in.len == 2);
	ev_feed_event(loop, &control.sweep, EV_TIMER);
	ev_run(loop, EVRUN_NOWAIT);
	ck_assert_uint_eq(closed, 0);
	control.conns->active_ms -= CONN_REQUEST_MS + 1;
	control.conns->next->active_ms -= CONN_REQUEST_MS + 1;
	ev_feed_event(loop, &control.sweep, EV_TIMER);
	pump_until(closed == 1);
	ck_assert(is_hung_up(half));
	ck_assert(!is_hung_up(idle)); /* he owes us nothing */
	fd_close(&half);
	fd_close(&idle);
}
END_TEST

START_TEST(who_never_reads_is_cut_off)
{
	int fd = connect_one(), other = connect_one();

	for (int i = 0; i < 200 && closed == 0; i++) {
		ask(fd, "big", 1);
		pump_until(requests == (unsigned)i + 1 || closed == 1);
		if (closed == 0)
			ck_assert_uint_le(last_conn->out.len, CONN_MAX_OUT);
	}
	ck_assert_uint_eq(closed, 1);
	ask(other, "echo", 1);
	pump_until(echoes == 1);
	fd_close(&fd);
	fd_close(&other);
}
END_TEST

START_TEST(who_asks_too_much_at_once_is_read_again_once_answered)
{
	int fd = connect_one();

	ask(fd, "later", CONN_MAX_PENDING + 10);
	pump_until(requests == CONN_MAX_PENDING);
	for (int i = 0; i < 5; i++)
		ev_run(loop, EVRUN_NOWAIT);
	ck_assert_uint_eq(requests, CONN_MAX_PENDING);
	/* That is our doing, not half a request of his. */
	last_conn->active_ms -= CONN_REQUEST_MS + 1;
	ev_feed_event(loop, &control.sweep, EV_TIMER);
	ev_run(loop, EVRUN_NOWAIT);
	ck_assert_uint_eq(closed, 0);
	answer(last_conn, 7, 5);
	pump_until(requests == CONN_MAX_PENDING + 1);
	for (int i = 0; i < CONN_MAX_PENDING; i++)
		answer(last_conn, 7, 5);
	pump_until(requests == CONN_MAX_PENDING + 10);
	fd_close(&fd);
	pump_until(closed == 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control");
	TCase *may = tests_called("may"), *may_not = tests_called("may not");

	tcase_add_test(may, a_request_is_answered);
	tcase_add_test(may, a_request_may_come_byte_by_byte);
	tcase_add_test(may, many_requests_at_once_let_others_have_their_turn);
	tcase_add_test(may, an_fd_comes_with_its_request_and_the_rest_are_closed);
	tcase_add_test(may, an_fd_is_that_of_the_request_it_was_sent_with);
	tcase_add_test(may, an_fd_sent_with_two_requests_is_that_of_the_second);
	tcase_add_test(may, half_a_request_keeps_its_fd_when_the_next_brings_another);
	tcase_add_test(may, an_fd_waits_with_its_request_while_too_many_are_asked);
	tcase_add_test(may, answers_to_the_dead_are_ignored);
	tcase_add_test(may, each_living_connection_is_visited);
	tcase_add_test(may_not, nonsense_costs_its_sender_the_connection_and_nobody_else);
	tcase_add_test(may_not, a_message_beyond_the_limit_is_not_waited_for);
	tcase_add_test(may_not, half_a_request_is_waited_for_and_not_for_ever);
	tcase_add_test(may_not, who_never_reads_is_cut_off);
	tcase_add_test(may_not, who_asks_too_much_at_once_is_read_again_once_answered);
	suite_add_tcase(suite, may);
	suite_add_tcase(suite, may_not);
	return run_suite(suite);
}
