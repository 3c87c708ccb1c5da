/* What a document says, and the picture of a task that runs. */
#include "supervisor/cli/picture.h"

#include "supervisor/cli/cli.h"
#include "supervisor/cli/taskbar.h"
#include "tests/unit/suite.h"
#include "tests/unit/views_kit.h"

#include <math.h>

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
	has(" 43 %  18.2 of 42.1 MB  5.3 MB/s  5 s left  8 s  mirror 2\n");
	has("    + part 1  12 files\n");
	has("  . unpack\n");
	has(" 30 %  10 s in all  4 s left\n");
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
	has("  waits for a slot for 12 s: task 40 has it\n");
}
END_TEST

static const char *const kinds[] = {
#define X(sym, num, name, by_step) name,
	BLOCK_KINDS(X)
#undef X
};

START_TEST(whatever_keeps_a_task_has_words)
{
	struct term term = { .columns = 80, .rows = 50 };
	char json[256];

	snprintf(json, sizeof json,
	    "{\"id\":1,\"title\":\"t\",\"status\":\"running\",\"steps\":[],\"blocked_on\":"
	    "{\"kind\":\"%s\",\"holder\":\"apt (pid 7)\",\"since\":null}}",
	    kinds[_i]);
	draw(&term, json);
	text();
	has(": apt (pid 7)\n");
	has_not("waits for unkillable");
	has_not("waits for stall");
	has_not("waits for slot");
}
END_TEST

/* ---- the terminal's own display ----------------------------------------------------- */

static void
show(struct taskbar *taskbar, const struct term *term, const char *json)
{
	buf_clear(&out);
	taskbar_put(taskbar, &out, term, task(json));
	text();
}

START_TEST(a_terminal_that_can_is_told_how_far_it_is)
{
	const struct term term = { .has_taskbar = true };
	struct taskbar taskbar = { .state = 0 };

	show(&taskbar, &term, RUNNING);
	ck_assert_str_eq((char *)out.data, "\033]9;4;1;30\033\\");
	show(&taskbar, &term, RUNNING);
	ck_assert_str_eq((char *)out.data, "");
	show(&taskbar, &term, "{\"status\":\"running\",\"progress\":null}");
	ck_assert_str_eq((char *)out.data, "\033]9;4;3;0\033\\");
	show(&taskbar, &term,
	    "{\"status\":\"running\",\"progress\":0.5,\"blocked_on\":{\"kind\":\"lock\"}}");
	ck_assert_str_eq((char *)out.data, "\033]9;4;4;50\033\\");
	show(&taskbar, &term, FAILED);
	ck_assert_str_eq((char *)out.data, "\033]9;4;0;0\033\\");
	buf_clear(&out);
	taskbar_remove(&taskbar, &out);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(a_terminal_that_cannot_is_left_in_peace)
{
	const struct term term = { .is_tty = true };
	struct taskbar taskbar = { .state = 0 };

	show(&taskbar, &term, RUNNING);
	ck_assert_str_eq((char *)out.data, "");
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

int
main(void)
{
	Suite *suite = suite_create("cli_views");
	TCase *tcase = tcase_create("views");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_is_missing_is_unknown);
	tcase_add_test(tcase, each_end_has_its_exit_status);
	tcase_add_test(tcase, every_state_has_a_mark);
	tcase_add_test(tcase, a_while_ago_is_told_in_its_largest_unit);
	tcase_add_test(tcase, a_running_task_shows_how_far_it_is);
	tcase_add_test(tcase, no_line_is_wider_than_the_terminal);
	tcase_add_test(tcase, an_unknown_progress_has_no_bar);
	tcase_add_test(tcase, what_a_task_waits_for_is_said);
	tcase_add_loop_test(
	    tcase, whatever_keeps_a_task_has_words, 0, (int)(sizeof kinds / sizeof kinds[0]));
	tcase_add_test(tcase, a_terminal_that_can_is_told_how_far_it_is);
	tcase_add_test(tcase, a_terminal_that_cannot_is_left_in_peace);
	tcase_add_test(tcase, a_hostile_title_stays_a_title);
	tcase_add_test(tcase, steps_that_do_not_fit_are_counted);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
