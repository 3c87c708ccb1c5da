#include "ipc/codec.h"

#include "tests/unit/suite.h"
#include "tests/unit/whole.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
try(const struct codec *codec, const char *bytes, size_t len, struct codec_error *ret_error)
{
	struct whole whole;
	int r;

	*ret_error = (struct codec_error){ .problem = NULL };
	r = codec_decode(codec, bytes, len, &whole, ret_error);
	if (r == 0)
		codec_free(codec, &whole);
	return r;
}

struct refusal {
	const char *bytes;
	size_t len;
	int error;
	const char *field, *problem;
};
#define R(bytes, error, field, problem)           \
 {                                                \
  bytes, sizeof(bytes) - 1, error, field, problem \
 }

/* By number. */
static const struct refusal refusals[] = {
	R("\x90", -EBADMSG, "", "wrong type"),
	R("\xc0", -EBADMSG, "", "wrong type"),
	R("\x80\x00", -EBADMSG, "", "not one msgpack value"),
	R("\x81\x01", -EBADMSG, "", "not one msgpack value"),
	R("\xdf\xff\xff\xff\xff", -EMSGSIZE, "", "too large"),
	R("\x81\xa1u\x01", -EBADMSG, "", "bad key"),
	R("\x81\xff\x01", -EBADMSG, "", "bad key"),
	R("\x81\x01\xff", -EBADMSG, "u", "wrong type"),
	R("\x81\x01\xca\x00\x00\x00\x00", -EBADMSG, "u", "wrong type"),
	R("\x81\x01\xa1"
	  "1",
	    -EBADMSG, "u", "wrong type"),
	R("\x81\x02\xcf\x80\x00\x00\x00\x00\x00\x00\x00", -EBADMSG, "i", "out of range"),
	R("\x81\x03\x01", -EBADMSG, "b", "wrong type"),
	R("\x81\x04\x03", -EBADMSG, "e", "out of range"),
	R("\x81\x04\xff", -EBADMSG, "e", "wrong type"),
	R("\x81\x05\xa1x", -EBADMSG, "d", "wrong type"),
	R("\x81\x06\xc4\x01x", -EBADMSG, "s", "wrong type"),
	R("\x81\x06\xa9"
	  "123456789",
	    -EMSGSIZE, "s", "too long"),
	R("\x81\x06\xa3"
	  "a\x00"
	  "b",
	    -EBADMSG, "s", "holds a NUL"),
	R("\x81\x07\xb0"
	  "0123456789abcdef",
	    -EMSGSIZE, "blob", "too long"),
	R("\x81\x08\x94\xa0\xa0\xa0\xa0", -EMSGSIZE, "strs", "too many"),
	R("\x81\x08\x92\xa0\x01", -EBADMSG, "strs[1]", "wrong type"),
	R("\x81\x08\x92\xa0\xc0", -EBADMSG, "strs[1]", "wrong type"),
	R("\x81\x09\x82\xa1k\xa0\xa1k\xa0", -EBADMSG, "pairs.k", "given twice"),
	R("\x81\x09\x83\xa1k\xa0\xa1l\xa0\xa1k\xa0", -EBADMSG, "pairs.k", "given twice"),
	R("\x81\x09\x81\xa0\xa1v", -EBADMSG, "pairs", "empty name"),
	R("\x81\x09\x81\xa1k\x01", -EBADMSG, "pairs.k", "wrong type"),
	R("\x81\x09\x81\x01\xa1v", -EBADMSG, "pairs", "wrong type"),
	R("\x81\x09\x85\xa1"
	  "a\xa0\xa1"
	  "b\xa0\xa1"
	  "c\xa0\xa1"
	  "d\xa0\xa1"
	  "e\xa0",
	    -EMSGSIZE, "pairs", "too many"),
	R("\x81\x0a\x81\x01\x01", -EBADMSG, "part.name", "wrong type"),
	R("\x81\x0b\x94\x80\x80\x80\x80", -EMSGSIZE, "parts", "too many"),
	R("\x81\x0b\x92\x80\x81\x02\x65", -EBADMSG, "parts[1].number", "out of range"),
	R("\x82\x01\x01\x01\x01", -EBADMSG, "u", "given twice"),
	R("\x82\x01\x01\xcc\x01\x01", -EBADMSG, "u", "given twice"),
	R("\x82\x06\xc0\x06\xa1x", -EBADMSG, "s", "given twice"),
	R("\x82\x32\x01\xcc\x32\x01", -EBADMSG, "#50", "given twice"),
	R("\x82\x00\x01\x00\x01", -EBADMSG, "#0", "given twice"),
	R("\x81\x32\xd9\x40"
	  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	    -EMSGSIZE, "#50", "too many unknown bytes"),
};
#define REFUSALS ((int)(sizeof refusals / sizeof refusals[0]))

START_TEST(bad_bytes_are_refused_and_the_field_is_named)
{
	const struct refusal *refusal = &refusals[_i];
	struct codec_error error;

	ck_assert_int_eq(try(&whole_codec, refusal->bytes, refusal->len, &error), refusal->error);
	ck_assert_str_eq(error.field, refusal->field);
	ck_assert_str_eq(error.problem, refusal->problem);
}
END_TEST

START_TEST(a_strict_codec_refuses_what_it_does_not_know)
{
	struct codec_error error;

	ck_assert_int_eq(try(&strict_codec, "\x81\xa1z\x01", 4, &error), -EBADMSG);
	ck_assert_str_eq(error.field, "z");
	ck_assert_str_eq(error.problem, "unknown field");
	ck_assert_int_eq(try(&strict_codec, "\x81\x01\x01", 3, &error), -EBADMSG);
	ck_assert_int_eq(try(&strict_codec, "\x81\xa1u\x01", 4, &error), 0);
	/* The member that keeps unknown fields is no field itself. */
	ck_assert_int_eq(try(&strict_codec, "\x81\xa4rest\x01", 7, &error), -EBADMSG);
	/* Neither is the start of a name, nor a longer one. */
	ck_assert_int_eq(try(&strict_codec,
			     "\x81\xa6"
			     "blob\x00x\xa0",
			     9, &error),
	    -EBADMSG);
	ck_assert_int_eq(try(&strict_codec,
			     "\x81\xa4"
			     "blo\x00\xa0",
			     7, &error),
	    -EBADMSG);
	ck_assert_int_eq(try(&strict_codec,
			     "\x81\xa3"
			     "blo\xa0",
			     6, &error),
	    -EBADMSG);
	ck_assert_int_eq(try(&strict_codec,
			     "\x81\xa5"
			     "blobs\xa0",
			     8, &error),
	    -EBADMSG);
	ck_assert_int_eq(try(&strict_codec, "\x81\xa0\xa0", 3, &error), -EBADMSG);
}
END_TEST

START_TEST(a_long_path_to_the_error_is_cut_and_no_more)
{
	struct codec_error error;
	char bytes[300] = "\x81\x09\x81\xd9\xff";

	memset(bytes + 5, 'n', 255);
	bytes[260] = 0x01;
	ck_assert_int_eq(try(&whole_codec, bytes, 261, &error), -EBADMSG);
	ck_assert_uint_lt(strlen(error.field), sizeof error.field);
	ck_assert_int_eq(strncmp(error.field, "pairs.nnnn", 10), 0);
}
END_TEST

START_TEST(more_unknown_fields_than_a_build_could_add_are_refused)
{
	struct codec_error error;
	char bytes[3 + 2 * 40] = "\xde\x00\x28";

	for (int i = 0; i < 40; i++) {
		bytes[3 + 2 * i] = (char)(50 + i);
		bytes[4 + 2 * i] = 0;
	}
	ck_assert_int_eq(try(&whole_codec, bytes, sizeof bytes, &error), -EMSGSIZE);
	ck_assert_str_eq(error.problem, "too many unknown fields");
}
END_TEST

START_TEST(what_exceeds_a_limit_is_told_with_the_limit)
{
	struct codec_error error;

	ck_assert_int_eq(try(&whole_codec, "\x81\x08\x94\xa0\xa0\xa0\xa0", 7, &error), -EMSGSIZE);
	ck_assert_uint_eq(error.given, 4);
	ck_assert_uint_eq(error.max, 3);
	ck_assert_int_eq(try(&whole_codec,
			     "\x81\x06\xa9"
			     "123456789",
			     12, &error),
	    -EMSGSIZE);
	ck_assert_uint_eq(error.given, 9);
	ck_assert_uint_eq(error.max, 8);
	ck_assert_int_eq(try(&whole_codec, "\x81\x04\x03", 3, &error), -EBADMSG);
	ck_assert_uint_eq(error.given, 3);
	ck_assert_uint_eq(error.max, 2);
	ck_assert_int_eq(try(&whole_codec, "\x81\x01\xff", 3, &error), -EBADMSG);
	ck_assert_uint_eq(error.max, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("codec_refusals");
	TCase *tests = tcase_create("codec_refusals");

	tcase_add_loop_test(tests, bad_bytes_are_refused_and_the_field_is_named, 0, REFUSALS);
	tcase_add_test(tests, what_exceeds_a_limit_is_told_with_the_limit);
	tcase_add_test(tests, a_strict_codec_refuses_what_it_does_not_know);
	tcase_add_test(tests, a_long_path_to_the_error_is_cut_and_no_more);
	tcase_add_test(tests, more_unknown_fields_than_a_build_could_add_are_refused);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
