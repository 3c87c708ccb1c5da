#include "supervisor/cli/follow.h"

#include "supervisor/cli/cli.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/ends.h"
#include "tests/unit/canned.h"
#include "tests/unit/documents.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <signal.h>

static struct canned canned;
static struct session session;

/* What the view saw. */
static uint64_t seqs[16];
static size_t nseqs, nstandings;
static int raised;

static void
on_item(const struct follow_item *item, void *arg)
{
	(void)arg;
	if (item->event)
		seqs[nseqs++] = item->seq;
	else
		nstandings++;
	if (raised)
		raise(raised);
}

static int
on_tick(void *arg)
{
	(void)arg;
	return -1;
}

static void
on_signal(int signo, void *arg)
{
	(void)signo;
	(void)arg;
}

static uint64_t missing, omitted;

static void
on_missing(uint64_t id, int status, void *arg)
{
	(void)arg;
	ck_assert_int_eq(status, EXIT_NOT_FOUND);
	missing = id;
}

static void
on_omitted(uint64_t count, void *arg)
{
	(void)arg;
	omitted = count;
	raise(SIGTERM); /* every task is followed without end */
}

static const struct follow_view view = { .item = on_item,
	.tick = on_tick,
	.signal = on_signal,
	.missing = on_missing,
	.omitted = on_omitted };

static void
quiet_stderr(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	close(fd);
}

static void
start(canned_fn fn)
{
	quiet_stderr();
	canned_start(&canned, fn, NULL);
	setenv("REEVE_SOCKET", canned.path, 1);
	ck_assert_int_eq(session_open(&session, false), 0);
}

static void
stop(void)
{
	session_close(&session);
	canned_stop(&canned);
}

static enum follow_end
follow_one(uint64_t id, uint64_t timeout_ms, bool wants_facts, struct follow *ret)
{
	struct follow follow = { .session = &session,
		.ids = &id,
		.nids = 1,
		.timeout_ms = timeout_ms,
		.wants_facts = wants_facts,
		.view = &view };
	enum follow_end end = follow_run(&follow);

	*ret = follow;
	return end;
}

static void
answer(struct canned_call *call, const char *json)
{
	msgpack_packer packer;

	canned_result(call, &packer);
	document_append(call->out, json);
}

static void
notify(struct canned_call *call, const char *json)
{
	rpc_begin_notification(call->out, "event");
	document_append(call->out, json);
}

#define EVENT(seq, status) \
 "{\"seq\":" seq ",\"event\":{\"event\":\"ended\"},\"task\":{\"id\":1,\"status\":\"" status "\"}}"
#define STANDING(seq, reset, status)                                          \
 "{\"epoch\":\"a\",\"seq\":" seq ",\"reset\":" reset ",\"tasks\":[{\"id\":1," \
 "\"status\":\"" status "\"}]}"

static enum canned_then
run_to_the_end(struct canned_call *call, void *arg)
{
	(void)arg;
	answer(call, STANDING("10", "false", "running"));
	notify(call, EVENT("11", "running"));
	notify(call, EVENT("null", "running"));
	notify(call, EVENT("12", "completed"));
	return CANNED_KEEP;
}

START_TEST(a_task_is_followed_to_its_end)
{
	struct follow follow;

	start(run_to_the_end);
	ck_assert_int_eq(follow_one(1, 0, false, &follow), FOLLOW_ENDED);
	ck_assert_uint_eq(nstandings, 1);
	ck_assert_uint_eq(nseqs, 3);
	ck_assert_uint_eq(seqs[0], 11);
	ck_assert_uint_eq(seqs[1], 0);
	ck_assert_uint_eq(seqs[2], 12);
	stop();
}
END_TEST

static enum canned_then
has_ended(struct canned_call *call, void *arg)
{
	(void)arg;
	answer(call, STANDING("10", "false", "failed"));
	return CANNED_KEEP;
}

START_TEST(one_that_has_ended_is_not_waited_for)
{
	struct follow follow;

	start(has_ended);
	ck_assert_int_eq(follow_one(1, 0, true, &follow), FOLLOW_ENDED);
	ck_assert_uint_eq(nstandings, 1);
	stop();
}
END_TEST

/* Dies after fact 11; comes back with 11 and 12 again, and the end. */
static enum canned_then
die_once(struct canned_call *call, void *arg)
{
	(void)arg;
	if (call->connection == 1) {
		answer(call, STANDING("10", "false", "running"));
		notify(call, EVENT("11", "running"));
		return CANNED_HANG_UP;
	}
	ck_assert(mp_str_is(mp_get(call->params, "epoch"), "a"));
	ck_assert_uint_eq(mp_uint(mp_get(call->params, "after"), 0), 11);
	answer(call, STANDING("13", "false", "completed"));
	notify(call, EVENT("11", "completed"));
	notify(call, EVENT("12", "completed"));
	notify(call, EVENT("13", "completed"));
	return CANNED_KEEP;
}

START_TEST(no_fact_is_missed_or_seen_twice_through_a_restart)
{
	struct follow follow;

	start(die_once);
	ck_assert_int_eq(follow_one(1, 0, true, &follow), FOLLOW_ENDED);
	ck_assert_uint_eq(nseqs, 3);
	for (size_t i = 0; i < nseqs; i++)
		ck_assert_uint_eq(seqs[i], 11 + i);
	ck_assert_uint_eq(nstandings, 1);
	stop();
}
END_TEST

/* Another store: its numbers begin anew. */
static enum canned_then
begin_anew(struct canned_call *call, void *arg)
{
	(void)arg;
	if (call->connection == 1) {
		answer(call, STANDING("10", "false", "running"));
		return CANNED_HANG_UP;
	}
	answer(call, STANDING("1", "true", "running"));
	notify(call, EVENT("2", "completed"));
	return CANNED_KEEP;
}

/* What was missed is told with the task as it is by now. */
static enum canned_then
tell_late(struct canned_call *call, void *arg)
{
	answer(call, STANDING("10", "false", "running"));
	notify(call, "{\"seq\":11,\"event\":{\"event\":\"step_end\"},\"task\":{\"id\":1,\"status\":"
		     "\"completed\"}}");
	if (arg)
		notify(call, EVENT("12", "completed"));
	return CANNED_KEEP;
}

START_TEST(the_last_fact_is_the_one_that_ends_the_task)
{
	struct follow follow;

	start(tell_late);
	canned.arg = _i ? &follow : NULL;
	ck_assert_int_eq(
	    follow_one(1, _i ? 0 : 50, true, &follow), _i ? FOLLOW_ENDED : FOLLOW_TIMED_OUT);
	ck_assert_uint_eq(nseqs, _i ? 2 : 1);
	stop();
}
END_TEST

START_TEST(after_a_reset_it_shows_how_things_stand)
{
	struct follow follow;

	start(begin_anew);
	ck_assert_int_eq(follow_one(1, 0, true, &follow), FOLLOW_ENDED);
	ck_assert_uint_eq(nstandings, 2);
	ck_assert_uint_eq(nseqs, 1);
	ck_assert_uint_eq(seqs[0], 2);
	stop();
}
END_TEST

static enum canned_then
know_nothing(struct canned_call *call, void *arg)
{
	(void)arg;
	if (strcmp(call->msg->method, "watch") == 0)
		answer(call, "{\"epoch\":\"a\",\"seq\":1,\"reset\":false,\"tasks\":[]}");
	else
		rpc_put_error(call->out, call->msg->id, RPC_NOT_FOUND, "id", "there is no task 1");
	return CANNED_KEEP;
}

START_TEST(a_task_that_is_not_there_is_not_waited_for)
{
	struct follow follow;

	start(know_nothing);
	ck_assert_int_eq(follow_one(1, 0, false, &follow), FOLLOW_FAILED);
	ck_assert_int_eq(follow.status, EXIT_NOT_FOUND);
	stop();
}
END_TEST

static enum canned_then
go_on(struct canned_call *call, void *arg)
{
	(void)arg;
	answer(call, STANDING("10", "false", "running"));
	return CANNED_KEEP;
}

static enum canned_then
know_one(struct canned_call *call, void *arg)
{
	if (strcmp(call->msg->method, "show") == 0) {
		rpc_put_error(call->out, call->msg->id, RPC_NOT_FOUND, "id", "there is no task 2");
		return CANNED_KEEP;
	}
	return run_to_the_end(call, arg);
}

START_TEST(of_several_tasks_one_that_is_not_there_is_told_and_the_rest_followed)
{
	static const uint64_t ids[] = { 2, 1 };
	struct follow follow = { .session = &session, .ids = ids, .nids = 2, .view = &view };

	start(know_one);
	ck_assert_int_eq(follow_run(&follow), FOLLOW_ENDED);
	ck_assert_int_eq(follow.missing, EXIT_NOT_FOUND);
	ck_assert_uint_eq(missing, 2);
	ck_assert_uint_eq(nseqs, 3);
	stop();
}
END_TEST

static enum canned_then
leave_some_out(struct canned_call *call, void *arg)
{
	(void)arg;
	answer(call,
	    "{\"epoch\":\"a\",\"seq\":1,\"reset\":false,\"tasks\":[],\"omitted\":12,\"missing\":[]}");
	return CANNED_KEEP;
}

START_TEST(tasks_that_there_was_no_room_for_are_counted)
{
	struct follow follow = { .session = &session, .view = &view };

	start(leave_some_out);
	ck_assert_int_eq(follow_run(&follow), FOLLOW_SIGNALLED);
	ck_assert_uint_eq(omitted, 12);
	stop();
}
END_TEST

START_TEST(waiting_has_its_time)
{
	struct follow follow;

	start(go_on);
	ck_assert_int_eq(follow_one(1, 30, false, &follow), FOLLOW_TIMED_OUT);
	stop();
}
END_TEST

START_TEST(an_interrupt_ends_the_following)
{
	struct follow follow;

	start(go_on);
	raised = SIGINT;
	ck_assert_int_eq(follow_one(1, 0, false, &follow), FOLLOW_SIGNALLED);
	ck_assert_int_eq(follow.signal, SIGINT);
	stop();
}
END_TEST

START_TEST(a_resized_terminal_does_not)
{
	struct follow follow;

	start(go_on);
	raised = SIGWINCH;
	ck_assert_int_eq(follow_one(1, 30, false, &follow), FOLLOW_TIMED_OUT);
	stop();
}
END_TEST

static enum canned_then
vanish(struct canned_call *call, void *arg)
{
	(void)arg;
	answer(call, STANDING("10", "false", "running"));
	shutdown(canned.listener, SHUT_RDWR);
	unlink(canned.path);
	return CANNED_HANG_UP;
}

START_TEST(a_service_that_stays_away_is_given_up)
{
	struct follow follow;

	start(vanish);
	session.patience_ms = 100;
	ck_assert_int_eq(follow_one(1, 0, false, &follow), FOLLOW_FAILED);
	ck_assert_int_eq(follow.status, EXIT_NO_SUPERVISOR);
	stop();
}
END_TEST

/* Hangs the first time it is asked, as a stopped process does. */
static enum canned_then
hang_once(struct canned_call *call, void *arg)
{
	if (call->connection == 1)
		return CANNED_KEEP;
	return run_to_the_end(call, arg);
}

START_TEST(a_service_that_hangs_is_asked_again_while_following)
{
	struct follow follow;

	start(hang_once);
	ck_assert_int_eq(follow_one(1, 0, false, &follow), FOLLOW_ENDED);
	ck_assert_int_eq(atomic_load(&canned.connections), 2);
	stop();
}
END_TEST

/* ---- several ends ------------------------------------------------------------------- */

static enum canned_then
two_tasks(struct canned_call *call, void *arg)
{
	uint64_t id = mp_uint(mp_get(call->params, "id"), 0);

	(void)arg;
	if (strcmp(call->msg->method, "watch") == 0) {
		ck_assert_uint_eq(doc_count(mp_get(call->params, "ids")), 1);
		answer(call, STANDING("10", "false", "running"));
		notify(call, EVENT("11", "cancelled"));
	} else if (id == 1) {
		answer(call, "{\"id\":1,\"status\":\"running\"}");
	} else if (id == 2) {
		answer(call, "{\"id\":2,\"status\":\"failed\"}");
	} else {
		rpc_put_error(call->out, call->msg->id, RPC_NOT_FOUND, "id", "no");
	}
	return CANNED_KEEP;
}

START_TEST(of_several_ends_the_first_that_is_not_well_counts)
{
	static const uint64_t ids[] = { 1, 2, 3 };
	struct ends ends;

	start(two_tasks);
	ck_assert_int_eq(ends_init(&ends, ids, 3), 0);
	ck_assert_int_eq(ends_look(&ends, &session), 0);
	ck_assert_int_eq(ends_wait(&ends, &session, 0), 0);
	ck_assert_int_eq(ends_status(&ends, false), EXIT_CANCELLED);
	ck_assert_int_eq(ends.statuses[2], EXIT_NOT_FOUND);
	ends_fini(&ends);
	stop();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_follow");
	TCase *following = tcase_create("following");

	tcase_add_test(following, a_task_is_followed_to_its_end);
	tcase_add_test(following, one_that_has_ended_is_not_waited_for);
	tcase_add_test(following, no_fact_is_missed_or_seen_twice_through_a_restart);
	tcase_add_loop_test(following, the_last_fact_is_the_one_that_ends_the_task, 0, 2);
	tcase_add_test(following, after_a_reset_it_shows_how_things_stand);
	tcase_add_test(following, a_task_that_is_not_there_is_not_waited_for);
	tcase_add_test(
	    following, of_several_tasks_one_that_is_not_there_is_told_and_the_rest_followed);
	tcase_add_test(following, tasks_that_there_was_no_room_for_are_counted);
	tcase_add_test(following, waiting_has_its_time);
	tcase_add_test(following, an_interrupt_ends_the_following);
	tcase_add_test(following, a_resized_terminal_does_not);
	tcase_add_test(following, a_service_that_stays_away_is_given_up);
	tcase_add_test(following, a_service_that_hangs_is_asked_again_while_following);
	tcase_add_test(following, of_several_ends_the_first_that_is_not_well_counts);
	suite_add_tcase(suite, following);
	return run_suite(suite);
}
