#include "ipc/le.h"
#include "ipc/logfile.h"
#include "tests/unit/commands_kit.h"

enum {
	TASK = 7,
	LINES = 3000 /* more than a piece holds */
};

/* The directory of attempt N, made. */
static int
attempt_dir(int n)
{
	char name[32];
	int fd;

	snprintf(name, sizeof name, "%d.%d", TASK, n);
	ck_assert(mkdirat(supervisor.attempts_fd, name, 0700) == 0 || errno == EEXIST);
	fd = openat(supervisor.attempts_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
add_line(struct buf *segment, int step, const char *text)
{
	struct log_entry entry = { .ts_ms = 1764083045678,
		.step = (uint16_t)step,
		.stream = LOG_STREAM_OUT,
		.len = strlen(text) };
	uint8_t head[LOG_ENTRY_HEAD];

	log_entry_head(head, &entry);
	buf_add(segment, head, sizeof head);
	buf_add(segment, text, entry.len);
}

/* A log of N lines "line 0", ... of steps 1 and 2 by turns. */
static void
write_log(int attempt, int n)
{
	uint8_t head[LOG_SEGMENT_HEAD] = "REEVELOG";
	int dir = attempt_dir(attempt);
	struct buf segment;
	char text[32];

	buf_init(&segment, LOG_SEGMENT_BYTES);
	buf_add(&segment, head, sizeof head);
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof text, "line %d", i);
		add_line(&segment, 1 + i % 2, text);
	}
	ck_assert_int_eq(fd_write_file(dir, "log.0", segment.data, segment.len, 0600, false), 0);
	buf_fini(&segment);
	fd_close(&dir);
}

/* The number behind KEY in the answer. */
static long
number(const char *key)
{
	char wanted[32];
	const char *at;

	snprintf(wanted, sizeof wanted, "\"%s\":", key);
	at = strstr(said, wanted);
	ck_assert_msg(!failed && at, "no %s in %.200s", key, said);
	return strtol(at + strlen(wanted), NULL, 10);
}

START_TEST(a_task_without_a_log_has_an_empty_one)
{
	put_ended(TASK, getuid(), TASK_FAILED);
	ask("log", "{\"id\": 7}");
	says("\"entries\":[],");
	says("\"at_end\":true");
	says("\"live\":false");
	ask("log", "{\"id\": 7, \"attempt\": 99}");
	says("\"entries\":[],");
	fd_close(&(int){ attempt_dir(1) });
	ask("log", "{\"id\": 7}");
	says("\"entries\":[],");
}
END_TEST

START_TEST(a_line_says_when_and_by_which_step)
{
	put_ended(TASK, getuid(), TASK_FAILED);
	write_log(1, 1);
	ask("log", "{\"id\": 7}");
	says("\"attempt\":1,");
	says("{\"offset\":0,\"ts\":1764083045678,\"step\":1,\"stream\":\"stdout\",\"more\":false,"
	     "\"text\":\"line 0\"}");
	says("\"next\":22,\"at_end\":true,\"dropped\":0");
}
END_TEST

START_TEST(a_long_log_comes_in_pieces_without_a_gap)
{
	char params[64];
	int pieces = 0, line = 0;
	long next = 0;

	put_ended(TASK, getuid(), TASK_FAILED);
	write_log(1, LINES);
	do {
		snprintf(params, sizeof params, "{\"id\": 7, \"offset\": %ld}", next);
		ask("log", params);
		for (const char *at = said; (at = strstr(at, "\"text\":\"line ")) != NULL; at++)
			ck_assert_int_eq(atoi(at + strlen("\"text\":\"line ")), line++);
		ck_assert_int_gt(number("next"), next);
		next = number("next");
		pieces++;
	} while (!strstr(said, "\"at_end\":true"));
	ck_assert_int_eq(line, LINES);
	ck_assert_int_gt(pieces, 1);
	/* And what comes later is asked for from there. */
	snprintf(params, sizeof params, "{\"id\": 7, \"offset\": %ld}", next);
	ask("log", params);
	says("\"entries\":[],");
	ck_assert_int_eq(number("next"), next);
}
END_TEST

START_TEST(one_step_alone_is_shown_and_what_was_read_is_passed)
{
	put_ended(TASK, getuid(), TASK_FAILED);
	write_log(1, 4);
	ask("log", "{\"id\": 7, \"step\": 2}");
	says("line 1");
	says("line 3");
	says_not("line 0");
	ck_assert_int_eq(number("next"), 4 * 22);
	ask("log", "{\"id\": 7, \"step\": 3}");
	says("\"entries\":[],");
	says("\"at_end\":true");
	ck_assert_int_eq(number("next"), 4 * 22);
	ask("log", "{\"id\": 7, \"step\": 100000}");
	is_refused("invalid", "step");
}
END_TEST

START_TEST(the_last_attempt_is_meant_and_others_may_be_named)
{
	struct record record;

	world_record(&record, TASK, getuid());
	record.state = TASK_RUNNING;
	record.attempt.number = 2;
	world_put(&record);
	codec_free(&record_codec, &record);
	write_log(1, 1);
	write_log(2, 2);
	ask("log", "{\"id\": 7}");
	says("\"attempt\":2,");
	says("line 1");
	says("\"live\":true");
	ask("log", "{\"id\": 7, \"attempt\": 1}");
	says("\"attempt\":1,");
	says_not("line 1");
}
END_TEST

START_TEST(a_log_that_is_no_directory_is_told)
{
	put_ended(TASK, getuid(), TASK_FAILED);
	ck_assert_int_eq(symlinkat("/etc", supervisor.attempts_fd, "7.1"), 0);
	ask("log", "{\"id\": 7}");
	is_refused("internal", NULL);
}
END_TEST

int
main(void)
{
	TCase *tests = tests_of("log");

	tcase_add_test(tests, a_task_without_a_log_has_an_empty_one);
	tcase_add_test(tests, a_line_says_when_and_by_which_step);
	tcase_add_test(tests, a_long_log_comes_in_pieces_without_a_gap);
	tcase_add_test(tests, one_step_alone_is_shown_and_what_was_read_is_passed);
	tcase_add_test(tests, the_last_attempt_is_meant_and_others_may_be_named);
	tcase_add_test(tests, a_log_that_is_no_directory_is_told);
	return world_run(suite_create("commands log"), &tests, 1);
}
