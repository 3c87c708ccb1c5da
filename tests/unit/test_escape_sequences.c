#include "worker/escape.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *said, *text;
} cases[] = {
	{ "plain\ttext\r\n", "plain\ttext\r\n" },
	{ "\x1b[1;31mred\x1b[0m", "red" },
	{ "\x1b[01;31m\x1b[Kerror:\x1b[m\x1b[K no", "error: no" },
	{ "a\x1b[2Kb\x1b[1Gc", "ab\rc" },
	{ "one\x1b[2A\x1b[3Btwo", "one\rtwo" },
	{ "12\b\b34", "12\r34" },
	{ "\x1b]0;a title\x07text", "text" },
	{ "\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\", "link" },
	{ "\x1bPsixel\x1b\\after", "after" },
	{ "\x1b]no end\nnext line", "\nnext line" },
	{ "\x1b[12\nnext line", "\nnext line" },
	{ "\x1b(Bascii\x1b)0", "ascii" },
	{ "bell\x07 and\x01 others\x7f", "bell and others" },
	{ "\x1b]cut\x1b[1mbold", "bold" },
	{ "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9" },
	{ "ends in \x1b", "ends in " },
};

START_TEST(text_is_left_and_sequences_go_in_any_pieces)
{
	const char *said = cases[_i].said, *text = cases[_i].text;
	struct escape escape = { 0 };
	char whole[64], pieces[64];
	size_t n, len = strlen(said);

	memcpy(whole, said, len);
	n = escape_clean(&escape, whole, len);
	ck_assert_uint_eq(n, strlen(text));
	ck_assert_mem_eq(whole, text, n);
	escape = (struct escape){ 0 };
	n = 0;
	for (size_t i = 0; i < len; i++) {
		char byte = said[i];

		if (escape_clean(&escape, &byte, 1) == 1 &&
		    !(byte == '\r' && said[i] != '\r' && n > 0 && pieces[n - 1] == '\r'))
			pieces[n++] = byte;
	}
	ck_assert_uint_eq(n, strlen(text));
	ck_assert_mem_eq(pieces, text, n);
}
END_TEST

START_TEST(a_command_is_handed_out_whole_or_not_at_all)
{
	struct escape escape = { 0 };
	int commands = 0;

	for (const char *c = "\x1b]9;4;1;50\x07"; *c; c++)
		commands += escape_step(&escape, *c) == ESCAPE_COMMAND;
	ck_assert_int_eq(commands, 1);
	ck_assert_uint_eq(escape.len, 8);
	ck_assert_mem_eq(escape.string, "9;4;1;50", 8);
	escape_step(&escape, 0x1b);
	escape_step(&escape, ']');
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(escape_step(&escape, 'x'), ESCAPE_NOTHING);
	ck_assert_int_eq(escape_step(&escape, 0x07), ESCAPE_NOTHING);
	ck_assert_int_eq(escape_step(&escape, 'x'), ESCAPE_TEXT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("escape_sequences");
	TCase *tests = tcase_create("sequences");

	tcase_add_loop_test(tests, text_is_left_and_sequences_go_in_any_pieces, 0,
	    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tests, a_command_is_handed_out_whole_or_not_at_all);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
