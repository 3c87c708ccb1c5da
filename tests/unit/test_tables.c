/* Every field table of the project, looked at as a table. */
#include "ipc/msg.h"
#include "ipc/spec.h"
#include "store/record.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static size_t
member_size(const struct codec_field *field)
{
	switch (field->type) {
	case CODEC_UINT:
	case CODEC_INT:
		return sizeof(uint64_t);
	case CODEC_BOOL:
		return sizeof(bool);
	case CODEC_ENUM:
		return sizeof(int);
	case CODEC_DOUBLE:
		return sizeof(double);
	case CODEC_STR:
		return sizeof(char *);
	case CODEC_BLOB:
	case CODEC_REST:
		return sizeof(struct blob);
	case CODEC_STRS:
		return sizeof(struct strs);
	case CODEC_PAIRS:
		return sizeof(struct pairs);
	case CODEC_STRUCT:
		return field->sub->size;
	case CODEC_LIST:
		return sizeof(struct list);
	}
	return 0;
}

static void
check_pair_of_fields(
    const struct codec *codec, const struct codec_field *a, const struct codec_field *b)
{
	bool apart =
	    a->offset + member_size(a) <= b->offset || b->offset + member_size(b) <= a->offset;

	ck_assert_msg(apart, "%s: %s and %s overlap", codec->name, a->name, b->name);
	ck_assert_msg(a->number != b->number, "%s: number %u twice", codec->name, a->number);
	ck_assert_msg(strcmp(a->name, b->name) != 0, "%s: %s twice", codec->name, a->name);
}

static void
check_table(const struct codec *codec)
{
	ck_assert_uint_le(codec->nfields, 64);
	ck_assert_ptr_nonnull(codec->limits);
	for (size_t i = 0; i < codec->nfields; i++) {
		const struct codec_field *field = &codec->fields[i];
		bool bounded = field->type != CODEC_UINT && field->type != CODEC_INT &&
			       field->type != CODEC_BOOL && field->type != CODEC_DOUBLE &&
			       field->type != CODEC_STRUCT;

		ck_assert_msg(field->offset + member_size(field) <= codec->size, "%s", field->name);
		ck_assert_msg(!bounded || field->max > 0, "%s: no maximum", field->name);
		ck_assert_int_eq(field->number == 0, field->type == CODEC_REST);
		for (size_t j = 0; j < i; j++)
			check_pair_of_fields(codec, field, &codec->fields[j]);
		if (field->type == CODEC_STRUCT || field->type == CODEC_LIST)
			check_table(field->sub);
	}
}

START_TEST(every_table_is_sound)
{
	const struct codec *const codecs[] = { &fact_codec, &news_codec, &order_codec,
		&step_msg_codec, &step_start_codec, &brief_codec, &record_codec };

	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
		check_table(codecs[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tables");
	TCase *tests = tcase_create("tables");

	tcase_add_test(tests, every_table_is_sound);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
