/*
 * ipc/PROTOCOL.md is read as it stands: the bytes it shows are what the code writes. Its tables
 * are test_protocol_tables.c's.
 */
#include "tests/unit/protocol_kit.h"
#include "tests/unit/suite.h"

#include "ipc/frame.h"
#include "ipc/logfile.h"
#include "ipc/secrets.h"

#include <ctype.h>

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
	case STEP_MSG_QUESTION:
		msg->question.name = text("go");
		msg->question.text = text("Go on?");
		break;
	case STEP_MSG_WITHDRAW:
		msg->name = text("go");
		break;
	case STEP_MSG_RESULT:
		msg->value = value("\x92\x01\x02", 3);
		break;
	case STEP_MSG_WAITING:
		msg->on = text("lock");
		msg->holder = text("apt-get (pid 812, root)");
		break;
	}
}

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

START_TEST(an_answer_is_shown_as_it_is_written)
{
	struct answer answer = { .question = text("go"), .yes = true, .by = text("unix:ann") };

	check_pipe_block("answer", &answer_named_codec, &answer);
	codec_free(&answer_codec, &answer);
}
END_TEST

START_TEST(a_log_is_shown_as_it_is_read)
{
	struct buf log = read_block("log");
	struct log_entry entry;
	size_t used;

	ck_assert_uint_gt(log.len, LOG_SEGMENT_HEAD);
	ck_assert_mem_eq(log.data, "REEVELOG\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", LOG_SEGMENT_HEAD);
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

START_TEST(secrets_are_shown_as_they_are_passed)
{
	struct buf block = read_block("secrets");
	uint8_t bytes[SECRETS_MAX];
	struct pairs secrets = { .v = NULL };

	ck_assert_int_eq(pairs_set(&secrets, "token", "hush"), 0);
	ck_assert_int_eq(secrets_encode(&secrets, bytes), (int)block.len);
	ck_assert_mem_eq(block.data, bytes, block.len);
	pairs_free(&secrets);
	buf_fini(&block);
}
END_TEST

START_TEST(no_block_goes_unchecked)
{
	static const char *const others[] = { "start", "fact", "news", "order", "log", "answer",
		"secrets" };
	size_t expected = (size_t)STEP_MSGS + sizeof others / sizeof others[0], n = 0;

	for (const char *at = document; (at = strstr(at, "\n```hex ")); at++)
		n++;
	ck_assert_uint_eq(n, expected);
}
END_TEST
int
main(void)
{
	Suite *suite = suite_create("protocol");
	TCase *tests = tcase_create("protocol");

	tcase_add_unchecked_fixture(tests, read_document, forget_document);
	tcase_add_loop_test(tests, every_step_message_is_shown_as_it_is_written, 0, STEP_MSGS);
	tcase_add_test(tests, what_a_step_is_told_is_shown_as_it_is_written);
	tcase_add_test(tests, a_fact_is_shown_as_it_is_written);
	tcase_add_test(tests, news_and_orders_are_shown_as_they_are_written);
	tcase_add_test(tests, an_answer_is_shown_as_it_is_written);
	tcase_add_test(tests, a_log_is_shown_as_it_is_read);
	tcase_add_test(tests, secrets_are_shown_as_they_are_passed);
	tcase_add_test(tests, no_block_goes_unchecked);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
