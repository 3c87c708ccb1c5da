#include "supervisor/cli/table.h"
#include "supervisor/cli/text.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct buf out;
static const struct term file = { .fd = 1, .has_utf8 = true };

static void
setup(void)
{
	/* Widths of wide characters are known in a UTF-8 locale only. */
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	buf_init(&out, 65536);
}

static void
teardown(void)
{
	buf_fini(&out);
}

static const char *
text(void)
{
	buf_add(&out, "", 1);
	return (const char *)out.data;
}

#define BYTES(string)       \
 {                          \
  string, sizeof string - 1 \
 }
static const struct {
	struct span given;
	const char *field, *log, *colours;
} hostile[] = {
	{ BYTES("plain"), "plain", "plain", "plain" },
	{ BYTES("a\tb\nc\rd"), "a b c d", "a\tbcd", "a\tbcd" },
	{ BYTES("\033[2J\033[Hgone"), "gone", "gone", "gone" },
	{ BYTES("\033[31mred\033[0m"), "red", "red", "\033[31mred\033[0m" },
	{ BYTES("\033[38;5;1mx"), "x", "x", "\033[38;5;1mx" },
	{ BYTES("\033[?25lx"), "x", "x", "x" },  /* hides the cursor */
	{ BYTES("\033[>4;2mx"), "x", "x", "x" }, /* ends in m, is no colour */
	{ BYTES("\033]0;title\007x"), "x", "x", "x" },
	{ BYTES("\033]52;c;Y2F0\033\\x"), "x", "x", "x" }, /* sets the clipboard */
	{ BYTES("\033]0;never closed"), "", "", "" },
	{ BYTES("\033P1$r\033\\x"), "x", "x", "x" },
	{ BYTES("\033(0x"), "x", "x", "x" }, /* another character set */
	{ BYTES("\033cx"), "x", "x", "x" },  /* full reset */
	{ BYTES("x\033"), "x", "x", "x" },
	{ BYTES("x\033["), "x", "x", "x" },
	{ BYTES("\033[\033[31mx"), "x", "x", "\033[31mx" },
	{ BYTES("\xc2\x9b"
		"31mx"),
	    "31mx", "31mx", "31mx" }, /* CSI as one C1 character */
	{ BYTES("a\x00"
		"b\x07\x08\x7f"),
	    "ab", "ab", "ab" },
	{ BYTES("a\xff"
		"b"),
	    "a\xef\xbf\xbd"
	    "b",
	    "a\xef\xbf\xbd"
	    "b",
	    "a\xef\xbf\xbd"
	    "b" },
	{ BYTES("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd", NULL, NULL }, /* '/' in too many bytes */
	{ BYTES("\xe2\x80\xae"
		"evil"),
	    "evil", "evil", "evil" }, /* turns the direction */
	{ BYTES("\xe2\x81\xa6"
		"evil\xe2\x80\xa8"),
	    "evil", "evil", "evil" },
	{ BYTES("gr\xc3\xbc\xc3\x9f \xe2\x9c\x93"), "gr\xc3\xbc\xc3\x9f \xe2\x9c\x93", NULL, NULL },
};

static void
check_clean(struct span given, enum text_mode mode, const char *expected)
{
	if (!expected)
		return;
	buf_clear(&out);
	text_clean(&out, given, mode);
	ck_assert_str_eq(text(), expected);
}

START_TEST(nothing_that_commands_a_terminal_gets_through)
{
	check_clean(hostile[_i].given, TEXT_FIELD, hostile[_i].field);
	check_clean(hostile[_i].given, TEXT_LOG, hostile[_i].log);
	check_clean(hostile[_i].given, TEXT_COLOURS, hostile[_i].colours);
}
END_TEST

START_TEST(a_colour_that_was_let_through_is_told)
{
	ck_assert(text_clean(&out, span_of("\033[1mx"), TEXT_COLOURS));
	ck_assert(!text_clean(&out, span_of("\033[1mx"), TEXT_LOG));
	ck_assert(!text_clean(&out, span_of("\033[Hx"), TEXT_COLOURS));
}
END_TEST

START_TEST(wide_characters_take_two_columns)
{
	ck_assert_uint_eq(text_columns("abc", 3), 3);
	ck_assert_uint_eq(text_columns("\xc3\xbc", 2), 1);
	ck_assert_uint_eq(text_columns("\xe4\xb8\xad\xe6\x96\x87", 6), 4);
	ck_assert_uint_eq(text_columns("e\xcc\x81", 3), 1); /* a combining accent takes none */
}
END_TEST

static const char *
cut(unsigned columns, bool utf8, const char *given)
{
	struct term term = { .columns = columns, .has_utf8 = utf8 };
	struct line line;

	buf_clear(&out);
	line_begin(&line, &out, &term);
	line_put(&line, STYLE_PLAIN, span_of(given));
	line_put(&line, STYLE_PLAIN, span_of("!"));
	return text();
}

static const char *
wrapped(unsigned columns, const char *given)
{
	struct term term = { .columns = columns, .has_utf8 = true };
	struct line line;

	buf_clear(&out);
	line_begin(&line, &out, &term);
	line_add(&line, STYLE_PLAIN, "ab");
	line_wrap(&line, STYLE_PLAIN, 4, span_of(given));
	return text();
}

START_TEST(what_is_wrapped_loses_nothing)
{
	ck_assert_str_eq(wrapped(0, "as long as it likes"), "ab  as long as it likes\n");
	ck_assert_str_eq(wrapped(40, "what fits on one line"), "ab  what fits on one line\n");
	ck_assert_str_eq(wrapped(40, "words stay whole where a line has to be broken"),
	    "ab  words stay whole where a line has\n    to be broken\n");
	ck_assert_str_eq(wrapped(30, "wordsthatarelongerthanthewholelineis"),
	    "ab  wordsthatarelongerthanthe\n    wholelineis\n");
	ck_assert_str_eq(wrapped(30, "123456789012345678901234\xe2\x9c\x93x"),
	    "ab  123456789012345678901234\n    \xe2\x9c\x93x\n");
	ck_assert_str_eq(wrapped(40, ""), "ab\n");
}
END_TEST

START_TEST(a_line_is_cut_between_characters)
{
	ck_assert_str_eq(cut(0, true, "as long as it likes"), "as long as it likes!");
	ck_assert_str_eq(cut(10, true, "12345678"), "12345678!");
	ck_assert_str_eq(cut(10, true, "123456789"), "123456789\xe2\x80\xa6");
	ck_assert_str_eq(cut(10, false, "1234567890123"), "123456789>");
	ck_assert_str_eq(cut(6, true, "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"),
	    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xe2\x80\xa6");
	/* Half of a wide character is none of it. */
	ck_assert_str_eq(cut(5, true, "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad"),
	    "\xe4\xb8\xad\xe6\x96\x87\xe2\x80\xa6");
}
END_TEST

START_TEST(styles_are_ended_also_where_a_line_is_cut)
{
	struct term term = { .columns = 5, .has_utf8 = true, .has_colour = true };
	struct line line;

	line_begin(&line, &out, &term);
	line_put(&line, STYLE_RED, span_of("123456"));
	ck_assert_str_eq(text(), "\033[31m1234\xe2\x80\xa6\033[0m");
}
END_TEST

START_TEST(a_bar_is_as_long_as_it_should_be)
{
	struct term term = { .has_utf8 = false };
	struct line line;

	line_begin(&line, &out, &term);
	line_bar(&line, 0.5, 10, STYLE_PLAIN);
	line_bar(&line, 0, 4, STYLE_PLAIN);
	line_bar(&line, 1, 4, STYLE_PLAIN);
	line_bar(&line, NAN, 4, STYLE_PLAIN);
	line_bar(&line, 7, 4, STYLE_PLAIN);
	line_bar(&line, -1, 4, STYLE_PLAIN);
	ck_assert_str_eq(text(), "#####---------####----####----");
}
END_TEST

START_TEST(bytes_are_told_in_three_digits)
{
	char number[TEXT_NUMBER], both[TEXT_BYTES_OF];

	ck_assert_str_eq(text_bytes(0, number), "0 B");
	ck_assert_str_eq(text_bytes(999, number), "999 B");
	ck_assert_str_eq(text_bytes(1000, number), "1.0 kB");
	ck_assert_str_eq(text_bytes(99900, number), "99.9 kB");
	ck_assert_str_eq(text_bytes(99960, number), "100 kB");
	ck_assert_str_eq(text_bytes(999600, number), "1.0 MB");
	ck_assert_str_eq(text_bytes(42100000, number), "42.1 MB");
	ck_assert_str_eq(text_bytes(UINT64_MAX, number), "18.4 EB");
	ck_assert_str_eq(text_bytes_of(18200000, 42100000, both), "18.2 of 42.1 MB");
	ck_assert_str_eq(text_bytes_of(1000, 42100000, both), "1.0 kB of 42.1 MB");
}
END_TEST

START_TEST(short_times_are_told_in_milliseconds)
{
	char number[TEXT_NUMBER];

	ck_assert_str_eq(text_duration(38, number), "38 ms");
	ck_assert_str_eq(text_duration(999, number), "999 ms");
	ck_assert_str_eq(text_duration(1000, number), "1.0 s");
}
END_TEST

START_TEST(a_hundred_percent_is_the_end_only)
{
	ck_assert_uint_eq(text_percent(0), 0);
	ck_assert_uint_eq(text_percent(NAN), 0);
	ck_assert_uint_eq(text_percent(-3), 0);
	ck_assert_uint_eq(text_percent(0.999), 99);
	ck_assert_uint_eq(text_percent(1), 100);
	ck_assert_uint_eq(text_percent(7), 100);
}
END_TEST

/* ---- tables ----------------------------------------------------------------------- */

static const struct table_column columns[] = {
	{ "id", 0, true, 0 },
	{ "task", 0, false, 0 },
	{ "scope", 0, false, 2 },
	{ "outcome", 0, false, 1 },
};

static void
draw(const struct term *term)
{
	struct table table;

	table_init(&table, term, columns, 4);
	table_row(&table);
	table_add(&table, 0, STYLE_PLAIN, "%d", 7);
	table_put(&table, 1, STYLE_PLAIN, span_of("gr\xc3\xbc\xc3\x9f"));
	table_put(&table, 3, STYLE_PLAIN, span_of("ok"));
	table_row(&table);
	table_add(&table, 0, STYLE_PLAIN, "%d", 1234);
	table_put(&table, 1, STYLE_PLAIN, span_of("copy all of it to the other side"));
	ck_assert_int_eq(table_draw(&table, &out), 0);
	table_fini(&table);
}

START_TEST(columns_are_aligned_and_empty_ones_left_out)
{
	draw(&file);
	ck_assert_str_eq(text(), "  id  task                              outcome\n"
				 "   7  gr\xc3\xbc\xc3\x9f                              ok\n"
				 "1234  copy all of it to the other side\n");
}
END_TEST

START_TEST(the_widest_column_gives_way_first)
{
	struct term narrow = { .columns = 41, .has_utf8 = true };

	draw(&narrow);
	ck_assert_str_eq(text(), "  id  task                       outcome\n"
				 "   7  gr\xc3\xbc\xc3\x9f                       ok\n"
				 "1234  copy all of it to the ot\xe2\x80\xa6\n");
}
END_TEST

START_TEST(columns_of_a_high_rank_are_left_out_where_it_is_narrow)
{
	struct term narrow = { .columns = 24, .has_utf8 = true };

	draw(&narrow);
	ck_assert_str_eq(text(), "  id  task\n"
				 "   7  gr\xc3\xbc\xc3\x9f\n"
				 "1234  copy all of it t\xe2\x80\xa6\n");
}
END_TEST

START_TEST(a_cell_does_not_break_its_row)
{
	struct table table;

	table_init(&table, &file, columns, 4);
	table_row(&table);
	table_put(&table, 1, STYLE_PLAIN, span_of("two\nlines\033[2J"));
	ck_assert_int_eq(table_draw(&table, &out), 0);
	table_fini(&table);
	ck_assert_str_eq(text(), "task\ntwo lines\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cli_text");
	TCase *texts = tcase_create("texts"), *tables = tcase_create("tables");

	tcase_add_checked_fixture(texts, setup, teardown);
	tcase_add_loop_test(texts, nothing_that_commands_a_terminal_gets_through, 0,
	    (int)(sizeof hostile / sizeof hostile[0]));
	tcase_add_test(texts, a_colour_that_was_let_through_is_told);
	tcase_add_test(texts, wide_characters_take_two_columns);
	tcase_add_test(texts, what_is_wrapped_loses_nothing);
	tcase_add_test(texts, a_line_is_cut_between_characters);
	tcase_add_test(texts, styles_are_ended_also_where_a_line_is_cut);
	tcase_add_test(texts, a_bar_is_as_long_as_it_should_be);
	tcase_add_test(texts, bytes_are_told_in_three_digits);
	tcase_add_test(texts, short_times_are_told_in_milliseconds);
	tcase_add_test(texts, a_hundred_percent_is_the_end_only);
	tcase_add_checked_fixture(tables, setup, teardown);
	tcase_add_test(tables, columns_are_aligned_and_empty_ones_left_out);
	tcase_add_test(tables, the_widest_column_gives_way_first);
	tcase_add_test(tables, columns_of_a_high_rank_are_left_out_where_it_is_narrow);
	tcase_add_test(tables, a_cell_does_not_break_its_row);
	suite_add_tcase(suite, texts);
	suite_add_tcase(suite, tables);
	return run_suite(suite);
}
