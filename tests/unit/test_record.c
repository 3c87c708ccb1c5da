#include "store/record.h"

#include "store/history.h"

#include "store/env.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row with something in every field, and in every field of every part of it. */
static void
set_str(char **member, const char *text)
{
	ck_assert_int_eq(str_set(member, text), 0);
}

static void fill_field(const struct codec_field *field, void *value, uint64_t seed);

static void
fill(const struct codec *codec, void *obj, uint64_t seed)
{
	codec_init(codec, obj);
	for (size_t i = 0; i < codec->nfields; i++)
		fill_field(&codec->fields[i], (char *)obj + codec->fields[i].offset, seed + i);
}

static void
fill_list(const struct codec_field *field, struct list *list, uint64_t seed)
{
	for (uint64_t i = 0; i < 2; i++) {
		void *element = list_add(list, field->sub);

		ck_assert_ptr_nonnull(element);
		fill(field->sub, element, seed + i);
	}
}

static void
fill_field(const struct codec_field *field, void *value, uint64_t seed)
{
	static const uint8_t blob[] = { 0x92, 1, 0xa1, 'x' }, unknown[] = { 0x81, 0xcd, 1, 0, 7 };
	char text[32];

	snprintf(text, sizeof text, "text %u", (unsigned)(seed % 100));
	if (field->type == CODEC_UINT)
		*(uint64_t *)value = field->max ? seed % field->max + 1 : UINT64_MAX - seed;
	else if (field->type == CODEC_INT)
		*(int64_t *)value = -1 - (int64_t)seed;
	else if (field->type == CODEC_BOOL)
		*(bool *)value = true;
	else if (field->type == CODEC_ENUM)
		*(int *)value = (int)(seed % field->max) + 1;
	else if (field->type == CODEC_DOUBLE)
		*(double *)value = (double)seed / 7;
	else if (field->type == CODEC_STR)
		set_str(value, text);
	else if (field->type == CODEC_BLOB)
		ck_assert_int_eq(blob_set(value, blob, sizeof blob), 0);
	else if (field->type == CODEC_PAIRS)
		ck_assert_int_eq(pairs_set(value, text, "value"), 0);
	else if (field->type == CODEC_STRS)
		ck_assert_int_eq(strs_add(value, text), 0);
	else if (field->type == CODEC_STRUCT)
		fill(field->sub, value, seed);
	else if (field->type == CODEC_LIST)
		fill_list(field, value, seed);
	else
		ck_assert_int_eq(blob_set(value, unknown, sizeof unknown), 0);
}

static void
encode(const struct record *record, struct buf *out)
{
	buf_init(out, RECORD_MAX_BYTES);
	ck_assert_int_eq(codec_encode(&record_codec, record, out), 0);
}

START_TEST(every_field_comes_back)
{
	struct record record, back;
	struct buf once, twice;

	fill(&record_codec, &record, 3);
	encode(&record, &once);
	ck_assert_int_eq(codec_decode(&record_codec, once.data, once.len, &back, NULL), 0);
	encode(&back, &twice);
	ck_assert_uint_eq(once.len, twice.len);
	ck_assert_int_eq(memcmp(once.data, twice.data, once.len), 0);
	ck_assert_uint_eq(back.id, record.id);
	ck_assert_str_eq(back.steps.v[1].subs.v[1].name, record.steps.v[1].subs.v[1].name);
	ck_assert_uint_eq(back.attempt.cursor, record.attempt.cursor);
	ck_assert(back.attempt.closed);
	ck_assert_str_eq(back.persons.v[1].name, record.persons.v[1].name);
	ck_assert_double_eq(back.steps.v[0].weight, record.steps.v[0].weight);
	codec_free(&record_codec, &record);
	codec_free(&record_codec, &back);
	buf_fini(&once);
	buf_fini(&twice);
}
END_TEST

START_TEST(an_empty_row_is_one_byte_and_nothing_is_known)
{
	struct record record, back;
	struct buf out;

	codec_init(&record_codec, &record);
	encode(&record, &out);
	ck_assert_uint_eq(out.len, 1);
	ck_assert_int_eq(codec_decode(&record_codec, out.data, out.len, &back, NULL), 0);
	ck_assert(isnan(back.progress));
	ck_assert_ptr_null(back.title);
	ck_assert_uint_eq(back.steps.n, 0);
	codec_free(&record_codec, &back);
	buf_fini(&out);
}
END_TEST

/* Kept at every depth: a step's field 99, and its sub-step's. */
START_TEST(fields_of_a_newer_build_are_kept)
{
	static const uint8_t newer[] = { 0x82, 24, 0x91, 0x82, 99, 0xa1, 'n', 11, 0x91, 0x82, 1, 5,
		98, 0xc3, 0xcd, 1, 0, 0x93, 1, 2, 3 };
	struct record record;
	struct buf out;

	ck_assert_int_eq(codec_decode(&record_codec, newer, sizeof newer, &record, NULL), 0);
	ck_assert_uint_eq(record.steps.v[0].subs.v[0].sub, 5);
	encode(&record, &out);
	ck_assert_uint_eq(out.len, sizeof newer);
	ck_assert_ptr_nonnull(memmem(out.data, out.len, "\x63\xa1n", 3));
	ck_assert_ptr_nonnull(memmem(out.data, out.len, "\x62\xc3", 2));
	ck_assert_ptr_nonnull(memmem(out.data, out.len, "\xcd\x01\x00\x93\x01\x02\x03", 7));
	codec_free(&record_codec, &record);
	buf_fini(&out);
}
END_TEST

/* TEXT becomes LEN bytes long, at most LIMIT_TEXT. */
static char *
long_text(size_t len)
{
	static char text[LIMIT_TEXT + 1];

	memset(text, 't', len);
	text[len] = '\0';
	return text;
}

static void
add_pairs(struct pairs *pairs, size_t bytes)
{
	char name[16];

	for (size_t n = 0; n * LIMIT_TEXT < bytes; n++) {
		snprintf(name, sizeof name, "%zu", n);
		ck_assert_int_eq(pairs_set(pairs, name, long_text(LIMIT_TEXT)), 0);
	}
}

/* All that the roster lets into a row, each as large as it may be; see supervisor/apply.c. */
static void
fill_to_the_limits(struct record *record)
{
	uint8_t *numbers = malloc(LIMIT_VALUE);

	ck_assert_ptr_nonnull(numbers);
	memset(numbers, 1, LIMIT_VALUE);
	memcpy(numbers, (const uint8_t[]){ 0xdc, (LIMIT_VALUE - 3) >> 8, (LIMIT_VALUE - 3) & 0xff },
	    3);
	add_pairs(&record->labels, LIMIT_RPC);
	add_pairs(&record->params, LIMIT_SPEC);
	set_str(&record->outcome, long_text(LIMIT_TEXT));
	for (int i = 0; i < LIMIT_STEPS; i++) {
		struct record_step *step =
		    list_add((struct list *)&record->steps, &record_step_codec);

		ck_assert_ptr_nonnull(step);
		ck_assert_int_eq(blob_set(&step->checkpoint, numbers, LIMIT_VALUE), 0);
		for (int k = 0; k < 1024 / LIMIT_STEPS; k++) {
			struct record_sub *sub =
			    list_add((struct list *)&step->subs, &record_sub_codec);

			ck_assert_ptr_nonnull(sub);
			set_str(&sub->name, long_text(LIMIT_TITLE));
			set_str(&sub->detail, long_text(LIMIT_TITLE));
		}
	}
	add_pairs(&record->steps.v[0].outputs, LIMIT_OUTPUTS);
	free(numbers);
}

START_TEST(a_row_at_all_its_limits_can_be_read_back)
{
	struct record record, back;
	struct buf out;

	codec_init(&record_codec, &record);
	fill_to_the_limits(&record);
	for (int i = 0; i < LIMIT_WARNINGS; i++) {
		struct record_warning *warning =
		    list_add((struct list *)&record.warnings, &record_warning_codec);
		struct record_interruption *interruption =
		    list_add((struct list *)&record.interruptions, &record_interruption_codec);

		ck_assert(warning && interruption);
		set_str(&warning->text, long_text(LIMIT_TEXT));
		set_str(&interruption->message, long_text(LIMIT_TEXT));
	}
	encode(&record, &out);
	ck_assert_uint_gt(out.len, RECORD_MAX_BYTES / 2);
	ck_assert_int_eq(codec_decode(&record_codec, out.data, out.len, &back, NULL), 0);
	ck_assert_uint_eq(back.steps.n, LIMIT_STEPS);
	codec_free(&record_codec, &record);
	codec_free(&record_codec, &back);
	buf_fini(&out);
}
END_TEST

/* ---- SCHEMA.md -------------------------------------------------------------------- */

static char *
read_schema(void)
{
	FILE *in = fopen("store/SCHEMA.md", "r");
	char *text = NULL;
	size_t room = 0;

	ck_assert_ptr_nonnull(in);
	ck_assert_int_gt(getdelim(&text, &room, '\0', in), 0);
	fclose(in);
	return text;
}

static const char *
type_name(const struct codec_field *field)
{
	static const char *const names[] = { [CODEC_UINT] = "uint",
		[CODEC_INT] = "int",
		[CODEC_BOOL] = "bool",
		[CODEC_ENUM] = "enum",
		[CODEC_DOUBLE] = "double",
		[CODEC_STR] = "str",
		[CODEC_BLOB] = "blob",
		[CODEC_STRS] = "strs",
		[CODEC_PAIRS] = "pairs" };

	return field->type == CODEC_STRUCT ? field->sub->name
	       : field->type == CODEC_LIST ? "list of "
					   : names[field->type];
}

/* The row of SCHEMA.md that says what FIELD is. */
static void
describe(const struct codec_field *field, char line[static 128])
{
	char max[24] = "-";

	if (field->max > 0)
		snprintf(max, sizeof max, "%zu", field->max);
	snprintf(line, 128, "\n| %u | `%s` | %s%s | %s |", field->number, field->name,
	    type_name(field), field->type == CODEC_LIST ? field->sub->name : "", max);
}

static size_t
count_rows(const char *begin, const char *end)
{
	size_t n = 0;

	for (const char *at = begin; (at = strstr(at, "\n| ")) && at < end; at++)
		n++;
	return n;
}

static void
check_section(const char *schema, const struct codec *codec)
{
	char heading[64], line[128];
	const char *begin, *end;
	size_t rows = 1; /* of column names */

	snprintf(heading, sizeof heading, "\n### %s\n", codec->name);
	begin = strstr(schema, heading);
	ck_assert_msg(begin, "SCHEMA.md has no section for %s", codec->name);
	end = strstr(begin + 1, "\n### ");
	end = end ? end : begin + strlen(begin);
	for (size_t i = 0; i < codec->nfields; i++) {
		const struct codec_field *field = &codec->fields[i];
		const char *at;

		if (field->type == CODEC_REST)
			continue;
		rows++;
		describe(field, line);
		at = strstr(begin, line);
		ck_assert_msg(at && at < end, "SCHEMA.md, %s, lacks:%s", codec->name, line);
		if (field->sub)
			check_section(schema, field->sub);
	}
	ck_assert_msg(count_rows(begin, end) == rows, "SCHEMA.md, %s: %zu rows for %zu fields",
	    codec->name, count_rows(begin, end) - 1, rows - 1);
}

START_TEST(the_schema_page_says_what_is_in_a_row)
{
	char *schema = read_schema(), bytes[64];

	check_section(schema, &record_codec);
	check_section(schema, &history_codec);
	snprintf(bytes, sizeof bytes, "at most %d,%03d,%03d bytes", RECORD_MAX_BYTES / 1000000,
	    RECORD_MAX_BYTES / 1000 % 1000, RECORD_MAX_BYTES % 1000);
	ck_assert_ptr_nonnull(strstr(schema, bytes));
	free(schema);
}
END_TEST

START_TEST(the_schema_page_says_which_tables_there_are)
{
	static const char *const tables[] = {
#define X(member, name, key_bytes, help) name,
		STORE_TABLES(X)
#undef X
	};
	char *schema = read_schema(), line[64];
	const char *begin = strstr(schema, "\n## Tables"), *end;

	ck_assert_ptr_nonnull(begin);
	end = strstr(begin + 1, "\n**");
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		snprintf(line, sizeof line, "\n| `%s` |", tables[i]);
		ck_assert_msg(strstr(begin, line), "SCHEMA.md lacks the table %s", tables[i]);
	}
	ck_assert_uint_eq(count_rows(begin, end), 1 + sizeof tables / sizeof tables[0]);
	snprintf(line, sizeof line, "Schema version: %d\n", STORE_SCHEMA_VERSION);
	ck_assert_ptr_nonnull(strstr(schema, line));
	free(schema);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("record");
	TCase *rows = tcase_create("rows"), *schema = tcase_create("schema");

	tcase_add_test(rows, every_field_comes_back);
	tcase_add_test(rows, an_empty_row_is_one_byte_and_nothing_is_known);
	tcase_add_test(rows, fields_of_a_newer_build_are_kept);
	tcase_add_test(rows, a_row_at_all_its_limits_can_be_read_back);
	tcase_add_test(schema, the_schema_page_says_what_is_in_a_row);
	tcase_add_test(schema, the_schema_page_says_which_tables_there_are);
	suite_add_tcase(suite, rows);
	suite_add_tcase(suite, schema);
	return run_suite(suite);
}
