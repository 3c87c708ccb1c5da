#include "supervisor/view.h"

#include "ipc/json.h"
#include "ipc/mp.h"
#include "tests/unit/rows.h"
#include "tests/unit/schema.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct record row;
static struct view_live live;
static json_t *document;

static void
set_up(void)
{
	row_make(&row, 2);
	live = (struct view_live){ .now_ms = row.created_ms };
	document = NULL;
}

static void
tear_down(void)
{
	json_decref(document);
	row_free(&row);
}

/* What was packed, as JSON as clients read it. */
static json_t *
as_json(struct buf *packed)
{
	struct mp_doc doc;
	struct buf text;
	json_error_t error;
	json_t *json;

	buf_init(&text, 16 * 1024 * 1024);
	ck_assert_int_eq(buf_error(packed), 0);
	ck_assert_int_eq(mp_parse(&doc, packed->data, packed->len, &walk_store_limits), 0);
	ck_assert_int_eq(json_write(&text, &doc.root, JSON_COMPACT), 0);
	mp_free(&doc);
	json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(json, "%s in %.*s", error.text, (int)text.len, (const char *)text.data);
	buf_fini(&text);
	return json;
}

static void
view(void)
{
	msgpack_packer packer;
	struct buf packed;

	json_decref(document);
	buf_init(&packed, RECORD_MAX_BYTES);
	buf_packer(&packed, &packer);
	view_task(&packer, &row, &live);
	document = as_json(&packed);
	buf_fini(&packed);
	schema_check("ipc/task.schema.json", document);
}

/* The value at PATH, keys and indexes with dots between. */
static json_t *
at(const char *path)
{
	json_t *value = document;
	char copy[100], *rest = copy, *key;

	snprintf(copy, sizeof copy, "%s", path);
	while ((key = strsep(&rest, ".")))
		value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
					     : json_object_get(value, key);
	ck_assert_msg(value, "no %s", path);
	return value;
}

#define assert_text(path, text) ck_assert_str_eq(json_string_value(at(path)), text)
#define assert_number(path, n)  ck_assert_int_eq(json_integer_value(at(path)), n)
#define assert_null(path)       ck_assert_msg(json_is_null(at(path)), "%s is not null", path)

START_TEST(a_new_task_shows_every_key)
{
	row.state = TASK_QUEUED;
	row.attempt.number = 0;
	view();
	assert_number("id", 41);
	assert_text("status", "queued");
	assert_text("owner", "unix:ann");
	assert_text("created_at", "2025-11-25T15:04:05.678Z");
	assert_null("started_at");
	assert_null("progress");
	assert_null("step.index");
	assert_number("step.count", 2);
	assert_text("steps.1.name", "s2");
	assert_null("error");
	assert_null("receipt");
	assert_null("blocked_on");
	assert_number("joined", 1);
	assert_text("can.cancel", "now");
}
END_TEST

START_TEST(every_state_is_a_document_of_the_schema)
{
	for (int state = 1; state < TASK_STATE_MAX; state++) {
		row.state = (enum task_state)state;
		for (int step = 1; step < STEP_STATE_MAX; step++) {
			row.steps.v[0].state = (enum step_state)step;
			row.step = (uint64_t)step % 4; /* 0 and beyond the last, too */
			view();
			assert_text("status", task_state_name(row.state));
			assert_text("steps.0.status", step_state_name((enum step_state)step));
		}
	}
}
END_TEST

START_TEST(news_shows_where_a_task_is)
{
	struct news news;

	codec_init(&news_codec, &news);
	news.step = 2;
	news.fraction = .5;
	news.progress = .75;
	news.bytes_done = 10;
	news.rate = 3;
	news.left_ms = 20000;
	news.label = (char[]){ "fetching" };
	live.news = &news;
	row.step = 2;
	row.steps.v[0].state = STEP_DONE;
	row.steps.v[1].state = STEP_RUNNING;
	view();
	ck_assert_double_eq(json_real_value(at("progress")), .75);
	ck_assert_double_eq(json_number_value(at("steps.0.progress")), 1);
	ck_assert_double_eq(json_real_value(at("steps.1.progress")), .5);
	assert_text("step.name", "s2");
	assert_text("label", "fetching");
	assert_number("bytes.done", 10);
	assert_null("bytes.total");
	assert_number("eta_s", 20);
	live.news_age_ms = 7400;
	view();
	assert_number("eta_s", 13);
	live.news_age_ms = 19999;
	view();
	assert_number("eta_s", 1);
	live.news_age_ms = 20000;
	view();
	assert_null("eta_s"); /* it was wrong */
	live.news_age_ms = 0;
	view();
	row.state = TASK_FAILED;
	view();
	assert_null("label");
	row.state = TASK_WARNED;
	view();
	ck_assert_double_eq(json_number_value(at("progress")), 1);
}
END_TEST

static void
add_sub(struct record_step *step, uint64_t sub, uint64_t parent)
{
	struct record_sub *added = list_add((struct list *)&step->subs, &record_sub_codec);

	ck_assert_ptr_nonnull(added);
	added->sub = sub;
	added->parent = parent;
	added->state = STEP_DONE;
	ck_assert_int_eq(str_set(&added->name, "part"), 0);
}

START_TEST(sub_steps_are_nested_and_not_without_end)
{
	struct record_step *step = &row.steps.v[0];

	for (uint64_t sub = 1; sub <= 8; sub++)
		add_sub(step, sub, sub - 1); /* each below the one before */
	view();
	ck_assert_uint_eq(json_array_size(at("steps.0.steps")), 1);
	assert_text("steps.0.steps.0.steps.0.steps.0.name", "part");
	ck_assert_uint_eq(json_array_size(at("steps.0.steps.0.steps.0.steps.0.steps")), 0);
}
END_TEST

static void
fill_everything(void)
{
	struct record_warning *warning;
	struct record_interruption *interruption;
	struct receipt_proc *proc;

	row.state = TASK_CANCELLED;
	row.started_ms = row.created_ms + 1;
	row.ended_ms = row.created_ms + 2;
	row.step = 1;
	row.keep = true;
	str_set(&row.outcome, "cancelled by unix:ann during step s1");
	str_set(&row.scope, "vm7");
	pairs_set(&row.labels, "colour", "blue");
	pairs_set(&row.steps.v[1].outputs, "url", "http://x/");
	blob_set(&row.steps.v[0].checkpoint, "\x81\xa1k\x01", 4);
	blob_set(&row.result, "\x92\x01\xc0", 3);
	row.steps.v[0].exit = (struct exit_info){ .known = true, .signal = 15 };
	row.error.exit = (struct exit_info){ .known = true, .code = 3 };
	row.error.step = 2;
	str_set(&row.error.code, "exit");
	str_set(&row.error.tail, "boom \xff\xfe");
	str_set(&row.receipt.method, "walk");
	proc = list_add((struct list *)&row.receipt.escaped, &receipt_proc_codec);
	proc->pid = 77;
	str_set(&proc->how, "daemon");
	warning = list_add((struct list *)&row.warnings, &record_warning_codec);
	warning->ts_ms = row.created_ms;
	str_set(&warning->text, "careful");
	interruption = list_add((struct list *)&row.interruptions, &record_interruption_codec);
	interruption->ts_ms = row.created_ms;
	interruption->attempt = 1;
	interruption->exit = (struct exit_info){ .known = true };
}

START_TEST(everything_known_is_shown)
{
	fill_everything();
	live.blocked =
	    (struct blocked){ .kind = BLOCK_SLOT, .holder = 40, .since_ms = row.created_ms };
	view();
	assert_text("scope", "vm7");
	assert_text("labels.colour", "blue");
	assert_text("outputs.s2.url", "http://x/");
	assert_number("checkpoint.k", 1);
	assert_number("result.0", 1);
	assert_null("steps.0.exit.code");
	assert_number("steps.0.exit.signal", 15);
	assert_number("error.exit_code", 3);
	assert_null("error.signal");
	assert_null("error.message");
	assert_text("error.tail", "boom \xef\xbf\xbd\xef\xbf\xbd");
	assert_number("receipt.escaped.0.pid", 77);
	assert_text("warnings.0.text", "careful");
	assert_null("warnings.0.step");
	assert_number("interruptions.0.exit.code", 0);
	assert_number("blocked_on.holder", 40);
	ck_assert(json_is_true(at("can.retry")));
	ck_assert(json_is_true(at("keep")));
	live.blocked = (struct blocked){ .kind = BLOCK_DISK, .text = "full" };
	live.pending = "cancelling";
	view();
	assert_text("blocked_on.holder", "full");
	assert_null("blocked_on.since");
	assert_text("pending", "cancelling");
}
END_TEST

/* More of everything than any store takes. */
static void
fill_beyond_measure(void)
{
	static char text[LIMIT_TEXT + 1];
	char name[32];

	memset(text, 'x', sizeof text - 1);
	for (int i = 0; i < 300; i++) {
		struct record_warning *warning =
		    list_add((struct list *)&row.warnings, &record_warning_codec);
		struct record_interruption *interruption =
		    list_add((struct list *)&row.interruptions, &record_interruption_codec);

		ck_assert(warning && interruption);
		str_set(&warning->text, text);
		str_set(&interruption->message, text);
		snprintf(name, sizeof name, "n%d", i);
		pairs_set(&row.labels, name, text);
		pairs_set(&row.steps.v[i % 2].outputs, name, text);
	}
	for (uint64_t sub = 1; sub <= 2000; sub++) {
		add_sub(&row.steps.v[0], sub, 0);
		str_set(&row.steps.v[0].subs.v[sub - 1].detail, name);
	}
}

START_TEST(a_document_is_bounded_and_says_what_it_leaves_out)
{
	msgpack_packer packer;
	struct buf packed;

	fill_everything();
	view();
	assert_null("left_out");
	fill_beyond_measure();
	row.warnings_dropped = 7;
	row.steps.v[1].subs_dropped = 9;
	buf_init(&packed, LIMIT_RPC - LIMIT_FRAME);
	buf_packer(&packed, &packer);
	view_task(&packer, &row, &live);
	ck_assert_int_eq(buf_error(&packed), 0);
	buf_fini(&packed);
	view();
	ck_assert_uint_eq(
	    json_object_size(at("labels")) + (size_t)json_integer_value(at("left_out.labels")),
	    row.labels.n);
	ck_assert_uint_eq(json_object_size(at("outputs.s1")) + json_object_size(at("outputs.s2")) +
			      (size_t)json_integer_value(at("left_out.outputs")),
	    row.steps.v[0].outputs.n + row.steps.v[1].outputs.n);
	ck_assert_uint_eq(
	    json_array_size(at("warnings")) + (size_t)json_integer_value(at("left_out.warnings")),
	    row.warnings.n + 7);
	ck_assert_uint_eq(json_array_size(at("steps.0.steps")) +
			      (size_t)json_integer_value(at("left_out.sub_steps")),
	    2000 + 9);
	ck_assert_uint_eq(json_array_size(at("interruptions")) +
			      (size_t)json_integer_value(at("left_out.interruptions")),
	    row.interruptions.n);
	ck_assert_uint_gt(json_array_size(at("warnings")), 0);
	assert_text("warnings.0.text", "careful"); /* the first ones stay */
}
END_TEST

START_TEST(stamps_of_a_mad_clock_are_stamps)
{
	row.started_ms = UINT64_MAX;
	row.ended_ms = 1;
	view();
	assert_text("started_at", "9999-12-31T23:59:59.999Z");
	assert_text("ended_at", "1970-01-01T00:00:00.001Z");
}
END_TEST

static void
view_of_event(const struct fact *event)
{
	msgpack_packer packer;
	struct buf packed;

	json_decref(document);
	buf_init(&packed, RECORD_MAX_BYTES);
	buf_packer(&packed, &packer);
	view_event(&packer, event);
	document = as_json(&packed);
	buf_fini(&packed);
}

START_TEST(an_event_shows_what_it_uses)
{
	struct fact event = fact_of(FACT_STEP_END, 2);

	event.task = 41;
	event.attempt = 3;
	event.state = STEP_FAILED;
	event.exit = (struct exit_info){ .known = true, .code = 1 };
	event.message = (char[]){ "exited with status 1" };
	view_of_event(&event);
	assert_text("event", "step_end");
	assert_number("task", 41);
	assert_number("attempt", 3);
	assert_number("step", 2);
	assert_text("status", "failed");
	assert_number("exit.code", 1);
	assert_text("message", "exited with status 1");
	ck_assert_ptr_null(json_object_get(document, "name"));
	ck_assert_uint_eq(json_object_size(document), 8);
}
END_TEST

START_TEST(every_kind_of_event_can_be_shown)
{
	for (int kind = 1; kind < FACT_KIND_MAX; kind++) {
		struct fact event = fact_of((enum fact_kind)kind, 1);

		event.name = event.text = event.detail = (char[]){ "x" };
		event.code = event.message = event.tail = (char[]){ "y" };
		event.sub = event.parent = event.count = event.killed = 7;
		event.delay_ms = event.rev = 7;
		event.state = STEP_DONE;
		event.outcome = TASK_FAILED;
		event.value = (struct blob){ .data = (uint8_t[]){ 0x01 }, .len = 1 };
		event.receipt.method = (char[]){ "walk" };
		event.exit.known = true;
		view_of_event(&event);
		ck_assert_uint_eq(json_object_size(document), 4 + 6 + 7 + 5);
		assert_text("event", fact_kind_name((enum fact_kind)kind));
		assert_text("outcome", "failed");
		assert_number("value", 1);
	}
}
END_TEST

START_TEST(news_is_an_event_without_a_number)
{
	msgpack_packer packer;
	struct news news;
	struct buf packed;

	codec_init(&news_codec, &news);
	buf_init(&packed, 1024);
	buf_packer(&packed, &packer);
	view_news_event(&packer, &row, &news, row.created_ms);
	document = as_json(&packed);
	buf_fini(&packed);
	assert_text("event", "progress");
	assert_number("task", 41);
	assert_null("progress");
	assert_null("label");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("view");
	TCase *tests = tcase_create("view");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, a_new_task_shows_every_key);
	tcase_add_test(tests, every_state_is_a_document_of_the_schema);
	tcase_add_test(tests, news_shows_where_a_task_is);
	tcase_add_test(tests, sub_steps_are_nested_and_not_without_end);
	tcase_add_test(tests, everything_known_is_shown);
	tcase_add_test(tests, a_document_is_bounded_and_says_what_it_leaves_out);
	tcase_add_test(tests, stamps_of_a_mad_clock_are_stamps);
	tcase_add_test(tests, an_event_shows_what_it_uses);
	tcase_add_test(tests, every_kind_of_event_can_be_shown);
	tcase_add_test(tests, news_is_an_event_without_a_number);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
