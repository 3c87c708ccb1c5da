#include "ipc/spec.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct spec_step *
add_step(struct spec *spec, const char *name)
{
	struct spec_step *step = list_add((struct list *)&spec->steps, &spec_step_codec);

	ck_assert_ptr_nonnull(step);
	step->kind = STEP_KIND_CMD;
	ck_assert_int_eq(str_set(&step->name, name), 0);
	return step;
}

static void
fill(struct spec *spec)
{
	struct spec_step *step;

	codec_init(&spec_codec, spec);
	str_set(&spec->type, "install");
	pairs_set(&spec->params, "server-id", "7");
	step = add_step(spec, "fetch");
	step->kind = STEP_KIND_PULL;
	str_set(&step->pull.url, "${steps.find.url}");
	step->weight = 3;
	step = add_step(spec, "unpack");
	strs_add(&step->cmd.argv, "tar");
	strs_add(&step->cmd.argv, "");
	str_set(&step->undo.sh, "rm -r dir");
	pairs_set(&step->env, "A", "b");
	step->cancel = CANCEL_NEVER;
	step->leave_running = true;
}

static void
check(const struct spec *spec)
{
	ck_assert_str_eq(spec->type, "install");
	ck_assert_ptr_null(spec->scope);
	ck_assert_str_eq(pairs_get(&spec->params, "server-id"), "7");
	ck_assert_uint_eq(spec->steps.n, 2);
	ck_assert_str_eq(spec->steps.v[0].pull.url, "${steps.find.url}");
	ck_assert_double_eq(spec->steps.v[0].weight, 3);
	ck_assert(isnan(spec->steps.v[1].weight));
	ck_assert_uint_eq(spec->steps.v[1].cmd.argv.n, 2);
	ck_assert_str_eq(spec->steps.v[1].cmd.argv.v[1], "");
	ck_assert_str_eq(spec->steps.v[1].undo.sh, "rm -r dir");
	ck_assert_int_eq(spec->steps.v[1].cancel, CANCEL_NEVER);
	ck_assert(spec->steps.v[1].leave_running);
}

START_TEST(a_spec_survives_the_round_trip)
{
	struct spec spec, back;
	struct buf out;

	fill(&spec);
	buf_init(&out, LIMIT_SPEC);
	ck_assert_int_eq(codec_encode(&spec_codec, &spec, &out), 0);
	ck_assert_int_eq(codec_decode(&spec_codec, out.data, out.len, &back, NULL), 0);
	check(&back);
	codec_free(&spec_codec, &spec);
	codec_free(&spec_codec, &back);
	buf_fini(&out);
}
END_TEST

START_TEST(the_same_spec_is_always_the_same_bytes)
{
	struct spec spec, copy;
	struct buf one, two;

	fill(&spec);
	ck_assert_int_eq(codec_copy(&spec_codec, &spec, &copy), 0);
	buf_init(&one, LIMIT_SPEC);
	buf_init(&two, LIMIT_SPEC);
	ck_assert_int_eq(codec_encode(&spec_codec, &spec, &one), 0);
	ck_assert_int_eq(codec_encode(&spec_codec, &copy, &two), 0);
	ck_assert_uint_eq(one.len, two.len);
	ck_assert_mem_eq(one.data, two.data, one.len);
	buf_fini(&one);
	buf_fini(&two);
	codec_free(&spec_codec, &spec);
	codec_free(&spec_codec, &copy);
}
END_TEST

START_TEST(a_brief_holds_a_whole_spec_and_what_is_done)
{
	struct brief brief, back;
	struct brief_step *step;
	struct buf out;

	codec_init(&brief_codec, &brief);
	fill(&brief.spec);
	brief.task = 41;
	brief.attempt = 2;
	brief.mode = ATTEMPT_RUN;
	brief.uid = UINT32_MAX;
	step = list_add((struct list *)&brief.steps, brief_codec.fields[20].sub);
	ck_assert_ptr_nonnull(step);
	step->state = STEP_DONE;
	pairs_set(&step->outputs, "url", "http://localhost/");
	blob_set(&step->checkpoint, "\x07", 1);
	buf_init(&out, (size_t)1 << 22);
	ck_assert_int_eq(codec_encode(&brief_codec, &brief, &out), 0);
	ck_assert_int_eq(codec_decode(&brief_codec, out.data, out.len, &back, NULL), 0);
	check(&back.spec);
	ck_assert_uint_eq(back.task, 41);
	ck_assert_uint_eq(back.uid, UINT32_MAX);
	ck_assert_int_eq(back.steps.v[0].state, STEP_DONE);
	ck_assert_uint_eq(back.steps.v[0].checkpoint.data[0], 7);
	codec_free(&brief_codec, &brief);
	codec_free(&brief_codec, &back);
	buf_fini(&out);
}
END_TEST

START_TEST(too_many_steps_are_not_frozen)
{
	struct spec spec;
	struct buf out;

	codec_init(&spec_codec, &spec);
	for (int i = 0; i <= LIMIT_STEPS; i++)
		add_step(&spec, "step");
	buf_init(&out, LIMIT_SPEC);
	ck_assert_int_eq(codec_encode(&spec_codec, &spec, &out), -EMSGSIZE);
	buf_fini(&out);
	codec_free(&spec_codec, &spec);
}
END_TEST

START_TEST(numbers_of_fields_are_unique)
{
	const struct codec *const codecs[] = { &spec_codec, &spec_step_codec, &brief_codec };
	const struct codec *codec = codecs[_i];

	for (size_t i = 0; i < codec->nfields; i++) {
		ck_assert_uint_gt(codec->fields[i].number, 0);
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(codec->fields[i].number, codec->fields[j].number);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spec");
	TCase *tests = tcase_create("spec");

	tcase_add_test(tests, a_spec_survives_the_round_trip);
	tcase_add_test(tests, the_same_spec_is_always_the_same_bytes);
	tcase_add_test(tests, a_brief_holds_a_whole_spec_and_what_is_done);
	tcase_add_test(tests, too_many_steps_are_not_frozen);
	tcase_add_loop_test(tests, numbers_of_fields_are_unique, 0, 3);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
