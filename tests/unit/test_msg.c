#include "ipc/msg.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const enum fact_kind fact_kinds[] = {
#define X(sym, num, name, from_worker, help) sym,
	FACT_KINDS(X)
#undef X
};
#define FACTS ((int)(sizeof fact_kinds / sizeof fact_kinds[0]))

static const struct {
	enum step_msg_kind kind;
	const char *name;
} step_msgs[] = {
#define X(sym, num, name, help) { sym, name },
	STEP_MSG_KINDS(X)
#undef X
};
#define STEP_MSGS ((int)(sizeof step_msgs / sizeof step_msgs[0]))

START_TEST(every_fact_has_a_name_of_its_own)
{
	const char *name = fact_kind_name(fact_kinds[_i]);

	ck_assert_str_ne(name, "invalid");
	for (int i = 0; i < _i; i++)
		ck_assert_str_ne(fact_kind_name(fact_kinds[i]), name);
}
END_TEST

START_TEST(workers_facts_are_the_ones_below_64)
{
	ck_assert_int_eq(fact_kind_is_from_worker(fact_kinds[_i]), fact_kinds[_i] < 64);
	ck_assert_int_le(fact_kinds[_i], FACT_KIND_MAX);
}
END_TEST

START_TEST(a_kind_of_a_newer_build_is_invalid_but_decodes)
{
	struct fact fact;

	ck_assert_str_eq(fact_kind_name((enum fact_kind)0), "invalid");
	ck_assert_str_eq(fact_kind_name((enum fact_kind) - 1), "invalid");
	ck_assert_str_eq(fact_kind_name((enum fact_kind)100000), "invalid");
	ck_assert(!fact_kind_is_from_worker((enum fact_kind)63));
	ck_assert_int_eq(codec_decode(&fact_codec, "\x81\x01\x3f", 3, &fact, NULL), 0);
	ck_assert_str_eq(fact_kind_name(fact.kind), "invalid");
	codec_free(&fact_codec, &fact);
}
END_TEST

START_TEST(a_step_message_is_found_by_its_name)
{
	ck_assert_int_eq(step_msg_kind_parse(step_msgs[_i].name), step_msgs[_i].kind);
}
END_TEST

START_TEST(an_unknown_step_message_is_none)
{
	ck_assert_int_eq(step_msg_kind_parse(""), 0);
	ck_assert_int_eq(step_msg_kind_parse("progres"), 0);
	ck_assert_int_eq(step_msg_kind_parse("progress "), 0);
}
END_TEST

static void
fill(struct fact *fact)
{
	struct receipt_proc *proc = list_add(
	    (struct list *)&fact->receipt.escaped, fact_codec.fields[22].sub->fields[2].sub);

	fact->kind = FACT_KILLED;
	fact->ts_ms = UINT64_C(1767225600000);
	fact->step = LIMIT_STEPS;
	fact->exit = (struct exit_info){ .known = true, .signal = 9 };
	str_set(&fact->text, "text");
	blob_set(&fact->value, "\x91\x01", 2);
	str_set(&fact->receipt.method, "walk");
	ck_assert_ptr_nonnull(proc);
	proc->pid = 42;
	proc->start_ticks = 4242;
	str_set(&proc->how, "daemon");
}

START_TEST(a_fact_survives_the_round_trip)
{
	struct fact fact, back;
	struct buf out;

	codec_init(&fact_codec, &fact);
	fill(&fact);
	buf_init(&out, LIMIT_FRAME);
	ck_assert_int_eq(codec_encode(&fact_codec, &fact, &out), 0);
	ck_assert_int_eq(codec_decode(&fact_codec, out.data, out.len, &back, NULL), 0);
	ck_assert_int_eq(back.kind, FACT_KILLED);
	ck_assert_uint_eq(back.ts_ms, fact.ts_ms);
	ck_assert(back.exit.known);
	ck_assert_int_eq(back.exit.signal, 9);
	ck_assert_str_eq(back.text, "text");
	ck_assert_uint_eq(back.value.len, 2);
	ck_assert_str_eq(back.receipt.method, "walk");
	ck_assert_uint_eq(back.receipt.escaped.n, 1);
	ck_assert_uint_eq(back.receipt.escaped.v[0].pid, 42);
	ck_assert_uint_eq(back.receipt.escaped.v[0].start_ticks, 4242);
	ck_assert_str_eq(back.receipt.escaped.v[0].how, "daemon");
	codec_free(&fact_codec, &fact);
	codec_free(&fact_codec, &back);
	buf_fini(&out);
}
END_TEST

START_TEST(the_largest_news_fits_into_one_atomic_write)
{
	struct news news = { .step = LIMIT_STEPS,
		.fraction = 1.0 / 3,
		.progress = 1.0 / 7,
		.bytes_done = UINT64_MAX,
		.bytes_total = UINT64_MAX,
		.rate = UINT64_MAX,
		.left_ms = UINT64_MAX,
		.log_bytes = UINT64_MAX };
	char label[LIMIT_TITLE + 1];
	struct buf out;

	memset(label, 'x', LIMIT_TITLE);
	label[LIMIT_TITLE] = '\0';
	news.label = label;
	buf_init(&out, 4096 - 4);
	ck_assert_int_eq(codec_encode(&news_codec, &news, &out), 0);
	buf_fini(&out);
}
END_TEST

START_TEST(nothing_known_is_not_zero_percent)
{
	struct news news;

	ck_assert_int_eq(codec_decode(&news_codec, "\x80", 1, &news, NULL), 0);
	ck_assert(isnan(news.fraction));
	ck_assert(isnan(news.progress));
}
END_TEST

START_TEST(a_step_message_may_say_more_than_is_known)
{
	static const char bytes[] = "\x83\xa4type\xa8progress\xa8"
				    "fraction\x01\xa5shoes\x92\x01\x02";
	struct step_msg msg;

	ck_assert_int_eq(codec_decode(&step_msg_codec, bytes, sizeof bytes - 1, &msg, NULL), 0);
	ck_assert_str_eq(msg.type, "progress");
	ck_assert_double_eq(msg.fraction, 1.0);
	codec_free(&step_msg_codec, &msg);
}
END_TEST

START_TEST(a_step_is_told_its_try_by_that_name)
{
	struct step_start start = { .task = 1, .attempt = 2, .try_ = 3 };
	struct buf out;

	buf_init(&out, 100);
	ck_assert_int_eq(codec_encode(&step_start_codec, &start, &out), 0);
	ck_assert_uint_eq(out.len, 21);
	ck_assert_mem_eq(out.data,
	    "\x83\xa4task\x01\xa7"
	    "attempt\x02\xa3try\x03",
	    out.len);
	buf_fini(&out);
}
END_TEST

START_TEST(an_order_carries_an_answer)
{
	struct order order, back;
	struct buf out;

	codec_init(&order_codec, &order);
	order.rev = 5;
	order.want = WANT_CANCEL;
	order.force = true;
	order.answer.yes = true;
	str_set(&order.answer.question, "overwrite");
	pairs_set(&order.answer.fields, "why", "because");
	buf_init(&out, 1000);
	ck_assert_int_eq(codec_encode(&order_codec, &order, &out), 0);
	ck_assert_int_eq(codec_decode(&order_codec, out.data, out.len, &back, NULL), 0);
	ck_assert_uint_eq(back.rev, 5);
	ck_assert_int_eq(back.want, WANT_CANCEL);
	ck_assert(back.force && !back.report);
	ck_assert(back.answer.yes);
	ck_assert_str_eq(back.answer.question, "overwrite");
	ck_assert_str_eq(pairs_get(&back.answer.fields, "why"), "because");
	codec_free(&order_codec, &order);
	codec_free(&order_codec, &back);
	buf_fini(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("msg");
	TCase *tests = tcase_create("msg");

	tcase_add_loop_test(tests, every_fact_has_a_name_of_its_own, 0, FACTS);
	tcase_add_loop_test(tests, workers_facts_are_the_ones_below_64, 0, FACTS);
	tcase_add_test(tests, a_kind_of_a_newer_build_is_invalid_but_decodes);
	tcase_add_loop_test(tests, a_step_message_is_found_by_its_name, 0, STEP_MSGS);
	tcase_add_test(tests, an_unknown_step_message_is_none);
	tcase_add_test(tests, a_fact_survives_the_round_trip);
	tcase_add_test(tests, the_largest_news_fits_into_one_atomic_write);
	tcase_add_test(tests, nothing_known_is_not_zero_percent);
	tcase_add_test(tests, a_step_message_may_say_more_than_is_known);
	tcase_add_test(tests, a_step_is_told_its_try_by_that_name);
	tcase_add_test(tests, an_order_carries_an_answer);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
