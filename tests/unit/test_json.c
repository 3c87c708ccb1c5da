#include "ipc/json.h"

#include "ipc/mp.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct pair_of_texts {
	const char *bytes;
	size_t len;
	const char *json;
};
#define P(bytes, json)           \
 {                               \
  bytes, sizeof(bytes) - 1, json \
 }

static const struct pair_of_texts texts[] = {
	P("\xc0", "null"),
	P("\xc2", "false"),
	P("\xc3", "true"),
	P("\x00", "0"),
	P("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
	P("\xd3\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808"),
	P("\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00", "0.5"),
	P("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", "0.1"),
	P("\xcb\x3f\xd5\x55\x55\x55\x55\x55\x55", "0.3333333333333333"),
	P("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x01", "1.0000000000000002"),
	P("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", "null"),
	P("\xcb\xff\xf0\x00\x00\x00\x00\x00\x00", "null"),
	P("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "null"),
	P("\xa0", "\"\""),
	P("\xa3"
	  "abc",
	    "\"abc\""),
	P("\xaa"
	  "\"\\\b\f\n\r\t\x01\x1f\x7f",
	    "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\""),
	P("\xa3"
	  "a\x00"
	  "b",
	    "\"a\\u0000b\""),
	P("\xa1\x0b", "\"\\u000b\""),
	P("\xa2\xc3\xa4", "\"\xc3\xa4\""),
	P("\xa4\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""),
	P("\xa3"
	  "a\xff"
	  "b",
	    "\"a\xef\xbf\xbd"
	    "b\""),
	P("\xa2\xe2\x82", "\"\xef\xbf\xbd\""),
	P("\xa3\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
	P("\xc4\x00", "\"\""),
	P("\xc4\x01"
	  "f",
	    "\"Zg==\""),
	P("\xc4\x02"
	  "fo",
	    "\"Zm8=\""),
	P("\xc4\x03"
	  "foo",
	    "\"Zm9v\""),
	P("\xc4\x04"
	  "foob",
	    "\"Zm9vYg==\""),
	P("\xc4\x03\xff\xfe\xfb", "\"//77\""),
	P("\xd4\x01"
	  "a",
	    "null"),
	P("\x90", "[]"),
	P("\x80", "{}"),
	P("\x92\x01\x91\x02", "[1,[2]]"),
	P("\x82\xa1z\x01\xa1"
	  "a\x02",
	    "{\"z\":1,\"a\":2}"),
	P("\x81\x05\x06", "{\"5\":6}"),
	P("\x81\xc3\xc0", "{\"true\":null}"),
	P("\x81\x91\xa1x\x01", "{\"[\\\"x\\\"]\":1}"),
};
#define TEXTS ((int)(sizeof texts / sizeof texts[0]))

static void
check_json(const char *bytes, size_t len, enum json_style style, const char *expected)
{
	struct mp_doc doc;
	struct buf out;

	ck_assert_int_eq(mp_parse(&doc, bytes, len, &walk_frame_limits), 0);
	buf_init(&out, 1000);
	ck_assert_int_eq(json_write(&out, &doc.root, style), 0);
	ck_assert_uint_eq(out.len, strlen(expected));
	ck_assert_mem_eq(out.data, expected, out.len);
	buf_fini(&out);
	mp_free(&doc);
}

START_TEST(every_kind_of_value_becomes_json)
{
	check_json(texts[_i].bytes, texts[_i].len, JSON_COMPACT, texts[_i].json);
}
END_TEST

START_TEST(another_parser_reads_every_one)
{
	const char *text = texts[_i].json;
	json_error_t error;
	json_t *json =
	    json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);

	ck_assert_msg(json != NULL, "%s: %s", text, error.text);
	json_decref(json);
}
END_TEST

START_TEST(pretty_json_has_a_line_per_value)
{
	static const char bytes[] = "\x83\xa1"
				    "a\x92\x01\x02\xa1"
				    "b\x80\xa1"
				    "c\x90";

	check_json(bytes, sizeof bytes - 1, JSON_PRETTY,
	    "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
}
END_TEST

START_TEST(a_double_reads_back_as_itself)
{
	static const double values[] = { 1e300, 5e-324, 1.0 / 3, 123456789.123456789, -0.0, 1e21 };

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		msgpack_object object = { .type = MSGPACK_OBJECT_FLOAT64, .via.f64 = values[i] };
		struct buf out;

		buf_init(&out, 100);
		ck_assert_int_eq(json_write(&out, &object, JSON_COMPACT), 0);
		buf_add(&out, "", 1);
		ck_assert_double_eq(strtod((const char *)out.data, NULL), values[i]);
		buf_fini(&out);
	}
}
END_TEST

START_TEST(a_full_buffer_is_an_error)
{
	msgpack_object object = { .type = MSGPACK_OBJECT_STR,
		.via.str = { 20, "0123456789012345678" } };
	struct buf out;

	buf_init(&out, 10);
	ck_assert_int_eq(json_write(&out, &object, JSON_COMPACT), -EMSGSIZE);
	buf_fini(&out);
}
END_TEST

START_TEST(an_object_that_is_too_deep_is_refused)
{
	msgpack_object objects[64] = { { .type = MSGPACK_OBJECT_NIL } };
	struct buf out;

	for (size_t i = 0; i + 1 < 64; i++) {
		objects[i].type = MSGPACK_OBJECT_ARRAY;
		objects[i].via.array.size = 1;
		objects[i].via.array.ptr = &objects[i + 1];
	}
	buf_init(&out, 1000);
	ck_assert_int_eq(json_write(&out, &objects[0], JSON_COMPACT), -EMSGSIZE);
	buf_clear(&out);
	ck_assert_int_eq(json_write(&out, &objects[40], JSON_COMPACT), 0);
	buf_fini(&out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json");
	TCase *tests = tcase_create("json");

	tcase_add_loop_test(tests, every_kind_of_value_becomes_json, 0, TEXTS);
	tcase_add_loop_test(tests, another_parser_reads_every_one, 0, TEXTS);
	tcase_add_test(tests, pretty_json_has_a_line_per_value);
	tcase_add_test(tests, a_double_reads_back_as_itself);
	tcase_add_test(tests, a_full_buffer_is_an_error);
	tcase_add_test(tests, an_object_that_is_too_deep_is_refused);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
