/* Following without a terminal: a line for each change. */
#include "supervisor/cli/plain.h"

#include "ipc/fd.h"
#include "tests/unit/suite.h"
#include "tests/unit/views_kit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static struct term file = { .fd = -1, .has_utf8 = true };
static struct plain plain;

static void
tell(const char *json)
{
	struct follow_item item = { .task = task(json) };

	plain_view.item(&item, &plain);
}

static void
read_told(void)
{
	char bytes[8192];
	ssize_t n = pread(file.fd, bytes, sizeof bytes - 1, 0);

	ck_assert_int_ge(n, 0);
	bytes[n] = '\0';
	buf_clear(&out);
	buf_add(&out, bytes, (size_t)n + 1);
}

static void
setup_plain(void)
{
	setup();
	file.fd = memfd_create("plain", MFD_CLOEXEC);
	ck_assert_int_ge(file.fd, 0);
	plain_init(&plain, &file, false);
}

static void
teardown_plain(void)
{
	plain_fini(&plain);
	fd_close(&file.fd);
	teardown();
}

static void
at_progress(const char *progress)
{
	char json[512];

	snprintf(json, sizeof json,
	    "{\"id\":1,\"title\":\"t\",\"status\":\"running\",\"attempt\":1,\"steps\":[{\"name\":"
	    "\"work\",\"status\":\"running\",\"progress\":%s,\"steps\":[]}]}",
	    progress);
	tell(json);
}

START_TEST(each_tenth_is_told_once)
{
	at_progress("null");
	at_progress("0.01");
	at_progress("0.05");
	at_progress("0.11");
	at_progress("0.19");
	at_progress("0.35");
	at_progress("0.36");
	read_told();
	ck_assert_str_eq((const char *)out.data,
	    "t: running\n[1/1] work: started\n[1/1] work: 11 %\n[1/1] work: 35 %\n");
}
END_TEST

START_TEST(a_step_is_told_when_it_begins_and_ends)
{
	at_progress("null");
	tell("{\"id\":1,\"title\":\"t\",\"status\":\"failed\",\"attempt\":1,\"steps\":[{\"name\":"
	     "\"work\",\"status\":\"failed\",\"detail\":\"no\",\"steps\":[]}]}");
	read_told();
	has("[1/1] work: failed");
	has("  no\n");
}
END_TEST

START_TEST(another_attempt_tells_its_steps_again)
{
	at_progress("null");
	tell("{\"id\":1,\"title\":\"t\",\"status\":\"running\",\"attempt\":2,\"steps\":[{\"name\":"
	     "\"work\",\"status\":\"running\",\"steps\":[]}]}");
	read_told();
	ck_assert_str_eq(
	    (const char *)out.data, "t: running\n[1/1] work: started\n[1/1] work: started\n");
}
END_TEST

#define TWO_STEPS(status, attempt, first, second)                           \
 "{\"id\":1,\"title\":\"t\",\"status\":\"" status "\",\"attempt\":" attempt \
 ",\"steps\":[{\"name\":\"a\",\"status\":\"" first "\",\"steps\":[]},"      \
 "{\"name\":\"b\",\"status\":\"" second "\",\"steps\":[]}]}"

START_TEST(what_another_attempt_need_not_do_again_is_told_once)
{
	tell(TWO_STEPS("queued", "1", "done", "failed"));
	tell(TWO_STEPS("starting", "2", "done", "pending"));
	tell(TWO_STEPS("running", "2", "done", "running"));
	tell(TWO_STEPS("running", "2", "done", "already_done"));
	read_told();
	ck_assert_str_eq((const char *)out.data,
	    "t: queued\n[1/2] a: done\nt: running\n[2/2] b: started\n[2/2] b: already done\n");
}
END_TEST

START_TEST(a_try_that_failed_is_told_with_what_follows)
{
	struct follow_item item = { 0 };
	struct doc_copy event;

	doc_copy_init(&event);
	ck_assert_int_eq(doc_copy_set(&event, task("{\"event\":\"step_retry\",\"step\":2,"
						   "\"count\":2,\"delay_ms\":500,"
						   "\"message\":\"no route\"}")),
	    0);
	tell(TWO_STEPS("running", "1", "done", "running"));
	item.task = task(TWO_STEPS("running", "1", "done", "running"));
	item.event = doc_copy_get(&event);
	plain_view.item(&item, &plain);
	read_told();
	has("[2/2] b: no route, try 2 follows in 500 ms\n");
	doc_copy_fini(&event);
}
END_TEST

START_TEST(several_tasks_are_told_apart)
{
	plain.is_many = true;
	tell("{\"id\":7,\"title\":\"a\",\"status\":\"queued\",\"steps\":[]}");
	tell("{\"id\":8,\"title\":\"b\",\"status\":\"completed\",\"outcome\":\"well\","
	     "\"steps\":[]}");
	tell("{\"id\":9,\"title\":\"c\",\"status\":\"completed\",\"outcome\":\"completed\","
	     "\"steps\":[]}");
	read_told();
	ck_assert_str_eq((const char *)out.data,
	    "task 7  a: queued\ntask 8  b: completed: well\ntask 9  c: completed\n");
}
END_TEST

START_TEST(the_latest_document_is_at_hand)
{
	at_progress("0.5");
	ck_assert_uint_eq(doc_uint(plain_document(&plain, 1), "id"), 1);
	ck_assert_ptr_null(plain_document(&plain, 2));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_plain");
	TCase *tcase = tcase_create("plain");

	tcase_add_checked_fixture(tcase, setup_plain, teardown_plain);
	tcase_add_test(tcase, each_tenth_is_told_once);
	tcase_add_test(tcase, a_step_is_told_when_it_begins_and_ends);
	tcase_add_test(tcase, another_attempt_tells_its_steps_again);
	tcase_add_test(tcase, what_another_attempt_need_not_do_again_is_told_once);
	tcase_add_test(tcase, a_try_that_failed_is_told_with_what_follows);
	tcase_add_test(tcase, several_tasks_are_told_apart);
	tcase_add_test(tcase, the_latest_document_is_at_hand);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
