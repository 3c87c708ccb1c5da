#include "supervisor/control.h"

#include "tests/unit/control_kit.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <sys/resource.h>

static bool
is_silent(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

START_TEST(the_longest_silent_makes_room_for_a_newcomer)
{
	int fds[4];
	struct conn *conn;

	control.max_conns = 3;
	for (int i = 0; i < 3; i++)
		fds[i] = connect_one();
	/* Newest first in the list: the oldest waits for an answer, the second is the most idle. */
	conn = control.conns->next->next;
	conn->pending = 1;
	conn->active_ms -= 3000;
	control.conns->next->active_ms -= 2000;
	fds[3] = connect_one();
	ck_assert_uint_eq(closed, 1);
	ck_assert(is_hung_up(fds[1]));
	ck_assert(!is_hung_up(fds[0]));
	for (int i = 0; i < 4; i++)
		fd_close(&fds[i]);
}
END_TEST

START_TEST(where_everybody_is_busy_the_newcomer_has_to_go)
{
	int fds[2], late;

	control.max_conns = 2;
	for (int i = 0; i < 2; i++)
		fds[i] = connect_one();
	control.conns->watch = &late;
	control.conns->next->pending = 1;
	late = fd_unix_connect(scratch_file("s"));
	ck_assert_int_eq(fd_set_nonblock(late, true), 0);
	pump_until(is_hung_up(late));
	ck_assert_uint_eq(closed, 0);
	ck_assert_uint_eq(control.nconns, 2);
	control.conns->watch = NULL;
	for (int i = 0; i < 2; i++)
		fd_close(&fds[i]);
	fd_close(&late);
}
END_TEST

START_TEST(one_user_cannot_have_all_connections)
{
	const struct rlimit enough = { .rlim_cur = 4096, .rlim_max = 4096 };
	static int fds[CONN_MAX_PER_UID + 1];

	if (setrlimit(RLIMIT_NOFILE, &enough) < 0)
		return; /* a machine that forbids so many fds needs no limit of ours */
	control.max_conns = 4096;
	admins = false;
	for (int i = 0; i <= CONN_MAX_PER_UID; i++)
		fds[i] = connect_one();
	ck_assert_uint_eq(closed, 1);
	ck_assert(is_hung_up(fds[CONN_MAX_PER_UID]));
	admins = true;
	fd_close(&fds[CONN_MAX_PER_UID]);
	fds[CONN_MAX_PER_UID] = connect_one();
	ck_assert(!is_hung_up(fds[CONN_MAX_PER_UID]));
	for (int i = 0; i <= CONN_MAX_PER_UID; i++)
		fd_close(&fds[i]);
}
END_TEST

enum {
	CROWD = 20,
	EACH = 10
};

static bool
is_any_silent(const int fds[static CROWD])
{
	for (int i = 0; i < CROWD; i++)
		if (is_silent(fds[i]))
			return true;
	return false;
}

/* Whoever else asks waits for one turn, not for all that was asked. */
START_TEST(all_connections_of_one_user_have_one_turn)
{
	const unsigned most = GUEST_TURN_NS / SLOW_NS + 1;
	int fds[CROWD];
	unsigned before;

	for (int i = 0; i < CROWD; i++)
		fds[i] = connect_one();
	for (int i = 0; i < CROWD; i++)
		ask(fds[i], "slow", EACH);
	while (is_any_silent(fds)) { /* each is come to long before the first has all */
		before = requests;
		ev_run(loop, EVRUN_NOWAIT);
		ck_assert_uint_le(requests - before, most);
	}
	ck_assert_uint_lt(requests, CROWD * EACH);
	pump_until(requests == CROWD * EACH);
	for (int i = 0; i < CROWD; i++)
		fd_close(&fds[i]);
}
END_TEST

START_TEST(what_all_connections_of_one_user_do_not_read_is_bounded)
{
	int fds[CROWD];

	admins = false;
	for (int i = 0; i < CROWD; i++)
		fds[i] = connect_one();
	for (int i = 0; i < 50 && closed == 0; i++)
		for (int k = 0; k < CROWD && closed == 0; k++) {
			unsigned before = requests;

			ask(fds[k], "big", 1);
			pump_until(requests > before);
			ck_assert_uint_le(control.guests.first->bytes, GUEST_MAX_BYTES);
		}
	ck_assert_uint_gt(closed, 0);
	for (int i = 0; i < CROWD; i++)
		fd_close(&fds[i]);
	pump_until(closed == CROWD);
	ck_assert_ptr_null(control.guests.first);
}
END_TEST

START_TEST(without_an_fd_left_a_client_is_refused_and_the_next_one_served)
{
	struct rlimit limit, few;
	int idle = connect_one(), refused, next;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	control.conns->pending = 1; /* not to be evicted */
	refused = fd_unix_connect(scratch_file("s"));
	ck_assert_int_eq(fd_set_nonblock(refused, true), 0);
	few = limit;
	few.rlim_cur = (rlim_t)refused + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	pump_until(is_hung_up(refused));
	ck_assert_int_ge(control.spare_fd, 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	next = connect_one();
	ask(next, "echo", 1);
	pump_until(echoes == 1);
	fd_close(&idle);
	fd_close(&refused);
	fd_close(&next);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control crowd");
	TCase *many = tests_called("many");

	tcase_add_test(many, the_longest_silent_makes_room_for_a_newcomer);
	tcase_add_test(many, where_everybody_is_busy_the_newcomer_has_to_go);
	tcase_add_test(many, one_user_cannot_have_all_connections);
	tcase_add_test(many, all_connections_of_one_user_have_one_turn);
	tcase_add_test(many, what_all_connections_of_one_user_do_not_read_is_bounded);
	tcase_add_test(many, without_an_fd_left_a_client_is_refused_and_the_next_one_served);
	suite_add_tcase(suite, many);
	return run_suite(suite);
}
