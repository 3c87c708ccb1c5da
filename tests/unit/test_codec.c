#include "ipc/codec.h"

#include "ipc/task.h"
#include "tests/unit/suite.h"
#include "tests/unit/whole.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct whole
make_whole(void)
{
	struct whole whole;

	codec_init(&whole_codec, &whole);
	whole.u = UINT64_MAX;
	whole.i = INT64_MIN;
	whole.b = true;
	whole.e = COLOUR_BLUE;
	whole.d = 0.25;
	str_set(&whole.s, "text");
	blob_set(&whole.blob, "\x93\x01\xa1x\xc0", 5);
	strs_add(&whole.strs, "one");
	strs_add(&whole.strs, "");
	pairs_set(&whole.pairs, "k", "v");
	pairs_set(&whole.pairs, "empty", "");
	str_set(&whole.part.name, "inner");
	for (uint64_t i = 1; i <= 2; i++) {
		struct part *part = list_add((struct list *)&whole.parts, &part_codec);

		ck_assert_ptr_nonnull(part);
		part->number = i;
	}
	return whole;
}

static void
check_whole(const struct whole *whole)
{
	ck_assert_uint_eq(whole->u, UINT64_MAX);
	ck_assert(whole->i == INT64_MIN);
	ck_assert(whole->b);
	ck_assert_int_eq(whole->e, COLOUR_BLUE);
	ck_assert_double_eq(whole->d, 0.25);
	ck_assert_str_eq(whole->s, "text");
	ck_assert_uint_eq(whole->blob.len, 5);
	ck_assert_mem_eq(whole->blob.data, "\x93\x01\xa1x\xc0", 5);
	ck_assert_uint_eq(whole->strs.n, 2);
	ck_assert_str_eq(whole->strs.v[0], "one");
	ck_assert_str_eq(whole->strs.v[1], "");
	ck_assert_uint_eq(whole->pairs.n, 2);
	ck_assert_str_eq(pairs_get(&whole->pairs, "k"), "v");
	ck_assert_str_eq(pairs_get(&whole->pairs, "empty"), "");
	ck_assert_str_eq(whole->part.name, "inner");
	ck_assert(isnan(whole->part.share));
	ck_assert_uint_eq(whole->parts.n, 2);
	ck_assert_uint_eq(whole->parts.v[1].number, 2);
	ck_assert_ptr_null(whole->parts.v[1].name);
	ck_assert(isnan(whole->parts.v[1].share));
}

static void
encode(const struct codec *codec, const struct whole *whole, struct buf *out)
{
	buf_init(out, LIMIT_FRAME);
	ck_assert_int_eq(codec_encode(codec, whole, out), 0);
}

START_TEST(everything_survives_the_round_trip)
{
	const struct codec *const codecs[] = { &whole_codec, &named_codec, &strict_codec };
	struct whole whole = make_whole();

	for (size_t i = 0; i < 3; i++) {
		struct whole back;
		struct buf out;

		encode(codecs[i], &whole, &out);
		ck_assert_int_eq(codec_decode(codecs[i], out.data, out.len, &back, NULL), 0);
		check_whole(&back);
		codec_free(codecs[i], &back);
		buf_fini(&out);
	}
	codec_free(&whole_codec, &whole);
}
END_TEST

START_TEST(what_is_empty_is_left_out)
{
	struct whole whole, back;
	struct buf out;

	codec_init(&whole_codec, &whole);
	str_set(&whole.s, "");
	str_set(&whole.part.name, "");
	encode(&whole_codec, &whole, &out);
	ck_assert_uint_eq(out.len, 1);
	ck_assert_uint_eq(out.data[0], 0x80);
	ck_assert_int_eq(codec_decode(&whole_codec, out.data, out.len, &back, NULL), 0);
	ck_assert_ptr_null(back.s);
	ck_assert(isnan(back.d));
	codec_free(&whole_codec, &whole);
	buf_fini(&out);
}
END_TEST

/* ---- what is damaged ------------------------------------------------------------------- */

static bool
is_taken(const uint8_t *bytes, size_t len)
{
	struct codec_error error = { .problem = NULL };
	struct whole whole;

	if (codec_decode(&whole_codec, bytes, len, &whole, &error) < 0) {
		ck_assert_ptr_nonnull(error.problem);
		return false;
	}
	codec_free(&whole_codec, &whole);
	return true;
}

START_TEST(no_flipped_byte_or_cut_makes_decoding_misbehave)
{
	struct whole whole = make_whole();
	struct buf out;

	encode(&whole_codec, &whole, &out);
	for (size_t len = 0; len < out.len; len++)
		ck_assert(!is_taken(out.data, len));
	for (size_t at = 0; at < out.len; at++) {
		for (unsigned flip = 1; flip < 256; flip++) {
			out.data[at] ^= (uint8_t)flip;
			is_taken(out.data, out.len);
			out.data[at] ^= (uint8_t)flip;
		}
	}
	buf_fini(&out);
	codec_free(&whole_codec, &whole);
}
END_TEST

/* ---- what is tolerated ----------------------------------------------------------------- */

START_TEST(fields_of_a_newer_build_are_kept)
{
	static const char newer[] = "\x83\x01\x07\x32\x92\x01\xa1x\xcd\x01\x00\xc3";
	struct whole whole;
	struct buf out;

	ck_assert_int_eq(codec_decode(&whole_codec, newer, sizeof newer - 1, &whole, NULL), 0);
	ck_assert_uint_eq(whole.u, 7);
	whole.u = 8;
	encode(&whole_codec, &whole, &out);
	ck_assert_uint_eq(out.len, sizeof newer - 1);
	ck_assert_mem_eq(out.data, "\x83\x01\x08\x32\x92\x01\xa1x\xcd\x01\x00\xc3", out.len);
	buf_fini(&out);
	codec_free(&whole_codec, &whole);
}
END_TEST

START_TEST(order_does_not_matter_and_nil_is_absent)
{
	struct whole whole;

	ck_assert_int_eq(
	    codec_decode(&whole_codec, "\x84\x06\xa1s\x05\xc0\x01\x02\x0b\xc0", 10, &whole, NULL),
	    0);
	ck_assert_str_eq(whole.s, "s");
	ck_assert_uint_eq(whole.u, 2);
	ck_assert(isnan(whole.d));
	ck_assert_uint_eq(whole.parts.n, 0);
	codec_free(&whole_codec, &whole);
}
END_TEST

START_TEST(a_nil_can_be_the_value_of_a_blob)
{
	struct whole whole;

	ck_assert_int_eq(codec_decode(&whole_codec, "\x81\x07\xc0", 3, &whole, NULL), 0);
	ck_assert_uint_eq(whole.blob.len, 1);
	ck_assert_uint_eq(whole.blob.data[0], 0xc0);
	codec_free(&whole_codec, &whole);
}
END_TEST

START_TEST(an_integer_is_a_double_and_infinity_is_unknown)
{
	struct whole whole;

	ck_assert_int_eq(codec_decode(&whole_codec, "\x81\x05\x01", 3, &whole, NULL), 0);
	ck_assert_double_eq(whole.d, 1.0);
	ck_assert_int_eq(codec_decode(&whole_codec, "\x81\x05\xff", 3, &whole, NULL), 0);
	ck_assert_double_eq(whole.d, -1.0);
	ck_assert_int_eq(
	    codec_decode(&whole_codec, "\x81\x05\xca\x7f\x80\x00\x00", 7, &whole, NULL), 0);
	ck_assert(isnan(whole.d));
}
END_TEST

/* ---- encoding ------------------------------------------------------------------------- */

static char *
text(const char *literal)
{
	char *copy = strdup(literal);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

static void
check_refused(const struct whole *whole)
{
	struct buf out;

	buf_init(&out, LIMIT_FRAME);
	ck_assert_int_eq(codec_encode(&whole_codec, whole, &out), -EMSGSIZE);
	ck_assert_int_eq(buf_error(&out), -EMSGSIZE);
	buf_fini(&out);
}

START_TEST(what_decoding_would_refuse_is_not_encoded)
{
	struct whole whole;

	codec_init(&whole_codec, &whole);
	str_set(&whole.s, "123456789");
	check_refused(&whole);
	codec_free(&whole_codec, &whole);
	whole.e = (enum colour)3;
	check_refused(&whole);
	codec_free(&whole_codec, &whole);
	whole.part.number = 101;
	check_refused(&whole);
	codec_free(&whole_codec, &whole);
	for (int i = 0; i < 4; i++)
		strs_add(&whole.strs, "");
	check_refused(&whole);
	codec_free(&whole_codec, &whole);
}
END_TEST

START_TEST(names_that_are_empty_or_repeated_are_not_encoded)
{
	struct pair pairs[2] = { { text("a"), text("1") }, { text("a"), text("2") } };
	struct whole whole;

	codec_init(&whole_codec, &whole);
	whole.pairs = (struct pairs){ pairs, 2 };
	check_refused(&whole);
	pairs[1].name[0] = '\0';
	check_refused(&whole);
	for (size_t i = 0; i < 2; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
}
END_TEST

START_TEST(a_blob_that_is_not_one_value_is_not_encoded)
{
	struct whole whole;
	struct buf out;

	codec_init(&whole_codec, &whole);
	blob_set(&whole.blob, "\x01\x02", 2);
	buf_init(&out, LIMIT_FRAME);
	ck_assert_int_lt(codec_encode(&whole_codec, &whole, &out), 0);
	buf_fini(&out);
	codec_free(&whole_codec, &whole);
}
END_TEST

START_TEST(encoding_appends_to_what_is_there)
{
	struct whole whole;
	struct buf out;

	codec_init(&whole_codec, &whole);
	buf_init(&out, 100);
	buf_add(&out, "head", 4);
	ck_assert_int_eq(codec_encode(&whole_codec, &whole, &out), 0);
	ck_assert_uint_eq(out.len, 5);
	buf_fini(&out);
}
END_TEST

/* ---- memory --------------------------------------------------------------------------- */

START_TEST(a_copy_is_deep)
{
	struct whole whole = make_whole(), copy;

	blob_set(&whole.rest, "\x81\x32\x01", 3);
	ck_assert_int_eq(codec_copy(&whole_codec, &whole, &copy), 0);
	memset(whole.s, 'x', strlen(whole.s));
	codec_free(&whole_codec, &whole);
	check_whole(&copy);
	ck_assert_uint_eq(copy.rest.len, 3);
	codec_free(&whole_codec, &copy);
	ck_assert_ptr_null(copy.parts.v);
	ck_assert(isnan(copy.d));
	codec_free(&whole_codec, &copy);
}
END_TEST

START_TEST(a_list_that_was_decoded_can_grow)
{
	struct whole whole;

	ck_assert_int_eq(codec_decode(&whole_codec,
			     "\x82\x08\x93\xa1"
			     "a\xa1"
			     "b\xa1"
			     "c\x0b\x93\x80\x80\x80",
			     14, &whole, NULL),
	    0);
	ck_assert_int_eq(strs_add(&whole.strs, "d"), 0);
	ck_assert_ptr_nonnull(list_add((struct list *)&whole.parts, &part_codec));
	ck_assert_str_eq(whole.strs.v[3], "d");
	ck_assert(isnan(whole.parts.v[3].share));
	codec_free(&whole_codec, &whole);
}
END_TEST

START_TEST(setting_a_pair_again_replaces_it)
{
	struct pairs pairs = { .v = NULL };

	ck_assert_ptr_null(pairs_get(&pairs, "a"));
	pairs_set(&pairs, "a", "1");
	pairs_set(&pairs, "b", "2");
	pairs_set(&pairs, "a", "3");
	ck_assert_uint_eq(pairs.n, 2);
	ck_assert_str_eq(pairs_get(&pairs, "a"), "3");
	pairs_free(&pairs);
	ck_assert_uint_eq(pairs.n, 0);
}
END_TEST

START_TEST(a_string_member_is_replaced_and_cleared)
{
	char *member = NULL;

	ck_assert_int_eq(str_set(&member, "one"), 0);
	ck_assert_int_eq(str_set(&member, member), 0); /* of itself */
	ck_assert_str_eq(member, "one");
	ck_assert_int_eq(str_set(&member, NULL), 0);
	ck_assert_ptr_null(member);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("codec");
	TCase *tests = tcase_create("codec");

	tcase_add_test(tests, everything_survives_the_round_trip);
	tcase_add_test(tests, what_is_empty_is_left_out);
	tcase_add_test(tests, no_flipped_byte_or_cut_makes_decoding_misbehave);
	tcase_add_test(tests, fields_of_a_newer_build_are_kept);
	tcase_add_test(tests, order_does_not_matter_and_nil_is_absent);
	tcase_add_test(tests, a_nil_can_be_the_value_of_a_blob);
	tcase_add_test(tests, an_integer_is_a_double_and_infinity_is_unknown);
	tcase_add_test(tests, what_decoding_would_refuse_is_not_encoded);
	tcase_add_test(tests, names_that_are_empty_or_repeated_are_not_encoded);
	tcase_add_test(tests, a_blob_that_is_not_one_value_is_not_encoded);
	tcase_add_test(tests, encoding_appends_to_what_is_there);
	tcase_add_test(tests, a_copy_is_deep);
	tcase_add_test(tests, a_list_that_was_decoded_can_grow);
	tcase_add_test(tests, setting_a_pair_again_replaces_it);
	tcase_add_test(tests, a_string_member_is_replaced_and_cleared);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
