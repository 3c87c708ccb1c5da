#include "ipc/mp.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char document[] = "\x87\xa1u\x07\xa1i\xff\xa1"
			       "d\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"
			       "\xa1"
			       "b\xc3\xa1s\xa4text\xa1n\xc0\xa1m\x81\xa1x\x01";

static struct mp_doc
parse(void)
{
	struct mp_doc doc;

	ck_assert_int_eq(mp_parse(&doc, document, sizeof document - 1, &walk_frame_limits), 0);
	return doc;
}

START_TEST(values_are_found_by_key)
{
	struct mp_doc doc = parse();
	char *text = mp_str_dup(mp_get(&doc.root, "s"));

	ck_assert_uint_eq(mp_uint(mp_get(&doc.root, "u"), 0), 7);
	ck_assert_double_eq(mp_double(mp_get(&doc.root, "d"), 0), 0.5);
	ck_assert_double_eq(mp_double(mp_get(&doc.root, "u"), 0), 7.0);
	ck_assert_double_eq(mp_double(mp_get(&doc.root, "i"), 0), -1.0);
	ck_assert(mp_bool(mp_get(&doc.root, "b"), false));
	ck_assert(mp_is_nil(mp_get(&doc.root, "n")));
	ck_assert(mp_str_is(mp_get(&doc.root, "s"), "text"));
	ck_assert_str_eq(text, "text");
	ck_assert_uint_eq(mp_uint(mp_get(mp_get(&doc.root, "m"), "x"), 0), 1);
	free(text);
	mp_free(&doc);
}
END_TEST

START_TEST(what_is_absent_or_of_another_type_is_the_default)
{
	struct mp_doc doc = parse();

	ck_assert_ptr_null(mp_get(&doc.root, "none"));
	ck_assert_ptr_null(mp_get(NULL, "u"));
	ck_assert_ptr_null(mp_get(mp_get(&doc.root, "u"), "u"));
	ck_assert_uint_eq(mp_uint(NULL, 9), 9);
	ck_assert_uint_eq(mp_uint(mp_get(&doc.root, "i"), 9), 9);
	ck_assert_uint_eq(mp_uint(mp_get(&doc.root, "s"), 9), 9);
	ck_assert_double_eq(mp_double(mp_get(&doc.root, "s"), 0.5), 0.5);
	ck_assert(mp_bool(mp_get(&doc.root, "u"), true));
	ck_assert(mp_is_nil(NULL));
	ck_assert(!mp_is_nil(mp_get(&doc.root, "b")));
	ck_assert(!mp_str_is(mp_get(&doc.root, "s"), "tex"));
	ck_assert(!mp_str_is(mp_get(&doc.root, "s"), "texts"));
	ck_assert(!mp_str_is(NULL, ""));
	ck_assert_ptr_null(mp_str_dup(mp_get(&doc.root, "u")));
	ck_assert_ptr_null(mp_str_dup(NULL));
	mp_free(&doc);
}
END_TEST

START_TEST(strings_point_into_the_bytes_given)
{
	struct mp_doc doc = parse();
	const msgpack_object *text = mp_get(&doc.root, "s");

	ck_assert(text->via.str.ptr >= document);
	ck_assert(text->via.str.ptr < document + sizeof document);
	mp_free(&doc);
}
END_TEST

START_TEST(nothing_unwalked_is_parsed)
{
	struct mp_doc doc;

	ck_assert_int_eq(mp_parse(&doc, document, sizeof document, &walk_frame_limits), -EBADMSG);
	ck_assert_int_eq(
	    mp_parse(&doc, document, sizeof document - 2, &walk_frame_limits), -EBADMSG);
	ck_assert_int_eq(mp_parse(&doc, "\xdd\xff\xff\xff\xff", 5, &walk_store_limits), -EMSGSIZE);
	ck_assert_int_eq(mp_parse(&doc, "", 0, &walk_frame_limits), -EBADMSG);
}
END_TEST

START_TEST(the_deepest_that_is_walked_is_parsed_too)
{
	char nested[WALK_MAX_DEPTH + 1];
	struct mp_doc doc;

	memset(nested, 0x91, sizeof nested);
	nested[WALK_MAX_DEPTH] = 0x01;
	ck_assert_int_eq(mp_parse(&doc, nested, sizeof nested, &walk_store_limits), 0);
	mp_free(&doc);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mp");
	TCase *tests = tcase_create("mp");

	tcase_add_test(tests, values_are_found_by_key);
	tcase_add_test(tests, what_is_absent_or_of_another_type_is_the_default);
	tcase_add_test(tests, strings_point_into_the_bytes_given);
	tcase_add_test(tests, nothing_unwalked_is_parsed);
	tcase_add_test(tests, the_deepest_that_is_walked_is_parsed_too);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
