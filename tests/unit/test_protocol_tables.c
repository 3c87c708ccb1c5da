/* ipc/PROTOCOL.md is read as it stands: what its tables list is what the code does. */
#include "tests/unit/protocol_kit.h"
#include "tests/unit/suite.h"

#include "ipc/inherit.h"
#include "ipc/logfile.h"

/* The table whose first line begins with HEAD: its first row, behind the line of dashes. */
static const char *
find_table(const char *head)
{
	const char *at = strstr(document, head);

	ck_assert_msg(at != NULL && at > document && at[-1] == '\n', "no table %s", head);
	for (int line = 0; line < 2; line++)
		at += strcspn(at, "\n") + 1;
	return at;
}

/* The row at *ROW begins with EXPECTED; goes on to the next. */
static void
check_row(const char **row, const char *expected)
{
	ck_assert_msg(strncmp(*row, expected, strlen(expected)) == 0,
	    "expected the row %s, found %.60s", expected, *row);
	*row += strcspn(*row, "\n") + 1;
}

static void
check_end(const char *row)
{
	ck_assert_msg(*row != '|', "one row too many: %.60s", row);
}

START_TEST(the_table_of_step_messages_is_complete)
{
	const char *row = find_table("| type | keys | meaning |");
	char expected[256];

	for (int i = 0; i < STEP_MSGS; i++) {
		snprintf(expected, sizeof expected, "| `%s` | `%s` | ", step_msgs[i].name,
		    step_msgs[i].help);
		check_row(&row, expected);
	}
	check_end(row);
}
END_TEST

/* Writes TEXT for a cell of a table: its bars are escaped. */
static void
escape_bars(const char *cell, char *to)
{
	for (; *cell; cell++) {
		if (*cell == '|')
			*to++ = '\\';
		*to++ = *cell;
	}
	*to = '\0';
}

START_TEST(the_table_of_facts_is_complete)
{
	static const struct {
		const char *name, *help;
		int number;
		bool from_worker;
	} facts[] = {
#define X(sym, num, name, from_worker, help) { name, help, num, from_worker },
		FACT_KINDS(X)
#undef X
	};
	const char *row = find_table("| number | fact | written by |");
	char expected[512], help[256];

	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
		escape_bars(facts[i].help, help);
		snprintf(expected, sizeof expected, "| %d | `%s` | %s | %s |\n", facts[i].number,
		    facts[i].name, facts[i].from_worker ? "worker" : "supervisor", help);
		check_row(&row, expected);
	}
	check_end(row);
}
END_TEST

static const struct {
	const char *head;
	const struct codec *codec;
} key_tables[] = {
	{ "| key | of a fact | type |", &fact_codec },
	{ "| key | of news | type |", &news_codec },
	{ "| key | of an order | type |", &order_codec },
};
#define KEY_TABLES ((int)(sizeof key_tables / sizeof key_tables[0]))

/* How the cell for a field's type begins. */
static const char *
type_text(enum codec_type type)
{
	switch (type) {
	case CODEC_UINT:
	case CODEC_ENUM:
		return ""; /* some are named after what they number */
	case CODEC_INT:
		return "int";
	case CODEC_BOOL:
		return "bool";
	case CODEC_DOUBLE:
		return "float";
	case CODEC_STR:
		return "str";
	case CODEC_BLOB:
		return "any";
	case CODEC_STRS:
	case CODEC_LIST:
		return "list";
	case CODEC_PAIRS:
	case CODEC_STRUCT:
		return "map";
	case CODEC_REST:
		break;
	}
	return "none";
}

START_TEST(every_key_is_listed_with_its_number)
{
	const struct codec *codec = key_tables[_i].codec;
	const char *row = find_table(key_tables[_i].head);
	char expected[256];

	for (size_t i = 0; i < codec->nfields; i++) {
		const struct codec_field *field = &codec->fields[i];

		if (field->type == CODEC_REST)
			continue;
		snprintf(expected, sizeof expected, "| %u | `%s` | %s", field->number, field->name,
		    type_text(field->type));
		check_row(&row, expected);
	}
	check_end(row);
}
END_TEST

START_TEST(what_a_step_is_told_is_listed)
{
	const char *row = find_table("| key | type | meaning |");
	char expected[64];

	for (size_t i = 0; i < step_start_codec.nfields; i++) {
		snprintf(expected, sizeof expected, "| `%s` | ", step_start_codec.fields[i].name);
		check_row(&row, expected);
	}
	check_end(row);
}
END_TEST

START_TEST(states_are_listed_with_their_numbers)
{
	const char *row = find_table("| number | state of a step |");
	char expected[64];

#define X(sym, num, name, is_done)                                  \
 snprintf(expected, sizeof expected, "| %d | `%s` |\n", num, name); \
 check_row(&row, expected);
	STEP_STATES(X)
#undef X
	check_end(row);
	row = find_table("| number | state of a task |");
#define X(sym, num, name, is_end, worker, slot)                     \
 snprintf(expected, sizeof expected, "| %d | `%s` |\n", num, name); \
 check_row(&row, expected);
	TASK_STATES(X)
#undef X
	check_end(row);
	row = find_table("| number | kind of what it waits for |");
#define X(sym, num, name, by_step)                                  \
 snprintf(expected, sizeof expected, "| %d | `%s` |\n", num, name); \
 check_row(&row, expected);
	BLOCK_KINDS(X)
#undef X
	check_end(row);
}
END_TEST

START_TEST(wants_and_fds_have_the_numbers_listed)
{
	const char *row = find_table("| number | want |");

	ck_assert_int_eq(WANT_RUN, 1);
	check_row(&row, "| 1 | run |");
	ck_assert_int_eq(WANT_PAUSE, 2);
	check_row(&row, "| 2 | pause |");
	ck_assert_int_eq(WANT_CANCEL, 3);
	check_row(&row, "| 3 | cancel, now |");
	ck_assert_int_eq(WANT_CANCEL_AFTER, 4);
	check_row(&row, "| 4 | cancel, after");
	ck_assert_int_eq(WANT_SUSPEND, WANT_MAX);
	check_row(&row, "| 5 | suspend:");
	check_end(row);
	row = find_table("| fd | what it is |");
	ck_assert_int_eq(WORKER_FD_JOURNAL, 3);
	check_row(&row, "| 3 | the journal");
	ck_assert_int_eq(WORKER_FD_NEWS, 4);
	check_row(&row, "| 4 | the pipe for news");
	ck_assert_int_eq(WORKER_FD_ORDERS, 5);
	check_row(&row, "| 5 | the pipe for orders");
	ck_assert_int_eq(WORKER_FD_ATTEMPTS, 6);
	check_row(&row, "| 6 | the directory `attempts`");
	ck_assert_int_eq(WORKER_FD_CGROUP, 7);
	check_row(&row, "| 7 | the directory of the task's cgroup");
	ck_assert_int_eq(WORKER_FD_BRIEF, 8);
	check_row(&row, "| 8 | the brief");
	check_end(row);
}
END_TEST

START_TEST(the_limits_of_a_step_are_the_codecs)
{
	const char *row = find_table("| what | longest |");

	ck_assert_uint_eq(LIMIT_NAME, 128);
	check_row(&row, "| `name` | 128 bytes |");
	ck_assert_uint_eq(LIMIT_TITLE, 512);
	check_row(&row, "| `label`, `detail`, `holder` | 512 bytes |");
	ck_assert_uint_eq(LIMIT_TEXT, 16 << 10);
	check_row(&row, "| `text` | 16 KiB |");
	ck_assert_uint_eq(LIMIT_VALUE, 32 << 10);
	check_row(&row, "| `value` | 32 KiB, one MessagePack value at most 7 containers deep |");
	check_end(row);
	ck_assert_uint_eq(LIMIT_FRAME, 64 << 10);
	ck_assert_uint_eq(walk_frame_limits.max_depth, 8);
	ck_assert_uint_eq(walk_frame_limits.max_items, 4096);
	ck_assert_uint_eq(walk_frame_limits.max_bytes, LIMIT_FRAME);
	ck_assert_int_eq(LIMIT_SUB_DEPTH, 4);
	ck_assert_int_eq(LOG_ENTRY_TEXT, 16 << 10);
	ck_assert_int_eq(LOG_SEGMENT_BYTES, 1 << 20);
	ck_assert_int_eq(LOG_KEEP_HEAD, 2);
	ck_assert_int_eq(LOG_KEEP_TAIL, 6);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("protocol_tables");
	TCase *tests = tcase_create("protocol_tables");

	tcase_add_unchecked_fixture(tests, read_document, forget_document);
	tcase_add_test(tests, the_table_of_step_messages_is_complete);
	tcase_add_test(tests, the_table_of_facts_is_complete);
	tcase_add_loop_test(tests, every_key_is_listed_with_its_number, 0, KEY_TABLES);
	tcase_add_test(tests, what_a_step_is_told_is_listed);
	tcase_add_test(tests, states_are_listed_with_their_numbers);
	tcase_add_test(tests, wants_and_fds_have_the_numbers_listed);
	tcase_add_test(tests, the_limits_of_a_step_are_the_codecs);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
