/* Calls to a service that is away, or silent. */
#include "supervisor/cli/session.h"

#include "supervisor/cli/cli.h"
#include "tests/unit/canned.h"
#include "tests/unit/suite.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

static struct canned canned;
static struct session session;

START_TEST(without_a_service_only_who_may_wait_does)
{
	struct client_reply reply;
	struct request request;

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	setenv("REEVE_SOCKET", "/nowhere/control.sock", 1);
	ck_assert_int_eq(session_open(&session, _i == 1), 0);
	session.patience_ms = 120;
	session_begin(&session, &request, "version", 0);
	ck_assert_int_eq(session_ask(&session, &request, &reply), EXIT_NO_SUPERVISOR);
	session_close(&session);
}
END_TEST

/* Answers once the silence was told. */
static enum canned_then
answer_late(struct canned_call *call, void *arg)
{
	struct stat said = { 0 };
	msgpack_packer packer;

	(void)arg;
	while (fstat(STDERR_FILENO, &said) == 0 && said.st_size == 0)
		(void)poll(NULL, 0, 5);
	canned_result(call, &packer);
	msgpack_pack_map(&packer, 0);
	return CANNED_KEEP;
}

START_TEST(a_service_that_is_silent_is_told_of_before_it_is_given_up)
{
	int said = memfd_create("said", MFD_CLOEXEC);
	struct client_reply reply;
	struct request request;
	char text[256] = "";

	ck_assert_int_ge(dup2(said, STDERR_FILENO), 0);
	canned_start(&canned, answer_late, NULL);
	setenv("REEVE_SOCKET", canned.path, 1);
	ck_assert_int_eq(session_open(&session, false), 0);
	session_begin(&session, &request, "list", 0);
	ck_assert_int_eq(session_ask(&session, &request, &reply), 0);
	ck_assert_int_gt(pread(said, text, sizeof text - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(text, "no answer from /"));
	client_reply_fini(&reply);
	fd_close(&said);
	session_close(&session);
	canned_stop(&canned);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_session");
	TCase *tcase = tcase_create("session");

	tcase_add_loop_test(tcase, without_a_service_only_who_may_wait_does, 0, 2);
	tcase_add_test(tcase, a_service_that_is_silent_is_told_of_before_it_is_given_up);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
