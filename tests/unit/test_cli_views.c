#include "supervisor/cli/picture.h"
#include "supervisor/cli/plain.h"
#include "supervisor/cli/story.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "supervisor/cli/cli.h"
#include "tests/unit/documents.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOW_MS UINT64_C(1790000000000) /* 2026-09-21T14:13:20Z */

/* Two steps: one done within a second, one that loads. */
#define RUNNING                                                                           \
 "{\"id\":41,\"type\":\"try-it\",\"title\":\"Install it\",\"scope\":\"srv-7\","           \
 "\"owner\":\"unix:ada\",\"labels\":{\"page\":\"3\"},\"status\":\"running\","             \
 "\"pending\":null,\"outcome\":null,\"progress\":0.3,\"label\":\"mirror 2\","             \
 "\"step\":{\"index\":2,\"count\":3,\"name\":\"fetch\"},\"steps\":["                      \
 "{\"name\":\"find\",\"status\":\"done\",\"detail\":null,\"progress\":1,"                 \
 "\"started_at\":\"2026-09-21T14:13:10.000Z\",\"ended_at\":\"2026-09-21T14:13:11.500Z\"," \
 "\"exit\":null,\"steps\":[]},"                                                           \
 "{\"name\":\"fetch\",\"status\":\"running\",\"detail\":null,\"progress\":0.43,"          \
 "\"started_at\":\"2026-09-21T14:13:12.000Z\",\"ended_at\":null,\"exit\":null,"           \
 "\"steps\":[{\"name\":\"part 1\",\"status\":\"done\",\"detail\":\"12 files\","           \
 "\"progress\":null,\"started_at\":null,\"ended_at\":null,\"exit\":null,\"steps\":[]}]}," \
 "{\"name\":\"unpack\",\"status\":\"pending\",\"detail\":null,\"progress\":null,"         \
 "\"started_at\":null,\"ended_at\":null,\"exit\":null,\"steps\":[]}],"                    \
 "\"attempt\":1,\"created_at\":\"2026-09-21T14:13:09.000Z\","                             \
 "\"started_at\":\"2026-09-21T14:13:10.000Z\",\"ended_at\":null,"                         \
 "\"bytes\":{\"done\":18200000,\"total\":42100000,\"rate\":5300000},\"eta_s\":4,"         \
 "\"can\":{\"cancel\":\"now\",\"reason\":null,\"retry\":false},\"joined\":1,"             \
 "\"warnings\":[],\"error\":null,\"blocked_on\":null,\"receipt\":null}"

#define FAILED                                                                    \
 "{\"id\":42,\"title\":\"Copy\",\"status\":\"failed\",\"attempt\":1,"             \
 "\"outcome\":\"step fetch: exit status 22\",\"step\":{\"index\":1,\"count\":1}," \
 "\"steps\":[{\"name\":\"fetch\",\"status\":\"failed\",\"detail\":\"no route\","  \
 "\"steps\":[]}],\"started_at\":\"2026-09-21T14:13:10.000Z\","                    \
 "\"ended_at\":\"2026-09-21T14:13:13.000Z\",\"error\":{\"code\":\"step_failed\"," \
 "\"message\":\"exit status 22\",\"step\":1,\"exit_code\":22,\"signal\":null,"    \
 "\"tail\":\"one\\ntwo\\n\\u001b[2Jthree\\n\"},\"can\":{\"cancel\":\"never\","    \
 "\"retry\":true},\"warnings\":[],\"receipt\":null}"

static struct buf out;
static struct doc_copy copy;
static struct term file = { .fd = -1, .has_utf8 = true };

static void
setup(void)
{
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	buf_init(&out, 1048576);
	doc_copy_init(&copy);
}

static void
teardown(void)
{
	doc_copy_fini(&copy);
	buf_fini(&out);
}

static const msgpack_object *
task(const char *json)
{
	struct buf bytes;
	struct mp_doc doc;

	buf_init(&bytes, 1048576);
	document_append(&bytes, json);
	ck_assert_int_eq(mp_parse(&doc, bytes.data, bytes.len, &walk_store_limits), 0);
	ck_assert_int_eq(doc_copy_set(&copy, &doc.root), 0);
	mp_free(&doc);
	buf_fini(&bytes);
	return doc_copy_get(&copy);
}

static const char *
text(void)
{
	buf_add(&out, "", 1);
	return (const char *)out.data;
}

static void
has(const char *what)
{
	ck_assert_msg(strstr((const char *)out.data, what), "no \"%s\" in:\n%s", what, out.data);
}

static void
has_not(const char *what)
{
	ck_assert_msg(!strstr((const char *)out.data, what), "\"%s\" in:\n%s", what, out.data);
}

/* ---- the document ----------------------------------------------------------------- */

START_TEST(what_is_missing_is_unknown)
{
	const msgpack_object *empty = task("{\"status\":7,\"steps\":\"none\"}");

	ck_assert_int_eq(doc_state(empty), 0);
	ck_assert(!doc_is_ended(empty));
	ck_assert_uint_eq(doc_uint(empty, "id"), 0);
	ck_assert(isnan(doc_double(empty, "progress")));
	ck_assert_uint_eq(doc_time_ms(empty, "started_at"), 0);
	ck_assert_uint_eq(doc_count(mp_get(empty, "steps")), 0);
	ck_assert_ptr_null(doc_at(mp_get(empty, "steps"), 0));
	ck_assert_uint_eq(doc_duration_ms(empty, NOW_MS), 0);
	ck_assert_uint_eq(doc_span(empty, "title").len, 0);
}
END_TEST

START_TEST(each_end_has_its_exit_status)
{
	ck_assert_int_eq(doc_exit_status(task("{\"status\":\"completed\"}"), true), EXIT_OK);
	ck_assert_int_eq(doc_exit_status(task("{\"status\":\"failed\"}"), false), EXIT_FAILED);
	ck_assert_int_eq(
	    doc_exit_status(task("{\"status\":\"cancelled\"}"), false), EXIT_CANCELLED);
	ck_assert_int_eq(
	    doc_exit_status(task("{\"status\":\"interrupted\"}"), false), EXIT_INTERRUPTED);
	ck_assert_int_eq(
	    doc_exit_status(task("{\"status\":\"completed_with_warnings\"}"), false), EXIT_OK);
	ck_assert_int_eq(
	    doc_exit_status(task("{\"status\":\"completed_with_warnings\"}"), true), EXIT_WARNINGS);
}
END_TEST

START_TEST(every_state_has_a_mark)
{
#define X(sym, num, name, end, worker, slot) ck_assert_str_ne(doc_state_mark(sym).ascii, "");
	TASK_STATES(X)
#undef X
#define X(sym, num, name, is_done) ck_assert_str_ne(doc_step_mark(sym).ascii, "");
	STEP_STATES(X)
#undef X
	ck_assert_str_eq(doc_state_mark((enum task_state)99).ascii, "?");
}
END_TEST

START_TEST(a_while_ago_is_told_in_its_largest_unit)
{
	char ago[TEXT_NUMBER];

	ck_assert_str_eq(doc_ago(NOW_MS, NOW_MS, ago), "now");
	ck_assert_str_eq(doc_ago(NOW_MS + 5000, NOW_MS, ago), "now");
	ck_assert_str_eq(doc_ago(NOW_MS - 59000, NOW_MS, ago), "59 s ago");
	ck_assert_str_eq(doc_ago(NOW_MS - 61000, NOW_MS, ago), "1 min ago");
	ck_assert_str_eq(doc_ago(NOW_MS - 7200000, NOW_MS, ago), "2 h ago");
	ck_assert_str_eq(doc_ago(NOW_MS - 200000000, NOW_MS, ago), "2 d ago");
}
END_TEST

/* ---- the picture ------------------------------------------------------------------- */

static size_t
draw(const struct term *term, const char *json)
{
	struct picture picture = { .term = term, .now_ms = NOW_MS };

	return picture_draw(&out, &picture, task(json));
}

START_TEST(a_running_task_shows_how_far_it_is)
{
	struct term term = { .columns = 200, .rows = 50, .has_utf8 = false };

	ck_assert_uint_eq(draw(&term, RUNNING), 6);
	text();
	has("Install it  task 41\n");
	has("  + find    1.5 s\n");
	has(" 43 %  18.2 of 42.1 MB  5.3 MB/s  4 s left  8 s  mirror 2\n");
	has("    + part 1  12 files\n");
	has("  . unpack\n");
	has(" 30 %  10 s in all\n");
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal)
{
	struct term term = { .columns = 40, .rows = 50, .has_utf8 = true };

	draw(&term, RUNNING);
	for (const char *line = text(); *line; line += strcspn(line, "\n") + 1)
		ck_assert_uint_le(text_columns(line, strcspn(line, "\n")), 40);
}
END_TEST

START_TEST(an_unknown_progress_has_no_bar)
{
	struct term term = { .columns = 80, .rows = 50 };

	draw(&term, "{\"id\":1,\"title\":\"t\",\"status\":\"running\",\"progress\":null,"
		    "\"steps\":[{\"name\":\"work\",\"status\":\"running\",\"progress\":null,"
		    "\"started_at\":\"2026-09-21T14:13:18.000Z\",\"steps\":[]}]}");
	text();
	has("  | work  2 s\n");
	has_not("%");
	has_not("#");
}
END_TEST

START_TEST(what_a_task_waits_for_is_said)
{
	struct term term = { .columns = 80, .rows = 50 };

	draw(&term, "{\"id\":1,\"title\":\"t\",\"status\":\"queued\",\"steps\":[],\"blocked_on\":"
		    "{\"kind\":\"slot\",\"holder\":40,\"since\":\"2026-09-21T14:13:08.000Z\"}}");
	text();
	has("t  task 1  queued\n");
	has("waits for: slot, held by task 40  12 s\n");
}
END_TEST

START_TEST(a_hostile_title_stays_a_title)
{
	struct term term = { .columns = 80, .rows = 50 };

	draw(&term, "{\"id\":1,\"title\":\"a\\u001b[2Jb\\nc\",\"status\":\"running\"}");
	ck_assert_str_eq(text(), "ab c  task 1\n");
}
END_TEST

/* Forty steps, the twentieth running. */
static void
many_steps(struct buf *json)
{
	text_add(json, "{\"id\":1,\"title\":\"t\",\"status\":\"running\",\"step\":{\"index\":20},"
		       "\"started_at\":\"2026-09-21T14:13:10.000Z\",\"steps\":[");
	for (int i = 1; i <= 40; i++)
		text_add(json, "%s{\"name\":\"s%d\",\"status\":\"%s\",\"steps\":[]}",
		    i > 1 ? "," : "", i,
		    i < 20    ? "done"
		    : i == 20 ? "running"
			      : "pending");
	text_add(json, "]}");
	buf_add(json, "", 1);
}

START_TEST(steps_that_do_not_fit_are_counted)
{
	struct term term = { .columns = 80, .has_utf8 = false };
	struct buf json;

	buf_init(&json, 65536);
	many_steps(&json);
	for (term.rows = 4; term.rows < 60; term.rows++) {
		size_t lines;

		buf_clear(&out);
		lines = draw(&term, (const char *)json.data);
		text();
		has(" s20");
		if (term.rows >= 24)
			ck_assert_uint_le(lines, term.rows - 1);
	}
	buf_fini(&json);
}
END_TEST

/* ---- the story --------------------------------------------------------------------- */

START_TEST(a_failure_tells_its_cause_and_what_to_do)
{
	story_end(&out, &file, task(FAILED));
	text();
	has("task 42 failed: step fetch: exit status 22  3.0 s\n");
	has("step_failed: exit status 22\n");
	has("\xe2\x94\x82 one\n");
	has("\xe2\x94\x82 three\n");
	has("reeve logs 42");
	has("reeve retry 42");
	has_not("\033");
}
END_TEST

START_TEST(a_warning_names_its_step_where_there_are_several)
{
	story_end(&out, &file,
	    task("{\"id\":7,\"status\":\"completed_with_warnings\",\"steps\":[{\"name\":\"a\"},"
		 "{\"name\":\"b\"}],\"warnings\":[{\"text\":\"odd\",\"step\":2},"
		 "{\"text\":\"strange\",\"step\":null},{\"text\":\"wild\",\"step\":9}]}"));
	text();
	has("  warning: step b: odd\n");
	has("  warning: strange\n");
	has("  warning: wild\n");
	buf_clear(&out);
	story_end(&out, &file,
	    task("{\"id\":7,\"status\":\"completed_with_warnings\",\"steps\":[{\"name\":\"a\"}],"
		 "\"warnings\":[{\"text\":\"odd\",\"step\":1}]}"));
	text();
	has("  warning: odd\n");
}
END_TEST

START_TEST(a_task_that_goes_on_has_no_end)
{
	story_end(&out, &file, task(RUNNING));
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(the_whole_story_says_what_can_be_done_now)
{
	story_all(&out, &file, task(RUNNING), NOW_MS);
	text();
	has("  scope     srv-7\n");
	has("  label     page = 3\n");
	has("unix:ada");
	has("11 s ago");
	has("reeve watch 41");
	has("reeve cancel 41");
}
END_TEST

START_TEST(a_receipt_names_what_had_escaped)
{
	story_receipt(&out, &file,
	    task("{\"signalled\":1,\"killed\":2,\"escaped\":[{\"pid\":77,\"name\":\"sneak\","
		 "\"how\":\"own session\"}],\"survivors\":[],\"method\":\"walk\","
		 "\"duration_ms\":120}"));
	text();
	has("signalled 1, killed 2, nothing survived (");
	has("escaped and caught: sneak (77, own session)\n");
}
END_TEST

START_TEST(survivors_are_not_hidden)
{
	story_receipt(&out, &file,
	    task("{\"signalled\":1,\"killed\":0,\"escaped\":[],\"survivors\":[{\"pid\":5,"
		 "\"name\":\"x\",\"how\":null}],\"method\":\"walk\",\"duration_ms\":1}"));
	text();
	has("1 survived");
	has("still alive: x (5)\n");
}
END_TEST

START_TEST(a_tail_is_its_last_lines)
{
	story_tail(&out, &file, span_of("1\n2\n3\n4\n\n"), 2);
	ck_assert_str_eq(text(), "  \xe2\x94\x82 3\n  \xe2\x94\x82 4\n");
	buf_clear(&out);
	story_tail(&out, &file, span_of("1"), 3);
	ck_assert_str_eq(text(), "  \xe2\x94\x82 1\n");
	buf_clear(&out);
	story_tail(&out, &file, span_of("\n\n"), 3);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* ---- lines ------------------------------------------------------------------------- */

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

START_TEST(several_tasks_are_told_apart)
{
	plain.is_many = true;
	tell("{\"id\":7,\"title\":\"a\",\"status\":\"queued\",\"steps\":[]}");
	tell("{\"id\":8,\"title\":\"b\",\"status\":\"completed\",\"outcome\":\"well\","
	     "\"steps\":[]}");
	read_told();
	ck_assert_str_eq((const char *)out.data, "task 7  a: queued\ntask 8  b: completed: well\n");
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
	Suite *suite = suite_create("cli_views");
	TCase *views = tcase_create("views"), *lines = tcase_create("lines");

	tcase_add_checked_fixture(views, setup, teardown);
	tcase_add_test(views, what_is_missing_is_unknown);
	tcase_add_test(views, each_end_has_its_exit_status);
	tcase_add_test(views, every_state_has_a_mark);
	tcase_add_test(views, a_while_ago_is_told_in_its_largest_unit);
	tcase_add_test(views, a_running_task_shows_how_far_it_is);
	tcase_add_test(views, no_line_is_wider_than_the_terminal);
	tcase_add_test(views, an_unknown_progress_has_no_bar);
	tcase_add_test(views, what_a_task_waits_for_is_said);
	tcase_add_test(views, a_hostile_title_stays_a_title);
	tcase_add_test(views, steps_that_do_not_fit_are_counted);
	tcase_add_test(views, a_failure_tells_its_cause_and_what_to_do);
	tcase_add_test(views, a_warning_names_its_step_where_there_are_several);
	tcase_add_test(views, a_task_that_goes_on_has_no_end);
	tcase_add_test(views, the_whole_story_says_what_can_be_done_now);
	tcase_add_test(views, a_receipt_names_what_had_escaped);
	tcase_add_test(views, survivors_are_not_hidden);
	tcase_add_test(views, a_tail_is_its_last_lines);
	tcase_add_checked_fixture(lines, setup_plain, teardown_plain);
	tcase_add_test(lines, each_tenth_is_told_once);
	tcase_add_test(lines, a_step_is_told_when_it_begins_and_ends);
	tcase_add_test(lines, another_attempt_tells_its_steps_again);
	tcase_add_test(lines, several_tasks_are_told_apart);
	tcase_add_test(lines, the_latest_document_is_at_hand);
	suite_add_tcase(suite, views);
	suite_add_tcase(suite, lines);
	return run_suite(suite);
}
