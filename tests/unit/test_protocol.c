/* ipc/PROTOCOL.md is read as it stands: what it shows and lists is what the code does. */
#include "ipc/frame.h"
#include "ipc/inherit.h"
#include "ipc/logfile.h"
#include "ipc/msg.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char document_path[] = "ipc/PROTOCOL.md";
static char *document;

static void
read_document(void)
{
	FILE *file = fopen(document_path, "re");
	size_t room = 0;

	ck_assert_msg(file != NULL, "run this in the project's root: no %s", document_path);
	ck_assert_int_gt(getdelim(&document, &room, '\0', file), 0);
	fclose(file);
}

static void
forget_document(void)
{
	free(document);
}

/* ---- hex blocks ----------------------------------------------------------------------- */

static unsigned
hex_digit(char c)
{
	return (unsigned)(isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10);
}

/* The bytes of one line of a block, up to a comment. */
static void
read_hex_line(const char *line, size_t len, struct buf *out)
{
	for (size_t i = 0; i + 1 < len && line[i] != '#'; i++) {
		if (isxdigit((unsigned char)line[i])) {
			uint8_t byte = (uint8_t)(hex_digit(line[i]) << 4 | hex_digit(line[i + 1]));

			buf_add(out, &byte, 1);
			i++;
		}
	}
}

/* The bytes in the block "```hex NAME". */
static struct buf
read_block(const char *name)
{
	struct buf out;
	char head[64];
	const char *line;

	buf_init(&out, LIMIT_FRAME);
	snprintf(head, sizeof head, "\n```hex %s\n", name);
	line = strstr(document, head);
	ck_assert_msg(line != NULL, "no block %s", name);
	for (line += strlen(head); strncmp(line, "```", 3) != 0; line += strcspn(line, "\n") + 1)
		read_hex_line(line, strcspn(line, "\n"), &out);
	ck_assert_uint_gt(out.len, 0);
	return out;
}

static void
check_block(const char *name, const struct buf *made)
{
	struct buf shown = read_block(name);

	ck_assert_int_eq(buf_error(made), 0);
	ck_assert_msg(shown.len == made->len && memcmp(shown.data, made->data, made->len) == 0,
	    "block %s is not what is written", name);
	buf_fini(&shown);
}

static void
check_pipe_block(const char *name, const struct codec *codec, const void *obj)
{
	struct buf made;
	size_t begin;

	buf_init(&made, LIMIT_FRAME);
	begin = pipe_frame_begin(&made);
	ck_assert_int_eq(codec_encode(codec, obj, &made), 0);
	ck_assert_int_eq(pipe_frame_end(&made, begin, LIMIT_FRAME), 0);
	check_block(name, &made);
	buf_fini(&made);
}

static char *
text(const char *literal)
{
	char *copy = strdup(literal);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

static struct blob
value(const char *bytes, size_t len)
{
	struct blob blob = { .data = NULL };

	ck_assert_int_eq(blob_set(&blob, bytes, len), 0);
	return blob;
}

static void
fill_step_msg(struct step_msg *msg, enum step_msg_kind kind)
{
	switch (kind) {
	case STEP_MSG_PROGRESS:
		msg->fraction = 0.5;
		msg->label = text("unpacking");
		break;
	case STEP_MSG_BYTES:
		msg->done = 1 << 20;
		msg->total = 40000000;
		msg->rate = 2500000;
		break;
	case STEP_MSG_LABEL:
		msg->label = text("waiting");
		break;
	case STEP_MSG_BEGIN:
		msg->name = text("copy");
		msg->count = 3;
		break;
	case STEP_MSG_COMPLETE:
		msg->detail = text("3 files");
		break;
	case STEP_MSG_FAIL:
		msg->detail = text("no space");
		break;
	case STEP_MSG_CHECKPOINT:
		msg->value = value("\x81\xa2"
				   "at\x2a",
		    5);
		break;
	case STEP_MSG_OUTPUT:
		msg->name = text("version");
		msg->text = text("1.2.3");
		break;
	case STEP_MSG_WARNING:
		msg->text = text("slow mirror");
		break;
	case STEP_MSG_NOTIFICATION:
		msg->text = text("half done");
		break;
	case STEP_MSG_RESULT:
		msg->value = value("\x92\x01\x02", 3);
		break;
	}
}

static const struct {
	enum step_msg_kind kind;
	const char *name, *help;
} step_msgs[] = {
#define X(sym, num, name_, help_) { sym, name_, help_ },
	STEP_MSG_KINDS(X)
#undef X
};
#define STEP_MSGS ((int)(sizeof step_msgs / sizeof step_msgs[0]))

START_TEST(every_step_message_is_shown_as_it_is_written)
{
	struct step_msg msg;

	codec_init(&step_msg_codec, &msg);
	msg.type = text(step_msgs[_i].name);
	fill_step_msg(&msg, step_msgs[_i].kind);
	check_pipe_block(step_msgs[_i].name, &step_msg_codec, &msg);
	codec_free(&step_msg_codec, &msg);
}
END_TEST

START_TEST(what_a_step_is_told_is_shown_as_it_is_written)
{
	struct step_start start = { .task = 41, .attempt = 2, .try_ = 1 };

	start.checkpoint = value("\x81\xa2"
				 "at\x2a",
	    5);
	check_pipe_block("start", &step_start_codec, &start);
	codec_free(&step_start_codec, &start);
}
END_TEST

START_TEST(a_fact_is_shown_as_it_is_written)
{
	struct fact fact;
	struct buf body, frame;

	codec_init(&fact_codec, &fact);
	fact.kind = FACT_STEP_END;
	fact.ts_ms = UINT64_C(1767225600000);
	fact.step = 2;
	fact.state = STEP_DONE;
	fact.exit.known = true;
	buf_init(&body, LIMIT_FRAME);
	buf_init(&frame, LIMIT_FRAME);
	ck_assert_int_eq(codec_encode(&fact_codec, &fact, &body), 0);
	ck_assert_int_eq(journal_frame_encode(&frame, 5, body.data, body.len), 0);
	check_block("fact", &frame);
	buf_fini(&body);
	buf_fini(&frame);
}
END_TEST

START_TEST(news_and_orders_are_shown_as_they_are_written)
{
	struct news news;
	struct order order = { .rev = 7, .want = WANT_CANCEL };

	codec_init(&news_codec, &news);
	news.step = 2;
	news.fraction = 0.5;
	news.progress = 0.25;
	news.label = text("copy");
	check_pipe_block("news", &news_codec, &news);
	codec_free(&news_codec, &news);
	check_pipe_block("order", &order_codec, &order);
}
END_TEST

START_TEST(a_log_is_shown_as_it_is_read)
{
	struct buf log = read_block("log");
	struct log_entry entry;
	size_t used;

	ck_assert_uint_gt(log.len, LOG_SEGMENT_HEAD);
	ck_assert_mem_eq(log.data, "REEVELOG\0\0\0\0\0\0\0\0", LOG_SEGMENT_HEAD);
	buf_consume(&log, LOG_SEGMENT_HEAD);
	ck_assert_int_eq(log_entry_next(log.data, log.len, &entry, &used), 1);
	ck_assert_uint_eq(used, log.len);
	ck_assert_uint_eq(entry.step, 2);
	ck_assert_uint_eq(entry.stream, LOG_STREAM_OUT);
	ck_assert_uint_eq(entry.flags, 0);
	ck_assert_uint_eq(entry.ts_ms, UINT64_C(1767225600000));
	ck_assert_mem_eq(entry.text, "hello", 5);
	buf_fini(&log);
}
END_TEST

START_TEST(no_block_goes_unchecked)
{
	static const char *const others[] = { "start", "fact", "news", "order", "log" };
	size_t expected = (size_t)STEP_MSGS + sizeof others / sizeof others[0], n = 0;

	for (const char *at = document; (at = strstr(at, "\n```hex ")); at++)
		n++;
	ck_assert_uint_eq(n, expected);
}
END_TEST

/* ---- tables --------------------------------------------------------------------------- */

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
	ck_assert_int_eq(WANT_CANCEL_AFTER, WANT_MAX);
	check_row(&row, "| 4 | cancel, after");
	check_end(row);
	row = find_table("| fd | what it is |");
	ck_assert_int_eq(WORKER_FD_JOURNAL, 3);
	check_row(&row, "| 3 | the journal");
	ck_assert_int_eq(WORKER_FD_NEWS, 4);
	check_row(&row, "| 4 | the pipe for news");
	ck_assert_int_eq(WORKER_FD_ORDERS, 5);
	check_row(&row, "| 5 | the pipe for orders");
	ck_assert_int_eq(WORKER_FD_DIR, 6);
	check_row(&row, "| 6 | the directory `attempts/ID.N`");
	ck_assert_int_eq(WORKER_FD_CGROUP, 7);
	check_row(&row, "| 7 | the directory of the task's cgroup");
	ck_assert_int_eq(WORKER_FD_PIDS, 8);
	check_row(&row, "| 8 | `cgroup.procs`");
	ck_assert_int_eq(WORKER_FD_BRIEF, 9);
	check_row(&row, "| 9 | the brief");
	check_end(row);
}
END_TEST

START_TEST(the_limits_of_a_step_are_the_codecs)
{
	const char *row = find_table("| what | longest |");

	ck_assert_uint_eq(LIMIT_NAME, 128);
	check_row(&row, "| `name` | 128 bytes |");
	ck_assert_uint_eq(LIMIT_TITLE, 512);
	check_row(&row, "| `label`, `detail` | 512 bytes |");
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
	Suite *suite = suite_create("protocol");
	TCase *tests = tcase_create("protocol");
	SRunner *runner;
	int failed;

	tcase_add_unchecked_fixture(tests, read_document, forget_document);
	tcase_add_loop_test(tests, every_step_message_is_shown_as_it_is_written, 0, STEP_MSGS);
	tcase_add_test(tests, what_a_step_is_told_is_shown_as_it_is_written);
	tcase_add_test(tests, a_fact_is_shown_as_it_is_written);
	tcase_add_test(tests, news_and_orders_are_shown_as_they_are_written);
	tcase_add_test(tests, a_log_is_shown_as_it_is_read);
	tcase_add_test(tests, no_block_goes_unchecked);
	tcase_add_test(tests, the_table_of_step_messages_is_complete);
	tcase_add_test(tests, the_table_of_facts_is_complete);
	tcase_add_loop_test(tests, every_key_is_listed_with_its_number, 0, KEY_TABLES);
	tcase_add_test(tests, what_a_step_is_told_is_listed);
	tcase_add_test(tests, states_are_listed_with_their_numbers);
	tcase_add_test(tests, wants_and_fds_have_the_numbers_listed);
	tcase_add_test(tests, the_limits_of_a_step_are_the_codecs);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
